"""`resume`: ends the pause of targets."""

from collections.abc import Sequence

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.core.control.requests import Resumption


async def resume_command(session: Session, targets: Sequence[str]) -> Exit:
    """Resume targets, and show which of them were paused."""
    now = SystemClock().now()
    async with open_journal(session.settings.journal) as journal:
        for target in targets:
            pause = await journal.control.pause_of(target)
            await journal.control.resume(Resumption(target, now, current_user()))
            was = f"was {pause}; it is resumed" if pause and pause.in_force(now) else "was not paused"
            session.write_result(printable(f"{target} {was}."))
    return Exit.DONE
