"""Fills a journal as years of sweeps would have: 20,000 notebooks that are there, and as many that were deleted by one run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

import anyio
from msgspec.structs import replace

from acceptance.support import Json
from builders import mark, removal, run_record
from nbsweep.adapters.journal import open_journal
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.model import OpenState, SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.model import Image, Lease, LeaseType, Named, Notebook, Scope, Status, Volume
from nbsweep.core.notices.outbox import Item, ItemKind, item_id
from nbsweep.core.ports import Journal
from nbsweep.core.runs import Outcome

Value = TypeVar("Value")

TARGET = "lab"
SMALL = "codelab"
"""A target with few notebooks: a back-test of the large one may take longer than the page allows on a busy machine."""
FLEET = 20_000
OWNERS = 200
OWNER = "wei.chen"
"""An owner with more notebooks than one page shows."""
OF_OWNER = 300
PREFIX = "team-vision-experiment"
"""What the names of all notebooks begin with."""
RESTLESS = "restless-000000000000000000000000000"
"""The id of a notebook with 500 states, 170 removals, and 510 entries in the audit trail."""
STATES, ATTEMPTS = 500, 170
EXEMPTIONS = 1_000
RUN = "20260301T030000Z-large0"
"""The id of the run that deleted 20,000 notebooks."""
FEW = 100
"""Removals of each of the other runs."""
KEPT = {"no-policy": FLEET}
POLICIES = ("idle", "forgotten", "failed")


def in_parts(items: Iterable[Value], size: int = 5_000) -> Iterator[list[Value]]:
    """Yield so many items at a time."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def notebook_id(prefix: str, number: int) -> str:
    """Return an id of 36 characters, which is what the cloud gives."""
    return f"{prefix}-{number:0{35 - len(prefix)}d}"


def owner_of(number: int) -> str:
    """Return the name of the owner of a notebook."""
    return OWNER if number < OF_OWNER else f"user-{number % OWNERS:03d}"


def name_of(number: int) -> str:
    """Return the name of a notebook."""
    return f"{PREFIX}-{number:06d}-of-{owner_of(number)}"


def notebook(key: str, number: int, now: datetime, **changes: object) -> Notebook:
    """Return a notebook with every fact that a listing shows."""
    created = now - timedelta(days=400, seconds=number)
    plain = Notebook(
        key,
        Status.STOPPED,
        name=name_of(number),
        feature="NOTEBOOK",
        flavor="modelarts.vm.cpu.2u",
        workspace_id="0",
        owner=Named(f"{number % OWNERS:032x}", owner_of(number)),
        image=Image("278e88d1-5b71-4766-8502-b3ba72e824d9", "mindspore1.7", "swr.cn-north-4.example.com/atelier/mindspore:1.7"),
        lease=Lease(enabled=True, type=LeaseType.TIMING, created_at=created, updated_at=created, duration=timedelta(hours=1)),
        volume=Volume("EVS", "MANAGED", 50),
        billing=("STORAGE", "INSTANCE"),
        tags={"project": f"p{number % 3}"},
        created_at=created,
        updated_at=created,
        listed=True,
    )
    return replace(plain, **changes)


def instances(now: datetime) -> list[Json]:
    """Describe the notebooks for the simulated cloud."""
    created_ms = round((now - timedelta(days=400)).timestamp() * 1000)
    return [
        {
            "id": notebook_id("live", number),
            "name": name_of(number),
            "owner": owner_of(number),
            "status": "STOPPED",
            "tags": {"project": f"p{number % 3}"},
            "create_at": created_ms - number * 1000,
        }
        for number in range(FLEET)
    ]


@dataclass
class Past:
    """Writes the past of one target into a journal."""

    journal: Journal
    identity: TargetIdentity
    now: datetime

    async def write(self) -> None:
        """Write everything."""
        await self._surveys()
        await self._runs()
        await self._marks()
        await self._exemptions()

    async def _surveys(self) -> None:
        """Record a survey of notebooks that are gone by now, 500 of one that never rests, and one of the present fleet."""
        before = self.now - timedelta(days=60)
        gone = [notebook(notebook_id("gone", number), number, self.now) for number in range(FLEET)]
        first = await self._survey(before, gone, {})
        async with anyio.create_task_group() as group:
            for number in range(STATES):
                at, known = before + timedelta(hours=1 + number), {RESTLESS: OpenState(first + number, 0)} if number else {}
                group.start_soon(partial(self._survey, at, [self._restless(number)], known, complete=False))
        live = [notebook(notebook_id("live", number), number, self.now) for number in range(FLEET)]
        there = await self.journal.inventory.open_states(self.identity)
        await self._survey(self.now - timedelta(hours=3), [*live, self._restless(STATES)], there)

    def _restless(self, number: int) -> Notebook:
        return notebook(RESTLESS, 0, self.now, flavor=f"modelarts.vm.cpu.{number}u")

    async def survey_small_target(self) -> None:
        """Record a survey of the other target, which has few notebooks."""
        few = [notebook(notebook_id("small", number), number, self.now, feature="DEFAULT") for number in range(FEW)]
        await self._survey(self.now - timedelta(hours=2), few, {})

    async def _survey(
        self, at: datetime, rows: Sequence[Notebook], known: Mapping[str, OpenState], *, complete: bool = True
    ) -> int:
        recorder, [feature] = Recorder(known), self.identity.features
        for row in rows:
            recorder.see(row, Scope("0", feature), None)
        listed = Listed(recorder, tuple(row.id for row in rows))
        place = self.identity.project, SMALL if feature == "DEFAULT" else TARGET, self.identity.extent
        record = SurveyRecord(*place, at, complete=complete, fleet=len(rows), config="c0ffee")
        return await self.journal.inventory.record(record, Changes((listed,), known, complete=complete))

    async def _runs(self) -> None:
        """Record the runs: one that deleted nearly all that are gone, and many that deleted a few."""
        began = self.now - timedelta(days=40)
        await self._run(RUN, began, list(self._removals(RUN, range(FLEET), began)))
        async with anyio.create_task_group() as group:
            for number in range(ATTEMPTS):
                group.start_soon(self._small_run, number)

    async def _small_run(self, number: int) -> None:
        run_id, at = f"20260401T{number:06d}Z-few000", self.now - timedelta(hours=900 - number * 5)
        few = list(self._removals(run_id, range(number * FEW, (number + 1) * FEW), at))
        failed = replace(few[0], notebook_id=RESTLESS, state=State.FAILED, end_reason="The disk is busy.")
        await self._run(run_id, at, [*few[1:], failed])

    async def _run(self, run_id: str, at: datetime, removals: Sequence[Removal]) -> None:
        place = {"target": TARGET, "project": self.identity.project, "extent": self.identity.extent}
        run = run_record(run_id, started_at=at, started_by="service", **place)
        await self.journal.open_run(run)
        for some in in_parts(removals):
            for state in (State.PLANNED, State.REQUESTED, State.ACCEPTED):
                await self.journal.write([replace(each, state=state, ended_at=None, end_reason="") for each in some])
            await self.journal.write(some)
        ended = at + timedelta(hours=2)
        await self.journal.close_run(
            replace(run, ended_at=ended, outcome=Outcome.FINISHED, fleet=FLEET * 2, planned=len(removals), kept=KEPT)
        )

    def _removals(self, run_id: str, numbers: range, at: datetime) -> Iterator[Removal]:
        """Yield removals that have ended, in each of the ways."""
        ways = (State.FAILED, State.TIMED_OUT, State.SPARED)
        for number in numbers:
            state = ways[number // 20 % 3] if number % 20 == 0 else State.DELETED
            sent = at + timedelta(seconds=number % 5_000)
            yield removal(
                number,
                run_id=run_id,
                target=TARGET,
                notebook_id=notebook_id("gone", number),
                name=name_of(number),
                owner=owner_of(number),
                policy=POLICIES[number % len(POLICIES)],
                planned_at=at,
                state=state,
                requested_at=sent,
                sent_at=sent,
                accepted_at=sent + timedelta(seconds=1),
                ended_at=sent + timedelta(seconds=20 + number % 600),
                requests=1,
                request_id=f"{number:032x}",
                end_reason="" if state is State.DELETED else f"the end number {number % 7} of {state}",
                project=self.identity.project,
            )

    async def _marks(self) -> None:
        """Mark all notebooks that are there, and have some told of."""
        later = self.now + timedelta(days=300)
        for numbers in in_parts(range(FLEET)):
            marks = [self._mark(number) for number in numbers]
            kind, owner = ItemKind.ANNOUNCE, "owner"
            items = [Item(item_id(kind, each.id, owner), kind, each.id, owner, later) for each in marks]
            await self.journal.marks.write(marks, items)

    def _mark(self, number: int) -> Mark:
        told = number % 3 == 0
        ways = {
            "state": MarkState.TOLD,
            "told_at": self.now - timedelta(days=8),
            "told_by": "mail: 250 ok",
            "deadline": self.now + timedelta(days=number % 20 - 10),
        }
        untold = {"untold": "The owner has no address." if number % 3 == 1 else ""}
        return mark(
            number,
            id=f"mark-{number:06d}",
            target=TARGET,
            project=self.identity.project,
            notebook_id=notebook_id("live", number),
            notebook_created_at=self.now - timedelta(days=400, seconds=number),
            name=name_of(number),
            owner_id=f"{number % OWNERS:032x}",
            owner_name=owner_of(number),
            policy="broken",
            marked_at=self.now - timedelta(days=10, seconds=number),
            last_survey_at=self.now - timedelta(hours=3),
            version=0,
            **(ways if told else untold),
        )

    async def _exemptions(self) -> None:
        """Grant exemptions, half of which have ended."""
        async with anyio.create_task_group() as group:
            for number in range(EXEMPTIONS * 2):
                group.start_soon(self.journal.exemptions.grant, self._exemption(number))

    def _exemption(self, number: int) -> Exemption:
        until = self.now + timedelta(days=1 + number % 60) if number % 2 else self.now - timedelta(days=1)
        return Exemption(
            f"exemption-{number:06d}",
            Selector(notebook_id("gone", number), self.now - timedelta(days=400, seconds=number)),
            "The results of this experiment are needed for a paper that is due soon.",
            owner_of(number),
            GrantedBy.OWNER,
            self.now - timedelta(days=10, seconds=number),
            until,
        )


async def fill(address: str, identity: TargetIdentity) -> None:
    """Fill a journal that is new."""
    async with open_journal(address) as journal:
        now = datetime.now(UTC)
        await Past(journal, identity, now).write()
        await Past(journal, replace(identity, features=("DEFAULT",)), now).survey_small_target()
