"""The choice of targets, policies and notebooks for one command, and work on the chosen targets."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import anyio
import typer
from msgspec import Struct, structs

from nbsweep.adapters.process import current_user
from nbsweep.bootstrap.sweeps import OpenResources
from nbsweep.cli.session import Session
from nbsweep.core.errors import NbsweepError, UsageError
from nbsweep.core.lookup import describe_candidates, did_you_mean
from nbsweep.core.selection import Selection
from nbsweep.engine.inspection.lookup import look_up
from nbsweep.engine.report import leading_error
from nbsweep.engine.sweep import Sweeper
from nbsweep.settings import Settings

Result = TypeVar("Result")


class Choice(Struct, frozen=True):
    """The options `--target`, `--policy` and `--exclude`; without any, everything is chosen."""

    targets: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """As typed: ids, names, or the beginnings of ids."""


EVERYTHING = Choice()


def choose(
    settings: Settings, targets: Sequence[str] | None, policies: Sequence[str] | None, exclude: Sequence[str] | None
) -> Choice:
    """Read the options; refuse names that the configuration does not have."""
    require_known("--target", "target", targets or (), (target.name for target in settings.targets))
    require_known("--policy", "policy", policies or (), (policy.name for policy in settings.policies))
    return Choice(tuple(targets or ()), tuple(policies or ()), tuple(exclude or ()))


def named_targets(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """Return the named targets, or all if none is named; refuse names that the configuration does not have."""
    known = tuple(target.name for target in settings.targets)
    require_known("TARGET", "target", names, known)
    return tuple(dict.fromkeys(names)) or known


def require_known(option: str, kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names that are not known, with the most similar one."""
    there = tuple(known)
    for name in names:
        if name not in there:
            raise typer.BadParameter(f"there is no {kind} {name}; {did_you_mean(name, there)}", param_hint=option)


async def chosen_sweepers(session: Session, opened: OpenResources, choice: Choice) -> tuple[Sweeper, ...]:
    """Return the sweepers of the chosen targets, which plan only what is chosen; none after an interruption.

    Raises:
        UsageError: something that is to be left out does not exist, or its id is ambiguous.
        NbsweepError: a target cannot be read, so that it is unknown what is to be left out. May come in an exception group.
    """
    sweepers = tuple(each for each in opened.sweepers if not choice.targets or each.area.target in choice.targets)
    if not (choice.policies or choice.exclude):
        return sweepers
    excluded: frozenset[str] = frozenset()
    async with session.until_shutdown():
        excluded = await _ids(sweepers, choice.exclude)
    if session.shutdown.begun.is_set():
        return ()
    return tuple(_restricted(each, Selection(choice.policies, excluded, current_user())) for each in sweepers)


async def on_each(
    session: Session, sweepers: Sequence[Sweeper], work: Callable[[Sweeper], Awaitable[Result]]
) -> tuple[dict[str, Result], dict[str, NbsweepError]]:
    """Work on all targets concurrently; return the results and the errors by target, in the order of the sweepers.

    A shutdown cancels the work at once, so it must not change anything.
    """
    results: dict[str, Result] = {}
    errors: dict[str, NbsweepError] = {}

    async def work_on(sweeper: Sweeper) -> None:
        target = sweeper.area.target
        with session.telemetry.bound(target=target):
            try:
                results[target] = await work(sweeper)
            except (NbsweepError, ExceptionGroup) as error:
                errors[target] = leading_error(error)

    names = [sweeper.area.target for sweeper in sweepers]
    async with session.until_shutdown(), anyio.create_task_group() as group:
        for sweeper in sweepers:
            group.start_soon(work_on, sweeper)
    return {name: results[name] for name in names if name in results}, errors


def _restricted(sweeper: Sweeper, selection: Selection) -> Sweeper:
    rules = structs.replace(sweeper.options.rules, selection=selection)
    return replace(sweeper, options=structs.replace(sweeper.options, rules=rules))


async def _ids(sweepers: Sequence[Sweeper], texts: Sequence[str]) -> frozenset[str]:
    """Return the ids of the notebooks to leave out; all notebooks with a name, but one notebook for the beginning of an id."""
    found = await look_up(sweepers, texts) if texts else {}
    for text, notebooks in found.items():
        ids = {notebook.id for notebook in notebooks}
        if len(ids) > 1 and not any(text.casefold() == (notebook.name or "").casefold() for notebook in notebooks):
            raise UsageError(describe_candidates(text, notebooks))
    return frozenset(notebook.id for notebooks in found.values() for notebook in notebooks)
