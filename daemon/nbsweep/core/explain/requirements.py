"""What would have to change for a condition to have another result.

The requirements follow from the finding that decided. For `all` to pass, every part that fails has to change; for `any`,
one of them. For them to fail, it is the opposite.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from nbsweep.core.explain.flips import flips_at
from nbsweep.core.facts import Moment, format_age
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, Condition, LeaseEnabled, LongerThan, Not, TagIs, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.matching.missing_facts import missing_facts
from nbsweep.core.matching.owner_groups import OwnerGroup, describe_names
from nbsweep.core.model import AT_REST, Notebook
from nbsweep.core.reasons.finding import Finding, Truth


class Requirement(Struct, frozen=True):
    """One change that is required."""

    condition: str
    """The key of the condition in the configuration."""
    words: str
    at: datetime | None = None
    """After which time the change happens by itself; None if it does not."""


class AllRequired(Struct, frozen=True):
    """All of the parts are required."""

    parts: tuple["AnyRequirement", ...]


class AnyRequired(Struct, frozen=True):
    """Any one of the parts is enough; without parts, nothing would help."""

    parts: tuple["AnyRequirement", ...]


class RuleRequirement(Struct, frozen=True):
    """The requirement of one configured rule."""

    words: str
    """The rule, and what it would have to do."""
    need: "AnyRequirement"


AnyRequirement = Requirement | AllRequired | AnyRequired | RuleRequirement


def requirement_of(
    condition: Condition, finding: Finding, wish: Truth, notebook: Notebook, moment: Moment
) -> AnyRequirement | None:
    """Return what a condition requires to pass, or to fail; None if it does so already. `finding` is its present result."""
    if finding.truth is wish:
        return None
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            inner = [
                requirement_of(part, seen, wish, notebook, moment) for part, seen in zip(parts, finding.parts, strict=True)
            ]
            needs = [need for need in inner if need]
            return all_required(needs) if isinstance(condition, AllOf) == (wish is Truth.PASS) else any_required(needs)
        case Not(part=part):
            return requirement_of(part, finding.parts[0], opposite(wish), notebook, moment)
        case _:
            return _leaf_requirement(condition, finding, wish, notebook, moment)


def opposite(truth: Truth) -> Truth:
    """Return PASS for FAIL, and FAIL for PASS."""
    return Truth.FAIL if truth is Truth.PASS else Truth.PASS


def all_required(needs: list[AnyRequirement]) -> AnyRequirement:
    """Combine requirements that are all needed; a single one is returned unchanged."""
    parts = tuple(part for need in needs for part in (need.parts if isinstance(need, AllRequired) else (need,)))
    return parts[0] if len(parts) == 1 else AllRequired(parts)


def any_required(needs: list[AnyRequirement]) -> AnyRequirement:
    """Combine requirements of which one is enough; a single one is returned unchanged."""
    parts = tuple(part for need in needs for part in (need.parts if isinstance(need, AnyRequired) else (need,)))
    return parts[0] if len(parts) == 1 else AnyRequired(parts)


def concerns(need: AnyRequirement | None, condition: str) -> bool:
    """Return whether a requirement is about a key of the configuration."""
    match need:
        case None:
            return False
        case Requirement():
            return need.condition == condition
        case RuleRequirement():
            return concerns(need.need, condition)
        case _:
            return any(concerns(part, condition) for part in need.parts)


def moment_words(moment: datetime) -> str:
    """Format a time for people, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _leaf_requirement(condition: Condition, finding: Finding, wish: Truth, notebook: Notebook, moment: Moment) -> Requirement:
    words = _words(condition, wish)
    at = None
    if isinstance(condition, LongerThan):
        at = flips_at(lambda later: condition.check(notebook, later).truth, notebook, (condition,), moment)
        words = _words_of_time(condition, wish, at, notebook, moment)
    missing = missing_facts(condition, notebook) if finding.truth is Truth.UNKNOWN else ()
    if missing:
        words = f"the cloud would have to show {', '.join(missing)}, and then: {words}"
    elif finding.truth is Truth.UNKNOWN and wish is Truth.PASS:
        words = f"{words}, and not only look similar"
    return Requirement(finding.condition, words, at)


def _words(condition: Condition, wish: Truth) -> str:
    passing = wish is Truth.PASS
    match condition:
        case TextIs(key=key, globs=globs, groups=groups):
            return f"{key} would have to {_fit(globs, groups) if passing else _not_fit(globs, groups)}"
        case TagIs(key=key, globs=globs):
            any_value = any(glob.text == "*" for glob in globs)
            if passing:
                return f"tag {key} would have to be set" + ("" if any_value else f", and {_fit(globs)}")
            return f"tag {key} would have to be removed" + ("" if any_value else f", or {_not_fit(globs)}")
        case CapacityOver(threshold_gb=size):
            return f"the volume would have to have {f'more than {size} GB' if passing else f'{size} GB or less'}"
        case LeaseEnabled(enabled=enabled):
            return f"the lease would have to be switched {'on' if enabled is passing else 'off'}"
        case _:
            return ""


def _fit(globs: tuple[Glob, ...], groups: tuple[OwnerGroup, ...] = ()) -> str:
    return f"{'fit' if _wild(globs) else 'be'} {describe_names(globs, groups)}"


def _not_fit(globs: tuple[Glob, ...], groups: tuple[OwnerGroup, ...] = ()) -> str:
    return f"{'not fit' if _wild(globs) else 'be other than'} {describe_names(globs, groups)}"


def _wild(globs: tuple[Glob, ...]) -> bool:
    return any(set("*?[") & set(glob.text) for glob in globs)


def _words_of_time(condition: LongerThan, wish: Truth, at: datetime | None, notebook: Notebook, moment: Moment) -> str:
    threshold = format_age(condition.threshold)
    if wish is Truth.FAIL:
        comes = f", as it will count after {moment_words(at)}" if at else ""
        return f"{SHORTER[condition.key].format(threshold)}{comes}"
    if at:
        return f"{STILL[condition.key].format(format_age(at - moment.now))}, until {moment_words(at)}"
    return f"{_beginning(condition, notebook)}{LONGER[condition.key].format(threshold)}"


SHORTER: Mapping[str, str] = {
    "age_over": "it would have to be no older than {}",
    "idle_over": "a user would have to have used it within the last {}",
    "lease_expired_over": "its lease would have to have expired no longer than {} ago",
}
STILL: Mapping[str, str] = {
    "age_over": "it would have to grow older for another {}",
    "idle_over": "it would have to stay idle for another {}",
    "lease_expired_over": "its lease would have to stay as it is for another {}",
}
LONGER: Mapping[str, str] = {
    "age_over": "it would have to be older than {}",
    "idle_over": "it would have to be idle for more than {}",
    "lease_expired_over": "its lease would have to have expired more than {} ago",
}


def _beginning(condition: LongerThan, notebook: Notebook) -> str:
    """Describe what has to happen before an age or idle time can begin."""
    if condition.key == "idle_over" and notebook.status not in AT_REST:
        return "it would have to come to rest, and then: "
    lease = notebook.lease
    if condition.key == "lease_expired_over" and lease and lease.enabled is False:
        return "its lease would have to be switched on, and then: "
    return ""
