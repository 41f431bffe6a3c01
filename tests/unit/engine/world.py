"""A world of fakes in virtual time, for the engine's tests, and the options that a sweep in it has."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

import builders
from builders import NOON, over, policy, protection, removal, tag, text
from nbsweep.core.errors import NbsweepError
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Ports
from nbsweep.engine.options import PollOptions, SurveyFacts, SweepOptions
from nbsweep.engine.removing.executor import Executor
from nbsweep.engine.report import leading_error
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.testing import Call, FakeClock, FakeCloud, InMemoryJournal, Pace, RecordingTelemetry

PACE = Pace()
AREA = Area("research", None, ("NOTEBOOK",))
IDENTITY = AREA.identity("0123456789abcdef0123456789abcdef")
"""The identity of the fake cloud's target."""
FOR_EVER_S = 6 * 3600.0
"""Of virtual time: a test that lasts longer hangs."""

virtual_time = pytest.mark.looptime(noop_cycles=1)
"""Runs a test in virtual time, without waiting for files."""

IDLE = policy(over("idle", days=14), name="idle")
FORGOTTEN = policy(over("age", days=180), name="forgotten", running=Running.STOP)
"""Stops a running notebook before its DELETE."""
FAILED = policy(text("status", "ERROR", "*_FAILED"), name="failed")
KEEP = (protection(text("name", "keep-*"), name="kept-names"), protection(tag("keep", "*"), name="kept-tags"))
NO_FACTS = SurveyFacts({})
POLLING = PollOptions(timedelta(seconds=5), timedelta(seconds=30), timedelta(seconds=30))


def rules(*policies: Policy) -> Rules:
    """Return rules with these policies, or with `IDLE`; the names keep-* and the tag keep protect."""
    return builders.rules(*(policies or (IDLE,)), protect=KEEP)


def options(*policies: Policy, **changes: Any) -> SweepOptions:
    """Return the options of a sweep, as by default but for four workers."""
    plain = SweepOptions(
        rules=rules(*policies),
        workers=4,
        deadline=timedelta(minutes=30),
        retries=1,
        fresh_for=timedelta(seconds=10),
        polling=POLLING,
        drain=timedelta(seconds=60),
    )
    return replace(plain, **changes)


class StoryJournal(InMemoryJournal):
    """Adds each durable write to the world's story; may be slow, and may fail."""

    def __init__(self, story: list[str]) -> None:
        super().__init__()
        self.write_s = 0.0
        self.fault: Callable[[Removal], Exception | None] = lambda _: None
        """Returns the error of the write of a removal, if it fails."""
        self._story = story

    async def write(self, removals: Sequence[Removal], *, exemptions_version: int | None = None) -> None:
        """Write removals, and add them to the story."""
        for error in map(self.fault, removals):
            if error is not None:
                raise error
        await asyncio.sleep(self.write_s)
        await super().write(removals, exemptions_version=exemptions_version)
        self._story += [f"{removal.state} {removal.notebook_id}" for removal in removals]


@dataclass
class World:
    """The fakes of one test, and the story of all writes and calls, in order."""

    clock: FakeClock
    cloud: FakeCloud
    journal: StoryJournal
    telemetry: RecordingTelemetry
    story: list[str]
    shutdown: Shutdown = field(default_factory=Shutdown)

    @property
    def ports(self) -> Ports:
        """The ports of the engine."""
        return Ports(self.cloud, self.journal, self.clock, self.telemetry)

    async def journaled(self) -> dict[str, Removal]:
        """Return the removals of the default run."""
        return {removal.notebook_id: removal for removal in await self.journal.removals("run1")}

    def check_story(self) -> None:
        """Check that each DELETE was sent after its own REQUESTED was durable."""
        requested: Counter[str] = Counter()
        for line in self.story:
            what, _, notebook_id = line.partition(" ")
            requested[notebook_id] += (what == "REQUESTED") - (what == "delete")
            assert requested[notebook_id] >= 0, f"a DELETE of {notebook_id} left before it was on disk"


def world(*notebooks: Notebook, workspaces: Sequence[str] = ("0",), pace: Pace = PACE) -> World:
    """Return a world with these notebooks."""
    story: list[str] = []
    clock = FakeClock(NOON)
    cloud = FakeCloud(clock, notebooks, workspaces=workspaces, pace=pace)

    def listen(call: Call) -> None:
        story.append(f"{call.kind} {call.subject}")

    cloud.on_call = listen
    return World(clock, cloud, StoryJournal(story), RecordingTelemetry(), story)


async def approve(_plan: Plan, _spared: object) -> bool:
    """Approve a plan."""
    return True


async def carry_out(scene: World, how: SweepOptions, *planned: Notebook, facts: SurveyFacts = NO_FACTS) -> dict[str, Removal]:
    """Execute the removal of these notebooks, and return the removals, or raise the error that ended it."""
    executor = Executor(scene.ports, how, facts, scene.shutdown)
    removals = [
        removal(notebook_id=item.id, name=item.label, status_before=item.status, policy=how.rules.policies[0].name)
        for item in planned
    ]
    await scene.journal.write(removals)
    try:
        with anyio.fail_after(FOR_EVER_S):
            await executor.execute(removals)
    except ExceptionGroup as group:
        raise leading_error(group) from group
    finally:
        scene.check_story()
    assert await scene.journaled() == executor.removals
    return executor.removals


async def carry_out_until_error(scene: World, how: SweepOptions, *planned: Notebook) -> tuple[NbsweepError, dict[str, Removal]]:
    """Execute removals that an error ends; return the error and the removals of the journal."""
    with pytest.raises(NbsweepError) as caught:
        await carry_out(scene, how, *planned)
    return caught.value, await scene.journaled()
