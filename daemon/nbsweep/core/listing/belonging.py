"""Checks that a row belongs to the requested listing, because a server may ignore a parameter that it does not know.

Sources: ModelArts API, sections 1.1 (`workspaceId`, and the default feature) and 11.
"""

from collections.abc import Iterator

from msgspec import Struct

from nbsweep.core.model import Notebook, Scope


class Coverage(Struct, frozen=True):
    """The notebooks that a target covers."""

    workspaces: tuple[str, ...] | None = None
    """None means all workspaces that the caller may see."""
    features: tuple[str, ...] | None = None
    """None means all features."""


EVERYTHING = Coverage()


class Stray(Struct, frozen=True):
    """Why a notebook does not belong to a target, or cannot be shown to belong."""

    sentence: str
    unshown: bool = False
    """Whether the row leaves out the fact; a call for the single notebook may show it."""


def find_stray(notebook: Notebook, coverage: Coverage) -> Stray | None:
    """Return why a notebook does not belong to a target; None if it belongs."""
    strays = tuple(_strays(notebook, coverage))
    return next((stray for stray in strays if not stray.unshown), strays[0] if strays else None)


def differs_from(notebook: Notebook, scope: Scope) -> str:
    """Describe which fact of a row differs from the requested listing; empty if none differs, or none is shown."""
    if notebook.workspace_id not in (None, scope.workspace_id):
        return f"it is in workspace {notebook.workspace_id}, and workspace {scope.workspace_id} was asked for"
    if notebook.feature not in (None, scope.feature):
        return f"its feature is {notebook.feature}, and {scope.feature} was asked for"
    return ""


def _strays(notebook: Notebook, coverage: Coverage) -> Iterator[Stray]:
    facts = (
        ("workspace_id", "workspaces", notebook.workspace_id, coverage.workspaces),
        ("feature", "features", notebook.feature, coverage.features),
    )
    for field, key, fact, covered in facts:
        if covered is None or fact in covered:
            continue
        allowed = ", ".join(covered)
        if fact is None:
            yield Stray(f"the cloud does not show its {field}, and the target covers only {key}: {allowed}", unshown=True)
        else:
            yield Stray(f"its {field} is {fact}, and the target covers only {key}: {allowed}")
