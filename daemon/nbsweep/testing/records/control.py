"""The records by which commands and services find each other, in memory."""

import asyncio
from datetime import datetime

from nbsweep.core.audit.control import entry_of_pause, entry_of_request, entry_of_resumption
from nbsweep.core.control.requests import ACCEPTED, Pause, Resumption, SweepRequest
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.model import require_aware
from nbsweep.testing.records.trail import InMemoryTrail


class InMemoryControl:
    """Pauses, requests for sweeps, due times, and records of services."""

    def __init__(self, trail: InMemoryTrail) -> None:
        """Begin without records; `trail` gets the entries of what people do."""
        self._trail = trail
        self._pauses: dict[str, Pause] = {}
        self._requests: dict[str, SweepRequest] = {}
        self._answers: dict[str, tuple[datetime, str]] = {}
        self._services: dict[str, ServiceRecord] = {}
        self._due: dict[str, datetime] = {}

    async def pause(self, pause: Pause) -> None:
        """Record a pause; it replaces an earlier pause of the same target."""
        require_aware(pause.since)
        if self._pauses.get(pause.target) != pause:
            self._trail.extend([entry_of_pause(pause, 0)])
        self._pauses[pause.target] = pause
        await asyncio.sleep(0)

    async def resume(self, resumption: Resumption) -> None:
        """Remove a target's pause, if there is one."""
        entry = entry_of_resumption(resumption, 0)
        if self._pauses.pop(resumption.target, None):
            self._trail.extend([entry])
        await asyncio.sleep(0)

    async def pauses(self) -> tuple[Pause, ...]:
        """List all pauses, sorted by target."""
        await asyncio.sleep(0)
        return tuple(pause for _, pause in sorted(self._pauses.items()))

    async def pause_of(self, target: str) -> Pause | None:
        """Return the pause of a target; None if there is none."""
        await asyncio.sleep(0)
        return self._pauses.get(target)

    async def request_sweep(self, request: SweepRequest) -> None:
        """Record a request for a sweep; it replaces an earlier request for the same target."""
        await self.note_request(request)
        self._requests[request.target] = request
        await asyncio.sleep(0)

    async def note_request(self, request: SweepRequest) -> None:
        """Record a request in the audit trail."""
        require_aware(request.asked_at)
        self._trail.extend([entry_of_request(request, 0)])
        await asyncio.sleep(0)

    async def sweep_requests(self) -> tuple[SweepRequest, ...]:
        """List the requests that no service has taken, sorted by target."""
        await asyncio.sleep(0)
        return tuple(request for _, request in sorted(self._requests.items()))

    async def answer_request(self, request: SweepRequest, answer: str) -> None:
        """Remove a request, and record the answer to it; a later request for the same target stays."""
        if self._remove(request) or answer == ACCEPTED:
            self._answers[request.target] = request.asked_at, answer
        await asyncio.sleep(0)

    async def answer_to(self, request: SweepRequest) -> str | None:
        """Return the answer to a request; None if there is none."""
        await asyncio.sleep(0)
        asked_at, answer = self._answers.get(request.target, (None, None))
        return answer if asked_at == request.asked_at else None

    async def withdraw_request(self, request: SweepRequest) -> None:
        """Remove a request; a later request for the same target stays."""
        self._remove(request)
        await asyncio.sleep(0)

    def _remove(self, request: SweepRequest) -> bool:
        found = self._requests.get(request.target)
        if found is None or found.asked_at != request.asked_at:
            return False
        del self._requests[request.target]
        return True

    async def beat(self, record: ServiceRecord) -> None:
        """Store the present state of a service."""
        require_aware(record.beat_at)
        self._services[record.holder.owner] = record
        await asyncio.sleep(0)

    async def services(self) -> tuple[ServiceRecord, ...]:
        """List the records of services, sorted by their start."""
        await asyncio.sleep(0)
        return tuple(sorted(self._services.values(), key=lambda record: (record.started_at, record.holder.owner)))

    async def forget_services(self, before: datetime) -> None:
        """Remove the records of services whose last beat is older than a moment."""
        self._services = {owner: record for owner, record in self._services.items() if record.beat_at >= before}
        await asyncio.sleep(0)

    async def note_due(self, target: str, due: datetime) -> None:
        """Write when a target is due next; only the latest time is kept."""
        self._due[target] = require_aware(due)
        await asyncio.sleep(0)

    async def noted_due(self, target: str) -> datetime | None:
        """Return when a target was due next by the latest note, or None."""
        await asyncio.sleep(0)
        return self._due.get(target)
