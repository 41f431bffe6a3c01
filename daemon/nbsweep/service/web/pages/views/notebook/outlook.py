"""What happens to a notebook, and when, in one sentence: the first thing that its page says."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from nbsweep.core.explain.context import NotebookContext
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import MarkState
from nbsweep.core.reasons.model import Cause
from nbsweep.service.control import TargetState
from nbsweep.service.web.messages import Message, message


class Outlook(Struct, frozen=True):
    """What happens to a notebook on one target."""

    target: str
    tone: str
    says: Message
    cause: Cause | None
    """Why, in the language of the page; None if there is nothing to say."""
    notes: Sequence[Message] = ()


def outlook(context: NotebookContext, state: TargetState | None) -> Outlook:
    """Return what happens to a notebook; `state` is that of its target, None if the target was removed meanwhile."""
    tone, says, cause = _says(context, state)
    return Outlook(context.target, tone, says, cause, list(_notes(context, state)))


def _says(context: NotebookContext, state: TargetState | None) -> tuple[str, Message, Cause | None]:
    verdict, under_way = context.explanation.verdict, context.memory.under_way
    if under_way and under_way.state is not State.PLANNED:
        return "bad", _in_progress(under_way), verdict.cause
    # Before the verdict: what the rules of a target say of a notebook that it does not cover never happens.
    if context.covered is False:
        return "quiet", message("It is kept: this target does not cover it."), None
    if verdict.decision is Decision.KEEP:
        return _kept(context)
    if context.memory.left_alone:
        return "quiet", message("It is left alone for a time."), context.memory.left_alone.cause
    return "bad", _goes(state), verdict.cause


def _in_progress(removal: Removal) -> Message:
    return message("It is being deleted now, by run %(run)s.", run=removal.run_id)


def _goes(state: TargetState | None) -> Message:
    if state and state.pause:
        return message("It would be deleted, but its target is paused. The first sweep after it is resumed deletes it.")
    if state and state.dry_run:
        return message("It would be deleted, but this service makes dry runs only.")
    if state is None or state.next_run is None:
        return message("The next sweep deletes it. Sweeps begin only when somebody asks for one.")
    return message("The next sweep, due at %(at)s, deletes it.", at=state.next_run)


def _kept(context: NotebookContext) -> tuple[str, Message, Cause | None]:
    explanation, mark = context.explanation, context.mark
    cause = explanation.verdict.cause
    if mark and mark.open and explanation.announced and context.due_at:
        return "busy", message("It is announced, and may be deleted from %(at)s on.", at=context.due_at), cause
    if mark and mark.open and explanation.announced and mark.state is MarkState.MARKED:
        return "busy", message("It is going to be deleted, but not before its owner has been told and has had time."), cause
    if explanation.flips_at:
        return "good", message("It is kept. By itself that changes after %(at)s.", at=explanation.flips_at), cause
    if explanation.goes_at:
        earliest = message(
            "It is kept. A sweep after %(at)s may delete it, if its owner is told at once.", at=explanation.goes_at
        )
        return "good", earliest, cause
    return "good", message("It is kept, and time alone does not change that."), cause


def _notes(context: NotebookContext, state: TargetState | None) -> Iterator[Message]:
    verdict = context.explanation.verdict
    if verdict.decision is Decision.KEEP or context.covered is False:
        return
    if verdict.stop_first:
        yield message("It runs, and is stopped first.")
    if context.explanation.flips_at:
        yield message(
            "If no sweep has deleted it by %(at)s, it is kept again: a notice or a condition ends then.",
            at=context.explanation.flips_at,
        )
    if state and not state.dry_run:
        yield message("Right before the deletion, all rules are checked again on fresh facts, and brakes may stop the sweep.")
