"""The due sweeps in memory."""

import asyncio
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.model import require_aware


class InMemoryDueSweeps:
    """The `DueSweeps` port."""

    def __init__(self) -> None:
        """Begin without due sweeps."""
        self._sweeps: dict[tuple[str, str], DueSweep] = {}

    async def add(self, sweep: DueSweep) -> bool:
        """Record that a sweep is due."""
        await asyncio.sleep(0)
        for moment in (sweep.due_at, sweep.not_before):
            require_aware(moment)
        known = self._sweeps.get((sweep.target, sweep.plan_id))
        if known and (known.ended_at is None or (known.by == sweep.by and known.due_at >= sweep.due_at)):
            return False
        self._sweeps[sweep.target, sweep.plan_id] = sweep
        return True

    async def open(self, account: str | None = None) -> tuple[DueSweep, ...]:
        """List the sweeps that have not ended."""
        await asyncio.sleep(0)
        found = [one for one in self._sweeps.values() if one.ended_at is None and account in (None, one.account)]
        return tuple(sorted(found, key=lambda one: (one.due_at, one.target, one.plan_id)))

    async def begin(self, sweep: DueSweep, at: datetime) -> bool:
        """Record that a worker begins a sweep."""
        return await self._change(sweep, begun_at=require_aware(at))

    async def put_off(self, sweep: DueSweep) -> None:
        """Store `not_before`, `failures` and `problem` of an open sweep, which has not begun then."""
        later = require_aware(sweep.not_before)
        await self._change(sweep, not_before=later, failures=sweep.failures, problem=sweep.problem, begun_at=None)

    async def end(self, sweep: DueSweep, at: datetime) -> None:
        """Record that a sweep has ended."""
        await self._change(sweep, ended_at=require_aware(at))

    async def _change(self, sweep: DueSweep, **changes: object) -> bool:
        await asyncio.sleep(0)
        known = self._sweeps.get((sweep.target, sweep.plan_id))
        if known is None or known.ended_at is not None or known.due_at != sweep.due_at:
            return False
        self._sweeps[sweep.target, sweep.plan_id] = replace(known, **changes)
        return True
