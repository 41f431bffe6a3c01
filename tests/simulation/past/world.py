"""A year of one target: owners live, sweeps take place, and the clock and the configuration change."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from msgspec.structs import replace

from builders import NOON
from nbsweep.core.errors import CloudError
from nbsweep.core.events.base import Event
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes
from nbsweep.core.judging.rules import Rules
from nbsweep.core.marks.model import MarkState, promise, tell
from nbsweep.core.model import MalformedRow, Notebook, Page, Status
from nbsweep.core.notices.deadlines import deadline_to_write
from nbsweep.core.planning.plan import Circumstances, Plan
from nbsweep.core.ports import Ports
from nbsweep.core.runs import History
from nbsweep.engine.options import InventoryOptions, PollOptions, SweepOptions
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import FakeClock, Fault, InMemoryJournal, Pace
from nbsweep.testing.loop import VirtualLoop
from nbsweep.testing.records.inventory import InMemoryInventory
from simulation.past.account import Account, Owners
from simulation.past.scenario import INCOMPLETE, PROTECTIONS, WORKSPACES, Config, Scenario, SweepTime, Trouble
from simulation.past.truth import Glimpse, Swept, Truth, instance_of

TARGET = "research"
AREA = Area(TARGET, WORKSPACES, ("NOTEBOOK",))
IDENTITY = AREA.identity("0123456789abcdef0123456789abcdef")
POLLING = PollOptions(timedelta(seconds=5), timedelta(seconds=30), timedelta(seconds=30))
TOLD_AFTER_S = 60.0
ORDERS = ("stop", "delete")
KEPT_FOR_EVER = InventoryOptions(timedelta(days=4000), "c0ffee")


class Silent:
    """Telemetry that says nothing."""

    def emit(self, event: Event) -> None:
        """Drop the event."""

    def bound(self, **_context: str) -> Any:
        """Bind nothing."""
        return nullcontext()


class CountingInventory(InMemoryInventory):
    """An inventory that counts its surveys."""

    count = 0

    async def record(self, survey: SurveyRecord, changes: Changes) -> int:
        """Store a survey."""
        self.count += 1
        return await super().record(survey, changes)


class RememberingJournal(InMemoryJournal):
    """A journal that remembers on what the latest plan was built: a planner asks for the history right after the survey."""

    cloud: Account
    latest: History
    skew_s: float | None = None
    rows: Mapping[str, Notebook | MalformedRow]
    """What the survey was shown."""

    def __init__(self) -> None:
        """Begin without records."""
        super().__init__()
        self.inventory: CountingInventory = CountingInventory()

    async def history(self, *place: Any) -> History:
        """Return the history."""
        self.latest, self.skew_s = await super().history(*place), self.cloud.clock_skew_s()
        self.rows = {key: row for listed in self.cloud.rows_shown.values() for key, row in listed.items()}
        return self.latest


@dataclass(slots=True)
class World:
    """One year."""

    scenario: Scenario
    loop: VirtualLoop
    dry_run: bool = True
    right_clock: bool = False
    """Whether nobody sets the clock, whatever the scenario says."""
    truth: Truth = field(default_factory=Truth)
    journal: RememberingJournal = field(default_factory=RememberingJournal)
    counts: Counter[str] = field(default_factory=Counter)
    true_clock: FakeClock = field(init=False)
    clock: FakeClock = field(init=False)
    """The wall clock of nbsweep's machine."""
    cloud: Account = field(init=False)
    random: Random = field(init=False)

    async def live(self) -> None:
        """Live the year."""
        scenario = self.scenario
        self.random = Random(f"world-{scenario.seed}")
        self.true_clock, self.clock = FakeClock(NOON), FakeClock(NOON)
        self.cloud = Account(
            self.true_clock, scenario.notebooks, workspaces=WORKSPACES, pace=Pace(answer_s=0.05), caller=self.clock
        )
        self.cloud.book, self.journal.cloud = self.truth, self.cloud
        self.cloud.left_out = dict.fromkeys(scenario.left_out)
        owners = Owners(self)
        for act in scenario.acts:
            self.loop.call_at(act.at_s, owners.act, act)
        for at_s, by_s in () if self.right_clock else scenario.jumps:
            self.loop.call_at(at_s, self._jump, by_s)
        for number, sweep in enumerate(scenario.sweeps):
            await asyncio.sleep(max(0.0, sweep.at_s - self.loop.time()))
            await self._sweep(number, sweep)
        orders = ((call.subject, NOON + timedelta(seconds=call.at_s)) for call in self.cloud.calls if call.kind in ORDERS)
        for notebook_id, at in orders:
            self.truth.ordered.setdefault(notebook_id, []).append(at)

    def now(self) -> datetime:
        """Return the true time."""
        return self.true_clock.now()

    def _jump(self, by_s: float) -> None:
        self.counts["the clock is set"] += 1
        self.truth.note(self.now(), f"the wall clock is set by {by_s} s")
        self.clock.jump(by_s)

    # ---- a sweep ------------------------------------------------------------------------------------------------------------

    async def _sweep(self, number: int, sweep: SweepTime) -> None:
        config = self.scenario.config_at(self.loop.time())
        self._disturb(sweep)
        begun_s, at, true_at = self.loop.time(), self.clock.now(), self.now()
        self.cloud.number = number
        self.cloud.rows_shown.clear()
        there = frozenset(map(instance_of, self.cloud.all()))
        marks = {mark.notebook_id: mark for mark in await self.journal.marks.open_marks(IDENTITY.project)}
        exemptions = await self.journal.exemptions.in_force(at)
        recorded = self.journal.inventory.count
        plan = await self._planned(number, config)
        self.cloud.heal()
        if plan is not None and self.journal.inventory.count > recorded:
            glimpse = Glimpse(number, at, true_at, sweep.trouble not in INCOMPLETE, self.journal.rows, there)
            circumstances = Circumstances(self.journal.latest, self.journal.skew_s, self.options(config).cool_down)
            self.truth.swept.append(Swept(glimpse, plan, config, marks, exemptions, circumstances))
        await asyncio.sleep(max(0.0, begun_s + TOLD_AFTER_S - self.loop.time()))
        if not self.dry_run:
            await self._tell(config)

    async def _planned(self, number: int, config: Config) -> Plan | None:
        """Sweep, and return the plan as it was before anything was done; None if the sweep failed."""
        asked: list[Plan] = []

        async def approve(plan: Plan, _spared: object) -> bool:
            asked.append(plan)
            return True

        ports = Ports(self.cloud, self.journal, self.clock, Silent())
        sweeper = Sweeper(AREA, ports, self.options(config), config.brakes, Shutdown())
        report = await sweeper.sweep(Run(f"run-{number:04}", "simulation", self.dry_run), approve)
        self.counts[f"sweep: {report.outcome}"] += 1
        plan = asked[0] if asked else report.plan
        self.truth.note(self.now(), f"sweep {number}: {report.outcome} {report.error or ''} {_short(plan)}")
        return plan

    def options(self, config: Config) -> SweepOptions:
        return SweepOptions(
            rules=Rules(config.policies, PROTECTIONS),
            workers=4,
            deadline=timedelta(minutes=5),
            retries=0,
            fresh_for=timedelta(seconds=10),
            polling=POLLING,
            drain=timedelta(seconds=60),
            inventory=KEPT_FOR_EVER,
        )

    async def _tell(self, config: Config) -> None:
        """Tell the owners of the marks that wait for it, as the relay does."""
        now = self.clock.now()
        graces = {policy.name: policy.grace for policy in config.policies}
        waiting = {each.mark.id for each in await self.journal.outbox.waiting(now, 1000)}
        right = abs((now - self.now()).total_seconds()) <= 60
        for mark in await self.journal.marks.open_marks(IDENTITY.project):
            grace = graces[mark.policy]
            if mark.state is MarkState.MARKED and mark.id in waiting and grace is not None:
                told = tell(promise(mark, deadline_to_write(mark, grace, now)), now, "mail: ok", clock_verified=right)
                await self.journal.marks.write([told], (), "told")

    # ---- what goes wrong ----------------------------------------------------------------------------------------------------

    def _disturb(self, sweep: SweepTime) -> None:
        """Inject the faults of a sweep."""
        if sweep.trouble is not Trouble.NONE:
            self.counts[f"trouble: {sweep.trouble}"] += 1
            self.truth.note(self.now(), f"{sweep.trouble}")
        if sweep.trouble is Trouble.REFUSED:
            self.cloud.refused = WORKSPACES[1]
        if sweep.trouble is Trouble.MALFORMED:
            self.cloud.unreadable = f"nb{sweep.victim}"
        self.cloud.inject("page", *_page_faults(sweep.trouble), notebook_id="0/NOTEBOOK/0")
        for one in self.cloud.all():
            if self.random.random() < self.scenario.delete_faults:
                self.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED), notebook_id=one.id)


def _twice(page: Page) -> Page:
    """Show the first row twice."""
    return replace(page, rows=(*page.rows, page.rows[0]))


def _nameless(page: Page) -> Page:
    return replace(page, rows=(*page.rows, MalformedRow(None, None, "it has no id")), total=page.total + 1)


def _with_stray(page: Page) -> Page:
    """Show a row of another workspace."""
    row = page.rows[0]
    assert not isinstance(row, MalformedRow)
    stray = replace(row, id="nb-of-others", workspace_id="77")
    return replace(page, rows=(*page.rows, stray), total=page.total + 1)


def _page_faults(trouble: Trouble) -> Sequence[Fault]:
    """Return what happens to the first page of the first workspace."""
    faults = {
        Trouble.TORN: [Fault(alter=_twice)] * 3,
        Trouble.SHIFTED: [Fault(alter=_twice)],
        Trouble.NAMELESS: [Fault(alter=_nameless)],
        Trouble.STRAY: [Fault(alter=_with_stray)],
        Trouble.FAILED: [Fault(CloudError("the cloud fails"))],
    }
    return faults.get(trouble, ())


def _short(plan: Plan | None) -> str:
    if plan is None:
        return ""
    items: Sequence[str] = [f"{item.notebook.id} ({item.verdict.sentence})" for item in plan.items]
    return f"{plan.fleet} notebooks; {', '.join(items) or 'none goes'}; {[each.brake for each in plan.refusals]}"
