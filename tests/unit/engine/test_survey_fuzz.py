"""Whole sweeps through the real client, on a cloud whose rows may be anything: what is malformed or unknown is never deleted.

Which rows may go is worked out here once more, from the rows as they came over the wire, by code that knows no policy engine.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from builders import NOON
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Ports
from nbsweep.core.report import Report
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import FakeClock, InMemoryJournal, RecordingTelemetry
from unit.engine.world import FOR_EVER_S, options, virtual_time
from unit.wires import PROJECT, Said, answers, bodies, client_of, fuzzing, json_bytes, values

pytestmark = virtual_time

DAY_MS = 86_400_000
NOW_MS = round(NOON.timestamp() * 1000)
OLDEST_MS, LATEST_MS = 1_420_070_400_000, 4_102_444_800_000
"""2015 and 2100: dates before and after are none that a notebook can have."""
AT_REST = {"STOPPED", "CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "ERROR"}
GONE = Said(400, b'{"error_code": "ModelArts.6309", "error_msg": "The instance does not exist."}')


# ---- what may go -----------------------------------------------------------------------------------------------------------


def text(value: Any) -> bool:
    """Return text that is all there."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def whole(value: Any) -> bool:
    """Return a whole number, however it is written."""
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def date(value: Any) -> bool:
    """Return a date that a notebook can have."""
    return whole(value) and OLDEST_MS <= value < LATEST_MS


def group(**fields: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return an object, whose known fields are absent, null, or what they should be."""
    return lambda value: (
        isinstance(value, dict) and all(value.get(name) is None or fits(value[name]) for name, fits in fields.items())
    )


def listed(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a list of such things."""
    return lambda value: isinstance(value, list) and all(map(fits, value))


named = group(id=text, name=text)
volume = group(
    category=text, ownership=text, mount_path=text, status=text, capacity=lambda size: whole(size) and 0 <= size <= 10**9
)
readable = group(
    **dict.fromkeys(("name", "description", "fail_reason", "feature", "flavor", "user_id"), text),
    **dict.fromkeys(("create_at", "update_at"), date),
    workspace_id=lambda value: value in ("0", 0) and not isinstance(value, bool),
    user=group(id=text, name=text, domain=named),
    pool=named,
    image=group(id=text, name=text, swr_path=text, type=text),
    lease=group(
        create_at=date,
        update_at=date,
        duration=whole,
        enable=lambda value: isinstance(value, bool),
        type=("TIMING", "IDLE").__contains__,
    ),
    volume=volume,
    data_volumes=listed(volume),
    billing_items=listed(text),
    tags=listed(lambda tag: isinstance(tag, dict) and text(tag.get("key")) and text(tag.get("value", ""))),
)


def may_go(row: Any) -> bool:
    """Return whether a row is wholly readable, at rest, unprotected for certain, and not touched for 14 days for certain."""
    if not (readable(row) and text(row.get("id")) and row.get("status") in AT_REST):
        return False
    name, tags, lease = row.get("name"), row.get("tags"), row.get("lease") or {}
    if name is None or name.lower().startswith("keep-") or tags is None or any(tag["key"] == "keep" for tag in tags):
        return False
    touched = [moment for moment in (row.get("update_at"), lease.get("update_at")) if moment is not None]
    if row.get("lease") is not None and lease.get("enable") is None:
        return False
    if lease.get("enable") and (lease.get("type") or "TIMING") == "TIMING":
        started, duration = lease.get("create_at"), lease.get("duration")
        if started is None or duration is None or duration <= 0:
            return False
        touched += [started + duration] if started + duration <= NOW_MS else []
    return bool(touched) and all(NOW_MS - moment > 14 * DAY_MS for moment in touched)


# ---- the cloud -------------------------------------------------------------------------------------------------------------


@dataclass
class Account:
    """A project whose listing is these rows, which are gone as soon as they are deleted."""

    rows: list[Any]
    excess: int = 0
    """By how much its total is wrong."""
    said: dict[str, Said] = field(default_factory=dict)
    """What it answers to a kind of call instead; a DELETE does its work all the same."""
    sent: list[str] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    """DELETEs that came for what could not be told to be theirs to delete: by the rows of that moment."""
    deleted: list[str] = field(default_factory=list)

    def answer(self, method: str, url: URL) -> Said:
        """Answer a call."""
        path = url.path.removeprefix(f"/v1/{PROJECT}")
        if path == "/workspaces":
            return Said(200, b'{"workspaces": [{"id": "0"}], "total_count": 1}')
        if path == "/notebooks/all":
            return self.said.get("page") or self._page(int(url.query["offset"]), url.query.get("status"))
        notebook_id = path.removeprefix("/notebooks/")
        mine = [row for row in self.rows if isinstance(row, dict) and row.get("id") == notebook_id]
        if method == "DELETE":
            return self._delete(notebook_id, mine)
        return self.said.get("show") or (Said(200, json_bytes(mine[0])) if mine else GONE)

    def _page(self, offset: int, status: str | None) -> Said:
        rows = [row for row in self.rows if status is None or (isinstance(row, dict) and row.get("status") == status)]
        page = {"data": rows[offset : offset + 50], "total": max(0, len(rows) + self.excess)}
        return Said(200, json_bytes(page))

    def _delete(self, notebook_id: str, mine: list[Any]) -> Said:
        self.sent.append(notebook_id)
        if not mine:
            return GONE
        if len(mine) > 1 or not may_go(mine[0]):
            self.asked_for.append(notebook_id)
        self.deleted.append(notebook_id)
        self.rows = [row for row in self.rows if not (isinstance(row, dict) and row.get("id") == notebook_id)]
        return self.said.get("delete") or Said(200, json_bytes(mine[0]))


async def swept(account: Account, then: Callable[[], None] = lambda: None) -> Report:
    """Do a whole sweep; `then` happens between its plan and its first second look."""
    clock, telemetry = FakeClock(), RecordingTelemetry()
    ports = Ports(client_of(account.answer, clock, telemetry), InMemoryJournal(), clock, telemetry)

    async def approve(_plan: Plan, _spared: object) -> bool:
        then()
        return True

    area, brakes = Area("research", None, ("NOTEBOOK",)), Brakes(None, None, None)
    with anyio.fail_after(FOR_EVER_S):
        report = await Sweeper(area, ports, options(), brakes, Shutdown()).sweep(Run("run1", "cron", dry_run=False), approve)
    told = {removal.notebook_id for removal in report.removals if removal.state == "DELETED"}
    assert told <= set(account.deleted), "what is told to be deleted is"
    assert report.error or all(removal.ended for removal in report.removals)
    assert Counter(account.sent).keys() <= {removal.notebook_id for removal in report.removals}
    return report


# ---- what the cloud shows --------------------------------------------------------------------------------------------------


def clean(number: int) -> dict[str, Any]:
    """Describe a notebook that may go, all of whose facts are there."""
    return {
        "id": f"nb{number}",
        "name": f"experiment-{number}",
        "description": "",
        "status": "STOPPED",
        "feature": "NOTEBOOK",
        "flavor": "modelarts.vm.cpu.2u",
        "workspace_id": "0",
        "user": {"id": "u1", "name": "alice", "domain": {"id": "d1", "name": "acct"}},
        "user_id": "u1",
        "lease": {"create_at": NOW_MS - 200 * DAY_MS, "update_at": NOW_MS - 100 * DAY_MS, "duration": -1, "enable": False},
        "volume": {"category": "EVS", "ownership": "MANAGED", "capacity": 50},
        "image": {"id": "i1", "name": "pytorch"},
        "billing_items": ["STORAGE"],
        "tags": [],
        "create_at": NOW_MS - 200 * DAY_MS + number,
        "update_at": NOW_MS - 100 * DAY_MS,
        "token": "secret",
        "url": "https://secret",
    }


edges = st.sampled_from(
    [
        *(NOW_MS - days * DAY_MS for days in (0, 13, 15, -400)),
        *(NOW_MS // 1000, 0, -1, OLDEST_MS, LATEST_MS, 10**30),
    ]
)
states = st.sampled_from(
    [*sorted(AT_REST), "RUNNING", "FROZEN", "STOPPING", "DELETING", "DELETED", "INIT", "HIBERNATED", "stopped", ""]
)
leases = st.fixed_dictionaries(
    {}, optional={"create_at": edges, "update_at": edges, "duration": edges, "enable": st.booleans() | values, "type": values}
)
tags = st.lists(st.fixed_dictionaries({}, optional={"key": st.just("keep") | values, "value": values}), max_size=2)
telling = {
    "status": states,
    "update_at": edges,
    "create_at": edges,
    "lease": leases,
    "tags": tags,
    "name": st.sampled_from(["keep-this", "KEEP-this", "not-keep", None]),
    "workspace_id": st.sampled_from([0, "1", None]),
}
"""For each field that decides, values that only just do, or only just do not."""
anything = st.dictionaries(st.sampled_from(sorted(clean(1))), values, max_size=3)
changes = st.one_of(*(st.fixed_dictionaries({name: each}) for name, each in telling.items()), anything)
drops = st.sets(st.sampled_from(sorted(clean(1))), max_size=2)


@st.composite
def fleets(draw: st.DrawFn) -> list[Any]:
    """Draw a few rows: clean ones, changed ones, ones without some of their fields, and what is no row at all."""
    rows: list[Any] = []
    for number in range(1, 1 + draw(st.integers(1, 6))):
        row = clean(number)
        if draw(st.booleans()):
            row |= draw(changes)
        elif draw(st.booleans()):
            gone = draw(drops)
            row = {key: value for key, value in row.items() if key not in gone}
        rows.append(row)
    return rows + draw(st.lists(values, max_size=1))


def is_json(rows: list[Any]) -> bool:
    """Return whether a listing is JSON at all: infinite numbers and half characters are none, and then nothing is read."""
    try:
        json.dumps(rows, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def torn(account: Account) -> bool:
    """Return whether a listing contradicts itself: an id that comes twice, or another number of rows than it says."""
    ids = Counter(row["id"] for row in account.rows if isinstance(row, dict) and text(row.get("id")))
    return account.excess != 0 or any(count > 1 for count in ids.values())


# ---- the sweeps ------------------------------------------------------------------------------------------------------------


@fuzzing
@given(fleets())
async def test_what_is_malformed_or_unknown_is_never_deleted(rows: list[Any]) -> None:
    """Any field missing, of a wrong type, extreme, or unknown; whoever is clean goes all the same, and the sweep ends."""
    account = Account(list(rows))
    report = await swept(account)
    assert account.asked_for == []
    elsewhere = [row for row in rows if isinstance(row, dict) and row.get("workspace_id") not in ("0", 0, None)]
    if is_json(rows) and not (torn(Account(rows)) or elsewhere):
        assert report.error is None
        assert {row["id"] for row in rows if row in [clean(number) for number in range(1, 7)]} <= set(account.deleted)


@fuzzing
@given(fleets(), st.sampled_from([-7, -1, 1, 49, 10**9]), st.sampled_from(["total", "id"]), st.data())
async def test_of_a_listing_that_contradicts_itself_nothing_is_deleted(
    rows: list[Any], excess: int, wrong: Literal["total", "id"], data: st.DataObject
) -> None:
    """A total that is wrong, or an id that comes twice, and the second row may even be another."""
    clean_row = clean(9)
    twin = clean_row | data.draw(
        st.just({}) | st.fixed_dictionaries({"status": states}) | st.fixed_dictionaries({"update_at": edges})
    )
    account = Account([*rows, clean_row, twin]) if wrong == "id" else Account([*rows, clean_row], excess)
    await swept(account)
    assert account.sent == []


@fuzzing
@given(fleets())
async def test_the_second_look_is_held_to_the_same(later: list[Any]) -> None:
    """All were planned, and between the plan and the DELETE each may become anything."""
    account = Account([clean(number) for number in range(1, 8)])

    def become() -> None:
        account.rows = list(later)

    await swept(account, become)
    assert account.asked_for == []


@fuzzing
@given(st.dictionaries(st.sampled_from(["page", "show", "delete"]), answers, min_size=1), st.integers(1, 3))
async def test_any_answer_after_the_plan_ends_in_an_outcome(said: dict[str, Said], count: int) -> None:
    """To second looks, DELETEs and proofs alike: nothing is deleted twice, nothing is told to be deleted that is not."""
    account = Account([clean(number) for number in range(1, 1 + count)])
    await swept(account, lambda: account.said.update(said))
    assert all(sent <= 8 for sent in Counter(account.sent).values())


@fuzzing
@given(st.builds(Said, st.just(200), bodies) | answers)
async def test_a_listing_that_is_none_deletes_nothing(said: Said) -> None:
    """Whatever comes instead of it."""
    account = Account([clean(1)], said={"page": said})
    await swept(account)
    assert account.sent == []
