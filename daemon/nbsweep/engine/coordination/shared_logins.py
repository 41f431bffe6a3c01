"""Lets one process of a fleet at a time try a login, because IAM locks a user after five wrong passwords."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import msgspec

from nbsweep.core.fences.logins import LoginRecord, LoginTurn
from nbsweep.core.fences.port import FenceRecords
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.engine.coordination.fence import FenceGuard, FenceOptions


@dataclass(frozen=True, slots=True)
class FencedLogins:
    """The port `SharedLogins` on fences: the memory of a user's fence is the end of the latest login."""

    fences: FenceRecords
    clock: Clock
    telemetry: Telemetry
    options: FenceOptions

    async def accepted_s(self, name: str) -> float | None:
        """Return how many seconds ago IAM accepted this password; None if that is not known."""
        found = [fence for fence in await self.fences.all(name) if fence.name == name]
        record = _read(found[0].memory) if found else None
        return found[0].memory_age_s if record and record.accepted else None

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[LoginTurn]:
        """Wait until no other process tries this login; what is noted in the turn is for all processes."""
        failure: Exception | None = None
        turn = LoginTurn(None, 0.0)

        def remember() -> str | None:
            return msgspec.json.encode(turn.noted).decode() if turn.noted else None

        guard = FenceGuard(name, self.fences, self.clock, self.telemetry, self.options, remember)
        async with guard.held(given_up=anyio.Event()) as fence:
            turn.last, turn.age_s = _read(fence.memory), fence.memory_age_s
            try:
                yield turn
            except Exception as error:  # noqa: BLE001  # raised below, outside of the group of tasks
                failure = error
        if failure is not None:
            raise failure


def _read(memory: str) -> LoginRecord | None:
    """Return the record in a memory; None if there is none that can be read."""
    try:
        return msgspec.json.decode(memory, type=LoginRecord)
    except (msgspec.DecodeError, UnicodeError):
        return None
