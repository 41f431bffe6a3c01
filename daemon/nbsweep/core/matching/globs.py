"""Globs over text that users wrote: exact matches, and texts that only look like a match.

Text is compared after Unicode normalization (form C) of both sides, so that a composed accent equals a combining one. Two texts
*look alike* if they are equal after compatibility normalization (form KC) and case folding, with invisible characters removed,
each dash replaced by `-`, each run of white space by one blank, white space at both ends stripped, and letters of other scripts
that look like Latin letters replaced by these.

Every function takes time proportional to the length of its text: `fnmatch.translate` makes each `*` atomic, so that there is no
backtracking.
"""

import re
from collections.abc import Iterator
from fnmatch import translate
from unicodedata import name as unicode_name
from unicodedata import normalize

from nbsweep.core.reasons.finding import Difference

WILDCARD = re.compile(r"(\*|\?|\[!?\]?[^\]]*\])")

INVISIBLE = (
    (0x00, 0x08),
    (0x0E, 0x1B),
    (0x7F, 0x84),
    (0x86, 0x9F),
    (0xAD, 0xAD),
    (0x307, 0x307),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xE0000, 0xE007F),
    (0xE0100, 0xE01EF),
)
"""Control characters, Unicode's Default_Ignorable_Code_Point, and the dot above, which case folding splits off a Turkish I."""
DASHES = "\u02d7\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212"
OTHER_SCRIPTS = "аеорсухіјѕһԁӏвкмнтοαιρτνυχκı"
LATIN = "aeopcyxijshdlbkmhtoaiptvuxki"
CONFUSABLES: dict[int, str | None] = {
    **{code: None for first, last in INVISIBLE for code in range(first, last + 1)},
    **dict.fromkeys(map(ord, DASHES), "-"),
    **{ord(other): latin for other, latin in zip(OTHER_SCRIPTS, LATIN, strict=True)},
}
"""The replacement of each case-folded character that looks like another; None for invisible ones."""
MOST_NAMED = 3
LONGEST_SEARCHED = 1000
"""The number of characters that are searched; the API's own limit for a name is 128."""


class Glob:
    """A shell glob, with `*`, `?` and `[...]`."""

    __slots__ = ("_alike", "_expression", "_ignore_case", "text")

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        """Compile the glob.

        Raises:
            ValueError: the glob is empty, or a bracket in it is not closed.
        """
        if not text:
            message = "a glob must not be empty; '*' matches everything"
            raise ValueError(message)
        if _has_open_bracket(text):
            message = f"the '[' in {text!r} is not closed; write '[[]' for a bracket itself"
            raise ValueError(message)
        self.text = text
        self._ignore_case = ignore_case
        self._expression = re.compile(translate(self._normalized(text)))
        self._alike = re.compile(translate(_skeleton_glob(text)))

    def matches(self, value: str) -> bool:
        """Return whether the whole of `value` matches, after normalization."""
        return self._expression.match(self._normalized(value)) is not None

    def _normalized(self, text: str) -> str:
        # Not re.IGNORECASE, which treats a Turkish dotted capital I or dotless i as an i.
        composed = text if text.isascii() else normalize("NFC", text)
        return composed.lower() if self._ignore_case else composed

    def resembles(self, value: str) -> bool:
        """Return whether `value` matches, or looks like a text that does."""
        return self._alike.match(skeleton(value)) is not None

    def __eq__(self, other: object) -> bool:
        """Return whether both match the same texts."""
        return isinstance(other, Glob) and self._rule == other._rule

    def __hash__(self) -> int:
        """Return a hash that is consistent with equality."""
        return hash(self._rule)

    @property
    def _rule(self) -> tuple[re.Pattern[str], bool]:
        return self._expression, self._ignore_case

    def __repr__(self) -> str:
        """Return the glob for debugging."""
        return f"Glob({self.text!r})"


def _has_open_bracket(text: str) -> bool:
    """Return whether a `[` is not closed; a `]` right after it, or after its `!`, belongs to the set."""
    position = text.find("[")
    while position >= 0:
        first = position + 2 if text[position + 1 : position + 2] == "!" else position + 1
        end = text.find("]", first + 1)
        if end < 0:
            return True
        position = text.find("[", end)
    return False


def skeleton(text: str) -> str:
    """Return the skeleton of a text: two texts that look alike have the same skeleton."""
    return _folded(text).strip()


def _folded(text: str) -> str:
    folded = text.casefold()
    if text.isascii() and text.isprintable():
        return folded if "  " not in folded else re.sub(" +", " ", folded)
    # Normalize before folding too, because form KC can produce capital letters.
    shown = normalize("NFKC", normalize("NFKC", text).casefold()).translate(CONFUSABLES)
    return re.sub(r"\s+", " ", shown)


def _skeleton_glob(text: str) -> str:
    """Return a glob for skeletons; wildcards stay, and characters that only normalization turns into wildcards are literal."""
    pieces = enumerate(WILDCARD.split(text))
    parts = (piece.casefold() if place % 2 else re.sub(r"[*?[]", r"[\g<0>]", _folded(piece)) for place, piece in pieces)
    return "".join(parts).strip()


def find_differences(value: str, text: str) -> tuple[Difference, ...]:
    """Return how a text differs from the text or glob that it looks like."""
    sides = ((value, False), (text, True))
    named = tuple(Difference(character, in_rule) for side, in_rule in sides for character in _unusual(side))
    return named or (Difference(),)


def _unusual(text: str) -> Iterator[str]:
    """Yield the names of the first few characters that look like others, or are invisible."""
    composed = normalize("NFC", text)[:LONGEST_SEARCHED]
    unusual = dict.fromkeys(each for each in composed if each != " " and _folded(each) != each.casefold())
    for character in list(unusual)[:MOST_NAMED]:
        yield f"U+{ord(character):04X} {unicode_name(character, '')}".strip()
