"""The ports for fences: their records in the journal, and a fence that is held."""

from datetime import timedelta
from typing import Protocol

from nbsweep.core.fences.model import Fence
from nbsweep.core.lease import Holder


class CallFence(Protocol):
    """The fence of the calls of an account, as the client that makes them sees it."""

    async def ensure(self) -> None:
        """Check that the fence is certainly held, and renew it if that is in doubt.

        Raises:
            FenceLost: it is not held.
        """
        ...

    def left_s(self) -> float:
        """Return for how many more seconds the fence is certainly held; negative if it is not. Never waits."""
        ...


class FenceRecords(Protocol):
    """The part of the journal that fences processes off from each other. All methods raise JournalError.

    Each method reads the time from the database, in the statement that needs it, and depends on nothing that belongs to a
    connection. When `take` or `beat` returns, its change survives a crash.
    """

    async def take(self, name: str, holder: Holder, lasts: timedelta) -> Fence:
        """Take a fence if nobody holds it, and return what is stored afterwards, which says who holds it.

        Nobody holds it if there is no record of it, if it was released, or if there was no beat for `lasts`. A beat that is
        further than `lasts` in the future was made by a wrong clock, and does not count. A process that holds the fence
        already renews it by this. Of several processes that take it at the same time, one gets it. The memory stays.
        """
        ...

    async def beat(self, fence: Fence, memory: str | None = None) -> bool:
        """Renew a fence, and replace its memory if one is given; return whether the same process still holds it.

        If another process has taken the fence, or the same one anew, or if it was released, nothing is changed. A holder of
        which no beat was stored for too long may renew the fence as long as nobody has taken it.
        """
        ...

    async def release(self, fence: Fence, memory: str | None = None) -> None:
        """Release a fence, and replace its memory if one is given; one that this process does not hold any more stays.

        Holder, epoch and memory remain for the next one.
        """
        ...

    async def all(self, prefix: str = "") -> tuple[Fence, ...]:
        """List the fences whose name begins with a text, sorted by name, those that were released included."""
        ...
