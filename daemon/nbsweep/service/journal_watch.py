"""Reads pauses and requests for sweeps from the journal, and records there that the service is alive."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from nbsweep.core.control.requests import SweepRequest
from nbsweep.core.control.services import BEAT_EVERY, FORGOTTEN_AFTER
from nbsweep.core.errors import JournalError
from nbsweep.core.events.service import SweepRequested
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.service.control import Answer
from nbsweep.service.presence import Presence
from nbsweep.service.targets.runner import Runner

LOOKS_EVERY_S = 2.0
"""How often pauses and requests are read."""


@dataclass(slots=True)
class JournalWatch:
    """Reads the journal every few seconds. If it cannot be read or written, the next round tries again."""

    runners: Mapping[str, Runner]
    presence: Presence
    journal: Journal
    clock: Clock
    telemetry: Telemetry
    _beat_s: float = float("-inf")
    """When the last beat was recorded, by the monotonic clock."""
    _answers: dict[SweepRequest, Answer] = field(default_factory=dict)
    """The answers to requests that could not be recorded yet."""
    _recorded: Mapping[str, int] = field(default_factory=dict)
    """The waiting targets of the last beat."""

    async def run(self) -> None:
        """Run until it is cancelled."""
        with suppress(JournalError):
            await self.journal.control.forget_services(self.clock.now() - FORGOTTEN_AFTER)
        while True:
            with suppress(JournalError):
                await self._take_pauses()
                await self._take_requests()
                await self._beat()
            await anyio.sleep(LOOKS_EVERY_S)

    async def beat_now(self) -> None:
        """Record a change of the service at once, if the journal can be written."""
        self._beat_s = float("-inf")
        with suppress(JournalError):
            await self._beat()

    async def say_stopped(self) -> None:
        """Record that the service stops normally, if the journal can be written."""
        with suppress(JournalError):
            await self.journal.control.beat(self.presence.record(await self._now(), stopped=True))

    async def _take_pauses(self) -> None:
        for runner in self.runners.values():
            await runner.pause.record()
        pauses = {pause.target: pause for pause in await self.journal.control.pauses()}
        for name, runner in self.runners.items():
            runner.pause.note(pauses.get(name))

    async def _take_requests(self) -> None:
        """Answer the requests of commands. One is removed after it was taken, so that it is not lost if this process dies."""
        for request in await self.journal.control.sweep_requests():
            if request.target not in self.runners:
                continue
            # A request that cannot be removed must not start a sweep in each round.
            if request not in self._answers:
                self._answers[request] = answer = await self.runners[request.target].request(request.by)
                with self.telemetry.bound(target=request.target):
                    self.telemetry.emit(SweepRequested(request.by, answer))
            await self.journal.control.answer_request(request, self._answers[request])
            del self._answers[request]

    async def _beat(self) -> None:
        waiting = self._waiting()
        if self.clock.steady_s() - self._beat_s >= BEAT_EVERY.total_seconds() or waiting != self._recorded:
            await self.journal.control.beat(self.presence.record(await self._now(), waiting=waiting))
            self._beat_s, self._recorded = self.clock.steady_s(), waiting

    async def _now(self) -> datetime:
        """Return the time by the clock that all processes on the journal share."""
        return await self.journal.leases.now(self.clock.now())

    def _waiting(self) -> Mapping[str, int]:
        """Return the targets that wait for the turn of their account, each with the number of accounts ahead."""
        ahead = {name: runner.state().accounts_ahead for name, runner in self.runners.items()}
        return {name: count for name, count in ahead.items() if count is not None}
