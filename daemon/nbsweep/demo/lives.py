"""The made-up lives of notebooks: when each is created, used, stopped, tagged and deleted by its owner.

The same day and seed always give the same lives.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.simulator import LeaseSpec, NotebookSpec
from nbsweep.simulator.state import catalogue
from nbsweep.simulator.state.model import uuid_like

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
OWNERS = 14
RESEARCH = "0"
"""The workspace of the target `research`."""
WORK_BEGINS = timedelta(hours=1)
"""Of a day in UTC: 9 in the morning in Shanghai."""
EARLIER_DAYS = 36
"""How many days before the first survey notebooks were created already."""
BIRTHS_BEFORE = (1, 2, 2, 3, 3)
BIRTHS_SINCE = (1, 2, 3, 3, 4, 5)
"""Notebooks on a working day, before and since the first survey; each number is as likely as the others."""
SATURDAY = 5

TEACHING_SHARE, PROTECTED_SHARE, TAGGED_SHARE, FAILED_SHARE = 0.3, 0.04, 0.5, 0.06
"""Of the notebooks: in the workspace of the target `teaching`, with a protected name, with the tag of a team, never started."""
WORKSHOP_DAY, WORKSHOP_SIZE = 67, 8
"""On this day of the story people try something out together. Nobody comes back, so that these deletions are due today."""
FATES: Mapping[str, int] = {"back": 41, "late": 7, "forgotten": 32, "delete": 12, "keep": 4, "fail": 4}
"""What becomes of a notebook after it has run for a while, and how often: `late` comes back when its deletion is announced."""

Kind = Literal["start", "stop", "fail", "keep", "delete"]


class Act(Struct, frozen=True):
    """What an owner does with a notebook, or what happens to it."""

    at: datetime
    kind: Kind


class Life(Struct, frozen=True):
    """A notebook as it is created, and what becomes of it if nothing deletes it."""

    born: datetime
    spec: NotebookSpec
    acts: tuple[Act, ...]


def lives(seed: int, first_day: datetime, days: int, teaching: str) -> Iterator[Life]:
    """Yield the lives of all notebooks, the oldest first; `teaching` is the workspace of the target `teaching`."""
    chance, number = Random(f"births {seed}"), 0
    for day in range(-EARLIER_DAYS, days):
        morning = first_day + day * DAY + WORK_BEGINS
        births = chance.choice(BIRTHS_SINCE if day >= 0 else BIRTHS_BEFORE)
        for _ in range(births // 3 if morning.weekday() >= SATURDAY else births):
            number += 1
            born = _whole(morning + timedelta(hours=chance.uniform(0, 9)))
            workspace = teaching if chance.random() < TEACHING_SHARE else RESEARCH
            yield _life(Random(f"notebook {seed} {number}"), uuid_like("demo", seed, number), born, workspace)
        if day == WORKSHOP_DAY:
            yield from _workshop(seed, morning)


def _workshop(seed: int, morning: datetime) -> Iterator[Life]:
    """Yield the notebooks of a workshop, which are used for some hours of one day."""
    for place in range(WORKSHOP_SIZE):
        chance = Random(f"workshop {seed} {place}")
        born = _whole(morning + timedelta(minutes=chance.uniform(0, 40)))
        plain = _life(chance, uuid_like("workshop", seed, place), born, RESEARCH).spec
        spec = replace(
            plain, name=f"llm-workshop-{place + 1:02d}", status="RUNNING", fail_reason="", flavor=catalogue.FLAVORS[0]
        )
        yield Life(born, spec, (Act(_whole(born + timedelta(hours=chance.uniform(6, 8))), "stop"),))


def lived_until(life: Life, moment: datetime) -> NotebookSpec | None:
    """Return the notebook as it is at a moment; None if its owner has deleted it by then."""
    spec = life.spec
    for act in life.acts:
        if act.at > moment:
            break
        if act.kind == "delete":
            return None
        spec = acted(spec, act)
    return spec


def acted(spec: NotebookSpec, act: Act) -> NotebookSpec:
    """Return a notebook after an act that does not delete it."""
    if act.kind == "keep":
        return replace(spec, tags={**spec.tags, "keep": "paper"}, update_at=milliseconds(act.at))
    status = {"start": "RUNNING", "stop": "STOPPED", "fail": "ERROR"}[act.kind]
    reason = catalogue.FAIL_REASONS["ERROR"][0] if act.kind == "fail" else ""
    return replace(spec, status=status, fail_reason=reason, update_at=milliseconds(act.at))


def milliseconds(moment: datetime) -> int:
    """Return a moment as the notebook API writes it."""
    return round(moment.timestamp() * 1000)


def _life(chance: Random, notebook_id: str, born: datetime, workspace: str) -> Life:
    number = chance.randrange(100)
    name = catalogue.notebook_name(chance, number)
    failed = chance.random() < FAILED_SHARE
    spec = NotebookSpec(
        id=notebook_id,
        name=f"{chance.choice(('keep', 'prod'))}-{name}" if chance.random() < PROTECTED_SHARE else name,
        status="CREATE_FAILED" if failed else "RUNNING",
        workspace_id=workspace,
        owner=catalogue.owner_name(chance.randrange(OWNERS)),
        flavor=chance.choice(catalogue.FLAVORS),
        fail_reason=chance.choice(catalogue.FAIL_REASONS["CREATE_FAILED"]) if failed else "",
        tags={"team": chance.choice(catalogue.TEAMS)} if chance.random() < TAGGED_SHARE else {},
        create_at=milliseconds(born),
        update_at=milliseconds(born),
        lease=LeaseSpec(create_at=milliseconds(born), update_at=milliseconds(born)),
        volume=catalogue.volume(chance),
        image=catalogue.image(chance),
    )
    return Life(born, spec, () if failed else tuple(_acts(chance, born)))


def _acts(chance: Random, born: datetime) -> Iterator[Act]:
    """Yield the acts of a life: the notebook runs and is stopped, again and again, until it is forgotten or deleted."""
    at, fate = born, "back"
    while fate in ("back", "late"):
        at = _whole(at + chance.uniform(2, 70) * HOUR)
        fate = chance.choices(list(FATES), list(FATES.values()))[0]
        yield Act(at, "fail" if fate == "fail" else "stop")
        if fate in ("back", "late"):
            pause = chance.expovariate(1 / 4) if fate == "back" else chance.uniform(15, 23)
            at = _whole(at + pause * DAY)
            yield Act(at, "start")
    if fate == "delete":
        yield Act(_whole(at + chance.uniform(2, 10) * DAY), "delete")
    elif fate == "keep":
        yield Act(_whole(at + chance.uniform(16, 20) * DAY), "keep")


def _whole(moment: datetime) -> datetime:
    """Return a moment in whole seconds, which every dialect of the API can write."""
    return moment.replace(microsecond=0)
