"""The `match` vocabulary: each condition checks one notebook, and returns pass, fail or unknown with the fact it saw.

*Unknown* means that a fact is missing. It combines as in Kleene's logic: `all` is unknown if no part fails and a part is
unknown, `any` if no part passes and a part is unknown, and `not` of unknown is unknown. Unknown never deletes.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from unicodedata import normalize

from msgspec import Struct

from nbsweep.core.facts import FREE_TEXT, STARTS, TEXT_FACTS, Moment, format_age
from nbsweep.core.matching.globs import Glob, describe_difference, skeleton
from nbsweep.core.matching.owner_groups import OwnerGroup, describe_names, names_of
from nbsweep.core.model import Notebook

WORDS_OF_LIMIT = re.compile(r" \(over ([^()]+)\)")
WORDS_OF_STATUS = re.compile(r"(?:^|(?<=; ))status (?=[A-Z_]+(?:;|$))")


class Truth(StrEnum):
    """The result of a condition."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Finding(Struct, frozen=True):
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
    """The length of time that it was compared with."""

    def __str__(self) -> str:
        """Return the finding in words."""
        if self.parts:
            inner = ", ".join(str(part) for part in self.parts)
            return inner if self.condition == "all" else f"{self.condition} ({inner})"
        noun = self.condition.removesuffix("_over").replace("_", " ")
        if self.fact is None:
            return f"{noun} is missing (wanted: {self.threshold})"
        wanted = " or ".join(self.alternatives) or self.threshold
        return f"{noun} {self.fact}" if self.fact in self.alternatives else f"{noun} {self.fact} ({wanted})"

    @property
    def brief(self) -> str:
        """Return a finding that passed in few words, for a table: ``idle 375d > 14d``."""
        if self.age is not None and self.limit is not None:
            days = timedelta(days=self.age.days)
            noun = self.condition.removesuffix("_over").replace("_", " ")
            return f"{noun} {format_age(days if days > self.limit else self.age)} > {format_age(self.limit)}"
        return self.fact if self.condition == "status" and self.fact else str(self)


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
            return Finding(self.key, threshold, likeness, self.alike, alternatives=named)
        truth = Truth.UNKNOWN if len(known) < len(texts) else Truth.FAIL
        gaps = ["(missing)"] if truth is Truth.UNKNOWN else []
        fact = None if gaps and not known else " / ".join([*known, *gaps]) or "none"
        return Finding(self.key, threshold, fact, truth, alternatives=named)


def _likeness(texts: Iterable[str], globs: tuple[Glob, ...]) -> str | None:
    """Return which text looks like which glob, and how they differ; None if no text does."""
    for text in texts:
        for glob in globs:
            if glob.resembles(text):
                return f"{text} (looks like {glob.text}, but differs: {describe_difference(text, glob.text)})"
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
            return Finding(condition, threshold, "not set", Truth.FAIL, alternatives=named)
        fits = {self._fit(key, value) for key, value in tags}
        return Finding(condition, threshold, self._fact(tags, fits), self._truth(fits), alternatives=named)

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

    def _fact(self, tags: list[tuple[str, str | None]], fits: set[Fit]) -> str:
        shown = " / ".join(("" if key == self.key else f"{key}=") + _value_words(value) for key, value in tags)
        key, value = tags[0]
        if fits != {Fit.ALIKE} or value is None:
            return shown
        glob = next(glob for glob in self.globs if glob.resembles(value))
        named = [describe_difference(key, self.key)] if key != self.key else []
        named += [] if glob.matches(value) else [describe_difference(value, glob.text)]
        return f"{shown} (looks like {self.key}={glob.text}, but differs: {', '.join(dict.fromkeys(named))})"


def _value_words(value: str | None) -> str:
    return "(value not shown)" if value is None else value or "(empty)"


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
            return Finding(self.key, threshold, "no lease is enabled", Truth.FAIL)
        start = STARTS[self.key](notebook, moment)
        if start is None:
            return Finding(self.key, threshold, None, Truth.UNKNOWN)
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
            return Finding("volume.capacity_over", threshold, None, Truth.UNKNOWN)
        truth = Truth.PASS if capacity_gb > self.threshold_gb else Truth.FAIL
        return Finding("volume.capacity_over", threshold, f"{capacity_gb} GB", truth)


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
