"""Checks that no two targets share notebooks of a project, and that a target's identity is that of its last run."""

from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from nbsweep.core.errors import CloudError, ConfigurationError, Mistake
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.runs import RunRecord


class OverlappingTarget(Struct, frozen=True):
    """Another target, which covers some of the same notebooks if its project is the same."""

    target: str
    project: Callable[[], Awaitable[str]]
    """Returns the id of its project, as the port `Cloud` does."""


async def require_separate(target: str, identity: TargetIdentity, others: Iterable[OverlappingTarget]) -> None:
    """Raise if another target has the same project: each target would delete its notebooks under its own brakes.

    Raises:
        ConfigurationError: another target has the same project; the message names that target.
    """
    for other in others:
        try:
            project_id = await other.project()
        except CloudError:
            # A target whose project is unknown is not swept.
            continue
        if project_id == identity.project_id:
            problem = describe_same(target, other.target, identity)
            raise ConfigurationError("the configuration", (Mistake("targets", None, problem),))


def describe_same(target: str, other: str, identity: TargetIdentity) -> str:
    """Describe two targets with the same project, and what to do about it."""
    return (
        f"target {target} is the same project as target {other} ({identity.project_id}), and both cover some of its notebooks, "
        "so that each would delete them by brakes of its own: leave one out, or give them workspaces or features that differ"
    )


def is_changed(last: RunRecord | None, current: RunRecord) -> bool:
    """Return whether a target's last run had another project or extent; False if they are not on record."""
    return last is not None and last.project != "" and (last.project, last.extent) != (current.project, current.extent)


def describe_extent(record: RunRecord) -> str:
    """Return the project and the extent of a run."""
    return f"{record.project} {record.extent}"
