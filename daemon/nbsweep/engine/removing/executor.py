"""The workers: each takes a planned removal, reads the notebook again, writes REQUESTED, and sends the DELETE.

A worker is free when the DELETE is accepted; the poller then follows the removal. A removal in doubt (the answer was lost, or
the notebook is busy) goes to the poller too, which reads the notebook before anything is decided anew.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec.structs import replace

from nbsweep.core import lifecycle
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
from nbsweep.core.events.removal import RemovalAccepted, RemovalAgain, RemovalRequested, RemovalStopping, RemovalUnanswered
from nbsweep.core.events.sweep import SweepStopping
from nbsweep.core.freshness import Freshness
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.lifecycle import Removal, State, Step
from nbsweep.core.model import Notebook, Status
from nbsweep.core.own_orders import OrderKind
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.ports import Ports
from nbsweep.engine.current_rules import CurrentRules
from nbsweep.engine.options import SurveyFacts, SweepOptions
from nbsweep.engine.removing.decisions import Decisions
from nbsweep.engine.removing.finisher import RemovalFinisher
from nbsweep.engine.removing.poller import Poller
from nbsweep.engine.removing.prefetch import Observation, Prefetcher
from nbsweep.engine.removing.sent_orders import SentOrders
from nbsweep.engine.removing.tracker import RemovalTracker
from nbsweep.engine.shutdown import Shutdown, StopConditions

EXEMPTIONS_CHANGED = "an exemption was granted or revoked"
HELD_BACK_MOST = 5
"""After so many DELETEs without effect on one notebook, its removal fails."""


@dataclass(slots=True)
class Executor:
    """Carries out one plan."""

    ports: Ports
    options: SweepOptions
    facts: SurveyFacts
    shutdown: Shutdown
    _held_back: Counter[str] = field(default_factory=Counter)
    """How often each notebook was read again because its DELETE had no effect, by id."""
    _decisions: Decisions = field(init=False)
    _sent: SentOrders = field(init=False)
    _stopping: StopConditions = field(init=False)
    _tracker: RemovalTracker = field(init=False)
    _poller: Poller = field(init=False)
    _finisher: RemovalFinisher = field(init=False)
    _todo: MemoryObjectSendStream[Removal] = field(init=False)
    _prefetcher: Prefetcher = field(init=False)

    def __post_init__(self) -> None:
        """Build the parts, which all share the same ports."""
        self._sent = SentOrders(self.ports, self.options.polling.max_interval)
        rules = CurrentRules(self.options.rules, self.options.exemptions_version)
        self._decisions = Decisions(self.ports, rules, self.facts, self._sent)
        self._stopping = StopConditions(self.ports, self.shutdown, self.options.max_failures)
        self._tracker = RemovalTracker(self.ports, self._stopping.count)
        self._prefetcher = Prefetcher(self.ports, self.facts.positions, self._take, self._stopping, self.options.rules)
        self._poller = Poller(self.ports, self.options.polling, self._arrived, self._sent.note)
        self._finisher = RemovalFinisher(self.ports, self._tracker, self._poller, self.options.polling.grace)

    @property
    def removals(self) -> dict[str, Removal]:
        """The current removals by notebook id, in the order of the plan."""
        return self._tracker.removals

    async def execute(self, removals: Sequence[Removal]) -> Refusal | None:
        """Bring every removal to its end; return the refusal of the brake that stopped the sweep, if one did.

        The removals must be in the journal as PLANNED.

        Raises:
            SweepEnding, JournalError: the sweep cannot go on. The removals so far are in the journal and in `self.removals`.
                The errors may come in an exception group.
        """
        if not removals:
            return None
        self._tracker.begin(removals)
        self._todo, todo = anyio.create_memory_object_stream[Removal](max_buffer_size=float("inf"))
        try:
            async with self._todo, todo, anyio.create_task_group() as group:
                group.start_soon(self._poller.run, name="poller")
                group.start_soon(self._stopping.watch, name="shutdown")
                group.start_soon(self._drain, group.cancel_scope, name="drain")
                group.start_soon(self._prefetcher.walk, removals, name="walk")
                for number in range(min(self.options.workers, len(removals))):
                    group.start_soon(self._work, todo, name=f"worker-{number}")
                await self._tracker.all_ended.wait()
                group.cancel_scope.cancel()
        finally:
            await self._tracker.write_last(self._stopping.why)
        if self._stopping.error:
            raise self._stopping.error
        return self._stopping.refusal

    async def _drain(self, scope: anyio.CancelScope) -> None:
        """Wait until no more removals are begun, then for the accepted ones up to a limit, and then cancel."""
        await self._stopping.begun.wait()
        self.ports.telemetry.emit(SweepStopping(len(self._poller.following), self.options.drain.total_seconds()))
        await self._stopping.give_time(self.options.drain)
        scope.cancel()

    async def _work(self, todo: MemoryObjectReceiveStream[Removal]) -> None:
        async for removal in todo:
            with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
                try:
                    await self._remove(removal)
                except SweepEnding as error:
                    self._stopping.end_with(error)
                    await self._leave(self._tracker.removals[removal.notebook_id])

    async def _remove(self, removal: Removal) -> None:
        """Read the notebook again, decide again, and act on the decision."""
        if removal.state is State.PLANNED and self._decisions.is_outside_window(removal):
            return await self._leave(removal, lifecycle.WINDOW_CLOSED)
        if not self._stopping.no_more:
            with self._stopping.while_beginning():
                await self.ports.cloud.delete_turn()
        if self._stopping.no_more:
            return await self._leave(removal)
        try:
            observation = await self._prefetcher.observe(removal.notebook_id, self.options.fresh_for)
        except Gone:
            return await self._finisher.gone(removal)
        except SweepEnding:
            raise
        except CloudError as error:
            return await self._not_seen(removal, error)
        return await self._act(removal, observation)

    async def _act(self, removal: Removal, observation: Observation) -> None:
        """Act on a second look."""
        if self.ports.cloud.clock_skew_s() is None:
            await self._hold_back(removal, FactsTooOld("since a clock was set, no answer has said what time it is"))
            return
        self._stopping.check_clock()
        seen = observation.notebook
        self._sent.note(removal.notebook_id, seen, observation.looked_at)
        verdict = self._decisions.decide(removal, seen)
        # An equal text is not taken over, because each removal of a large plan would hold it twice.
        if verdict.decision is Decision.DELETE and (reason := verdict.sentence) != removal.reason:
            removal = replace(removal, policy=verdict.rule, reason=reason)
        if self._stopping.no_more:
            await self._leave(removal)
        elif verdict.decision is Decision.KEEP:
            await self._finisher.keep(removal, seen, verdict)
        elif verdict.stop_first:
            await self._stop(removal, observation)
        else:
            await self._delete(removal, observation)

    # ---- the actions after a second look -----------------------------------------------------------------------------------

    async def _delete(self, before: Removal, observation: Observation) -> None:
        """Write REQUESTED to the journal, and then send the DELETE."""
        self._poller.expect(before.notebook_id)
        removal = lifecycle.request(before, self.ports.clock.now(), self.options.deadline)
        if not await self._decisions.write_order(removal, self._tracker):
            return self._again(before, EXEMPTIONS_CHANGED)
        self.ports.telemetry.emit(RemovalRequested(removal.requests))
        try:
            facts = Freshness(observation.looked_at, self.options.fresh_for.total_seconds())
            with self._tracker.sending(removal, before) as leaving, self._sent.sending(OrderKind.DELETE, observation):
                request_id = await self.ports.cloud.delete(removal.notebook_id, facts=facts, leaving=leaving)
        except (FactsTooOld, MustStopFirst) as error:
            await self._hold_back(lifecycle.withdraw(removal, before), error)
        except Gone as error:
            await self._tracker.finish(
                lifecycle.delete(removal, self.ports.clock.now(), f"gone when its DELETE arrived: {error}")
            )
        except (AnswerLost, Busy) as error:
            self._unanswered(removal, error)
        except CloudError as error:
            # If the whole account is refused, this DELETE had no effect, and the removal did not fail.
            refused = lifecycle.withdraw(removal, before) if isinstance(error, SweepEnding) else removal
            await self._finisher.refused(refused, error, str(error))
        else:
            removal = await self._tracker.write(lifecycle.accept(removal, self.ports.clock.now(), request_id))
            self.ports.telemetry.emit(RemovalAccepted(request_id))
            self._poller.follow(removal)

    async def _stop(self, before: Removal, observation: Observation) -> None:
        """Send a stop; the DELETE follows when the poller has seen the notebook STOPPED."""
        self._poller.expect(before.notebook_id)
        removal = lifecycle.stop(before, self.ports.clock.now(), self.options.deadline)
        if not await self._decisions.write_order(removal, self._tracker):
            return self._again(before, EXEMPTIONS_CHANGED)
        self.ports.telemetry.emit(RemovalStopping())
        try:
            facts = Freshness(observation.looked_at, self.options.fresh_for.total_seconds())
            with self._sent.sending(OrderKind.STOP, observation) as answer:
                answer.shown = await self.ports.cloud.stop(removal.notebook_id, facts=facts)
        except FactsTooOld as error:
            await self._hold_back(removal, error)
        except (AnswerLost, Busy) as error:
            self._unanswered(removal, error)
        except (AlreadyStopped, Gone):
            self._poller.follow(removal)
        except CloudError as error:
            await self._finisher.refused(removal, error, f"it could not be stopped: {error}")
        else:
            self._poller.follow(removal)

    async def _not_seen(self, removal: Removal, error: CloudError) -> None:
        """Handle a failed second look: no DELETE is sent without one."""
        match removal.state:
            case State.PLANNED:
                reason = f"kept, because it could not be looked at again: {error}"
                await self._tracker.finish(lifecycle.fail(removal, self.ports.clock.now(), reason))
            case State.ACCEPTED:
                # The deletion has failed already; the poller would count that failure twice.
                await self._hold_back(removal, error)
            case _:
                self._unanswered(removal, error)

    async def _hold_back(self, removal: Removal, error: CloudError) -> None:
        """Read and decide again after a DELETE without effect, up to `HELD_BACK_MOST` times."""
        removal = await self._tracker.write(removal)
        self._held_back[removal.notebook_id] += 1
        if self._held_back[removal.notebook_id] < HELD_BACK_MOST:
            self._again(removal, str(error))
        else:
            reason = f"given up after {HELD_BACK_MOST} looks, the last time because {error}"
            await self._tracker.finish(lifecycle.fail(removal, self.ports.clock.now(), reason))

    async def _leave(self, removal: Removal, why: str = "") -> None:
        """Begin nothing more: spare a removal that was not begun, and follow one that is in doubt."""
        # The walk waits until few removals are left that no worker has taken.
        self._prefetcher.take(removal.notebook_id)
        if removal.state in (State.PLANNED, State.STOPPING):
            await self._tracker.finish(lifecycle.spare(removal, self.ports.clock.now(), why or self._stopping.why))
        elif not removal.ended:
            self._poller.follow(removal)

    def _unanswered(self, removal: Removal, error: CloudError) -> None:
        self.ports.telemetry.emit(RemovalUnanswered(str(error)))
        self._poller.follow(removal)
        if error.http_status == HTTPStatus.OK:
            self._poller.look_soon()

    def _again(self, removal: Removal, why: str) -> None:
        self.ports.telemetry.emit(RemovalAgain(why))
        self._take(removal)

    def _take(self, removal: Removal) -> None:
        self._todo.send_nowait(removal)

    # ---- the results of the poller -----------------------------------------------------------------------------------------

    async def _arrived(self, removal: Removal, step: Step, seen: Notebook | None) -> None:
        """Act on the step that the poller found for a removal."""
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            now = self.ports.clock.now()
            match step:
                case Step.GONE:
                    await self._finisher.gone(removal)
                case Step.CONFIRMED:
                    self._poller.follow(await self._tracker.write(lifecycle.accept(removal, now)))
                case Step.FAILED:
                    await self._failed(removal, seen)
                case Step.TIMED_OUT:
                    status = seen.status if seen else "not readable"
                    await self._tracker.finish(lifecycle.time_out(removal, now, f"{lifecycle.NO_END}; it is {status}"))
                case Step.NO_EFFECT if self._stopping.no_more and removal.state is State.REQUESTED:
                    await self._finisher.give_up_on(removal, "a brake" if self._stopping.refusal else "an interruption")
                case _:
                    self._again(removal, f"{removal.state}, and it is {seen.status if seen else 'gone'}")

    async def _failed(self, removal: Removal, seen: Notebook | None) -> None:
        """Try the deletion again while `removal.retries` allows it."""
        if removal.state is State.REQUESTED and removal.status_before is not Status.DELETE_FAILED:
            # The deletion failed, so the DELETE was accepted although its answer was lost.
            removal = await self._tracker.write(lifecycle.accept(removal, self.ports.clock.now()))
        removal = lifecycle.note_failure(removal)
        reason = lifecycle.describe_failure(seen)
        if removal.failures <= self.options.retries and not self._stopping.no_more:
            self._again(await self._tracker.write(removal), reason)
        else:
            await self._tracker.finish(lifecycle.fail(removal, self.ports.clock.now(), reason))
