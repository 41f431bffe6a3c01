"""What would have to change for a condition to have another result.

The requirements follow from the finding that decided. For `all` to pass, every part that fails has to change; for `any`,
one of them. For them to fail, it is the opposite.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.explain.flips import flips_at
from nbsweep.core.facts import Moment
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, Condition, LeaseEnabled, LongerThan, Not, TagIs, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.matching.missing_facts import missing_facts
from nbsweep.core.matching.owner_groups import MOST_SHOWN, OwnerGroup, outside_groups
from nbsweep.core.model import AT_REST, Notebook
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.model import Param
from nbsweep.core.reasons.sentences.requirements import RequirementCode
from nbsweep.core.reasons.statement import SEVERAL, Statement
from nbsweep.core.reasons.statement_wordings import describe_statement


class Requirement(Struct, frozen=True):
    """One change that is required."""

    condition: str
    """The key of the condition in the configuration."""
    statement: Statement
    at: datetime | None = None
    """After which time the change happens by itself; None if it does not."""

    @property
    def words(self) -> str:
        """The change in English words."""
        return describe_statement(self.statement)


class AllRequired(Struct, frozen=True):
    """All of the parts are required."""

    parts: tuple["AnyRequirement", ...]


class AnyRequired(Struct, frozen=True):
    """Any one of the parts is enough; without parts, nothing would help."""

    parts: tuple["AnyRequirement", ...]


class RuleRequirement(Struct, frozen=True):
    """The requirement of one configured rule."""

    statement: Statement
    """The rule, and what it would have to do."""
    need: "AnyRequirement"

    @property
    def words(self) -> str:
        """The same in English words."""
        return describe_statement(self.statement)


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


def _leaf_requirement(condition: Condition, finding: Finding, wish: Truth, notebook: Notebook, moment: Moment) -> Requirement:
    at = None
    if isinstance(condition, LongerThan):
        at = flips_at(lambda later: condition.check(notebook, later).truth, notebook, (condition,), moment)
        wanted = _time_wanted(condition, wish, at, notebook, moment)
    else:
        wanted = _wanted(condition, wish)
    missing = missing_facts(condition, notebook) if finding.truth is Truth.UNKNOWN else ()
    if missing:
        wanted = _then(RequirementCode.SHOWN_FIRST, wanted, missing=SEVERAL.join(missing))
    elif finding.truth is Truth.UNKNOWN and wish is Truth.PASS:
        wanted = _then(RequirementCode.MORE_THAN_ALIKE, wanted)
    return Requirement(finding.condition, wanted, at)


def _then(code: RequirementCode, then: Statement, **params: Param) -> Statement:
    return Statement(code, params, (then,))


# ---- texts, the volume and the lease --------------------------------------------------------------------------------------


def _wanted(condition: Condition, wish: Truth) -> Statement:
    passing = wish is Truth.PASS
    match condition:
        case TextIs(key=key, globs=globs, groups=groups):
            return Statement(_text_code(globs, passing=passing), {"key": key}, _names(globs, groups))
        case TagIs(key=key, globs=globs):
            return _tag_wanted(key, globs, passing=passing)
        case CapacityOver(threshold_gb=size):
            code = RequirementCode.LARGER_VOLUME if passing else RequirementCode.SMALLER_VOLUME
            return Statement(code, {"size_gb": size})
        case LeaseEnabled(enabled=enabled):
            return Statement(RequirementCode.LEASE_ON if enabled is passing else RequirementCode.LEASE_OFF)
        case _:
            raise TypeError(f"{type(condition).__name__} is no single condition")


def _text_code(globs: tuple[Glob, ...], *, passing: bool) -> RequirementCode:
    if _wild(globs):
        return RequirementCode.FIT if passing else RequirementCode.NOT_FIT
    return RequirementCode.BE if passing else RequirementCode.DIFFER


def _tag_wanted(key: str, globs: tuple[Glob, ...], *, passing: bool) -> Statement:
    if any(glob.text == "*" for glob in globs):
        return Statement(RequirementCode.SET_TAG if passing else RequirementCode.REMOVE_TAG, {"tag": key})
    if passing:
        code = RequirementCode.SET_FITTING_TAG if _wild(globs) else RequirementCode.SET_TAG_TO
    else:
        code = RequirementCode.REMOVE_TAG_OR_NOT_FIT if _wild(globs) else RequirementCode.REMOVE_TAG_OR_DIFFER
    return Statement(code, {"tag": key}, _names(globs))


def _names(globs: tuple[Glob, ...], groups: tuple[OwnerGroup, ...] = ()) -> tuple[Statement, ...]:
    """Return the texts that a rule names, with the first owners of each group."""
    alone = (Statement(RequirementCode.NAMED, {"named": text}) for text in outside_groups(globs, groups))
    return (*alone, *map(_group, groups))


def _group(group: OwnerGroup) -> Statement:
    shown = SEVERAL.join(glob.text for glob in group.owners[:MOST_SHOWN])
    params: dict[str, Param] = {"group": group.reference, "owners": shown}
    more = len(group.owners) - MOST_SHOWN
    if more > 0:
        return Statement(RequirementCode.LARGE_GROUP, {**params, "more": more})
    return Statement(RequirementCode.GROUP, params)


def _wild(globs: tuple[Glob, ...]) -> bool:
    return any(set("*?[") & set(glob.text) for glob in globs)


# ---- lengths of time ------------------------------------------------------------------------------------------------------


def _time_wanted(condition: LongerThan, wish: Truth, at: datetime | None, notebook: Notebook, moment: Moment) -> Statement:
    limit = {"limit_s": _seconds(condition.threshold)}
    if wish is Truth.FAIL:
        shorter = Statement(SHORTER[condition.key], limit)
        return _then(RequirementCode.AFTER_A_TIME, shorter, at=at.isoformat()) if at else shorter
    if at:
        return Statement(STILL[condition.key], {"left_s": _seconds(at - moment.now), "at": at.isoformat()})
    return _begun_first(condition, Statement(LONGER[condition.key], limit), notebook)


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


SHORTER: Mapping[str, RequirementCode] = {
    "age_over": RequirementCode.NO_OLDER,
    "idle_over": RequirementCode.USED_LATELY,
    "lease_expired_over": RequirementCode.EXPIRED_LATELY,
}
STILL: Mapping[str, RequirementCode] = {
    "age_over": RequirementCode.GROW_OLDER,
    "idle_over": RequirementCode.STAY_IDLE,
    "lease_expired_over": RequirementCode.LEASE_STAYS,
}
LONGER: Mapping[str, RequirementCode] = {
    "age_over": RequirementCode.OLDER,
    "idle_over": RequirementCode.IDLE_LONGER,
    "lease_expired_over": RequirementCode.EXPIRED_LONGER,
}


def _begun_first(condition: LongerThan, then: Statement, notebook: Notebook) -> Statement:
    """Return a requirement after what has to happen before an age or idle time can begin."""
    if condition.key == "idle_over" and notebook.status not in AT_REST:
        return _then(RequirementCode.REST_FIRST, then)
    lease = notebook.lease
    if condition.key == "lease_expired_over" and lease and lease.enabled is False:
        return _then(RequirementCode.LEASE_ON_FIRST, then)
    return then
