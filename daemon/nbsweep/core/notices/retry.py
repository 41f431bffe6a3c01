"""When a message that was not accepted is sent again: more and more rarely, over three days."""

from datetime import datetime, timedelta

from nbsweep.core.notices.channel import Receipt

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The delay after each failed attempt; together about three days."""
JITTER = 0.2
"""The largest share by which a delay is longer, so that messages that failed together are not repeated together."""
TURN = timedelta(minutes=1)
"""When a channel that sent nothing, because of its own limits, is asked again if it does not say."""


def next_attempt(attempts: int, receipt: Receipt, now: datetime, share: float) -> datetime | None:
    """Return when the next attempt is due; None if there is none.

    `attempts` counts the failed attempts, the last one included; `share` is a random number from 0 to 1.
    """
    wished = receipt.retry_after or timedelta(0)
    if not receipt.attempted:
        return now + max(wished, TURN if receipt.retry_after is None else timedelta(0))
    if attempts > len(DELAYS):
        return None
    delay = DELAYS[max(attempts, 1) - 1]
    return now + max(delay * (1 + JITTER * share), wished)
