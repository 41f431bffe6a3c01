"""`notify pause` and `notify resume`: whether messages leave. Marks wait meanwhile, because nobody is told."""

from datetime import datetime

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.core.control.requests import Pause
from nbsweep.core.notices.health import describe_unsent
from nbsweep.core.ports import Journal

EVERYWHERE = ""
"""The pause of sending is that of no target."""


async def notify_pause_command(session: Session, until: datetime | None, reason: str) -> Exit:
    """Send nothing until it is resumed, and say what that means."""
    pause = Pause(EVERYWHERE, SystemClock().now(), current_user(), reason, until)
    async with open_journal(session.settings.journal) as journal:
        await journal.outbox.pause(pause)
        unsent = await _unsent(journal)
    session.write_result(printable(f"Sending is {pause}."))
    session.write_result(f"{unsent}. Nobody is told of new marks, so that their notebooks are kept.")
    session.write_result("Notebooks whose owners have been told are deleted at their deadline all the same: pause the target.")
    return Exit.DONE


async def notify_resume_command(session: Session) -> Exit:
    """Send again: the service within seconds, or else the next run."""
    async with open_journal(session.settings.journal) as journal:
        pause = await journal.outbox.paused()
        await journal.outbox.resume()
        unsent = await _unsent(journal)
    before = "Sending was not paused." if pause is None else "Sending is resumed: the service sends within seconds."
    session.write_result(f"{before} {unsent}.")
    return Exit.DONE


async def _unsent(journal: Journal) -> str:
    pending = sum(count.pending for count in await journal.outbox.counts())
    return describe_unsent(pending, await journal.outbox.count_waiting(SystemClock().now()))
