"""The words of pages for what the records keep as codes or as sentences in English."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import NO_END, PROVEN_GONE, VANISHED
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
}
"""Sentences of removals that are always the same."""
BEGINNINGS: Mapping[str, Message] = {
    f"{NO_END}; it is ": message("It had no end by its deadline; its status:"),
    "the cloud refused: ": message("The cloud refused:"),
    "something else is going on with the notebook: ": message("The cloud is busy with the notebook:"),
    "the notebook must be stopped first: ": message("The notebook must be stopped first:"),
    "the credentials are accepted, but not for this call: ": message("The credentials are accepted, but not for this call:"),
    "the cloud does not accept the credentials: ": message("The cloud does not accept the credentials:"),
    "it could not be stopped: ": message("It could not be stopped:"),
    "its deletion failed, and now it is kept: ": message("Its deletion failed, and now it is kept:"),
}
"""Beginnings of sentences of removals, after which the status, the words of the cloud or an English reason follow."""


class Said(Struct, frozen=True):
    """A sentence of a record in the words of the page."""

    words: Message
    rest: str = ""
    """What follows, in English or in the words of the cloud; empty if nothing does."""


def sentence_words(sentence: str) -> Said | None:
    """Return a sentence of the records in the words of the page; None if it has none for it."""
    if known := SENTENCES.get(sentence):
        return Said(known)
    beginning = next((each for each in BEGINNINGS if sentence.startswith(each)), "")
    return Said(BEGINNINGS[beginning], sentence.removeprefix(beginning)) if beginning else None


def step_words(step: str) -> Message:
    """Return the words for a step of the audit trail; of an altered entry, what stands there."""
    return STEPS.get(step) or Message("%(step)s", {"step": step})


def reason_words(reason: str) -> Message:
    """Return the words for a reason; one of another version as it is."""
    return REASONS.get(reason) or Message("%(reason)s", {"reason": reason})
