"""What the service is doing for a target, in words."""

from collections.abc import Mapping

from nbsweep.service.control import Phase, TargetState
from nbsweep.service.web.messages import Message, message, plural

PHASES: Mapping[Phase, Message] = {
    Phase.STARTING: message("Starting: the removals of an earlier process are followed to their end"),
    Phase.WAITING: message("Waiting"),
    Phase.WAITING_FOR_TURN: message("Waiting for its turn: it is next"),
    Phase.WAITING_FOR_WORKER: message("Waiting for a worker"),
    Phase.WORKER_SILENT: message("The worker that sweeps it reports nothing; if it has died, another one goes on"),
    Phase.SWEEPING: message("Sweeping now"),
    Phase.BACKING_OFF: message("The last sweep failed; it is tried again"),
    Phase.HELD_ELSEWHERE: message("Another nbsweep sweeps this target"),
}
TONES: Mapping[Phase, str] = {
    Phase.WAITING_FOR_TURN: "quiet",
    Phase.WAITING_FOR_WORKER: "quiet",
    Phase.WORKER_SILENT: "bad",
    Phase.SWEEPING: "busy",
    Phase.BACKING_OFF: "bad",
    Phase.HELD_ELSEWHERE: "quiet",
}
BUSY = (Phase.WAITING_FOR_TURN, Phase.WAITING_FOR_WORKER, Phase.WORKER_SILENT, Phase.SWEEPING)
"""A sweep is in progress, or begins by itself as soon as it may."""


def describe_phase(state: TargetState) -> Message:
    """Return what is done for a target now."""
    if not state.accounts_ahead:
        return PHASES[state.phase]
    return plural(
        "Waiting for its turn: %(count)s other account has waited longer",
        "Waiting for its turn: %(count)s other accounts have waited longer",
        state.accounts_ahead,
    )
