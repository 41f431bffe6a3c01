"""The fences in memory."""

import asyncio
from datetime import datetime, timedelta

from msgspec.structs import replace

from nbsweep.core.fences.model import Fence
from nbsweep.core.lease import Holder
from nbsweep.testing.clock import START


class InMemoryFences:
    """The `FenceRecords` port. The clock of this database is the running loop's, which no test sets."""

    def __init__(self) -> None:
        """Begin without fences."""
        self._fences: dict[str, Fence] = {}
        self._remembered: dict[str, datetime] = {}

    async def take(self, name: str, holder: Holder, lasts: timedelta) -> Fence:
        """Take a fence if nobody holds it."""
        await asyncio.sleep(0)
        now, stored = database_now(), self._fences.get(name)
        if stored is None:
            self._fences[name] = Fence(name, holder, 1, now, now, held=True, memory="", age_s=0.0, memory_age_s=0.0)
        elif stored.is_of(holder):
            self._fences[name] = replace(stored, beat_at=now)
        elif not stored.held or self._read(name).is_silent(lasts.total_seconds()):
            epoch = stored.epoch + 1
            self._fences[name] = replace(stored, holder=holder, epoch=epoch, taken_at=now, beat_at=now, held=True)
        return self._read(name)

    async def beat(self, fence: Fence, memory: str | None = None) -> bool:
        """Renew a fence."""
        await asyncio.sleep(0)
        return self._write(fence, memory, held=True)

    async def release(self, fence: Fence, memory: str | None = None) -> None:
        """Release a fence."""
        await asyncio.sleep(0)
        self._write(fence, memory, held=False)

    async def all(self, prefix: str = "") -> tuple[Fence, ...]:
        """List the fences whose name begins with a text."""
        await asyncio.sleep(0)
        return tuple(self._read(name) for name in sorted(self._fences) if name.startswith(prefix))

    def _write(self, fence: Fence, memory: str | None, *, held: bool) -> bool:
        stored = self._fences.get(fence.name)
        if stored is None or not stored.is_of(fence.holder) or stored.epoch != fence.epoch:
            return False
        if memory is not None:
            self._remembered[fence.name] = database_now()
        self._fences[fence.name] = replace(
            stored, beat_at=database_now(), held=held, memory=stored.memory if memory is None else memory
        )
        return True

    def _read(self, name: str) -> Fence:
        stored, now = self._fences[name], database_now()
        remembered = (now - self._remembered.get(name, now)).total_seconds()
        return replace(stored, age_s=(now - stored.beat_at).total_seconds(), memory_age_s=remembered)


def database_now() -> datetime:
    """Return the time of the database in memory: the clock of the running loop, which no test sets."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())
