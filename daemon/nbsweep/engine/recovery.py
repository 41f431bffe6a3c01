"""Follows the removals that an earlier run left unfinished, before a sweep plans anything; never sends them again blindly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import anyio
from msgspec.structs import replace

from nbsweep.core import lifecycle
from nbsweep.core.errors import CloudError, Gone, SweepEnding
from nbsweep.core.events.removal import RecoveryFinished, RecoveryStarted, RemovalsLeftAlone
from nbsweep.core.identity import UNKNOWN, TargetIdentity, identity_on_record
from nbsweep.core.lease import TargetLease, is_held
from nbsweep.core.lifecycle import OUTCOMES, Removal, State, Step
from nbsweep.core.model import Notebook
from nbsweep.core.ports import Ports
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.core.status import follows, left_alone
from nbsweep.engine.options import LeaseOptions, PollOptions
from nbsweep.engine.removing.poller import Poller
from nbsweep.engine.removing.tracker import RemovalTracker

BEFORE_A_DELETE = frozenset({State.PLANNED, State.STOPPING})
CRASHED = "its process ended without closing the run; a later run found the unfinished removals"
NOT_ON_RECORD = (
    "it is not in this project, and an older version of nbsweep did not record its project: it may be gone, but that cannot be "
    "proven; look in the project that the target had at that time"
)


async def close_crashed_runs(target: str, identity: TargetIdentity, run_id: str, ports: Ports) -> None:
    """Close every run of a target that the journal still records as running, except the current run `run_id`.

    A run belongs to the target by name or by identity. No other process can still be at work, because this one holds the lease.
    """
    for record in await ports.journal.open_runs():
        if record.run_id == run_id or not _is_of(record, target, identity):
            continue
        planned = sum(removal.target == record.target for removal in await ports.journal.removals(record.run_id))
        crashed = replace(record, ended_at=ports.clock.now(), outcome=Outcome.INTERRUPTED, problem=CRASHED, planned=planned)
        await ports.journal.close_run(crashed)


def _is_of(record: RunRecord, target: str, identity: TargetIdentity) -> bool:
    other = identity_on_record(record.project, record.extent)
    same = other is not None and other.project == identity.project and other.overlaps(identity)
    return record.target == target or same


async def recover(
    target: str, identity: TargetIdentity, ports: Ports, polling: PollOptions, stop: anyio.Event
) -> tuple[Removal, ...]:
    """Follow the unfinished removals of a target to their ends, and return them; `stop` leaves the rest to the next run."""
    unfinished = tuple(one for one in await ports.journal.unfinished() if follows(target, identity, one))
    if not unfinished:
        return ()
    ports.telemetry.emit(RecoveryStarted(len(unfinished)))
    recovery = Recovery(ports, polling)
    await recovery.finish(unfinished, identity.project, stop)
    return tuple(recovery.ended)


async def report_left_alone(targets: Mapping[str, TargetIdentity], ports: Ports, options: LeaseOptions | None) -> None:
    """Emit an event about unfinished removals that none of these targets follows and no other process is sweeping now.

    Raises:
        JournalError: the removals cannot be read.
    """
    now = await ports.journal.leases.now(ports.clock.now())
    held = [lease for lease in await ports.journal.leases.all() if options and _is_held(lease, now, options)]
    for left in left_alone(await ports.journal.unfinished(), targets, held):
        ports.telemetry.emit(RemovalsLeftAlone(left.target, left.project, len(left.removals), str(left)))


def _is_held(lease: TargetLease, now: datetime, options: LeaseOptions) -> bool:
    return is_held(lease, now, options.lasts, alive=options.is_alive(lease.holder))


@dataclass(slots=True)
class Recovery:
    """Follows removals of an earlier run."""

    ports: Ports
    polling: PollOptions
    _tracker: RemovalTracker = field(init=False)
    _poller: Poller = field(init=False)

    def __post_init__(self) -> None:
        """Create the tracker and the poller."""
        self._tracker = RemovalTracker(self.ports)
        self._poller = Poller(self.ports, self.polling, self._arrived)

    @property
    def ended(self) -> list[Removal]:
        """The removals that have ended."""
        return [removal for removal in self._tracker.removals.values() if removal.ended]

    async def finish(self, removals: tuple[Removal, ...], project: str, stop: anyio.Event) -> None:
        """Follow each removal to its end, in the project of this target."""
        unlocated = [one for one in removals if one.project == UNKNOWN and one.state not in BEFORE_A_DELETE]
        here = {one.notebook_id: await self._is_here(one) for one in unlocated if not stop.is_set()}
        in_doubt = {one.notebook_id for one in unlocated if here.get(one.notebook_id) is None}
        mine = [
            replace(one, project=project) if here.get(one.notebook_id) else one
            for one in removals
            if one.notebook_id not in in_doubt
        ]
        self._tracker.begin(mine)
        now = self.ports.clock.now()
        never_begun = [removal for removal in mine if removal.state in BEFORE_A_DELETE]
        await self._tracker.finish(*(lifecycle.spare(removal, now, lifecycle.NEVER_BEGUN) for removal in never_begun))
        elsewhere = [one for one in mine if here.get(one.notebook_id) is False]
        await self._tracker.finish(*(self._not_proven(removal, now) for removal in elsewhere))
        for removal in self._tracker.removals.values():
            if not removal.ended:
                self._poller.follow(removal)
        async with anyio.create_task_group() as group:
            group.start_soon(self._poller.run, name="recovery-poller")
            group.start_soon(self._cancel_on, stop, group.cancel_scope, name="recovery-stop")
            await self._tracker.all_ended.wait()
            group.cancel_scope.cancel()
        counts: dict[str, int] = {
            name: sum(removal.state is state for removal in self.ended) for state, name in OUTCOMES.items()
        }
        self.ports.telemetry.emit(RecoveryFinished(counts))

    async def _is_here(self, removal: Removal) -> bool | None:
        """Return whether the project shows a notebook whose project is not on record; None if the answer does not show it."""
        try:
            await self.ports.cloud.show(removal.notebook_id)
        except Gone:
            return False
        except SweepEnding:
            raise
        except CloudError:
            return None
        return True

    @staticmethod
    def _not_proven(removal: Removal, now: datetime) -> Removal:
        # Absence here proves nothing: the notebook may be in another project that had the target's name at the time.
        return lifecycle.time_out(removal, now, NOT_ON_RECORD)

    async def _cancel_on(self, stop: anyio.Event, scope: anyio.CancelScope) -> None:
        await stop.wait()
        scope.cancel()

    async def _arrived(self, removal: Removal, step: Step, seen: Notebook | None) -> None:
        now = self.ports.clock.now()
        match step:
            case Step.GONE:
                await self._tracker.finish(lifecycle.delete(removal, now, lifecycle.PROVEN_GONE))
            case Step.CONFIRMED:
                self._poller.follow(await self._tracker.write(lifecycle.accept(removal, now)))
            case Step.FAILED:
                await self._failed(removal, now, lifecycle.describe_failure(seen))
            case Step.TIMED_OUT:
                await self._tracker.finish(lifecycle.time_out(removal, now, lifecycle.NO_END))
            case _ if lifecycle.may_still_arrive(removal, now, self.polling.grace):
                self._poller.follow(removal)
            case _:
                await self._tracker.finish(lifecycle.spare(removal, now, lifecycle.NO_TRACE))

    async def _failed(self, removal: Removal, now: datetime, reason: str) -> None:
        if removal.state is State.REQUESTED:
            removal = lifecycle.accept(removal, now)
        await self._tracker.finish(lifecycle.fail(lifecycle.note_failure(removal), now, reason))
