"""One seed from its beginning to its end: lives that sweep, and are killed, on a cloud that goes its own way."""

import asyncio
import random as chance
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import cast

from nbsweep.core.errors import SweepTimedOut
from nbsweep.core.report import Report
from nbsweep.settings import Settings, TargetSettings
from nbsweep.testing import InMemoryJournal
from nbsweep.testing.loop import VirtualLoop
from simulation import end_invariants
from simulation.clocks import WallClock
from simulation.cloud import Cloud
from simulation.faults import NO_FAULTS, FaultInjector
from simulation.gateway import Gateway, Throttle, Tokens
from simulation.history import History, Order
from simulation.journal import LifeJournal
from simulation.judge import Judge
from simulation.other_project import MOVE_SHARE, PROJECT, RENAME_SHARE, OtherProject
from simulation.owners import Owners
from simulation.process import end_process, run_process
from simulation.scenario import Scenario
from simulation.users import Users

COMMIT_S = 0.03
MOST_CALM_SWEEPS = 20
LOSSES = 0.3
"""The share of processes that lose their journal, if they last long enough."""
REPLACED = 0.3
"""The share of lost journals that are replaced by an empty one."""


@dataclass(slots=True)
class World:
    """The simulation of one seed."""

    scenario: Scenario
    random: Random
    loop: VirtualLoop
    settings: Settings = field(init=False)
    history: History = field(default_factory=History)
    store: InMemoryJournal = field(default_factory=InMemoryJournal)
    clock: WallClock = field(init=False)
    cloud: Cloud = field(init=False)
    faults: FaultInjector = field(init=False)
    users: Users = field(init=False)
    owners: Owners = field(init=False)
    judge: Judge = field(init=False)
    throttle: Throttle = field(default_factory=Throttle)
    tokens: Tokens = field(init=False)
    target: TargetSettings = field(init=False)
    """The target of the present process."""
    identities: Random = field(init=False)
    losses: Random = field(init=False)
    """Draws when journals are lost; a generator of its own, so that other draws of a seed stay the same."""
    replacements: Random = field(init=False)
    """Draws which lost journals are replaced, in the same way."""
    lives: int = 0
    crashes: int = 0
    reports: list[Report] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    """The number of events of nbsweep by name."""
    error: Exception | None = None
    """The error that was raised, if any."""

    def __post_init__(self) -> None:
        """Make all parts; nothing runs yet."""
        scenario, random = self.scenario, self.random
        self.losses = Random(f"journal-{scenario.seed}")
        self.replacements = Random(f"replacements-{scenario.seed}")
        self.identities = Random(f"identities-{scenario.seed}")
        self.settings = Settings.model_validate(scenario.config)
        self.target = self.settings.targets[0]
        self.clock = WallClock(self.loop)
        self.faults = FaultInjector(random, scenario.network)
        self.tokens = Tokens(scenario.network.token_life_s)
        self.cloud = Cloud(random, scenario.manners, self.history, scenario.workspaces)
        self.users = Users(random, self.cloud, scenario)
        self.judge = Judge(scenario, self.settings, self.history, lambda: self.clock.now().timestamp() * 1000, self.loop.time)
        self.owners = Owners(Random(f"comebacks-{scenario.seed}"), self.cloud, scenario.habits)
        self.cloud.by_order, self.cloud.hides_deleting = scenario.habits.by_order, scenario.habits.hides_deleting
        self.cloud.on_order, self.cloud.loses = self.judge.ordered, self._loses

    async def play(self) -> None:
        """Run the seed, and check its end."""
        chance.seed(self.scenario.seed)
        for facts in self.scenario.fleet:
            self.cloud.create(facts, "it is there")
        self.users.begin()
        for at_s, by_s in self.scenario.jumps:
            self.loop.call_at(at_s, self._set_clock, by_s)
        self._revoke_tokens()
        for crash_after in self.scenario.crashes:
            if not self.judge.found:
                await self._live(self.scenario.sweeps, crash_after)
            await self._mistake_the_target()
        if not self.judge.found:
            await self._live(self.scenario.sweeps, None)
        self._calm()
        for _ in range(MOST_CALM_SWEEPS):
            if not self.judge.found and not self._has_calm_end():
                await self._live(1, None)
        if not self.judge.found:
            await end_invariants.check(self)

    async def _mistake_the_target(self) -> None:
        """Give the target's name to another project for one process, or give the target a new name."""
        home = self.target
        if not self.judge.found and self.identities.random() < MOVE_SHARE:
            self.faults.count("target moved")
            self.target = home.model_copy(update={"project_id": PROJECT})
            await self._live(1, None)
        self.target = home
        if self.identities.random() < RENAME_SHARE:
            self.faults.count("target renamed")
            self.target = home.model_copy(update={"name": f"research-{self.lives}"})

    def _has_calm_end(self) -> bool:
        """Return whether a sweep has ended since all is calm; a sweep that timed out is followed by another."""
        last = self.judge.sweeps[-1] if self.judge.sweeps else None
        return bool(last and last.calm and self.reports and not isinstance(self.reports[-1].error, SweepTimedOut))

    def _calm(self) -> None:
        """End all faults, so that their consequences show."""
        self.history.note(self.loop.time(), "all is calm from now on")
        self.cloud.calm = True
        self.faults.network = NO_FAULTS
        self.tokens.life_s = None

    def _set_clock(self, by_s: float) -> None:
        self.faults.count("clock set")
        self.clock.ahead_s += by_s
        self.judge.clock_set(self.clock.ahead_s * 1000)
        self.history.note(self.loop.time(), f"the wall clock is set by {by_s:g} s")

    def _sleep(self, for_s: float) -> None:
        """Suspend the machine of nbsweep: all clocks but its steady clock go on, and so do the users."""
        if self.cloud.calm:
            return
        self.faults.count("machine slept")
        self.history.note(self.loop.time(), f"the machine sleeps for {for_s:.0f} s, which its steady clock does not count")
        self.cloud.slept_s += for_s
        self.clock.ahead_s += for_s
        self.judge.slept(for_s * 1000, self.clock.ahead_s * 1000)
        self.owners.wake()

    def _loses(self, order: Order) -> bool:
        for after, for_s in self.scenario.habits.sleeps:
            if len(self.history.orders) == after:
                self.loop.call_soon(self._sleep, for_s)
        lost = self.owners.loses(order)
        self.owners.notice(order, lost=lost)
        return lost

    def _revoke_tokens(self) -> None:
        every_s = self.scenario.network.tokens_revoked_every_s
        if every_s is None or self.cloud.calm:
            return
        self.tokens.revoke()
        self.loop.call_later(every_s, self._revoke_tokens)

    async def _live(self, sweeps: int, crash_after: int | None) -> None:
        """Run one process until it has ended or is killed."""
        self.lives += 1
        self.judge.other_project = self.target.project_id == PROJECT
        cloud = cast("Cloud", OtherProject(self.cloud)) if self.judge.other_project else self.cloud
        gateway = Gateway(self.lives, cloud, self.faults, self.throttle, self.tokens, self.judge, self.scenario.habits.undated)
        journal = LifeJournal(self.store, self.random, self.judge, self.random.uniform(0, COMMIT_S))
        killed = self.loop.create_future()

        def kill() -> None:
            journal.dead = gateway.cut = True
            if not killed.done():
                killed.set_result(None)

        def lose() -> None:
            if not (journal.dead or self.cloud.calm):
                journal.lost = True
                self.judge.lost_s = self.loop.time()
                self.judge.sweeps[-1].muted = True
                self.faults.count("journal moved away")
                self.history.note(self.loop.time(), "the journal's file is moved away")

        def at_step(step: int) -> None:
            if step == last:
                self.crashes += 1
                self.judge.killed()
                self.history.note(self.loop.time(), f"life {self.lives} is killed at step {step}")
                kill()

        last = self.loop.steps + crash_after if crash_after is not None else -1
        self.judge.on_found, self.judge.lost_s = kill, None
        losing = self.loop.call_later(self.losses.uniform(0.5, 15), lose) if self.losses.random() < LOSSES else None
        self.loop.watch_steps(at_step)
        process = self.loop.create_task(run_process(self, sweeps, gateway, journal), name=f"life-{self.lives}")
        await asyncio.wait((process, killed), return_when=asyncio.FIRST_COMPLETED)
        self.loop.watch_steps(lambda _: None)
        if losing:
            losing.cancel()
        if not process.done():
            await end_process(process)
            await asyncio.sleep(self.random.uniform(0.1, 20))
        else:
            process.result()
        if journal.lost and self.replacements.random() < REPLACED:
            self._replace_journal()

    def _replace_journal(self) -> None:
        """Replace the journal by an empty one."""
        self.faults.count("journal replaced")
        self.history.note(self.loop.time(), "an empty journal takes the place of the lost one")
        self.store = InMemoryJournal()
        self.judge.journal_replaced()
