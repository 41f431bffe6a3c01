"""The names that a shell completes: targets and policies of the configuration, and runs of the journal.

A shell shows no error while a line is typed, so a file that cannot be read gives no names.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from nbsweep.settings import Settings

LATEST = 20
"""Number of runs that are offered."""


def target_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the targets of the configuration that begin with the typed text."""
    return _beginning(incomplete, _read(context, lambda settings: [target.name for target in settings.targets]))


def policy_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the policies of the configuration that begin with the typed text."""
    return _beginning(incomplete, _read(context, lambda settings: [policy.name for policy in settings.policies]))


def run_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Return the latest runs that begin with the typed text."""
    return _beginning(incomplete, _read(context, _latest_runs))


def runs_or_last(context: typer.Context, incomplete: str) -> list[str]:
    """Return `last` and the latest runs, as far as they begin with the typed text."""
    return _beginning(incomplete, ["last", *_read(context, _latest_runs)])


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _read(context: typer.Context, names: "Callable[[Settings], Sequence[str]]") -> Sequence[str]:
    import os

    from nbsweep.core.errors import NbsweepError
    from nbsweep.loading.file import find_config, load_settings

    option = context.params.get("config") or context.find_root().params.get("config")
    environment = dict(os.environ)
    try:
        path = find_config(Path(option) if option else None, environment)
        return names(load_settings(path, environment, needs_credentials=False))
    except (NbsweepError, OSError):
        return ()


def _latest_runs(settings: "Settings") -> Sequence[str]:
    """Return the latest runs of a journal in a file; a server may keep the shell waiting, and is not asked."""
    import anyio

    from nbsweep.adapters.journal import open_journal
    from nbsweep.adapters.journal.address import parse_address

    async def read() -> list[str]:
        async with open_journal(settings.journal) as journal:
            return [record.run_id for record in await journal.runs(LATEST)]

    path = parse_address(settings.journal).path
    # Opening a journal creates it.
    return anyio.run(read) if path and path.exists() else ()
