"""What the page of a search shows: the notebooks whose name or id begins with a text."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.inventory.model import NotebookState
from nbsweep.core.lookup import NotebookRef
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.elements.texts import short


class Hit(Struct, frozen=True):
    """A notebook."""

    notebook_id: str
    name: str
    owner: str
    targets: Sequence[str]
    """Those that have shown it."""
    state: Message | None = None
    """Its latest state, which tells it from others of the same name; None if its name is its own."""


class SearchView(Struct, frozen=True):
    """The page."""

    text: str
    hits: Sequence[Hit]
    has_more: bool
    has_states: bool
    """Whether several notebooks have the same name, so that their states are shown."""
    may_be_id: bool
    """Whether the text may be an id that only the cloud knows."""


def notebook_path(notebook_id: str) -> str:
    """Return the address of the page of a notebook."""
    return f"/notebooks/{notebook_id}"


def hits_of(text: str, found: Iterable[NotebookRef]) -> list[Hit]:
    """Return each notebook once, with all its targets: whole ids come first, then whole names, and then beginnings.

    They are in the order of their names; those of the same name stay in the order in which they were found.
    """
    once: dict[str, list[NotebookRef]] = {}
    for ref in found:
        once.setdefault(ref.id, []).append(ref)
    folded = text.casefold()

    def place(hit: Hit) -> tuple[int, str]:
        name = hit.name.casefold()
        return 0 if hit.notebook_id == text else 1 if name == folded else 2, name

    return sorted(map(_hit, once.values()), key=place)


def _hit(refs: Sequence[NotebookRef]) -> Hit:
    first = refs[0]
    targets = list(dict.fromkeys(ref.target for ref in refs))
    return Hit(first.id, short(first.name or ""), short(first.owner), targets)


def build_search(text: str, found: Sequence[Hit], most: int, *, may_be_id: bool) -> SearchView:
    """Return what the page shows."""
    hits = found[:most]
    return SearchView(text, hits, len(found) > most, any(hit.state for hit in hits), may_be_id)


def namesakes(hits: Sequence[Hit]) -> list[str]:
    """Return the IDs of the notebooks that share their name with another one."""
    names = Counter(hit.name.casefold() for hit in hits)
    return [hit.notebook_id for hit in hits if names[hit.name.casefold()] > 1]


def with_state(hit: Hit, state: NotebookState | None) -> Hit:
    """Return a notebook with its latest state; None if no survey on record has shown it."""
    return replace(hit, state=_words(state))


def _words(state: NotebookState | None) -> Message:
    if state is None:
        return message("in no survey on record")
    if state.seen_until:
        return message("gone since %(at)s", at=state.seen_until)
    facts = state.known_at(state.first_survey + 1)
    return message("%(status)s since %(at)s", status=facts.notebook.status.value if facts else "?", at=state.seen_from)
