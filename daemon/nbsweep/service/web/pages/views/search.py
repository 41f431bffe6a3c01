"""What the page of a search shows: the notebooks whose name or id begins with a text."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from nbsweep.core.lookup import NotebookRef
from nbsweep.service.web.pages.views.elements.texts import short


class Hit(Struct, frozen=True):
    """A notebook."""

    notebook_id: str
    name: str
    owner: str
    target: str


class SearchView(Struct, frozen=True):
    """The page."""

    text: str
    hits: Sequence[Hit]
    has_more: bool
    may_be_id: bool
    """Whether the text may be an id that only the cloud knows."""


def notebook_path(notebook_id: str) -> str:
    """Return the address of the page of a notebook."""
    return f"/notebooks/{notebook_id}"


def hits_of(text: str, found: Iterable[NotebookRef]) -> list[NotebookRef]:
    """Return each notebook once; whole ids come first, then whole names, and then beginnings."""
    once: dict[str, NotebookRef] = {}
    for ref in found:
        once.setdefault(ref.id, ref)
    folded = text.casefold()

    def rank(ref: NotebookRef) -> int:
        return 0 if ref.id == text else 1 if (ref.name or "").casefold() == folded else 2

    return sorted(once.values(), key=rank)


def build_search(text: str, found: Sequence[NotebookRef], most: int, *, may_be_id: bool) -> SearchView:
    """Return what the page shows."""
    hits = [Hit(ref.id, short(ref.name or ""), short(ref.owner), ref.target) for ref in found[:most]]
    return SearchView(text, hits, len(found) > most, may_be_id)
