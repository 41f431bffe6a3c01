"""`sweep`: asks the running service for a sweep of a target, through the journal."""

import anyio

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.services import read_services
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.core.control.requests import SweepRequest
from nbsweep.core.control.services import Life
from nbsweep.core.errors import NbsweepError, TargetIsPaused
from nbsweep.core.ports import Journal
from nbsweep.service.control import Answer

PATIENCE_S = 30.0
LOOKS_EVERY_S = 0.5


async def sweep_command(session: Session, target: str) -> Exit:
    """Record the request, and wait until a service has answered it.

    Raises:
        TargetIsPaused: the target is paused.
        NbsweepError: no service runs on the journal, none answers, or the target is being swept.
    """
    now = SystemClock().now()
    async with open_journal(session.settings.journal) as journal:
        pause = await journal.control.pause_of(target)
        if pause is not None and pause.in_force(now):
            raise TargetIsPaused(f"{target} is {pause}; resume it first, with `nbsweep resume {target}`")
        services = await read_services(journal, session.settings, now)
        if not any(each.life is Life.RUNNING and target in each.record.targets for each in services):
            raise NbsweepError(
                f"no service that knows {target} runs on this journal; `nbsweep run --target {target}` sweeps at once"
            )
        request = SweepRequest(target, now, current_user())
        await journal.control.request_sweep(request)
        _require_accepted(request, await _answer(journal, request))
    session.write_result(printable(f"The service has taken the request. `nbsweep status` shows the sweep of {target}."))
    return Exit.DONE


def _require_accepted(request: SweepRequest, answer: str) -> None:
    target = request.target
    if answer == Answer.PAUSED:
        raise TargetIsPaused(f"{target} was paused meanwhile; resume it first, with `nbsweep resume {target}`")
    if answer == Answer.BUSY:
        raise NbsweepError(
            f"{target} is being swept, or its next sweep is requested already: no further sweep follows. Ask again when it has "
            "ended; `nbsweep status` shows it"
        )


async def _answer(journal: Journal, request: SweepRequest) -> str:
    with anyio.move_on_after(PATIENCE_S):
        while True:
            if (answer := await journal.control.answer_to(request)) is not None:
                return answer
            await anyio.sleep(LOOKS_EVERY_S)
    await journal.control.withdraw_request(request)
    raise NbsweepError(f"no service has taken the request within {PATIENCE_S:g} s, and it is withdrawn; see `nbsweep status`")
