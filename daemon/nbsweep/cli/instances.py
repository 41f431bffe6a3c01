"""Finds one instance of a notebook by what people type, with its creation date: in the journal, or else in the cloud."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from nbsweep.bootstrap.sweeps import OpenResources, open_all
from nbsweep.cli.session import Session
from nbsweep.core.errors import CloudError, ConfigurationError, NbsweepError, UsageError
from nbsweep.core.lookup import NotebookRef, describe_candidates, find_notebooks
from nbsweep.core.marks.model import OPEN, Mark
from nbsweep.core.ports import Journal
from nbsweep.engine.inspection.lookup import find_removed, look_up
from nbsweep.engine.report import leading_error
from nbsweep.loading.file import find_config, load_settings

MOST_MARKS = 20_000
"""Number of marks of the journal that are looked at."""


class Wanted(Struct, frozen=True):
    """A notebook as it was typed."""

    text: str
    target: str = ""
    """The only target to look at; empty for all."""
    id_only: bool = False
    """Whether the id is enough, so that the cloud need not be asked."""


class Instance(Struct, frozen=True):
    """One notebook; `created_at` is None if nobody knows, and the id alone is to identify it."""

    ref: NotebookRef
    created_at: datetime | None


async def find_instance(session: Session, journal: Journal, wanted: Wanted, config: Path | None) -> Instance:
    """Find a notebook among those that are announced, or else in the cloud.

    Raises:
        UsageError: nothing fits, several fit, or the creation date cannot be found out.
    """
    if found := _only(wanted, _of_marks(wanted.text, await journal.marks.marks(MOST_MARKS, OPEN, wanted.target or None))):
        return found
    if wanted.id_only:
        return await _by_id(journal, wanted)
    try:
        return await _in_cloud(session, wanted, config)
    except (CloudError, ConfigurationError, ExceptionGroup) as error:
        problem = leading_error(error)
        if isinstance(problem, UsageError):
            raise problem from None
        # A mark that has ended knows the date too, but not whether the notebook is still there.
        if found := _only(wanted, _of_marks(wanted.text, await journal.marks.marks(MOST_MARKS, (), wanted.target or None))):
            return found
        raise _unknown_date(wanted, problem) from None


def _of_marks(text: str, marks: Sequence[Mark]) -> tuple[Instance, ...]:
    """Return the instances among these marks that fit a text, the latest of each id."""
    latest: dict[tuple[str, str], tuple[NotebookRef, Mark]] = {}
    for mark in marks:
        ref = NotebookRef(mark.target, mark.notebook_id, mark.name, mark.owner_label)
        latest.setdefault((mark.target, mark.notebook_id), (ref, mark))
    dates = {ref: mark.notebook_created_at for ref, mark in latest.values()}
    return tuple(Instance(ref, dates[ref]) for ref in find_notebooks(text, dates))


def _only(wanted: Wanted, found: Sequence[Instance]) -> Instance | None:
    """Return the only instance, which may be on several targets; None if there is none.

    Raises:
        UsageError: there are several.
    """
    if len({(each.ref.id, each.created_at) for each in found}) > 1:
        raise UsageError(describe_candidates(wanted.text, [each.ref for each in found]))
    return found[0] if found else None


async def _by_id(journal: Journal, wanted: Wanted) -> Instance:
    removed = {ref.id: ref for ref in await find_removed(journal, wanted.text)}
    if len(removed) > 1:
        raise UsageError(describe_candidates(wanted.text, list(removed.values())))
    return Instance(next(iter(removed.values()), NotebookRef(wanted.target, wanted.text)), None)


async def _in_cloud(session: Session, wanted: Wanted, config: Path | None) -> Instance:
    """Ask all targets.

    Raises:
        UsageError: no target has the notebook, or several notebooks fit.
        NbsweepError: a target cannot be asked. May come in an exception group.
    """
    # Only now: the journal needs no credentials.
    settings = load_settings(find_config(config, os.environ), session.environment)
    async with open_all(settings, session.environment, session.telemetry, session.shutdown) as opened:
        sweepers = [each for each in opened.sweepers if wanted.target in ("", each.area.target)]
        refs = (await look_up(sweepers, [wanted.text]))[wanted.text]
        instances = [Instance(ref, await _created_at(opened, ref)) for ref in refs]
    found = _only(wanted, instances)
    if found is None or found.created_at is None:
        raise UsageError(f"the cloud does not show when {wanted.text} was created; {_advice()}")
    return found


async def _created_at(opened: OpenResources, ref: NotebookRef) -> datetime | None:
    [sweeper] = [each for each in opened.sweepers if each.area.target == ref.target]
    return (await sweeper.ports.cloud.show(ref.id)).created_at


def _unknown_date(wanted: Wanted, problem: NbsweepError) -> UsageError:
    return UsageError(
        f"the journal does not know when {wanted.text} was created, and the cloud cannot be asked: {problem}. {_advice()}"
    )


def _advice() -> str:
    return "With --id-only and its whole ID, the exemption keeps any notebook with that ID, also one that is created later"
