"""`notify pause` and `notify resume`: whether messages leave. Marks wait meanwhile, because nobody is told."""

from datetime import datetime

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.core.control.requests import Pause

EVERYWHERE = ""
"""The pause of sending is that of no target."""


async def notify_pause_command(session: Session, until: datetime | None, reason: str) -> Exit:
    """Send nothing until it is resumed, and say what that means."""
    pause = Pause(EVERYWHERE, SystemClock().now(), current_user(), reason, until)
    async with open_journal(session.settings.journal) as journal:
        await journal.outbox.pause(pause)
        waiting = sum(count.pending for count in await journal.outbox.counts())
    session.write_result(printable(f"Sending is {pause}."))
    session.write_result(f"{_messages(waiting)} in the outbox. Nobody is told of new marks, so that their notebooks are kept.")
    session.write_result("Notebooks whose owners have been told are deleted at their deadline all the same: pause the target.")
    return Exit.DONE


async def notify_resume_command(session: Session) -> Exit:
    """Send again: the service within seconds, or else the next run."""
    async with open_journal(session.settings.journal) as journal:
        pause = await journal.outbox.paused()
        await journal.outbox.resume()
        waiting = sum(count.pending for count in await journal.outbox.counts())
    before = "Sending was not paused." if pause is None else "Sending is resumed: the service sends within seconds."
    session.write_result(f"{before} {_messages(waiting)} in the outbox.")
    return Exit.DONE


def _messages(count: int) -> str:
    return f"{count} {'message waits' if count == 1 else 'messages wait'}"
