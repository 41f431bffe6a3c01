"""The identity of a target: the project of its notebooks, and the part of the project that the target covers.

A target's name is for people. The name may move to another project, and a project may get another name. Therefore the journal
finds a target's past by identity. Rows from before identities were recorded have no project.
"""

from msgspec import Struct

THIS_MACHINE = ("127.0.0.1", "[::1]")
UNKNOWN = ""
"""Stands for a project that is not on record, or not looked up yet."""


class TargetIdentity(Struct, frozen=True, omit_defaults=True):
    """The identity of one target."""

    endpoint: str
    """Scheme, host and port, in lower case, without the default port."""
    project_id: str | None
    """None if it is looked up by the region, and that has not been done yet."""
    workspaces: tuple[str, ...] | None
    """Sorted; None means all workspaces that the caller may see."""
    features: tuple[str, ...]
    """Sorted."""
    scope: str
    """`all`, or `own` for the caller's notebooks only."""
    caller: str = ""
    """A digest that identifies the caller if the scope is own; contains no key, and no key can be derived from it."""

    @property
    def project(self) -> str:
        """Return the project as the journal records it; notebook ids are unique within it. Empty while it is unknown."""
        return f"{self.endpoint}/v1/{self.project_id}" if self.project_id else UNKNOWN

    @property
    def extent(self) -> str:
        """Return the covered part of the project as text, as the journal stores it."""
        workspaces = "all" if self.workspaces is None else ",".join(self.workspaces)
        caller = f" caller={self.caller}" if self.caller else ""
        return f"workspaces={workspaces} features={','.join(self.features)} scope={self.scope}{caller}"

    def covers(self, workspace_id: str, feature: str) -> bool:
        """Return whether the target covers the notebooks of a workspace and feature."""
        return feature in self.features and (self.workspaces is None or workspace_id in self.workspaces)

    def is_same(self, other: "TargetIdentity") -> bool:
        """Return whether both targets are the same project and overlap; False while either project is unknown."""
        same = self.project_id is not None and self.project_id == other.project_id
        return same and is_same_place(self.endpoint, other.endpoint) and self.overlaps(other)

    def overlaps(self, other: "TargetIdentity") -> bool:
        """Return whether both targets can cover the same notebook, provided that the project is the same."""
        if not set(self.features) & set(other.features):
            return False
        if self.scope == other.scope == "own" and self.caller != other.caller:
            return False
        return self.workspaces is None or other.workspaces is None or bool(set(self.workspaces) & set(other.workspaces))


def identity_on_record(project: str, extent: str) -> TargetIdentity | None:
    """Parse an identity from the texts of `project` and `extent`; return None if it is not on record.

    Raises:
        ValueError: the text of the extent is invalid.
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
    """Return whether two endpoints are equal, apart from names of this machine; other aliases of a server cannot be known."""
    return _without_alias(one) == _without_alias(other)


def _without_alias(endpoint: str) -> str:
    scheme, _, rest = endpoint.partition("://")
    for alias in THIS_MACHINE:
        if rest == alias or rest.startswith(f"{alias}:"):
            return f"{scheme}://localhost{rest.removeprefix(alias)}"
    return endpoint


def describe_project(project: str) -> str:
    """Return the project as text for people."""
    return project or "a project that is not on record"
