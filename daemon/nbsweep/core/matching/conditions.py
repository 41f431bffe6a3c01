"""The `match` vocabulary: each condition checks one notebook, and returns pass, fail or unknown with the fact it saw.

*Unknown* means that a fact is missing. It combines as in Kleene's logic: `all` is unknown if no part fails and a part is
unknown, `any` if no part passes and a part is unknown, and `not` of unknown is unknown. Unknown never deletes.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from unicodedata import normalize

from msgspec import Struct

from nbsweep.core.facts import FREE_TEXT, STARTS, TEXT_FACTS, Moment, format_age
from nbsweep.core.matching.globs import Glob, find_differences, skeleton
from nbsweep.core.matching.owner_groups import OwnerGroup, describe_names, names_of
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.english import describe_fact
from nbsweep.core.reasons.finding import FactWord, Finding, MixedFact, Piece, Truth

WORDS_OF_LIMIT = re.compile(r" \(over ([^()]+)\)")
NOTHING = MixedFact((Piece(word=FactWord.NONE),))
NOT_SET = MixedFact((Piece(word=FactWord.NOT_SET),))
NO_LEASE = MixedFact((Piece(word=FactWord.NO_LEASE),))
WORDS_OF_STATUS = re.compile(r"(?:^|(?<=; ))status (?=[A-Z_]+(?:;|$))")


def shorten(findings: str) -> str:
    """Return findings from the journal, which has only their words, in fewer words: ``STOPPED; idle 375d 12h > 14d``."""
    return WORDS_OF_STATUS.sub("", WORDS_OF_LIMIT.sub(r" > \1", findings))


class TextIs(Struct, frozen=True):
    """Passes if one of the texts matches one of the globs."""

    key: str
    globs: tuple[Glob, ...]
    alike: Truth = Truth.UNKNOWN
    """The result for a text that only looks like a match: PASS in a protection, and UNKNOWN elsewhere."""
    groups: tuple[OwnerGroup, ...] = ()
    """The groups that the rule names; `globs` ends with their owners."""

    def check(self, notebook: Notebook, _moment: Moment) -> Finding:
        """Pass on any match; unknown if a text is missing, or only looks like a match."""
        texts = TEXT_FACTS[self.key](notebook)
        known = [text for text in texts if text is not None]
        named = names_of(self.globs, self.groups)
        threshold = describe_names(self.globs, self.groups)
        if any(glob.matches(text) for text in known for glob in self.globs):
            return Finding(self.key, threshold, " / ".join(known), Truth.PASS, alternatives=named)
        if self.key in FREE_TEXT and (likeness := _likeness(known, self.globs)):
            return Finding(self.key, threshold, describe_fact(likeness), self.alike, alternatives=named, mixed=likeness)
        truth = Truth.UNKNOWN if len(known) < len(texts) else Truth.FAIL
        shown = " / ".join(known)
        mixed = _with_gaps(known) if truth is Truth.UNKNOWN else None if shown else NOTHING
        fact = describe_fact(mixed) if mixed else shown or None
        return Finding(self.key, threshold, fact, truth, alternatives=named, mixed=mixed)


def _with_gaps(known: Iterable[str]) -> MixedFact | None:
    """Return the fact of a notebook that shows some of its texts; None if it shows none."""
    pieces = tuple(map(Piece, known))
    return MixedFact((*pieces, Piece(word=FactWord.MISSING))) if pieces else None


def _likeness(texts: Iterable[str], globs: tuple[Glob, ...]) -> MixedFact | None:
    """Return which text looks like which glob, and how they differ; None if no text does."""
    for text in texts:
        for glob in globs:
            if glob.resembles(text):
                return MixedFact((Piece(text),), glob.text, find_differences(text, glob.text))
    return None


class Fit(Enum):
    """How a tag of a notebook compares with the tag in the rule."""

    SAME = "same"
    ALIKE = "alike"
    HIDDEN = "hidden"
    """The value is not shown."""
    OTHER = "other"


class TagIs(Struct, frozen=True):
    """Passes if the tag is set, and its value matches one of the globs."""

    key: str
    globs: tuple[Glob, ...]
    alike: Truth = Truth.UNKNOWN
    """The result for a tag that matches in part: PASS in a protection, and UNKNOWN elsewhere.

    Such a tag only looks like a match, or is set more than once and not all values match, or its value is not shown and any
    value matches.
    """

    def check(self, notebook: Notebook, _moment: Moment) -> Finding:
        """Check that tag alone; unknown if the answer held no tags at all, or not the value of this tag."""
        named = names_of(self.globs)
        condition, threshold = f"tags.{self.key}", " or ".join(named)
        if notebook.tags is None:
            return Finding(condition, threshold, None, Truth.UNKNOWN, alternatives=named)
        shape = skeleton(self.key)
        tags = [(key, value) for key, value in notebook.all_tags if key == self.key or skeleton(key) == shape]
        if not tags:
            return Finding(condition, threshold, describe_fact(NOT_SET), Truth.FAIL, alternatives=named, mixed=NOT_SET)
        fits = {self._fit(key, value) for key, value in tags}
        fact = self._fact(tags, fits)
        mixed = None if fact.is_plain else fact
        return Finding(condition, threshold, describe_fact(fact), self._truth(fits), alternatives=named, mixed=mixed)

    def _fit(self, key: str, value: str | None) -> Fit:
        any_value = any(glob.text == "*" for glob in self.globs)
        if value is None:
            return Fit.ALIKE if any_value else Fit.HIDDEN
        if normalize("NFC", key) == normalize("NFC", self.key) and any(glob.matches(value) for glob in self.globs):
            return Fit.SAME
        return Fit.ALIKE if any(glob.resembles(value) for glob in self.globs) else Fit.OTHER

    def _truth(self, fits: set[Fit]) -> Truth:
        if fits == {Fit.SAME}:
            return Truth.PASS
        if fits & {Fit.SAME, Fit.ALIKE}:
            return self.alike
        return Truth.UNKNOWN if Fit.HIDDEN in fits else Truth.FAIL

    def _fact(self, tags: list[tuple[str, str | None]], fits: set[Fit]) -> MixedFact:
        shown = tuple(_tag_piece("" if key == self.key else f"{key}=", value) for key, value in tags)
        key, value = tags[0]
        if fits != {Fit.ALIKE} or value is None:
            return MixedFact(shown)
        glob = next(glob for glob in self.globs if glob.resembles(value))
        named = [find_differences(key, self.key)] if key != self.key else []
        named += [] if glob.matches(value) else [find_differences(value, glob.text)]
        differences = tuple(difference for each in dict.fromkeys(named) for difference in each)
        return MixedFact(shown, f"{self.key}={glob.text}", differences)


def _tag_piece(key: str, value: str | None) -> Piece:
    if value:
        return Piece(f"{key}{value}")
    return Piece(key, FactWord.NOT_SHOWN if value is None else FactWord.EMPTY)


@lru_cache
def _over(threshold: timedelta) -> str:
    """Return a threshold in words, once for all notebooks."""
    return f"over {format_age(threshold)}"


class LongerThan(Struct, frozen=True):
    """Passes if more time than the threshold has passed."""

    key: str
    threshold: timedelta

    def check(self, notebook: Notebook, moment: Moment) -> Finding:
        """Compare the age; a lease that is not enabled never expires, which is a fact and not a missing one."""
        threshold = _over(self.threshold)
        if self.key == "lease_expired_over" and notebook.lease and notebook.lease.enabled is False:
            fact = describe_fact(NO_LEASE)
            return Finding(self.key, threshold, fact, Truth.FAIL, limit=self.threshold, mixed=NO_LEASE)
        start = STARTS[self.key](notebook, moment)
        if start is None:
            return Finding(self.key, threshold, None, Truth.UNKNOWN, limit=self.threshold)
        age = moment.now - start
        truth = Truth.PASS if age > self.threshold else Truth.FAIL
        return Finding(self.key, threshold, format_age(age), truth, age=age, limit=self.threshold)


class CapacityOver(Struct, frozen=True):
    """Passes if the main volume is larger than the threshold."""

    threshold_gb: int

    def check(self, notebook: Notebook, _moment: Moment) -> Finding:
        """Compare the size; unknown if the volume or its size is missing."""
        capacity_gb = notebook.volume.capacity_gb if notebook.volume else None
        threshold = f"over {self.threshold_gb} GB"
        if capacity_gb is None:
            return Finding("volume.capacity_over", threshold, None, Truth.UNKNOWN, limit_gb=self.threshold_gb)
        truth = Truth.PASS if capacity_gb > self.threshold_gb else Truth.FAIL
        return Finding("volume.capacity_over", threshold, f"{capacity_gb} GB", truth, limit_gb=self.threshold_gb)


class LeaseEnabled(Struct, frozen=True):
    """Passes if the lease is enabled, or not enabled."""

    enabled: bool

    def check(self, notebook: Notebook, _moment: Moment) -> Finding:
        """Compare the lease; unknown if the notebook shows no lease."""
        enabled = notebook.lease.enabled if notebook.lease else None
        threshold = str(self.enabled).lower()
        if enabled is None:
            return Finding("lease.enabled", threshold, None, Truth.UNKNOWN)
        truth = Truth.PASS if enabled is self.enabled else Truth.FAIL
        return Finding("lease.enabled", threshold, str(enabled).lower(), truth, alternatives=(threshold,))


class AllOf(Struct, frozen=True):
    """Passes if every part passes."""

    parts: tuple["Condition", ...]

    def check(self, notebook: Notebook, moment: Moment) -> Finding:
        """Fail if any part fails; only then do unknown parts count."""
        findings = tuple(part.check(notebook, moment) for part in self.parts)
        return _joined("all", findings, deciding=Truth.FAIL, otherwise=Truth.PASS)


class AnyOf(Struct, frozen=True):
    """Passes if at least one part passes."""

    parts: tuple["Condition", ...]

    def check(self, notebook: Notebook, moment: Moment) -> Finding:
        """Pass if any part passes; only then do unknown parts count."""
        findings = tuple(part.check(notebook, moment) for part in self.parts)
        return _joined("any", findings, deciding=Truth.PASS, otherwise=Truth.FAIL)


class Not(Struct, frozen=True):
    """Passes if the part does not pass."""

    part: "Condition"

    def check(self, notebook: Notebook, moment: Moment) -> Finding:
        """Invert pass and fail; unknown stays unknown."""
        finding = self.part.check(notebook, moment)
        turned = {Truth.PASS: Truth.FAIL, Truth.FAIL: Truth.PASS, Truth.UNKNOWN: Truth.UNKNOWN}
        return Finding("not", "none of this", finding.truth, turned[finding.truth], (finding,))


SingleCondition = TextIs | TagIs | LongerThan | CapacityOver | LeaseEnabled
Condition = SingleCondition | AllOf | AnyOf | Not


def _joined(condition: str, findings: tuple[Finding, ...], *, deciding: Truth, otherwise: Truth) -> Finding:
    truths = {finding.truth for finding in findings}
    truth = deciding if deciding in truths else Truth.UNKNOWN if Truth.UNKNOWN in truths else otherwise
    threshold = {"all": "every one of these", "any": "one of these"}[condition]
    return Finding(condition, threshold, truth, truth, findings)
