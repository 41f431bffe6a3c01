"""A target among the others of its configuration, and as what the journal has known it."""

from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from nbsweep.core.errors import CloudError, ConfigurationError, Mistake
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.runs import RunRecord

LOOKS_BACK = 50
"""How many of the latest runs to look through for the last one under a target's name."""


class Neighbour(Struct, frozen=True):
    """Another target, which covers some of the same notebooks if it is the same project."""

    target: str
    project: Callable[[], Awaitable[str]]
    """Tells its project's id, as the port `Cloud` does."""


async def require_apart(target: str, identity: TargetIdentity, neighbours: Iterable[Neighbour]) -> None:
    """Refuse a target that is the same project as another, whose notebooks both would delete by brakes of their own.

    Raises:
        ConfigurationError: it is; names the other one.
    """
    for other in neighbours:
        try:
            project_id = await other.project()
        except CloudError:
            # Whose project is not to be found out is not swept either.
            continue
        if project_id == identity.project_id:
            problem = describe_same(target, other.target, identity)
            raise ConfigurationError("the configuration", (Mistake("targets", None, problem),))


def describe_same(target: str, other: str, identity: TargetIdentity) -> str:
    """Say that two targets are the same project, and what to do."""
    return (
        f"target {target} is the same project as target {other} ({identity.project_id}), and both cover some of its notebooks, "
        "so that each would delete them by brakes of its own: leave one out, or give them workspaces or features that differ"
    )


def last_otherwise(records: Iterable[RunRecord], now: RunRecord) -> RunRecord | None:
    """Find the last run under a target's name, the newest come first, if that was about something else than this one."""
    known = (one for one in records if one.target == now.target and one.run_id != now.run_id and one.project)
    last = next(known, None)
    return last if last is not None and (last.project, last.extent) != (now.project, now.extent) else None


def words_of(record: RunRecord) -> str:
    """Say what a run was about."""
    return f"{record.project} {record.extent}"
