"""The port for pauses, for requests for sweeps, and for the reports of services."""

from datetime import datetime
from typing import Protocol

from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.control.services import ServiceRecord


class ControlRecords(Protocol):
    """The part of the journal through which commands and services exchange records. All methods raise JournalError."""

    async def pause(self, pause: Pause) -> None:
        """Record a pause, with its entry in the audit trail; it replaces an earlier pause of the same target.

        The same pause again changes nothing.
        """
        ...

    async def resume(self, resumption: Resumption) -> None:
        """End the pause of a target, with its entry in the audit trail, if there is a pause."""
        ...

    async def pauses(self) -> tuple[Pause, ...]:
        """List all pauses, sorted by target, also those that have ended by themselves."""
        ...

    async def pause_of(self, target: str) -> Pause | None:
        """Return the pause of a target, also one that has ended by itself; None if there is none."""
        ...

    async def request_sweep(self, request: SweepRequest) -> None:
        """Record a request for a sweep, with its entry in the audit trail; it replaces an earlier one for the same target."""
        ...

    async def note_request(self, request: SweepRequest) -> None:
        """Record in the audit trail a request for a sweep that this service has taken already."""
        ...

    async def sweep_requests(self) -> tuple[SweepRequest, ...]:
        """List the requests that no service has taken, sorted by target."""
        ...

    async def answer_request(self, request: SweepRequest, answer: str) -> None:
        """Remove a request, and record a service's answer to it: accepted, busy or paused; a later request stays.

        Of two services that answer the same request, one that accepts it has the last word; otherwise the first counts. Only
        the latest answer for a target is kept.
        """
        ...

    async def answer_to(self, request: SweepRequest) -> str | None:
        """Return the answer to a request; None if no service has answered it, or a later one for its target was answered."""
        ...

    async def withdraw_request(self, request: SweepRequest) -> None:
        """Remove a request that no service has answered; a later request for the same target stays."""
        ...

    async def beat(self, record: ServiceRecord) -> None:
        """Record the present state of a service."""
        ...

    async def services(self) -> tuple[ServiceRecord, ...]:
        """List the records of services, sorted by their start."""
        ...

    async def forget_services(self, before: datetime) -> None:
        """Remove the records of services whose last beat is older than a moment."""
        ...

    async def note_due(self, target: str, due: datetime) -> None:
        """Record when a target is due next; only the latest record is kept."""
        ...

    async def noted_due(self, target: str) -> datetime | None:
        """Return the recorded next due time of a target; None if there is no record."""
        ...
