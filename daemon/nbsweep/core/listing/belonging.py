"""Whether a row belongs to what was asked for; a server may ignore a parameter of a listing that it does not know.

Sources: ModelArts API, sections 1.1 (`workspaceId`, and the default feature) and 11.
"""

from collections.abc import Iterator

from msgspec import Struct

from nbsweep.core.model import Notebook, Scope


class Coverage(Struct, frozen=True):
    """Which notebooks a target may touch."""

    workspaces: tuple[str, ...] | None = None
    """None: all that the caller may see."""
    features: tuple[str, ...] | None = None
    """None: all."""


EVERYTHING = Coverage()


class Stray(Struct, frozen=True):
    """Why a notebook does not belong, or cannot be shown to belong."""

    sentence: str
    unshown: bool = False
    """The answer leaves out the fact; an answer about the notebook alone may have it."""


def find_stray(notebook: Notebook, coverage: Coverage) -> Stray | None:
    """Hold a notebook against what its target covers; None if it belongs."""
    strays = tuple(_strays(notebook, coverage))
    return next((stray for stray in strays if not stray.unshown), strays[0] if strays else None)


def differs_from(notebook: Notebook, scope: Scope) -> str:
    """Describe which fact of a row is other than its listing was asked for; empty if none is, or when none is shown."""
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
