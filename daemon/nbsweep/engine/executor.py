"""The workers: each takes a planned removal, looks a second time, writes REQUESTED, and sends the DELETE.

A worker is free again when the DELETE is accepted; the poller follows it from there. Whatever is in doubt (an answer that was
lost, a notebook that is busy) goes to the poller too, which looks before anything is decided anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from nbsweep.core import lifecycle
from nbsweep.core.conditions import Moment
from nbsweep.core.errors import (
    AlreadyStopped,
    AnswerLost,
    Busy,
    CloudError,
    FactsTooOld,
    Gone,
    MustStopFirst,
    SweepEnding,
)
from nbsweep.core.events import (
    RemovalAccepted,
    RemovalAgain,
    RemovalFinished,
    RemovalRequested,
    RemovalStopping,
    RemovalUnanswered,
    SweepStopping,
)
from nbsweep.core.lifecycle import Removal, State, Step
from nbsweep.core.model import Notebook, Status
from nbsweep.core.policy import (
    Decision,
    Reason,
    Rules,
    Running,
    Verdict,
    judge,
    judge_after_failure,
    judge_after_stop,
    why_no_longer,
)
from nbsweep.core.ports import Ports
from nbsweep.engine.poller import Patience, Poller

INTERRUPTED = "interrupted before its DELETE"
LAST_WRITE_S = 3.0
"""How long the last write may take after everything else was cancelled."""


@dataclass(frozen=True, slots=True)
class Orders:
    """How removals are to be carried out."""

    rules: Rules
    workers: int
    deadline: timedelta
    retries: int
    fresh_for: timedelta
    patience: Patience
    drain: timedelta


@dataclass(frozen=True, slots=True)
class Facts:
    """What the survey knew, for decisions that have to be compared with it."""

    planned: Mapping[str, Notebook]
    last_active: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How a sweep is asked to end early: stop, drain, cancel. The events are set from outside."""

    begun: anyio.Event = field(default_factory=anyio.Event)
    """Take no more, and finish what is accepted, up to a limit."""
    hurried: anyio.Event = field(default_factory=anyio.Event)
    """Do not wait for the limit."""


@dataclass(slots=True)
class Executor:
    """Carries out one plan."""

    ports: Ports
    orders: Orders
    facts: Facts
    shutdown: Shutdown
    removals: dict[str, Removal] = field(default_factory=dict)
    """Every removal as it is now, in the order of the plan."""
    _stopped: set[str] = field(default_factory=set)
    """Those whose stop was our own order."""
    _open: int = 0
    _all_ended: anyio.Event = field(default_factory=anyio.Event)
    _poller: Poller = field(init=False)
    _todo: MemoryObjectSendStream[Removal] = field(init=False)

    def __post_init__(self) -> None:
        """Give the poller its task."""
        self._poller = Poller(self.ports, self.orders.patience, self._arrived)

    async def execute(self, removals: Sequence[Removal]) -> None:
        """Bring every removal to its end; `removals` must be in the journal as PLANNED.

        Raises:
            SweepEnding, JournalError: nothing more can be done; what was done is in the journal, and in `self.removals`.
                They may come in an exception group.
        """
        if not removals:
            return
        self.removals = {removal.notebook_id: removal for removal in removals}
        self._open = len(removals)
        self._todo, todo = anyio.create_memory_object_stream[Removal](max_buffer_size=float("inf"))
        for removal in removals:
            self._todo.send_nowait(removal)
        try:
            async with self._todo, todo, anyio.create_task_group() as group:
                group.start_soon(self._poller.run, name="poller")
                group.start_soon(self._drain, group.cancel_scope, name="drain")
                for number in range(min(self.orders.workers, len(removals))):
                    group.start_soon(self._work, todo, name=f"worker-{number}")
                await self._all_ended.wait()
                group.cancel_scope.cancel()
        finally:
            await self._spare_planned()

    async def _drain(self, scope: anyio.CancelScope) -> None:
        """Once a shutdown has begun: wait for what is accepted, up to a limit, then cancel."""
        await self.shutdown.begun.wait()
        drain_s = self.orders.drain.total_seconds()
        self.ports.telemetry.emit(SweepStopping(len(self._poller.following), drain_s))
        with anyio.move_on_after(drain_s):
            await self.shutdown.hurried.wait()
        scope.cancel()

    async def _spare_planned(self) -> None:
        """Give an end to what was never begun, whatever has ended the rest."""
        now = self.ports.clock.now()
        planned = [removal for removal in self.removals.values() if removal.state is State.PLANNED]
        spared = [lifecycle.spare(removal, now, INTERRUPTED) for removal in planned]
        with anyio.move_on_after(LAST_WRITE_S, shield=True):
            await self.ports.journal.write(spared)
            for removal in spared:
                self._tell_end(removal)

    async def _work(self, todo: MemoryObjectReceiveStream[Removal]) -> None:
        async for removal in todo:
            with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
                if self.shutdown.begun.is_set():
                    await self._leave(removal)
                else:
                    await self._remove(removal)

    async def _remove(self, removal: Removal) -> None:
        """Look a second time, decide on what is seen, and act on it."""
        await self.ports.cloud.delete_turn()
        if self.shutdown.begun.is_set():
            return await self._leave(removal)
        looked_at_s = self.ports.clock.steady_s()
        try:
            seen = await self.ports.cloud.show(removal.notebook_id)
        except Gone:
            return await self._gone(removal)
        except SweepEnding:
            raise
        except CloudError as error:
            return await self._not_seen(removal, error)
        verdict = self._decide(removal, seen)
        if verdict.decision is Decision.KEEP:
            return await self._keep(removal, seen, verdict)
        if removal.state is State.PLANNED:
            removal = replace(removal, policy=verdict.rule, reason=verdict.sentence)
        if verdict.stop_first:
            return await self._stop(removal)
        return await self._delete(removal, looked_at_s)

    def _decide(self, removal: Removal, seen: Notebook) -> Verdict:
        """Decide again, on fresh facts, but for what our own orders have changed."""
        rules = self.orders.rules
        moment = Moment(self.ports.clock.now(), self.facts.last_active)
        if removal.state is State.ACCEPTED:
            return judge_after_failure(seen, rules, removal.policy, moment)
        if removal.notebook_id in self._stopped:
            return judge_after_stop(self.facts.planned[removal.notebook_id], seen, rules, moment)
        return judge(seen, rules, moment)

    # ---- the ways on from a second look ------------------------------------------------------------------------------------

    async def _delete(self, removal: Removal, looked_at_s: float) -> None:
        """Write REQUESTED, and only then send the DELETE."""
        removal = await self._write(lifecycle.request(removal, self.ports.clock.now(), self.orders.deadline))
        self.ports.telemetry.emit(RemovalRequested(removal.requests))
        not_after_s = looked_at_s + self.orders.fresh_for.total_seconds()
        try:
            request_id = await self.ports.cloud.delete(removal.notebook_id, not_after_s=not_after_s)
        except FactsTooOld as error:
            self._again(removal, str(error))
        except Gone as error:
            await self._finish(lifecycle.delete(removal, self.ports.clock.now(), f"gone when its DELETE arrived: {error}"))
        except (AnswerLost, Busy) as error:
            self._unanswered(removal, error)
        except MustStopFirst as error:
            await self._runs_after_all(removal, error)
        except SweepEnding:
            raise
        except CloudError as error:
            await self._finish(lifecycle.fail(removal, self.ports.clock.now(), str(error)))
        else:
            removal = await self._write(lifecycle.accept(removal, self.ports.clock.now(), request_id))
            self.ports.telemetry.emit(RemovalAccepted(request_id))
            self._poller.follow(removal)

    async def _stop(self, removal: Removal) -> None:
        """Order a stop; the DELETE follows when the poller has seen it STOPPED."""
        removal = await self._write(lifecycle.stop(removal, self.ports.clock.now(), self.orders.deadline))
        self._stopped.add(removal.notebook_id)
        self.ports.telemetry.emit(RemovalStopping())
        try:
            await self.ports.cloud.stop(removal.notebook_id)
        except (AnswerLost, Busy) as error:
            self._unanswered(removal, error)
        except (AlreadyStopped, Gone):
            self._poller.follow(removal)
        except SweepEnding:
            raise
        except CloudError as error:
            await self._finish(lifecycle.fail(removal, self.ports.clock.now(), f"it could not be stopped: {error}"))
        else:
            self._poller.follow(removal)

    async def _keep(self, removal: Removal, seen: Notebook, verdict: Verdict) -> None:
        """Keep it; but a DELETE that may be under way is followed first."""
        now = self.ports.clock.now()
        match removal.state:
            case State.REQUESTED if seen.status is Status.DELETING or self._may_still_arrive(removal, now):
                self._poller.follow(removal)
            case State.ACCEPTED if seen.status is Status.DELETING:
                self._poller.follow(removal)
            case State.STOPPING if seen.status is Status.STOPPING:
                self._poller.follow(removal)
            case State.ACCEPTED:
                await self._finish(lifecycle.fail(removal, now, f"its deletion failed, and now it is kept: {verdict.sentence}"))
            case _:
                await self._finish(lifecycle.spare(removal, now, self._why_spared(removal, seen, verdict)))

    def _why_spared(self, removal: Removal, seen: Notebook, verdict: Verdict) -> str:
        if verdict.reason is not Reason.NO_POLICY:
            return verdict.sentence
        moment = Moment(self.ports.clock.now(), self.facts.last_active)
        return why_no_longer(seen, self.orders.rules, removal.policy, moment)

    def _may_still_arrive(self, removal: Removal, now: datetime) -> bool:
        return removal.sent_at is not None and now - removal.sent_at < self.orders.patience.grace

    async def _gone(self, removal: Removal) -> None:
        """End a removal whose notebook is proven gone: by our DELETE, or before there was one."""
        now = self.ports.clock.now()
        if removal.state in (State.REQUESTED, State.ACCEPTED):
            await self._finish(lifecycle.delete(removal, now, "proven gone"))
        else:
            await self._finish(lifecycle.spare(removal, now, "vanished: somebody else deleted it before its DELETE"))

    async def _not_seen(self, removal: Removal, error: CloudError) -> None:
        """Without a second look there is no DELETE."""
        if removal.state is State.PLANNED:
            reason = f"kept, because it could not be looked at again: {error}"
            await self._finish(lifecycle.fail(removal, self.ports.clock.now(), reason))
        else:
            self._unanswered(removal, error)

    async def _runs_after_all(self, removal: Removal, error: CloudError) -> None:
        """Do with one that was started behind our back what its policy says."""
        policy = next(policy for policy in self.orders.rules.policies if policy.name == removal.policy)
        if policy.running is Running.STOP:
            await self._stop(removal)
        else:
            reason = f"it must be stopped first, and policy {policy.name} says running: skip ({error})"
            await self._finish(lifecycle.spare(removal, self.ports.clock.now(), reason))

    async def _leave(self, removal: Removal) -> None:
        """Take no more: what was not begun is spared, what is in doubt stays open for the next run."""
        if removal.state in (State.PLANNED, State.STOPPING):
            await self._finish(lifecycle.spare(removal, self.ports.clock.now(), INTERRUPTED))
        else:
            self._poller.follow(removal)

    def _unanswered(self, removal: Removal, error: CloudError) -> None:
        self.ports.telemetry.emit(RemovalUnanswered(str(error)))
        self._poller.follow(removal)

    def _again(self, removal: Removal, why: str) -> None:
        self.ports.telemetry.emit(RemovalAgain(why))
        self._todo.send_nowait(removal)

    # ---- what the poller has seen ------------------------------------------------------------------------------------------

    async def _arrived(self, removal: Removal, step: Step, seen: Notebook | None) -> None:
        """Act on what a removal that was followed has come to."""
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            now = self.ports.clock.now()
            match step:
                case Step.GONE:
                    await self._gone(removal)
                case Step.CONFIRMED:
                    self._poller.follow(await self._write(lifecycle.accept(removal, now)))
                case Step.FAILED:
                    if removal.state is State.REQUESTED:
                        # It failed, so it had been taken on, whatever became of the answer.
                        removal = await self._write(lifecycle.accept(removal, now))
                    await self._failed(lifecycle.note_failure(removal), seen)
                case Step.TIMED_OUT:
                    status = seen.status if seen else "not readable"
                    await self._finish(lifecycle.time_out(removal, now, f"no end by its deadline; it is {status}"))
                case _:
                    self._again(removal, f"{removal.state}, and it is {seen.status if seen else 'gone'}")

    async def _failed(self, removal: Removal, seen: Notebook | None) -> None:
        """Try again while `removal.retries` allows it."""
        cause = (seen.fail_reason if seen else None) or "the cloud gives no reason"
        status = seen.status if seen else "FAILED"
        if removal.failures <= self.orders.retries and not self.shutdown.begun.is_set():
            self.removals[removal.notebook_id] = removal
            self._again(removal, f"{status}: {cause}")
        else:
            await self._finish(lifecycle.fail(removal, self.ports.clock.now(), f"{status}: {cause}"))

    async def _write(self, removal: Removal) -> Removal:
        """Make a step durable; after this returns it has survived a crash."""
        await self.ports.journal.write([removal])
        self.removals[removal.notebook_id] = removal
        return removal

    async def _finish(self, removal: Removal) -> None:
        """Make an end durable, and tell it."""
        self._tell_end(await self._write(removal))
        self._open -= 1
        if not self._open:
            self._all_ended.set()

    def _tell_end(self, removal: Removal) -> None:
        self.removals[removal.notebook_id] = removal
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            self.ports.telemetry.emit(RemovalFinished.of(removal))
