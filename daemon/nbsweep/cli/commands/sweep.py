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

PATIENCE_S = 30.0
LOOKS_EVERY_S = 0.5


async def sweep_command(session: Session, target: str) -> Exit:
    """Record the request, and wait until a service has taken it.

    Raises:
        TargetIsPaused: the target is paused.
        NbsweepError: no service runs on the journal, or none takes the request.
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
        await _until_taken(journal, request)
    session.write_result(printable(f"The service has taken the request. `nbsweep status` shows the sweep of {target}."))
    return Exit.DONE


async def _until_taken(journal: Journal, request: SweepRequest) -> None:
    with anyio.move_on_after(PATIENCE_S):
        while True:
            if request not in await journal.control.sweep_requests():
                return
            await anyio.sleep(LOOKS_EVERY_S)
    await journal.control.drop_request(request)
    raise NbsweepError(f"no service has taken the request within {PATIENCE_S:g} s, and it is withdrawn; see `nbsweep status`")
