"""Finds rules that are probably not meant as they are written, from the rules alone, without a notebook. Pure.

`outcomes` returns every result that a condition can have for some notebook of a *case*: a status, a feature and a lease. Facts
outside the case count as free, so that a result may be listed that no notebook has, and none is left out. A rule is therefore
never said to match nothing if some notebook matches it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product

from msgspec import Struct

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, Condition, LeaseEnabled, LongerThan, Not, TagIs, TextIs
from nbsweep.core.matching.globs import WILDCARD, Glob
from nbsweep.core.matching.structure import names_status, single_conditions
from nbsweep.core.model import AT_REST, IN_TRANSITION, Lease, LeaseType, Notebook, Status
from nbsweep.core.reasons.finding import Truth

Truths = frozenset[Truth]

ANY_TRUTH: Truths = frozenset(Truth)
OPPOSITE = {Truth.PASS: Truth.FAIL, Truth.FAIL: Truth.PASS, Truth.UNKNOWN: Truth.UNKNOWN}
TOUCHED = tuple(status for status in Status if status not in IN_TRANSITION | {Status.DELETED})
"""The states in which a notebook may be deleted."""
USABLE = (Status.STOPPED, Status.RUNNING, Status.FROZEN)
"""The states of a notebook that may have been used a minute ago."""
LEASES: tuple[Lease | None, ...] = (None, *(Lease(on, kind) for on, kind in product((True, False, None), LeaseType)))
LEASE_KEYS = frozenset({"lease.type", "lease.enabled", "lease_expired_over"})
DECIDED_BY_CASE = frozenset({"status", "feature", "lease.type", "lease.enabled"})
NO_TIME = Moment(now=datetime.min.replace(tzinfo=UTC))
"""For conditions that do not use the time."""


class DoubtKind(StrEnum):
    """What is doubtful, in one word that can be counted."""

    NEVER_MATCHES = "never-matches"
    NEVER_DELETES = "never-deletes"
    COVERED = "covered"
    SUBSTRING = "substring"
    JUST_USED = "just-used"
    NO_SCHEDULE = "no-schedule"
    UNUSED_GROUP = "unused-group"
    OWNERS_FILE = "owners-file"


class Doubt(Struct, frozen=True):
    """One rule, target, group of owners or line of an owners' file that is probably not meant as it is written."""

    kind: DoubtKind
    place: str
    """The place in the file: `policies[0]`."""
    name: str
    sentence: str
    """What is doubtful, and what to write instead."""


class Case(Struct, frozen=True):
    """The facts of a notebook that are known; all others are free."""

    status: Status
    feature: str | None
    lease: Lease | None
    just_used: bool = False
    """Whether no time has passed since the last sign of use."""
    free: frozenset[str] = frozenset()
    """Keys whose conditions may have any result."""


def find_doubts(rules: Rules, features: Collection[str]) -> Iterator[Doubt]:
    """Yield the doubts about all rules; `features` are those that the targets list."""
    for place, policy in enumerate(rules.policies):
        yield from _doubts_of_policy(place, policy, rules, features)
    for place, protection in enumerate(rules.protections):
        at = f"protect[{place}]"
        # All features, also those that no target lists: protecting a feature in advance is prudent.
        if reason := never_matches(protection.match, ("NOTEBOOK", "DEFAULT"), tuple(Status)):
            yield Doubt(DoubtKind.NEVER_MATCHES, at, protection.name, f"it protects nothing: {reason}")
        yield from _substrings(protection.match, at, protection.name)


def _doubts_of_policy(place: int, policy: Policy, rules: Rules, features: Collection[str]) -> Iterator[Doubt]:
    at = f"policies[{place}]"
    if reason := never_matches(policy.match, features):
        yield Doubt(DoubtKind.NEVER_MATCHES, at, policy.name, f"it can never match: {reason}")
    elif reason := _never_deletes(policy, features):
        yield Doubt(DoubtKind.NEVER_DELETES, at, policy.name, reason)
    elif cover := _cover(place, policy, rules):
        yield Doubt(DoubtKind.COVERED, at, policy.name, cover)
    elif _takes_what_was_just_used(policy, features):
        age = "age_over counts from the creation, so that" if "age_over" in keys_of(policy.match) else "without idle_over,"
        sentence = f"{age} a notebook that was used a minute ago would be deleted: add idle_over"
        yield Doubt(DoubtKind.JUST_USED, at, policy.name, sentence)
    yield from _substrings(policy.match, at, policy.name)


# ---- what can match --------------------------------------------------------------------------------------------------------


def outcomes(condition: Condition, case: Case) -> Truths:
    """Return every result that a condition can have for a notebook of this case, and maybe more."""
    match condition:
        case AllOf(parts=parts):
            return _joined([outcomes(part, case) for part in parts], deciding=Truth.FAIL, otherwise=Truth.PASS)
        case AnyOf(parts=parts):
            return _joined([outcomes(part, case) for part in parts], deciding=Truth.PASS, otherwise=Truth.FAIL)
        case Not(part=part):
            return frozenset(OPPOSITE[truth] for truth in outcomes(part, case))
        case LongerThan(key=key) if key not in case.free:
            return _outcomes_of_age(key, case)
    key = "lease.enabled" if isinstance(condition, LeaseEnabled) else condition.key if isinstance(condition, TextIs) else ""
    if key not in DECIDED_BY_CASE - case.free:
        return ANY_TRUTH
    notebook = Notebook(id="", status=case.status, feature=case.feature, lease=case.lease)
    return frozenset({condition.check(notebook, NO_TIME).truth})


def _joined(parts: Sequence[Truths], *, deciding: Truth, otherwise: Truth) -> Truths:
    found = {Truth.UNKNOWN} if any(Truth.UNKNOWN in part for part in parts) else set()
    found |= {deciding} if any(deciding in part for part in parts) else set()
    found |= {otherwise} if all(otherwise in part for part in parts) else set()
    return frozenset(found)


def _outcomes_of_age(key: str, case: Case) -> Truths:
    if key == "idle_over":
        if case.status not in AT_REST:
            return frozenset({Truth.FAIL})
        return frozenset({Truth.FAIL, Truth.UNKNOWN}) if case.just_used else ANY_TRUTH
    if key == "lease_expired_over" and not (case.lease and case.lease.enabled and case.lease.type is LeaseType.TIMING):
        return frozenset({Truth.FAIL if case.lease and case.lease.enabled is False else Truth.UNKNOWN})
    return ANY_TRUTH


def can_match(
    condition: Condition,
    statuses: Collection[Status],
    features: Collection[str | None],
    *,
    just_used: bool = False,
    free: frozenset[str] = frozenset(),
) -> bool:
    """Return False only if no notebook in these states, and of these features, can match."""
    cases = (Case(*facts, just_used, free) for facts in product(statuses, features, LEASES))
    return any(Truth.PASS in outcomes(condition, case) for case in cases)


def never_matches(condition: Condition, features: Collection[str], statuses: Collection[Status] = TOUCHED) -> str | None:
    """Return why no notebook can match; None if one can."""
    listed = (*features, None)
    if can_match(condition, statuses, listed):
        return None
    if can_match(condition, statuses, ("NOTEBOOK", "DEFAULT")):
        return f"the targets list only the feature {' and '.join(features)}; add the other one to features"
    if can_match(condition, statuses, listed, free=frozenset({"idle_over"})):
        return "a notebook that is not at rest is in use, so that its idle_over never passes; leave out idle_over, or the state"
    if can_match(condition, statuses, listed, free=LEASE_KEYS):
        return "its conditions on the lease exclude each other; lease_expired_over is known for enabled TIMING leases only"
    if not can_match(condition, tuple(Status), listed):
        return "its conditions exclude each other"
    return "it matches only in states in which no notebook is deleted"


def _never_deletes(policy: Policy, features: Collection[str]) -> str | None:
    listed = (*features, None)
    frozen = names_status(policy.match, Status.FROZEN)
    if can_match(policy.match, tuple(_deleted_by(policy)), listed):
        return None
    if policy.running is Running.SKIP and can_match(policy.match, (Status.RUNNING,), listed):
        return "it matches only running notebooks, and keeps them: write running: stop, or another state"
    return None if frozen else "it matches only FROZEN notebooks, and keeps them: name FROZEN in status"


def _deleted_by(policy: Policy) -> Iterator[Status]:
    for status in TOUCHED:
        skipped = status is Status.RUNNING and policy.running is Running.SKIP
        if not skipped and (status is not Status.FROZEN or names_status(policy.match, Status.FROZEN)):
            yield status


def _takes_what_was_just_used(policy: Policy, features: Collection[str]) -> bool:
    statuses = [status for status in _deleted_by(policy) if status in USABLE]
    return can_match(policy.match, statuses, (*features, None), just_used=True)


# ---- what covers what ------------------------------------------------------------------------------------------------------


def _cover(place: int, policy: Policy, rules: Rules) -> str | None:
    """Return which rule decides on everything that a policy matches; None if none does."""
    for number, protection in enumerate(rules.protections):
        if implies(policy.match, protection.match):
            return f"it never deletes: protect[{number}] ({protection.name}) keeps everything that it matches"
    for number, earlier in enumerate(rules.policies[:place]):
        if implies(policy.match, earlier.match):
            return f"it never decides: policies[{number}] ({earlier.name}) comes first, and matches everything that it matches"
    return None


def implies(one: Condition, other: Condition) -> bool:
    """Return True only if every notebook that passes `one` also passes `other`; False may also mean that this is not known."""
    if one == other:
        return True
    if isinstance(other, AllOf) and all(implies(one, part) for part in other.parts):
        return True
    if isinstance(other, AnyOf) and any(implies(one, part) for part in other.parts):
        return True
    if isinstance(one, AllOf):
        return any(implies(part, other) for part in one.parts)
    if isinstance(one, AnyOf):
        return all(implies(part, other) for part in one.parts)
    return _implies_leaf(one, other)


def _implies_leaf(one: Condition, other: Condition) -> bool:
    if isinstance(one, TextIs) and isinstance(other, TextIs) and one.key == other.key:
        return _implies_texts(one, other)
    if isinstance(one, TagIs) and isinstance(other, TagIs) and one.key == other.key:
        return _implies_texts(one, other)
    if isinstance(one, LongerThan) and isinstance(other, LongerThan):
        return one.key == other.key and one.threshold >= other.threshold
    return isinstance(one, CapacityOver) and isinstance(other, CapacityOver) and one.threshold_gb >= other.threshold_gb


def _implies_texts(one: TextIs | TagIs, other: TextIs | TagIs) -> bool:
    # A text that only looks like a match passes in protections, so only another protection is sure to pass too.
    alike = one.alike is not Truth.PASS or other.alike is Truth.PASS
    return alike and all(any(_covers(wide, narrow) for wide in other.globs) for narrow in one.globs)


def _covers(wide: Glob, narrow: Glob) -> bool:
    """Return True only if every text that matches one glob matches the other, too."""
    return wide == narrow or wide.text == "*" or (WILDCARD.search(narrow.text) is None and wide.matches(narrow.text))


# ---- how texts are written -------------------------------------------------------------------------------------------------

WHOLE_TEXTS = {"flavor": r"[^.]*", "image": r"[A-Za-z]*", "fail_reason": r".*", "name": r"[A-Za-z]{1,8}"}
"""Patterns of texts that are probably a part of the text of that key, and not all of it."""


def _substrings(condition: Condition, place: str, name: str) -> Iterator[Doubt]:
    for leaf in single_conditions(condition):
        if isinstance(leaf, TextIs) and leaf.key in WHOLE_TEXTS:
            for text in (glob.text for glob in leaf.globs):
                if WILDCARD.search(text) is None and re.fullmatch(WHOLE_TEXTS[leaf.key], text):
                    sentence = f'{leaf.key} "{text}" matches only exactly this text; if it is part of a text, write "*{text}*"'
                    yield Doubt(DoubtKind.SUBSTRING, place, name, sentence)


def keys_of(condition: Condition) -> set[str]:
    """Return the keys of all conditions on ages inside a condition."""
    return {leaf.key for leaf in single_conditions(condition) if isinstance(leaf, LongerThan)}
