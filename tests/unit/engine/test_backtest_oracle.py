"""A back-test against what sweeps really did: the same plans at the same surveys, and the same deletions in the end.

Owners live by a seed that knows nothing of sweeps, so that the same past is lived twice: once with sweeps that delete, and once
with dry runs, whose inventory is replayed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from msgspec import Struct
from msgspec.structs import replace

from builders import NOON, announcing, exemption, notebook, over
from nbsweep.core.backtest.announcing import TOLD_AFTER
from nbsweep.core.backtest.deciding import coverage_of, plan_at
from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.reading import Fleet
from nbsweep.core.judging.rules import Policy, Rules
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import MarkState, promise, tell
from nbsweep.core.model import Named, Notebook, Status
from nbsweep.core.notices.deadlines import deadline_to_write
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.marking import MarkLimits
from nbsweep.core.planning.plan import Circumstances, Plan
from nbsweep.engine.options import InventoryOptions
from nbsweep.engine.past.backtest import backtest, recorded_surveys
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Fault
from unit.engine.world import AREA, FORGOTTEN, IDENTITY, World, options, rules, virtual_time, world

pytestmark = virtual_time

STEPS = 50
STEP = timedelta(hours=12)
FLEET = 14
IDLE = announcing(over("idle", days=5), days=3, name="idle")
TWICE = replace(IDLE, grace=Grace(timedelta(days=2), surveys=2))
PLAIN = replace(IDLE, grace=None)
TRIMS = Brakes(2, None, 1, OnExcess.TRIM, max_per_day=3, max_fleet_drop=None)
REFUSES = Brakes(3, Fraction(1, 2), None, OnExcess.REFUSE, max_per_day=4, max_fleet_drop=None)
FREE = Brakes(None, None, None, max_fleet_drop=None)
WAYS = [
    ((PLAIN,), FREE),
    ((PLAIN, FORGOTTEN), TRIMS),
    ((IDLE,), REFUSES),
    ((TWICE, replace(FORGOTTEN, grace=Grace(timedelta(days=1), surveys=1), digest="d2")), TRIMS),
]
SEEDS = [(seed, *way) for seed, way in zip((1, 2, 3, 113), WAYS, strict=True)]


class Seen(Struct, frozen=True):
    """What a sweep planned, and what it knew besides the cloud."""

    plan: Plan
    rules: Rules
    circumstances: Circumstances


@dataclass
class Life:
    """A fleet whose owners live by a seed, with sweeps twice a day."""

    seed: int
    policies: tuple[Policy, ...]
    brakes: Brakes
    dry_run: bool
    scene: World = field(init=False)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with notebooks that were used at different times."""
        random = Random(self.seed)  # noqa: S311  # no secret
        # The first stays for ever, so that there is always a listing to be torn.
        kept = notebook(99, name="keep-me")
        self.scene = world(kept, *(self._born(random, number) for number in range(1, FLEET)))

    def _born(self, random: Random, number: int) -> Notebook:
        idle = timedelta(hours=random.randrange(110))
        owner = random.choice(["ann", "bob"])
        return notebook(
            number,
            created_at=NOON - idle - timedelta(days=random.choice([9, 200])),
            updated_at=NOON - idle,
            lease=None,
            owner=Named(f"id-{owner}", owner),
        )

    async def live(self) -> None:
        """Let owners and sweeps take turns."""
        for step in range(STEPS):
            for number in range(1, FLEET):
                self._act(Random(f"{self.seed}/{step}/{number}"), number)  # noqa: S311  # no secret
            await self._grant(step)
            if step % 11 == 7:
                self._tear()
            begun = self.scene.clock.now()
            await self._sweep(step)
            await self._sleep_until(begun + TOLD_AFTER)
            await self._tell()
            await self._sleep_until(begun + STEP)

    async def _sleep_until(self, moment: datetime) -> None:
        """Wait: sweeps that delete take longer than dry runs, and both lives go on at the same times."""
        await asyncio.sleep((moment - self.scene.clock.now()).total_seconds())

    def _act(self, random: Random, number: int) -> None:
        """Let the owner of a notebook do something, now and then."""
        cloud, key = self.scene.cloud, f"nb{number}"
        there, chance = cloud.truth(key), random.random()
        if chance < 0.02:
            created_at = self.scene.clock.now()
            cloud.put(notebook(number, created_at=created_at, updated_at=created_at, lease=None))
        elif there is None:
            return
        elif chance < 0.03:
            cloud.vanish(key)
        elif chance < 0.05:
            cloud.change(key, status=random.choice([Status.RUNNING, Status.STOPPED, Status.ERROR]))
        elif chance < 0.06:
            cloud.change(key, name=random.choice(["keep-it", "experiment"]), updated_at=there.updated_at)
        elif there.status is Status.RUNNING and chance < 0.3:
            cloud.change(key, status=Status.STOPPED)

    async def _grant(self, step: int) -> None:
        journal, now = self.scene.journal, self.scene.clock.now()
        if step == 3:
            granted = exemption(owner="bob", granted_at=now, until=now + timedelta(days=5))
            await journal.exemptions.grant(granted)
        if step == 9:
            await journal.exemptions.revoke("e1", now, "carol")

    def _tear(self) -> None:
        """Let a listing be torn each time it is read, so that the survey is not complete."""
        torn = [Fault(alter=lambda page: replace(page, rows=(*page.rows, page.rows[0]))) for _ in range(3)]
        self.scene.cloud.inject("page", *torn)

    async def _sweep(self, step: int) -> None:
        journal, now = self.scene.journal, self.scene.clock.now()
        how = options(*self.policies, inventory=InventoryOptions(timedelta(days=400), "c0ffee"), cool_down=None)
        marks = {mark.notebook_id: mark for mark in await journal.marks.open_marks(IDENTITY.project)}
        history = await journal.history("research", IDENTITY, now - timedelta(days=1), now)
        asked: list[Plan] = []

        async def approve(plan: Plan, _spared: object) -> bool:
            asked.append(plan)
            return True

        sweeper = Sweeper(AREA, self.scene.ports, how, self.brakes, self.scene.shutdown)
        report = await sweeper.sweep(Run(f"run{step:03d}", "cron", dry_run=self.dry_run), approve)
        assert report.error is None
        plan = asked[0] if asked else report.plan
        assert plan is not None
        assert plan.created_at == now
        in_force = await journal.exemptions.in_force(now)
        known = replace(how.rules, coverage=coverage_of(IDENTITY), marks=marks, exemptions=in_force)
        self.seen.append(Seen(plan, known, Circumstances(history)))

    async def _tell(self) -> None:
        """Tell the owners of the marks that wait for it, as the relay does."""
        if self.dry_run:
            return
        journal, now = self.scene.journal, self.scene.clock.now()
        graces = {policy.name: policy.grace for policy in self.policies}
        waiting = {each.mark.id for each in await journal.outbox.waiting(now, 1000)}
        for mark in await journal.marks.open_marks(IDENTITY.project):
            grace = graces[mark.policy]
            if mark.state is MarkState.MARKED and mark.id in waiting and grace is not None:
                told = promise(mark, deadline_to_write(mark, grace, now))
                await journal.marks.write([tell(told, now, "mail: ok", clock_verified=True)], (), "told")

    async def deleted(self) -> set[tuple[str, datetime]]:
        """Return the notebooks that sweeps really deleted, with the times of their surveys."""
        found = set()
        for step, seen in enumerate(self.seen):
            removals = await self.scene.journal.removals(f"run{step:03d}")
            found |= {(each.notebook_id, seen.plan.created_at) for each in removals if each.state is State.DELETED}
            assert {each.state for each in removals} <= {State.DELETED}
        return found


async def lived(seed: int, policies: tuple[Policy, ...], brakes: Brakes, *, dry_run: bool) -> Life:
    """Return a life that was lived."""
    life = Life(seed, policies, brakes, dry_run)
    await life.live()
    return life


def told(plan: Plan) -> Mapping[str, object]:
    """Return what a plan says, as far as the inventory can know it."""
    return {
        "items": [(item.notebook.id, item.verdict, item.idle_since, item.notebook.created_at) for item in plan.items],
        "sentences": [item.verdict.sentence for item in plan.items],
        "kept": plan.kept,
        "refusals": plan.refusals,
        "trimmed": plan.trimmed,
        "fleet": plan.fleet,
        "at": plan.created_at,
        "cooling": plan.cooling,
        "opens_at": plan.opens_at,
    }


@pytest.mark.parametrize(("seed", "policies", "brakes"), SEEDS)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_recorded_survey_gives_the_very_plan_of_its_sweep(
    seed: int, policies: tuple[Policy, ...], brakes: Brakes, *, dry_run: bool
) -> None:
    """Items with their verdicts, reasons of the kept, refusals, and what brakes have cut; a torn survey is refused."""
    life = await lived(seed, policies, brakes, dry_run=dry_run)
    journal, fleet = life.scene.journal, Fleet()
    surveys = await journal.inventory.surveys(NOON, NOON + STEPS * STEP)
    assert len(surveys) == len(life.seen)
    compared = planned = 0
    seen = iter(life.seen)
    async for recorded in recorded_surveys(journal, IDENTITY, surveys, fleet, frozenset()):
        known = next(seen)
        plan = plan_at(recorded, known.rules, brakes, known.circumstances)
        if not recorded.record.complete:
            for each in (plan, known.plan):
                assert each.refusal is not None
                assert each.refusal.brake == "incomplete-survey"
            continue
        assert told(plan) == told(known.plan)
        compared, planned = compared + 1, planned + len(plan.items)
    assert compared == STEPS - STEPS // 11
    # Dry runs make no marks, so that a policy with grace deletes nothing in them.
    assert (planned > 0) == (not dry_run or any(policy.grace is None for policy in policies))


@pytest.mark.parametrize(("seed", "policies", "brakes"), SEEDS)
async def test_the_replay_of_dry_runs_deletes_what_sweeps_delete(
    seed: int, policies: tuple[Policy, ...], brakes: Brakes
) -> None:
    """The same instances at the same surveys, with grace, marks, brakes and exemptions."""
    real = await lived(seed, policies, brakes, dry_run=False)
    dry = await lived(seed, policies, brakes, dry_run=True)
    period = Period(NOON, NOON + STEPS * STEP, timedelta(days=7))
    trial = Trial(rules(*policies), MarkLimits(brakes))
    coverage, [replayed] = await backtest(dry.scene.journal, "research", [trial], period)
    assert coverage.incomplete == STEPS // 11
    assert coverage.ordered == 0
    expected = await real.deleted()
    assert {(each.would_be.notebook.id, each.would_be.at) for each in replayed.found} == expected
    assert len(expected) >= 3
