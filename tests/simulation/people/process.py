"""What a process does: sweeps, and rounds of a relay between and during them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from nbsweep.core.judging.rules import Rules
from nbsweep.core.notices.channel import OpenChannels
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Cloud, Journal, Ports
from nbsweep.core.reasons.language import Language
from nbsweep.core.saved_plan.model import Spared
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.relay import SETTLES, Relay
from nbsweep.engine.options import PollOptions, SweepOptions
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from simulation.people.life import Life, LifeCloud, LifeJournal
from simulation.people.post import SimulatedChannel, SimulatedDirectory, TableRenderer
from simulation.people.scenario import CHAT, DAY_S, HOUR_S, MAIL, Config

if TYPE_CHECKING:
    from simulation.people.world import World

AT_ONCE = timedelta(0)
POLLING = PollOptions(timedelta(seconds=5), timedelta(seconds=30), timedelta(seconds=30))


@dataclass(slots=True)
class Process:
    """One process with its configuration."""

    world: "World"
    life: Life
    config: Config
    until_s: float
    swept: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after each sweep: the relay looks for what it has to send."""

    async def sweeps(self, per_day: float, *, dry_run: bool) -> None:
        """Sweep again and again."""
        loop, chance = self.world.loop, self.life.random
        interval_s = DAY_S / per_day
        wait_s = chance.uniform(0, 0.3) * interval_s
        while loop.time() + wait_s < self.until_s:
            await asyncio.sleep(wait_s)
            self.world.arm(self.life)
            if chance.random() < 0.3:
                await asyncio.gather(*(self.sweep(target, dry_run=dry_run) for target in self.world.scenario.targets))
            else:
                for target in self.world.scenario.targets:
                    await self.sweep(target, dry_run=dry_run)
            self.swept.set()
            wait_s = chance.uniform(0.7, 1.3) * interval_s

    async def sweep(self, workspace: str, *, dry_run: bool) -> None:
        """Sweep one target."""
        world = self.world
        notes = world.begin_sweep(self.config, workspace, dry_run=dry_run)
        telemetry = world.telemetry
        cloud = cast("Cloud", LifeCloud(world, self.life, notes))
        ports = Ports(cloud, cast("Journal", LifeJournal(world, self.life, notes)), world.clock, telemetry)
        area = Area(f"target-{workspace}", (workspace,), ("NOTEBOOK",))
        sweeper = Sweeper(area, ports, options(world, self.config), self.config.brakes, Shutdown())
        report = await sweeper.sweep(Run(notes.run_id, "simulation", dry_run), _approve)
        if not self.life.dead:
            world.swept(notes, report)

    async def relay(self, *, settles: bool) -> None:
        """Work as a relay, with rounds that are further apart than in a service."""
        relay, chance = self._relay(), self.life.random
        while self.world.loop.time() < self.until_s:
            self.world.arm(self.life)
            self.world.begin_round(self.life)
            await relay.round(SETTLES if settles else AT_ONCE)
            pause_s = 16.0 if chance.random() < 0.3 else chance.uniform(0.2, 8) * HOUR_S
            try:
                await asyncio.wait_for(self.swept.wait(), min(pause_s, max(1.0, self.until_s - self.world.loop.time())))
            except TimeoutError:
                continue
            self.swept.clear()
            await asyncio.sleep(chance.choice((0.1, 20, 900)))

    async def relay_for_a_while(self, rounds: int) -> None:
        """Work as the relay of a `run` does at its end."""
        relay = self._relay()
        for _ in range(rounds):
            self.world.begin_round(self.life)
            await relay.finish(600)

    def _relay(self) -> Relay:
        world, life = self.world, self.life
        ports = RelayPorts(
            journal=cast("Journal", LifeJournal(world, life)),
            clock=world.clock,
            telemetry=world.telemetry,
            directory=SimulatedDirectory(world, life),
            channels=OpenChannels(
                [
                    SimulatedChannel(world, life, MAIL, addressed=True),
                    SimulatedChannel(world, life, CHAT, addressed=False),
                ]
            ),
            renderer=TableRenderer(),
            is_clock_verified=lambda: is_right(life.skew.now_s()),
        )
        policies = {rule.name: rule.to_policy() for rule in self.config.rules}
        how = RelayOptions(policies, world.zone, (Language.ENGLISH,), f"life-{life.number}")
        return Relay(ports, how, life.random.random)


def is_right(skew_s: float | None) -> bool:
    """Return whether a clock is known to be right."""
    return skew_s is not None and abs(skew_s) <= 60


def options(world: "World", config: Config) -> SweepOptions:
    """Return the options of a sweep."""
    rules = Rules(tuple(rule.to_policy() for rule in config.rules), world.protections)
    return SweepOptions(
        rules=rules,
        workers=4,
        deadline=timedelta(minutes=30),
        retries=1,
        fresh_for=timedelta(seconds=10),
        polling=POLLING,
        drain=timedelta(seconds=60),
        max_new_marks=config.max_new,
    )


async def _approve(_plan: Plan, _spared: Sequence[Spared]) -> bool:
    return True
