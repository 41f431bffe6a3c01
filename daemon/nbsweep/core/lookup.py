"""Finds notebooks by the text that a user types: an id, a name, or the beginning of an id."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import pairwise

from msgspec import Struct

SHORTEST_ID = 8
"""Ids are not shortened below this length."""
CANDIDATES_SHOWN = 10
SUGGESTED = 3
"""Number of names that are suggested."""
WHOLE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotebookRef(Struct, frozen=True):
    """What identifies a notebook to people."""

    target: str
    id: str
    name: str | None = None
    owner: str = ""

    def __str__(self) -> str:
        """Return the id, and what else is known."""
        of = f" of {self.owner}" if self.owner else ""
        return f"{self.id} ({self.name or 'without a name'}{of}, on {self.target})"


def find_notebooks(text: str, notebooks: Iterable[NotebookRef]) -> tuple[NotebookRef, ...]:
    """Return the notebooks with this id; without any, those with this name; without any, those whose id begins with it.

    Names are compared without regard to case, as policies do.
    """
    if not text.strip():
        return ()
    known = list(dict.fromkeys(notebooks))
    folded = text.casefold()
    return (
        tuple(each for each in known if each.id == text)
        or tuple(each for each in known if each.name is not None and each.name.casefold() == folded)
        or tuple(each for each in known if each.id.startswith(text))
    )


def describe_candidates(text: str, found: Collection[object]) -> str:
    """Return a sentence that lists the candidates of an ambiguous text."""
    shown = [str(each) for each in found][:CANDIDATES_SHOWN]
    more = f"; and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    return f"{text} is ambiguous, {len(found)} fit: {'; '.join(shown)}{more}"


def suggest(text: str, notebooks: Iterable[NotebookRef]) -> str:
    """Return a question with the names that begin with a text or are similar to it; empty if there are none."""
    names = {notebook.name.casefold(): notebook.name for notebook in notebooks if notebook.name}
    folded = text.casefold()
    begin = [name for name in sorted(names) if folded and name.startswith(folded)]
    found = list(dict.fromkeys([*begin, *get_close_matches(folded, names)]))[:SUGGESTED]
    return f"did you mean {' or '.join(names[name] for name in found)}?" if found else ""


def is_whole_id(text: str) -> bool:
    """Return whether a text has the form of a whole id, so that it is no name and not the beginning of an id."""
    return WHOLE_ID.fullmatch(text) is not None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question with the most similar name, or all known names if none is similar."""
    names = sorted(known)
    similar = get_close_matches(name, names, n=1)
    return f"did you mean {similar[0]}?" if similar else f"known: {', '.join(names) or 'none'}"


def short_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Return the beginning of each id, just long enough to be unique among these; all of the same length where possible."""
    known = sorted(set(ids))
    length = SHORTEST_ID
    for one, other in pairwise(known):
        length = max(length, _common(one, other) + 1)
    return {each: each[:length] for each in known}


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))
