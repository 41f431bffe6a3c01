"""One seed from its beginning to its end: weeks in which notebooks are marked, announced, used and deleted."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from builders import NOON, protection, tag
from nbsweep.core.control.requests import Pause
from nbsweep.core.events.base import Event
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.judging.rules import Protection
from nbsweep.core.marks.grace import OWNER
from nbsweep.core.model import Notebook, Status
from nbsweep.core.notices.channel import Acceptance, Letter, Receipt
from nbsweep.core.report import Report
from nbsweep.testing import LOST_AFTER, LOST_BEFORE, FakeClock, Fault, InMemoryJournal
from nbsweep.testing.loop import VirtualLoop
from nbsweep.testing.skew import FakeSkew
from simulation.people import ending
from simulation.people.account import Account, People
from simulation.people.judge import Judge
from simulation.people.life import Life, SweepNotes
from simulation.people.process import Process
from simulation.people.scenario import DAY_S, FREE, HOUR_S, Config, Epoch, Scenario
from simulation.people.truth import Truth
from simulation.process import end_process

DELETE_FAULTS = (Fault(ends_in=Status.DELETE_FAILED), LOST_AFTER, LOST_BEFORE, Fault(lane_s=5.0), Fault(stale_s=8.0))


class Counting:
    """Telemetry that counts events."""

    def __init__(self) -> None:
        """Begin without events."""
        self.events: Counter[str] = Counter()

    def emit(self, event: Event) -> None:
        """Count the event."""
        self.events[event.name] += 1

    @contextmanager
    def bound(self, **_context: str) -> Iterator[None]:
        """Bind nothing."""
        yield


@dataclass(slots=True)
class World:
    """The simulation of one seed."""

    scenario: Scenario
    loop: VirtualLoop
    chance: Random = field(init=False)
    truth: Truth = field(default_factory=Truth)
    store: InMemoryJournal = field(default_factory=InMemoryJournal)
    telemetry: Counting = field(default_factory=Counting)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    true_clock: FakeClock = field(init=False)
    clock: FakeClock = field(init=False)
    """The wall clock of nbsweep's machine."""
    cloud: Account = field(init=False)
    judge: Judge = field(init=False)
    people: People = field(init=False)
    calm: bool = False
    lives: list[Life] = field(default_factory=list)
    sweeps: list[SweepNotes] = field(default_factory=list)
    fleets: dict[str, int] = field(default_factory=dict)
    """The size of the fleet at the beginning of each run."""
    counts: Counter[str] = field(default_factory=Counter)
    protections: tuple[Protection, ...] = (protection(tag("keep", "*"), name="kept"),)
    armed: tuple[int, Life] | None = None
    """The step at which a life is killed."""
    epoch: Epoch | None = None
    error: Exception | None = None

    async def play(self) -> None:
        """Run the seed, and check its end."""
        self._build()
        scenario = self.scenario
        for at_s, by_s in scenario.jumps:
            self.loop.call_later(at_s, self._jump, by_s)
        for at_s, for_s in scenario.pauses:
            self.loop.call_later(at_s, self._pause, for_s)
        self.people.begin()
        for epoch in scenario.epochs:
            if not self.judge.found:
                await self._live(epoch)
        await self._come_to_rest()

    def _build(self) -> None:
        scenario = self.scenario
        self.chance = Random(f"world-{scenario.seed}")
        self.true_clock, self.clock = FakeClock(NOON), FakeClock(NOON)
        self.cloud = Account(self.true_clock, scenario.notebooks, workspaces=("0", "1"), caller=self.clock)
        self.cloud.left_out = dict.fromkeys(scenario.left_out)
        self.judge = Judge(self, self.truth)
        self.people = People(self, Random(f"owners-{scenario.seed}"))
        self.cloud.on_deletion, self.cloud.on_call = self.judge.deletes, self.people.notice
        for one in scenario.notebooks:
            self.introduce(one)

    # ---- what is known about the world --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the true time."""
        return self.true_clock.now()

    def introduce(self, one: Notebook) -> None:
        """Take note of a new instance."""
        dates = [date for date in (one.updated_at, one.lease.updated_at if one.lease else None) if date]
        self.truth.used[one.name or ""] = [max(dates)]
        self.truth.note(self.now(), f"{one.id} ({one.name}) is created")
        if "keep" in (one.tags or {}):
            self.truth.tagged[one.name or ""] = self.now()

    def fleet_of(self, sweep: SweepNotes) -> int:
        """Return the largest fleet that a sweep may have seen."""
        return max(self.fleets[sweep.run_id], self._fleet(sweep.workspace))

    def _fleet(self, workspace: str) -> int:
        return sum(one.workspace_id == workspace for one in self.cloud.all())

    def surely_marked(self, sweep: SweepNotes) -> int:
        """Count the open marks of earlier sweeps whose notebooks are surely to be deleted, whatever listings leave out."""
        return sum(
            mark.open and mark.id not in sweep.marked and self._surely(mark.name, mark.notebook_id, sweep)
            for mark in self.store.notices.marks.values()
        )

    def _surely(self, name: str, notebook_id: str, sweep: SweepNotes) -> bool:
        one = self.cloud.truth(notebook_id)
        if (
            one is None
            or one.status is not Status.STOPPED
            or one.name != name
            or one.workspace_id != sweep.workspace
            or self.scenario.left_out
        ):
            return False
        return ending.would_go(self, one, sweep.config, self.now())

    @property
    def tells_instead(self) -> set[str]:
        """The channels that any policy names instead of the owner; a group beside the owner does not count."""
        graces = [rule.grace for epoch in self.scenario.epochs for rule in epoch.config.rules if rule.grace]
        return {place for grace in graces if OWNER not in grace.tell for place in grace.tell}

    def is_down(self, part: str) -> bool:
        """Return whether a part of the journal cannot be used now."""
        now_s = self.loop.time()
        return not self.calm and any(
            at_s <= now_s < at_s + for_s and kind in ("all", part) for at_s, for_s, kind in self.scenario.outages
        )

    def is_alive(self, number: int) -> bool:
        """Return whether a process lives."""
        return not self.lives[number - 1].dead

    def channel_failure(self, letter: Letter) -> Receipt | None:
        """Return what the other side says about a letter that it does not accept."""
        habits, now_s, random = self.scenario.post, self.loop.time(), self.chance
        for at_s, for_s, bad in habits.outages:
            if at_s <= now_s < at_s + for_s:
                return Receipt(Acceptance.MISCONFIGURED if bad else Acceptance.LATER, "the channel does not work")
        if random.random() < habits.refused:
            return Receipt(Acceptance.REFUSED, f"550 no such user {letter.to}")
        if random.random() < habits.later:
            wait = random.choice((None, timedelta(minutes=20)))
            return Receipt(Acceptance.LATER, "451 try again", retry_after=wait, attempted=random.random() < 0.8)
        return None

    # ---- what happens to it -------------------------------------------------------------------------------------------------

    def crash(self, life: Life, why: str) -> None:
        """Kill a process."""
        if not self.calm and not life.dead:
            self.counts["crash"] += 1
            self.truth.note(self.now(), f"life {life.number} is killed {why}")
            life.kill()

    def arm(self, life: Life) -> None:
        """Perhaps kill a process so many steps after now."""
        if self.epoch and self.epoch.crash_at_step and not self.armed and life.random.random() < 0.2:
            self.armed = (self.loop.steps + self.epoch.crash_at_step, life)

    def _at_step(self, step: int) -> None:
        if self.armed and step >= self.armed[0]:
            life, self.armed = self.armed[1], None
            self.crash(life, f"at step {step}")

    def _jump(self, by_s: float) -> None:
        if not self.calm:
            self.counts["clock set"] += 1
            self.truth.note(self.now(), f"the wall clock is set by {by_s} s")
            self.clock.jump(by_s)

    def jump_for_a_while(self) -> None:
        """Set the wall clock, and put it right again later."""
        by_s = self.chance.choice((-1, 1)) * self.chance.choice((90.0, 3 * HOUR_S, 4 * DAY_S))
        self._jump(by_s)
        self.loop.call_later(self.chance.choice((0.5, 600.0, 20 * HOUR_S)), self._jump, -by_s)

    def _pause(self, for_s: float) -> None:
        self.loop.create_task(self._hold(for_s))

    async def _hold(self, for_s: float) -> None:
        pause = Pause("", self.now(), "simulation", "a pause", self.now() + timedelta(seconds=for_s))
        self.truth.note(self.now(), f"notices are paused for {for_s} s")
        self.judge.pauses.append((self.now(), self.now() + timedelta(seconds=for_s)))
        await self.store.outbox.pause(pause)

    def grant(self, exemption: Exemption) -> None:
        """Grant an exemption."""
        self.loop.create_task(self.store.exemptions.grant(exemption))
        self.judge.exemptions[exemption.id] = (exemption, self.now() + timedelta(milliseconds=1), None)
        self.truth.note(self.now(), f"exemption {exemption.id} is granted: {exemption.selector} until {exemption.until}")

    def revoke(self, exemption_id: str) -> None:
        """Revoke an exemption."""
        if self.is_down("exemptions"):
            return
        self.loop.create_task(self.store.exemptions.revoke(exemption_id, self.now(), "simulation"))
        exemption, granted, _ = self.judge.exemptions[exemption_id]
        self.judge.exemptions[exemption_id] = (exemption, granted, self.now())
        self.truth.note(self.now(), f"exemption {exemption_id} is revoked")

    # ---- processes ----------------------------------------------------------------------------------------------------------

    def _new_life(self, crash_at_write: int = 0) -> Life:
        skew = FakeSkew(self.clock)
        skew.ahead_s = (self.clock.now() - self.now()).total_seconds()
        number = len(self.lives) + 1
        life = Life(number, Random(f"life-{self.scenario.seed}-{number}"), skew, asyncio.Event(), crash_at_write)
        self.lives.append(life)
        self.truth.note(self.now(), f"life {number} begins")
        return life

    async def _live(self, epoch: Epoch) -> None:
        """Run one process, or two that share the journal, until its time has passed or it is killed."""
        self.epoch, self.armed = epoch, None
        life = self._new_life(epoch.crash_at_write)
        self.cloud.skew = life.skew
        until_s = self.loop.time() + epoch.days * DAY_S
        process = Process(self, life, epoch.config, until_s)
        tasks = [
            (life, self.loop.create_task(process.sweeps(epoch.sweeps_per_day, dry_run=epoch.dry_run))),
            (life, self.loop.create_task(process.relay(settles=life.random.random() < 0.5))),
        ]
        if epoch.second_relay:
            other = self._new_life()
            second = Process(self, other, epoch.config, until_s, process.swept)
            tasks.append((other, self.loop.create_task(second.relay(settles=False))))
        self.loop.watch_steps(self._at_step)
        killed = self.loop.create_task(life.killed.wait())
        work = self.loop.create_task(asyncio.wait([task for _, task in tasks], return_when=asyncio.FIRST_EXCEPTION))
        await asyncio.wait((work, killed), timeout=epoch.days * DAY_S + HOUR_S, return_when=asyncio.FIRST_COMPLETED)
        self.loop.watch_steps(lambda _: None)
        killed.cancel()
        work.cancel()
        running = [(one, task) for one, task in tasks if not task.done()]
        ended = [task for _, task in tasks if task.done()]
        for one, _ in running:
            one.kill()
        for _, task in running:
            await end_process(task)
        for task in ended:
            task.result()
        await asyncio.sleep(epoch.absent_days * DAY_S + 0.5)

    def begin_sweep(self, config: Config, workspace: str, *, dry_run: bool) -> SweepNotes:
        """Take note of a sweep."""
        notes = SweepNotes(f"run-{len(self.sweeps) + 1}", config, workspace, dry_run)
        self.sweeps.append(notes)
        self.fleets[notes.run_id] = self._fleet(workspace)
        self.truth.note(self.now(), f"{notes.run_id} of workspace {workspace} begins; the wall clock says {self.clock.now()}")
        if not self.calm:
            for one in self.cloud.all():
                if self.chance.random() < self.scenario.delete_faults:
                    self.cloud.inject("delete", self.chance.choice(DELETE_FAULTS), notebook_id=one.id)
        return notes

    def swept(self, notes: SweepNotes, report: Report) -> None:
        """Take note of the end of a sweep."""
        self.counts[f"sweep: {report.outcome}"] += 1
        self.truth.note(self.now(), f"{notes.run_id} ends: {report.outcome} {report.error or ''}")

    def begin_round(self, life: Life) -> None:
        """Take note of a round of a relay."""
        self.judge.rounds[life.number] = self.now()

    # ---- the end ------------------------------------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        """End all faults, and sweep until nothing is left to do."""
        if self.judge.found:
            return
        self.calm = True
        self.cloud.heal()
        self.clock.jump((self.now() - self.clock.now()).total_seconds())
        self.truth.note(self.now(), "all is calm from now on")
        await self.store.outbox.resume()
        config = Config(self.scenario.epochs[-1].config.rules, FREE, 1000)
        life = self._new_life()
        self.cloud.skew = life.skew
        process = Process(self, life, config, float("inf"))
        for _ in range(60):
            if self.judge.found or ending.is_at_rest(self, config):
                break
            for message in await self.store.outbox.messages(1000):
                await self.store.outbox.retry(message.key, self.now(), "carol")
            for target in self.scenario.targets:
                await process.sweep(target, dry_run=False)
            for _ in range(2):
                await process.relay_for_a_while(1)
                await asyncio.sleep(120)
            await asyncio.sleep(DAY_S)
        if not self.judge.found:
            ending.check(self, config)
