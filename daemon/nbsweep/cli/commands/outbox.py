"""`outbox`: the messages to owners and operators, and `outbox retry`, which sends failed ones again."""

from collections.abc import Sequence

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.outbox import outbox_view
from nbsweep.core.errors import UsageError
from nbsweep.core.notices.outbox import MessageState
from nbsweep.core.ports import Journal
from nbsweep.documents.people.outbox import message_documents

MOST_FAILED = 10_000


async def outbox_command(session: Session, states: Sequence[MessageState], limit: int, output: ReadFormat) -> Exit:
    """Show the latest messages, the newest first, and by channel and recipient those of one moment."""
    now = SystemClock().now()
    async with open_journal(session.settings.journal) as journal:
        found, pause = await journal.outbox.messages(limit, states), await journal.outbox.paused()
        waiting = await journal.outbox.count_waiting(now)
    by_place = sorted(found, key=lambda message: (message.channel, message.recipient))
    messages = sorted(by_place, key=lambda message: message.created_at, reverse=True)
    if output == "json":
        session.write_json(message_documents(messages))
    else:
        session.show_result(outbox_view(messages, pause, now, waiting))
    return Exit.DONE


async def retry_command(session: Session, keys: Sequence[str], *, every: bool) -> Exit:
    """Make failed messages due again; the service, or the next run, sends them.

    Raises:
        UsageError: a key is that of no message, or of several.
    """
    now = SystemClock().now()
    async with open_journal(session.settings.journal) as journal:
        found = [message.key for message in await journal.outbox.messages(MOST_FAILED, [MessageState.FAILED])] if every else []
        wanted = [*found, *[await _whole_key(journal, key) for key in keys]]
        retried = [key for key in wanted if await journal.outbox.retry(key, now, current_user())]
    waiting = len(wanted) - len(retried)
    session.write_result(f"{len(retried)} failed {'message is' if len(retried) == 1 else 'messages are'} due again.")
    if waiting:
        session.write_result(f"{waiting} had not failed, and stay as they are.")
    return Exit.DONE


async def _whole_key(journal: Journal, key: str) -> str:
    message = await journal.outbox.message(key)
    if message is None:
        raise UsageError(f"no message has the key {key}, or several begin with it; `nbsweep outbox` lists them")
    return message.key
