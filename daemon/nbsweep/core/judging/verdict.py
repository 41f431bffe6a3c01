"""The verdict on a notebook: the decision, and its reason."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.finding import Finding
from nbsweep.core.reasons.model import Cause


class Decision(StrEnum):
    """Whether a notebook is kept or deleted."""

    KEEP = "keep"
    DELETE = "delete"


class Reason(StrEnum):
    """The reason of a verdict, in one word that can be counted."""

    POLICY = "policy"
    """A policy matches, and no rule keeps the notebook. The only reason for DELETE."""
    NO_POLICY = "no-policy"
    PROTECTED = "protected"
    UNKNOWN_FACT = "unknown-fact"
    IN_TRANSITION = "in-transition"
    RUNNING = "running"
    FROZEN = "frozen"
    ALREADY_DELETED = "already-deleted"
    MALFORMED = "malformed"
    OVER_BRAKE = "over-brake"
    """A policy would delete it, but a brake that trims has cut it from the plan."""
    NOT_IN_PLAN = "not-in-plan"
    """A policy would delete it, but the saved plan that is carried out does not permit it."""
    USED_SINCE = "used-since"
    """nbsweep had sent an order for it, and since then a user has used or changed it."""
    COOLING_DOWN = "cooling-down"
    """A policy would delete it, but its deletion has failed recently, and it is left alone for a time."""
    EXCLUDED = "excluded"
    """A person has excluded it from this plan."""
    POLICY_NOT_CHOSEN = "policy-not-chosen"
    """A policy would delete it, but the command was restricted to other policies."""
    EXEMPT = "exempt"
    """An exemption covers it until its end."""
    UNANNOUNCED = "unannounced"
    """A policy with grace would delete it, and its owner must be told first: it has no valid mark yet."""
    MARKED = "marked"
    """It is marked, and its owner has not been told yet."""
    TOLD = "told"
    """Its owner has been told, and the grace has not ended."""
    OUTSIDE_WINDOW = "outside-window"
    """A policy would delete it, and none of its windows is open."""
    HELD_OUT = "held-out"
    """A policy would delete it, and it is one of the share that is spared for a time, to learn who would have come back."""
    ELSEWHERE = "elsewhere"
    """It is in a workspace, or of a feature, that was not listed. It does not count as part of the fleet."""


AWAITING = frozenset({Reason.UNANNOUNCED, Reason.MARKED, Reason.TOLD})
"""Reasons to keep a notebook that a policy with grace matches, and that is not due yet."""


class Verdict(Struct, frozen=True):
    """The decision on a notebook, and what it is based on."""

    decision: Decision
    reason: Reason
    rule: str
    """The policy or protection that decided, or the reason itself if no rule did."""
    cause: Cause
    """The rule, the fact and the threshold."""
    findings: tuple[Finding, ...] = ()
    stop_first: bool = False
    """Whether the notebook runs, and the policy asks to stop it and then delete it."""
    by_protection: bool = False
    """Whether the rule is a protection; a policy may have the same name."""
    until: datetime | None = None
    """When the reason ends by itself, as far as that is known."""

    @property
    def sentence(self) -> str:
        """The rule, the fact and the threshold, in English words."""
        return describe(self.cause)


def keep(reason: Reason, cause: Cause) -> Verdict:
    """Return KEEP for a reason that is not a rule of the configuration."""
    return Verdict(Decision.KEEP, reason, reason.value, cause)
