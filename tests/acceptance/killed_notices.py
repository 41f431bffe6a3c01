"""The way of two marks through the journal, one write after the other; each step reads what the earlier ones have stored.

`killed_notices.py MOMENT NUMBER ADDRESS` takes all steps in the journal at that address, and is killed on the way as
`killed.py` says. It prints the number of each step that has returned.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from acceptance.killed import doom
from builders import NOON
from nbsweep.adapters.journal import open_journal
from nbsweep.core.control.requests import Pause
from nbsweep.core.marks import model
from nbsweep.core.marks.model import ClearCause, Mark
from nbsweep.core.notices.outbox import ItemKind, MessageState
from nbsweep.core.ports import Journal
from notice_builders import exemption, item, mark, message
from trails import whole_trail

LATER, DEADLINE = NOON + timedelta(minutes=10), NOON + timedelta(days=7)
ITEMS = ("i1", "i2")


async def mark_two(journal: Journal) -> None:
    """Mark two notebooks, with their announcements."""
    await journal.marks.write([mark(1), mark(2)], [item(1), item(2)])


async def compose(journal: Journal) -> None:
    """Compose the message that announces both."""
    assert await journal.outbox.compose(message(), ITEMS)


async def lease(journal: Journal) -> None:
    """Lease the message."""
    assert len(await journal.outbox.lease(NOON, LATER, "relay", 1)) == 1


async def record(journal: Journal) -> None:
    """Record that both are told, with their reminders."""
    leased = await journal.outbox.message("k1")
    assert leased is not None
    sent = replace(leased, state=MessageState.SENT, ended_at=LATER, proof="250")
    told = [
        model.tell(model.promise(each.mark, DEADLINE), NOON, "mail: 250", clock_verified=True)
        for each in await journal.outbox.listed("k1")
    ]
    reminders = [item(10 + n, mark_id=f"m{n}", kind=ItemKind.REMIND, not_before=DEADLINE, deadline=DEADLINE) for n in (1, 2)]
    assert await journal.outbox.record(sent, LATER, ITEMS, told, reminders)


async def clear_one(journal: Journal) -> None:
    """Clear one of them, drop its reminder, say so, and mark the next instance of the notebook."""
    cleared = model.clear(await found(journal, "m1"), LATER, ClearCause.USED)
    say_so = [item(20, mark_id="m1", kind=ItemKind.CLEARED)]
    await journal.marks.write([cleared, mark(3, notebook_id="nb1")], say_so, dropped="it was used")


async def remove_other(journal: Journal) -> None:
    """Record that the other was deleted."""
    removed = model.remove(await found(journal, "m2"), LATER, "run1")
    await journal.marks.write([removed], [item(21, mark_id="m2", kind=ItemKind.DELETED)], dropped="it was deleted")


async def drop(journal: Journal) -> None:
    """Drop an item."""
    await journal.outbox.drop(["i20"], "nobody asked")


async def fail(journal: Journal) -> None:
    """Compose a message that has failed."""
    failed = message(2, state=MessageState.FAILED, ended_at=NOON, attempts=9)
    assert await journal.outbox.compose(failed, ["i21"])


async def retry(journal: Journal) -> None:
    """Let it be tried again."""
    assert await journal.outbox.retry("k2", LATER, "carol")


async def pause(journal: Journal) -> None:
    """Pause the sending."""
    await journal.outbox.pause(Pause("", NOON, "li"))


async def resume(journal: Journal) -> None:
    """Resume it."""
    await journal.outbox.resume()


async def grant(journal: Journal) -> None:
    """Grant an exemption."""
    await journal.exemptions.grant(exemption())


async def revoke(journal: Journal) -> None:
    """Revoke it."""
    assert await journal.exemptions.revoke("e1", LATER, "bo")


async def found(journal: Journal, mark_id: str) -> Mark:
    """Read a mark that must be there."""
    read = await journal.marks.mark(mark_id)
    assert read is not None
    return read


STEPS: tuple[Callable[[Journal], Awaitable[None]], ...] = (
    *(mark_two, compose, lease, record, clear_one, remove_other, drop, fail, retry, pause, resume, grant, revoke),
)


async def content(journal: Journal) -> tuple[object, ...]:
    """Return all that a journal holds of notices."""
    return (
        await journal.marks.marks(100),
        await journal.outbox.waiting(NOON + timedelta(days=365), 100),
        [await journal.outbox.listed(key) for key in ("k1", "k2")],
        await journal.outbox.messages(100),
        await journal.outbox.paused(),
        await journal.exemptions.all(100),
        [link.entry for link in await whole_trail(journal)],
    )


async def take_steps(address: str) -> None:
    """Take all steps."""
    async with open_journal(address) as journal:
        for number, step in enumerate(STEPS, 1):
            await step(journal)
            print(number, flush=True)  # noqa: T201  # tells how far it got


if __name__ == "__main__":
    doom(sys.argv[1], int(sys.argv[2]))
    asyncio.run(take_steps(sys.argv[3]))
