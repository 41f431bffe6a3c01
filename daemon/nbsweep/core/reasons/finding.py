"""What one condition saw of a notebook, and its result; the values that the reason of a verdict consists of."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.facts import format_age

DENIALS: Mapping[str, str] = {"any": "none of", "all": "not all of"}
"""The words for a group inside a `not`."""


class Truth(StrEnum):
    """The result of a condition."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class FactWord(StrEnum):
    """What stands for a text that a notebook does not show."""

    MISSING = "missing"
    """One of several texts is missing."""
    NONE = "none"
    NOT_SET = "not-set"
    NOT_SHOWN = "not-shown"
    """A tag is set, but its value is not shown."""
    EMPTY = "empty"
    NO_LEASE = "no-lease"
    OTHER = "other"
    """A word of another version of nbsweep."""

    @classmethod
    def _missing_(cls, _value: object) -> "FactWord":
        """Return OTHER for the word of another version: what is in the journal is always readable."""
        return cls.OTHER


class Piece(Struct, frozen=True, omit_defaults=True):
    """One piece of a fact: a text of the notebook, a word, or a tag's key and a word for its value."""

    text: str = ""
    word: FactWord | None = None


class Difference(Struct, frozen=True, omit_defaults=True):
    """A difference between two texts that look alike."""

    character: str = ""
    """The code and the name of a character that looks like another; empty for upper and lower case, or blanks."""
    in_rule: bool = False
    """Whether the character is in the text of the rule."""


class MixedFact(Struct, frozen=True, omit_defaults=True):
    """A fact that is more than the notebook's own texts."""

    pieces: tuple[Piece, ...]
    like: str = ""
    """The text of the rule that the fact only looks like; empty if it looks like none."""
    differences: tuple[Difference, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the fact consists of the notebook's own texts after all."""
        return not self.like and all(piece.word is None for piece in self.pieces)


class Finding(Struct, frozen=True, omit_defaults=True, gc=False):
    """The fact that one condition saw, and its result."""

    condition: str
    """The key of the configuration: `idle_over`."""
    threshold: str
    """The value that the rule names: `14d`."""
    fact: str | None
    """The value that the notebook shows; None if it is missing."""
    truth: Truth
    parts: tuple["Finding", ...] = ()
    """The findings inside `all`, `any` and `not`."""
    alternatives: tuple[str, ...] = ()
    """The texts that the rule names, one of which is enough; empty for a condition that names none."""
    age: timedelta | None = None
    """The length of time that the condition compared; None for a condition on another fact."""
    limit: timedelta | None = None
    """The length of time that it is compared with."""
    limit_gb: int | None = None
    """The capacity that the condition compares with; None for a condition on another fact."""
    mixed: MixedFact | None = None
    """The fact in pieces, if it is more than the notebook's own texts."""

    @property
    def denied(self) -> "Finding | None":
        """The finding inside a `not`, without the groups of one part around it; None if this is no `not`."""
        inner = self.parts[0] if self.condition == "not" and len(self.parts) == 1 else None
        while inner and inner.condition in ("all", "any") and len(inner.parts) == 1:
            inner = inner.parts[0]
        return inner

    def __str__(self) -> str:
        """Return the finding in English words."""
        if self.denied:
            return self.denied.denial
        if self.parts:
            inner = ", ".join(str(part) for part in self.parts)
            return inner if self.condition == "all" else f"{self.condition} of ({inner})"
        if self.fact is None:
            return f"{self._noun} is missing (wanted: {self.threshold})"
        return f"{self._noun} {self.fact}" if self.fact in self.alternatives else f"{self._noun} {self.fact} ({self._wanted})"

    @property
    def denial(self) -> str:
        """The English words for `not` this finding."""
        if self.condition == "not":
            return f"not ({self})"
        if self.parts:
            return f"{DENIALS[self.condition]} ({', '.join(map(str, self.parts))})"
        if self.fact is None:
            return f"{self._noun} is missing (wanted: not {self.threshold})"
        return f"{self._noun} {self.fact} (not {self._wanted})"

    @property
    def _noun(self) -> str:
        return self.condition.removesuffix("_over").replace("_", " ")

    @property
    def _wanted(self) -> str:
        return " or ".join(self.alternatives) or self.threshold

    @property
    def brief(self) -> str:
        """Return a finding that passed in few words, for a table: ``idle 375d > 14d``."""
        if self.age is not None and self.limit is not None:
            days = timedelta(days=self.age.days)
            return f"{self._noun} {format_age(days if days > self.limit else self.age)} > {format_age(self.limit)}"
        return self.fact if self.condition == "status" and self.fact else str(self)
