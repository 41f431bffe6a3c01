"""The words of pages for what the records keep as codes or as sentences in English."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import INTERRUPTED, NEVER_BEGUN, NO_END, NO_TRACE, PROVEN_GONE, VANISHED, WINDOW_CLOSED
from nbsweep.core.marks.model import ClearCause
from nbsweep.core.notices.outbox import DEADLINE_MOVED, DEADLINE_PASSED, MARK_CLEARED, MARK_ENDED, NOTEBOOK_DELETED
from nbsweep.core.reasons.keeping import decode_cause
from nbsweep.core.reasons.model import Cause
from nbsweep.service.web.messages import Message, message

STEPS: Mapping[str, Message] = {
    AuditStep.DECIDED: message("Deletion decided"),
    AuditStep.STOPPING: message("Stop about to be sent"),
    AuditStep.REQUESTED: message("DELETE about to be sent"),
    AuditStep.WITHDRAWN: message("DELETE without effect"),
    AuditStep.ACCEPTED: message("DELETE accepted"),
    AuditStep.DELETE_FAILED: message("Deletion failed in the cloud"),
    AuditStep.DELETED: message("Deleted"),
    AuditStep.FAILED: message("Failed to be deleted"),
    AuditStep.TIMED_OUT: message("Timed out"),
    AuditStep.SPARED: message("Spared by the second look"),
    AuditStep.MARKED: message("Marked"),
    AuditStep.TOLD: message("Owner told"),
    AuditStep.CLEARED: message("Mark given up"),
    AuditStep.EXEMPTED: message("Exempted"),
    AuditStep.REVOKED: message("Exemption revoked"),
    AuditStep.PAUSED: message("Target paused"),
    AuditStep.RESUMED: message("Target resumed"),
    AuditStep.SWEEP_REQUESTED: message("Sweep requested"),
    AuditStep.RETRIED: message("Message sent again"),
    AuditStep.APPROVED: message("Plan approved"),
    AuditStep.CARRIED_OUT: message("Plan carried out"),
}
"""The steps of the audit trail."""
REASONS: Mapping[str, Message] = {
    Reason.POLICY: message("A policy matches"),
    Reason.NO_POLICY: message("No policy matches"),
    Reason.PROTECTED: message("Protected"),
    Reason.UNKNOWN_FACT: message("A fact is missing"),
    Reason.IN_TRANSITION: message("The cloud is changing it"),
    Reason.RUNNING: message("It is running"),
    Reason.FROZEN: message("It is frozen"),
    Reason.ALREADY_DELETED: message("It is deleted already"),
    Reason.MALFORMED: message("Its record cannot be read"),
    Reason.OVER_BRAKE: message("Cut from the plan by a brake"),
    Reason.NOT_IN_PLAN: message("Not in the approved plan"),
    Reason.USED_SINCE: message("Used since an order of nbsweep"),
    Reason.COOLING_DOWN: message("Left alone for a time after a failed deletion"),
    Reason.EXCLUDED: message("Excluded by a person"),
    Reason.POLICY_NOT_CHOSEN: message("Its policy was not chosen"),
    Reason.EXEMPT: message("Exempt"),
    Reason.UNANNOUNCED: message("Not announced yet"),
    Reason.MARKED: message("Announced, and its owner is not told yet"),
    Reason.TOLD: message("Its owner is told, and the grace has not ended"),
    Reason.OUTSIDE_WINDOW: message("Outside the windows of its policy"),
    Reason.HELD_OUT: message("Held out, to learn who comes back"),
    Reason.ELSEWHERE: message("Outside of what the target covers"),
}
"""Why notebooks are kept, as runs count them."""
SENTENCES: Mapping[str, Message] = {
    PROVEN_GONE: message("It is proven gone"),
    VANISHED: message("Somebody else deleted it before nbsweep did"),
    NO_END: message("It had no end by its deadline"),
    INTERRUPTED: message("The sweep was interrupted before its DELETE"),
    NEVER_BEGUN: message("An earlier run was interrupted before its DELETE"),
    NO_TRACE: message("An earlier run was interrupted around its DELETE, which shows no effect: it is decided again"),
    MARK_CLEARED: message("Its mark was given up"),
    NOTEBOOK_DELETED: message("It was deleted"),
    MARK_ENDED: message("Its mark has ended"),
    DEADLINE_MOVED: message("Its deadline was moved"),
    DEADLINE_PASSED: message("Its deadline has passed"),
    WINDOW_CLOSED: message("It was not begun, because no window of its policy was open any more"),
}
"""Sentences of removals and of messages that are always the same."""
BEGINNINGS: Mapping[str, Message] = {
    f"{NO_END}; it is ": message("It had no end by its deadline; its status:"),
    "the cloud refused: ": message("The cloud refused:"),
    "something else is going on with the notebook: ": message("The cloud is busy with the notebook:"),
    "the notebook must be stopped first: ": message("The notebook must be stopped first:"),
    "the credentials are accepted, but not for this call: ": message("The credentials are accepted, but not for this call:"),
    "the cloud does not accept the credentials: ": message("The cloud does not accept the credentials:"),
    "it could not be stopped: ": message("It could not be stopped:"),
    "its deletion failed, and now it is kept: ": message("Its deletion failed, and now it is kept:"),
    "not begun, because a brake stopped the sweep: ": message("It was not begun, because a brake stopped the sweep:"),
    "kept, because it could not be looked at again: ": message("It is kept, because it could not be looked at again:"),
}
"""Beginnings of sentences of removals, after which the status, the words of the cloud or an English reason follow."""


CLEARED: Mapping[str, Message] = {
    ClearCause.USED: message("it was used"),
    ClearCause.RENEWED: message("its lease was renewed"),
    ClearCause.TAGGED: message("its tags were changed"),
    ClearCause.EXEMPT: message("it is exempt"),
    ClearCause.PROTECTED: message("it is protected"),
    ClearCause.GONE: message("it is gone"),
    ClearCause.POLICY_CHANGED: message("the policy was changed"),
    ClearCause.NO_LONGER_MATCHES: message("the policy no longer matches"),
}
"""Why marks were given up, by `ClearCause`."""


class Said(Struct, frozen=True):
    """A sentence of a record in the words of the page."""

    words: Message | None
    """None if there is only a cause."""
    rest: str = ""
    """What follows, in English or in the words of the cloud; empty if nothing does."""
    cause: Cause | None = None
    """The same as `rest` for each language to render; None if only its words are known."""


def sentence_words(sentence: str, cause: str = "") -> Said | None:
    """Return a sentence of the records in the words of the page; None if it has none for it.

    `cause` is the JSON of the cause that the sentence names, or that follows its beginning; empty if there is none.
    """
    if known := SENTENCES.get(sentence):
        return Said(known)
    beginning = next((each for each in BEGINNINGS if sentence.startswith(each)), "")
    rest = sentence.removeprefix(beginning)
    why = decode_cause(cause, rest) if cause else None
    return Said(BEGINNINGS.get(beginning), rest, why) if beginning or why else None


def step_words(step: str) -> Message:
    """Return the words for a step of the audit trail; of an altered entry, what stands there."""
    return STEPS.get(step) or Message("%(step)s", {"step": step})


def reason_words(reason: str) -> Message:
    """Return the words for a reason; one of another version as it is."""
    return REASONS.get(reason) or Message("%(reason)s", {"reason": reason})
