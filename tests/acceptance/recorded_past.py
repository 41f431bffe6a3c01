"""A simulated cloud whose owners live by a seed, and a real sweep each night: `recorded_past.py FOLDER`.

Each line on stdin is a number of days to go on for. Then the sweeps of these days are in the journal of FOLDER/nbsweep.yaml,
the clock stands still at an hour after the last sweep, a line of JSON says so, and the cloud answers until the next line. The
file FOLDER/ahead has the seconds by which the wall clock is ahead, also for `slept.py`.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TextIO

import msgspec
from msgspec import Struct

from acceptance.slept import put_ahead
from nbsweep.cli.commands.run import RunOptions, run_command
from nbsweep.cli.screen import plain_screen
from nbsweep.cli.session import make_session
from nbsweep.loading.file import load_settings
from nbsweep.settings import PollingSettings
from nbsweep.simulator import FleetOptions, SimulatorOptions, TimingOptions, running_simulator
from nbsweep.simulator.descriptions import NotebookChange, NotebookSpec
from nbsweep.simulator.server import RunningSimulator
from nbsweep.simulator.state import specs
from nbsweep.simulator.state.catalogue import TASKS, owner_name

BEGINNING = datetime(2026, 6, 1, 19, tzinfo=UTC)
"""The first sweep, at 03:00 in Shanghai."""
NIGHT = timedelta(days=1, seconds=0.3)
"""From one sweep to the next: a sweep a month later comes later than a month, however long the machine takes for a sweep."""
OPTIONS = SimulatorOptions(
    seed=17, fleet=FleetOptions(notebooks=0, workspaces=1), timing=TimingOptions(deletion_median_s=0.01, deletion_spread=0)
)
POLLING = {"interval": "50ms", "max_interval": "100ms"}
"""The cloud deletes at once, and nobody waits for it."""
LONGEST = 240
"""How many days owners have plans for."""
OWNERS = 12
OLD, NEW_EACH_DAY = 70, 1.2
MONTHLY = ("berlin", "jinan", "lisbon", "porto", "suzhou")
MONTHLY_OWNER = "mei.wang"
ANCESTORS = ("bert", "resnet", "whisper", "yolo", "unet")


class Act(Struct, frozen=True, order=True):
    """What an owner does to a notebook, at a time."""

    at: datetime
    number: int
    kind: str
    """`create`, `start`, `stop` or `remove`."""


class Plan(Struct, frozen=True):
    """A notebook as its owner thinks of it, whichever instance it is."""

    number: int
    name: str
    owner: str
    capacity: int
    image: str
    acts: tuple[Act, ...]


def plans() -> Iterator[Plan]:
    """Yield the plans of all owners; they know nothing of sweeps."""
    dice = Random(17)  # noqa: S311  # no secret
    births = [dice.uniform(-150, -1) for _ in range(OLD)]
    births += [dice.uniform(0, LONGEST) for _ in range(round(LONGEST * NEW_EACH_DAY))]
    for number, born in enumerate(births):
        name = f"{dice.choice(ANCESTORS)}-{dice.choice(TASKS)}-{number:03d}"
        owner, capacity = owner_name(dice.randrange(OWNERS)), dice.choice([50, 100, 200])
        yield Plan(number, name, owner, capacity, f"image-{number}", tuple(_used(dice, number, born)))
    for number, town in enumerate(MONTHLY, len(births)):
        yield Plan(number, f"monthly-{town}", MONTHLY_OWNER, 200, f"image-{number}", tuple(_monthly(number)))


def _used(dice: Random, number: int, born: float) -> Iterator[Act]:
    """Yield the acts of somebody who works for some days, pauses, comes back, and gives up one day."""
    day, kind = born, "create"
    while day < LONGEST:
        yield Act(_at(day), number, kind)
        day += 1 + dice.expovariate(0.5)
        yield Act(_at(day), number, "stop")
        if dice.random() < 0.28:
            if dice.random() < 0.45:
                yield Act(_at(day + 1 + dice.expovariate(1 / 25)), number, "remove")
            return
        day, kind = day + dice.lognormvariate(0.95, 0.72), "start"


def _monthly(number: int) -> Iterator[Act]:
    """Yield the acts of somebody who works on the first day of each month."""
    for month in range(1, 13):
        at = datetime(2026, month, 1, 2, number % 60, tzinfo=UTC)
        yield Act(at, number, "create" if month == 1 else "start")
        yield Act(at + timedelta(days=1), number, "stop")


def _at(day: float) -> datetime:
    return BEGINNING + timedelta(days=day)


@dataclass
class Place:
    """The cloud with its owners, and the clock."""

    folder: Path
    simulator: RunningSimulator
    nowhere: TextIO
    """Takes what the sweeps print."""
    plans: dict[int, Plan] = field(default_factory=lambda: {plan.number: plan for plan in plans()})
    instances: dict[int, str] = field(default_factory=dict)
    """The latest instance of each notebook."""
    days: int = 0

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        acts = sorted(act for plan in self.plans.values() for act in plan.acts)
        self._acts = iter(acts)
        self._next = next(self._acts, None)

    async def go_on(self, days: int) -> None:
        """Live for some days, with a sweep at the end of each."""
        for _ in range(days):
            now = BEGINNING + self.days * NIGHT
            self._set(now)
            self._act_until(now)
            await self._sweep()
            self.days += 1
        self._set(BEGINNING + self.days * NIGHT - timedelta(hours=23))

    def _set(self, moment: datetime) -> None:
        ahead_s = moment.timestamp() - time.time()
        (self.folder / "ahead").write_text(str(ahead_s))
        self.simulator.clock.shift_s, self.simulator.clock.shifts_date_header = ahead_s, True

    def _act_until(self, now: datetime) -> None:
        self.simulator.cloud.advance()
        while self._next is not None and self._next.at < now:
            self._do(self._next)
            self._next = next(self._acts, None)

    def _do(self, act: Act) -> None:
        """Do what an owner plans: who finds the notebook deleted creates it again."""
        cloud, at_s = self.simulator.cloud, act.at.timestamp()
        there = cloud.instances.get(self.instances.get(act.number, ""))
        if there is None or there.gone:
            if act.kind in {"create", "start"}:
                self.instances[act.number] = specs.create(cloud, self._spec(act), at_s=at_s, cause="user").id
        elif act.kind == "remove":
            specs.change(cloud, there.id, NotebookChange(gone=True), at_s)
        else:
            status = "STOPPED" if act.kind == "stop" else "RUNNING"
            specs.change(cloud, there.id, NotebookChange(status=status), at_s)

    def _spec(self, act: Act) -> NotebookSpec:
        plan, at_ms = self.plans[act.number], round(act.at.timestamp() * 1000)
        image: dict[str, Any] = {"id": plan.image, "name": plan.image}
        volume = {"category": "EVS", "ownership": "MANAGED", "capacity": plan.capacity}
        return NotebookSpec(name=plan.name, owner=plan.owner, status="RUNNING", create_at=at_ms, image=image, volume=volume)

    async def _sweep(self) -> None:
        settings = load_settings(self.folder / "nbsweep.yaml", os.environ)
        settings = settings.model_copy(update={"polling": PollingSettings.model_validate(POLLING)})
        with redirect_stdout(self.nowhere), redirect_stderr(self.nowhere):
            code = await run_command(make_session(settings, plain_screen()), RunOptions(yes=True))
        if code:
            raise SystemExit(f"the sweep of day {self.days} ended with exit code {code}")


async def main(folder: Path, nowhere: TextIO) -> None:
    """Run the cloud, and obey."""
    put_ahead(folder / "ahead")
    async with running_simulator(OPTIONS) as simulator:
        place = Place(folder, simulator, nowhere)
        _say({"url": simulator.url})
        while line := await asyncio.to_thread(sys.stdin.readline):
            await place.go_on(int(line))
            _say({"days": place.days, "url": simulator.url})


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with Path(os.devnull).open("w", encoding="utf-8") as taken:
        asyncio.run(main(Path(sys.argv[1]), taken))
