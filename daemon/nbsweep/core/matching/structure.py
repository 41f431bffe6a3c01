"""Walks through the parts of conditions and of their findings."""

from collections.abc import Iterator

from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, Not, SingleCondition, TextIs
from nbsweep.core.model import Status
from nbsweep.core.reasons.finding import Finding, Truth


def single_conditions(condition: Condition) -> Iterator[SingleCondition]:
    """Yield the single conditions inside a condition, in the order of the configuration, also those inside a `not`."""
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from single_conditions(part)
        case Not(part=part):
            yield from single_conditions(part)
        case _:
            yield condition


def names_status(condition: Condition, status: Status) -> bool:
    """Return whether a condition names that status, outside any `not`."""
    match condition:
        case TextIs(key="status", globs=globs):
            return any(glob.text == status for glob in globs)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return any(names_status(part, status) for part in parts)
        case _:
            return False


def leaves(finding: Finding, truth: Truth) -> tuple[Finding, ...]:
    """Return the single findings with that result inside a finding; a `not` counts as a single one."""
    if finding.condition not in ("all", "any"):
        return (finding,) if finding.truth is truth else ()
    return tuple(leaf for part in finding.parts for leaf in leaves(part, truth))
