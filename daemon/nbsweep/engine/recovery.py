"""What an earlier run left without an end comes first: it is followed, never sent again blindly."""

from dataclasses import dataclass, field
from datetime import datetime

import anyio
from msgspec.structs import replace

from nbsweep.core import lifecycle
from nbsweep.core.events import RecoveryFinished, RecoveryStarted
from nbsweep.core.lifecycle import OUTCOMES, Removal, State, Step
from nbsweep.core.model import Notebook
from nbsweep.core.ports import Ports
from nbsweep.engine.ledger import Ledger
from nbsweep.engine.orders import Patience
from nbsweep.engine.poller import Poller

BEFORE_A_DELETE = frozenset({State.PLANNED, State.STOPPING})
CRASHED = "it ended without a word; a later run found what it had left"
NEVER_BEGUN = "an earlier run was interrupted before its DELETE"
NO_TRACE = "an earlier run was interrupted around its DELETE, which shows no effect; this run decides anew"


async def close_crashed_runs(target: str, run_id: str, ports: Ports) -> None:
    """Give an end to every run of a target that the journal still calls running, but for `run_id`, which is this one."""
    for record in await ports.journal.open_runs(target):
        if record.run_id == run_id:
            continue
        planned = sum(removal.target == target for removal in await ports.journal.removals(record.run_id))
        crashed = replace(record, ended_at=ports.clock.now(), outcome="interrupted", problem=CRASHED, planned=planned)
        await ports.journal.close_run(crashed)


async def recover(target: str, ports: Ports, patience: Patience, stop: anyio.Event) -> tuple[Removal, ...]:
    """Bring the unfinished removals of a target to their ends, and give them back; `stop` leaves the rest for the next run."""
    unfinished = await ports.journal.unfinished(target)
    if not unfinished:
        return ()
    ports.telemetry.emit(RecoveryStarted(len(unfinished)))
    recovery = Recovery(ports, patience)
    await recovery.finish(unfinished, stop)
    return tuple(recovery.ended)


@dataclass(slots=True)
class Recovery:
    """Follows what an earlier run requested."""

    ports: Ports
    patience: Patience
    _ledger: Ledger = field(init=False)
    _poller: Poller = field(init=False)

    def __post_init__(self) -> None:
        """Open the ledger, and give the poller its task."""
        self._ledger = Ledger(self.ports)
        self._poller = Poller(self.ports, self.patience, self._arrived)

    @property
    def ended(self) -> list[Removal]:
        """Those that have come to their end."""
        return [removal for removal in self._ledger.removals.values() if removal.ended]

    async def finish(self, removals: tuple[Removal, ...], stop: anyio.Event) -> None:
        """Follow each to its end."""
        self._ledger.begin(removals)
        now = self.ports.clock.now()
        never_begun = [removal for removal in removals if removal.state in BEFORE_A_DELETE]
        await self._ledger.finish(*(lifecycle.spare(removal, now, NEVER_BEGUN) for removal in never_begun))
        for removal in removals:
            if removal.state not in BEFORE_A_DELETE:
                self._poller.follow(removal)
        async with anyio.create_task_group() as group:
            group.start_soon(self._poller.run, name="recovery-poller")
            group.start_soon(self._leave_on, stop, group.cancel_scope, name="recovery-stop")
            await self._ledger.all_ended.wait()
            group.cancel_scope.cancel()
        counts = {name: sum(removal.state is state for removal in self.ended) for state, name in OUTCOMES.items()}
        self.ports.telemetry.emit(RecoveryFinished(counts))

    async def _leave_on(self, stop: anyio.Event, scope: anyio.CancelScope) -> None:
        await stop.wait()
        scope.cancel()

    async def _arrived(self, removal: Removal, step: Step, seen: Notebook | None) -> None:
        now = self.ports.clock.now()
        match step:
            case Step.GONE:
                await self._ledger.finish(lifecycle.delete(removal, now, "proven gone"))
            case Step.CONFIRMED:
                self._poller.follow(await self._ledger.write(lifecycle.accept(removal, now)))
            case Step.FAILED:
                await self._failed(removal, now, lifecycle.describe_failure(seen))
            case Step.TIMED_OUT:
                await self._ledger.finish(lifecycle.time_out(removal, now, "no end by its deadline"))
            case _ if lifecycle.may_still_arrive(removal, now, self.patience.grace):
                self._poller.follow(removal)
            case _:
                await self._ledger.finish(lifecycle.spare(removal, now, NO_TRACE))

    async def _failed(self, removal: Removal, now: datetime, reason: str) -> None:
        if removal.state is State.REQUESTED:
            removal = lifecycle.accept(removal, now)
        await self._ledger.finish(lifecycle.fail(lifecycle.note_failure(removal), now, reason))
