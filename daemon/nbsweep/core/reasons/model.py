"""The reason of a verdict as a value: a code with its parameters, which each language renders as a sentence.

A cause can be kept in the journal, and be rendered by a later version. So a code and the names of its parameters do not change,
and a cause that is kept carries its English sentence, which is shown if the sentence cannot be made any more.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.reasons.finding import Finding

Param = str | int
"""Durations and counts are numbers; dates are texts in ISO 8601."""
NO_PARAMS: Mapping[str, Param] = {}
"""For causes that are kept for each planned notebook, so that they share one mapping."""


class CauseCode(StrEnum):
    """What a sentence says, apart from its parameters; finer than `Reason`."""

    # The rules.
    POLICY_MATCHES = "policy-matches"
    NO_POLICY = "no-policy"
    PROTECTED = "protected"
    POLICY_UNKNOWN = "policy-unknown"
    """A policy cannot be checked, because a fact is missing."""
    PROTECTION_UNKNOWN = "protection-unknown"
    RUNNING_SKIPPED = "running-skipped"
    FROZEN_NOT_NAMED = "frozen-not-named"
    POLICY_NOT_CHOSEN = "policy-not-chosen"
    NO_LONGER_MATCHES = "no-longer-matches"

    # The notebook and the listing.
    ALREADY_DELETED = "already-deleted"
    IN_TRANSITION = "in-transition"
    MALFORMED = "malformed"
    WORKSPACE_NOT_SHOWN = "workspace-not-shown"
    WORKSPACE_NOT_COVERED = "workspace-not-covered"
    OTHER_WORKSPACE = "other-workspace"
    """The row is not of the workspace that was listed."""
    FEATURE_NOT_SHOWN = "feature-not-shown"
    FEATURE_NOT_COVERED = "feature-not-covered"
    OTHER_FEATURE = "other-feature"

    # What has happened since an order of nbsweep's own.
    SEEN_IN_USE = "seen-in-use"
    FIELD_CHANGED = "field-changed"
    LEASE_CHANGED = "lease-changed"
    CHANGED_AFTER_ORDER = "changed-after-order"
    SLEPT_DURING_ORDER = "slept-during-order"
    NOT_WATCHED = "not-watched"
    RUNS_AGAIN = "runs-again"
    DELETION_RETRIED = "deletion-retried"

    # The plan.
    EXCLUDED = "excluded"
    OVER_BRAKE = "over-brake"
    COOLING_DOWN = "cooling-down"
    COOLING_DOWN_AGAIN = "cooling-down-again"
    """The deletion has failed several times in a row."""

    # Exemptions and marks. `because` holds why the policy matches.
    EXEMPT = "exempt"
    MAYBE_EXEMPT = "maybe-exempt"
    """It is unknown whether the exemption covers the notebook."""
    UNANNOUNCED = "unannounced"
    UNANNOUNCED_IN_BUSINESS_DAYS = "unannounced-in-business-days"
    CHANGED_SINCE_MARK = "changed-since-mark"
    USE_SINCE_MARK_UNKNOWN = "use-since-mark-unknown"
    CANNOT_BE_MARKED = "cannot-be-marked"
    """A fact is missing without which nobody would see that it is used after the notice."""
    MARKED = "marked"
    UNTOLD = "untold"
    """It is marked, and its owner cannot be told."""
    TOLD_LATER = "told-later"
    """It is marked, an attempt to tell its owner has failed, and another one follows."""
    CLOCK_NOT_VERIFIED = "clock-not-verified"
    """The owner was told when this machine's clock had not been compared with the cloud's."""
    NOTICE_STALE = "notice-stale"
    TOLD = "told"
    OUTSIDE_WINDOW = "outside-window"
    NO_WINDOW = "no-window"
    """None of the windows opens within a year."""
    HELD_OUT = "held-out"

    # A saved plan.
    NO_LONGER_THERE = "no-longer-there"
    CUT_FROM_PLAN = "cut-from-plan"
    NOT_LOOKED_AT = "not-looked-at"
    ROW_UNREADABLE = "row-unreadable"
    STARTED_SINCE = "started-since"
    STARTED_WITHOUT_STOP = "started-without-stop"
    """The notebook runs, and the saved plan does not permit to stop it."""
    CREATION_NOT_PLANNED = "creation-not-planned"
    """The saved plan does not hold the date of creation."""
    CREATION_NOT_SHOWN = "creation-not-shown"
    ANOTHER_NOTEBOOK = "another-notebook"

    RECORDED = "recorded"
    """Only the English sentence is known: the cause is of another version of nbsweep."""

    @classmethod
    def _missing_(cls, _value: object) -> "CauseCode":
        """Return RECORDED for a code of another version: what is in the journal is always readable."""
        return cls.RECORDED


class Cause(Struct, frozen=True, omit_defaults=True, gc=False):
    """Why a notebook is kept or deleted."""

    code: CauseCode
    rule: str = ""
    """The policy or protection that the sentence names; empty if it names none."""
    findings: tuple[Finding, ...] = ()
    """The findings that the sentence names."""
    params: Mapping[str, Param] = {}
    """The other values that the sentence names, by their names in the sentence."""
    because: "Cause | None" = None
    """The cause that the sentence contains."""
    text: str = ""
    """The English sentence of a cause that is kept; empty for all others."""


def recorded(sentence: str) -> Cause:
    """Return the cause of which only the English sentence is known."""
    return Cause(CauseCode.RECORDED, text=sentence)
