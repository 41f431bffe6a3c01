"""What makes a target this one and no other: the project that its notebooks are in, and what of that it covers.

A target's name is for people. It may be given to another project, and one project may be given another name; so whatever the
journal knows of a target's past is found by identity. Of a row from before identities were recorded nobody knows the project.
"""

from msgspec import Struct

THIS_MACHINE = ("127.0.0.1", "[::1]")
UNKNOWN = ""
"""In the place of a project that is not on record, or not looked up yet."""


class TargetIdentity(Struct, frozen=True, omit_defaults=True):
    """What a target covers."""

    endpoint: str
    """Scheme, host and port, in lower case, without what goes without saying."""
    project_id: str | None
    """None when it is looked up by the region, and has not been yet."""
    workspaces: tuple[str, ...] | None
    """Sorted; None for all that the caller may see."""
    features: tuple[str, ...]
    """Sorted."""
    scope: str
    """all, or own for the caller's notebooks only."""
    caller: str = ""
    """Stands for the caller where the scope is own and it matters who that is; no key, nor anything that leads to one."""

    @property
    def project(self) -> str:
        """Name the project as the journal does, in which notebook ids mean something; empty while it is unknown."""
        return f"{self.endpoint}/v1/{self.project_id}" if self.project_id else UNKNOWN

    @property
    def extent(self) -> str:
        """Write down what of the project is covered, as the journal keeps it and people read it."""
        workspaces = "all" if self.workspaces is None else ",".join(self.workspaces)
        caller = f" caller={self.caller}" if self.caller else ""
        return f"workspaces={workspaces} features={','.join(self.features)} scope={self.scope}{caller}"

    def covers(self, workspace_id: str, feature: str) -> bool:
        """Return whether notebooks of a workspace and feature are looked at."""
        return feature in self.features and (self.workspaces is None or workspace_id in self.workspaces)

    def is_same(self, other: "TargetIdentity") -> bool:
        """Return whether both cover some notebooks of one project that both know."""
        same = self.project_id is not None and self.project_id == other.project_id
        return same and is_same_place(self.endpoint, other.endpoint) and self.overlaps(other)

    def overlaps(self, other: "TargetIdentity") -> bool:
        """Return whether one notebook could be covered by both, if the project is the same."""
        if not set(self.features) & set(other.features):
            return False
        if self.scope == other.scope == "own" and self.caller != other.caller:
            return False
        return self.workspaces is None or other.workspaces is None or bool(set(self.workspaces) & set(other.workspaces))


def identity_on_record(project: str, extent: str) -> TargetIdentity | None:
    """Read an identity back from what `project` and `extent` have written; None if it is not on record.

    Raises:
        ValueError: it was not written by them.
    """
    if project == UNKNOWN or not extent:
        return None
    endpoint, _, project_id = project.rpartition("/v1/")
    parts = dict(part.split("=", 1) for part in extent.split(" "))
    try:
        workspaces, features, scope = parts["workspaces"], parts["features"], parts["scope"]
    except KeyError as error:
        message = f"a target's extent without {error}"
        raise ValueError(message) from error
    listed = None if workspaces == "all" else tuple(workspaces.split(","))
    return TargetIdentity(endpoint, project_id, listed, tuple(features.split(",")), scope, parts.get("caller", ""))


def is_same_place(one: str, other: str) -> bool:
    """Return whether two endpoints are known to be one; what other names a server has, and by which number, nobody can tell."""
    return _without_alias(one) == _without_alias(other)


def _without_alias(endpoint: str) -> str:
    scheme, _, rest = endpoint.partition("://")
    for alias in THIS_MACHINE:
        if rest == alias or rest.startswith(f"{alias}:"):
            return f"{scheme}://localhost{rest.removeprefix(alias)}"
    return endpoint


def describe_project(project: str) -> str:
    """Name a project for people."""
    return project or "a project that is not on record"
