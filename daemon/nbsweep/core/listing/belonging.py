"""Checks that a row belongs to the requested listing, because a server may ignore a parameter that it does not know.

Sources: ModelArts API, sections 1.1 (`workspaceId`, and the default feature) and 11.
"""

from collections.abc import Iterator

from msgspec import Struct

from nbsweep.core.model import Notebook, Scope
from nbsweep.core.reasons.model import Cause, CauseCode


class Coverage(Struct, frozen=True):
    """The notebooks that a target covers."""

    workspaces: tuple[str, ...] | None = None
    """None means all workspaces that the caller may see."""
    features: tuple[str, ...] | None = None
    """None means all features."""


EVERYTHING = Coverage()
WORKSPACE_CODES = (CauseCode.WORKSPACE_NOT_SHOWN, CauseCode.WORKSPACE_NOT_COVERED)
FEATURE_CODES = (CauseCode.FEATURE_NOT_SHOWN, CauseCode.FEATURE_NOT_COVERED)


class Stray(Struct, frozen=True):
    """Why a notebook does not belong to a target, or cannot be shown to belong."""

    cause: Cause
    unshown: bool = False
    """Whether the row leaves out the fact; a call for the single notebook may show it."""


def find_stray(notebook: Notebook, coverage: Coverage) -> Stray | None:
    """Return why a notebook does not belong to a target; None if it belongs."""
    strays = tuple(_strays(notebook, coverage))
    return next((stray for stray in strays if not stray.unshown), strays[0] if strays else None)


def differs_from(notebook: Notebook, scope: Scope) -> Cause | None:
    """Return which fact of a row differs from the requested listing; None if none differs, or none is shown."""
    if notebook.workspace_id not in (None, scope.workspace_id):
        shown = notebook.workspace_id or ""
        return Cause(CauseCode.OTHER_WORKSPACE, params={"workspace": shown, "asked": scope.workspace_id})
    if notebook.feature not in (None, scope.feature):
        return Cause(CauseCode.OTHER_FEATURE, params={"feature": notebook.feature or "", "asked": scope.feature})
    return None


def _strays(notebook: Notebook, coverage: Coverage) -> Iterator[Stray]:
    facts = (
        ("workspace", notebook.workspace_id, coverage.workspaces, WORKSPACE_CODES),
        ("feature", notebook.feature, coverage.features, FEATURE_CODES),
    )
    for name, fact, covered, (not_shown, not_covered) in facts:
        if covered is None or fact in covered:
            continue
        allowed = ", ".join(covered)
        if fact is None:
            yield Stray(Cause(not_shown, params={"covered": allowed}), unshown=True)
        else:
            yield Stray(Cause(not_covered, params={name: fact, "covered": allowed}))
