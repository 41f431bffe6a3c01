"""The clock of every journal; the journal for tests too."""

from datetime import timedelta

from contract.conftest import Opener
from nbsweep.core.lease import Holder


async def test_the_clock_of_the_journal_is_that_of_its_fences(opener: Opener) -> None:
    """The time is aware, and between two beats."""
    holder, lasts = Holder("a", "host", "boot", 1, 1), timedelta(hours=1)
    async with opener() as journal:
        before = await journal.fences.take("cron", holder, lasts)
        now = await journal.now()
        after = await journal.fences.take("cron", holder, lasts)
        assert before.beat_at <= now <= after.beat_at
