from typing import Any

import pytest

from nbsweep.simulator import DialectOptions, LeaseSpec, TimingOptions
from unit.simulator.support import HOUR_MS, PROJECT, START_MS, START_S, STEADY, Desk, notebook, simulated

TIMING = TimingOptions(
    deletion_median_s=5, deletion_spread=0, create_s=30, start_s=20, stop_s=10, snapshot_s=60, deleted_row_s=40
)


def lease_until(end_ms: int, **fields: Any) -> LeaseSpec:
    """Describe an enabled lease that began an hour before the start and ends at `end_ms`."""
    begun_ms = START_MS - HOUR_MS
    return LeaseSpec(create_at=begun_ms, duration=end_ms - begun_ms, enable=True, **fields)


async def refusal(desk: Desk, verb: str) -> str:
    """Try to delete, stop or start, and return the error code."""
    reply = await desk.delete("nb") if verb == "delete" else await desk.post("nb", verb)
    assert reply.status == 400
    return reply.code.removeprefix("ModelArts.")


@pytest.mark.parametrize("status", ["STOPPED", "CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"])
async def test_a_notebook_at_rest_is_deleted_in_time(status: str) -> None:
    """DELETE answers 200 and DELETING at once; five seconds later the notebook is gone."""
    async with simulated(notebook(status=status)) as desk:
        reply = await desk.delete("nb")
        assert (reply.status, reply.json["id"], reply.json["status"]) == (200, "nb", "DELETING")
        desk.time.now_s += 4.9
        assert await desk.status("nb") == "DELETING"
        desk.time.now_s += 0.1
        assert (await desk.show("nb")).code == "ModelArts.6309"
        assert (await desk.notebooks()).names == []


@pytest.mark.parametrize(
    ("status", "after_s", "becomes"),
    [
        ("INIT", 30, "CREATING"),
        ("INIT", 60, "RUNNING"),
        ("CREATING", 30, "RUNNING"),
        ("STARTING", 20, "RUNNING"),
        ("STOPPING", 10, "STOPPED"),
        ("SNAPSHOTTING", 60, "STOPPED"),
    ],
)
async def test_transitions_end_by_themselves(status: str, after_s: float, becomes: str) -> None:
    """A notebook in transition arrives after its time, not before, and its date says when."""
    async with simulated(notebook(status=status), timing=TIMING) as desk:
        desk.time.now_s += after_s - 0.001
        assert await desk.status("nb") != becomes
        desk.time.now_s += 10
        row = (await desk.show("nb")).json
        assert row["status"] == becomes
        assert row["update_at"] == START_MS + after_s * 1000


async def test_a_deletion_that_is_under_way_at_the_start_ends() -> None:
    """A notebook that begins as DELETING goes as well."""
    async with simulated(notebook(status="DELETING")) as desk:
        desk.time.now_s += 5
        assert (await desk.show("nb")).status == 400


@pytest.mark.parametrize(
    ("status", "verb", "number"),
    [
        ("RUNNING", "delete", "6304"),
        ("INIT", "delete", "6357"),
        ("CREATING", "delete", "6357"),
        ("STARTING", "delete", "6306"),
        ("STOPPING", "delete", "6308"),
        ("SNAPSHOTTING", "delete", "6357"),
        ("DELETING", "delete", "6357"),
        ("FROZEN", "delete", "6326"),
        ("STOPPED", "stop", "6307"),
        ("STOPPING", "stop", "6308"),
        ("STARTING", "stop", "6306"),
        ("FROZEN", "stop", "6326"),
        ("ERROR", "stop", "6327"),
        ("DELETING", "stop", "6357"),
        ("RUNNING", "start", "6305"),
        ("STARTING", "start", "6306"),
        ("STOPPING", "start", "6308"),
        ("FROZEN", "start", "6326"),
        ("CREATE_FAILED", "start", "6357"),
        ("DELETING", "start", "6357"),
    ],
)
async def test_what_does_not_fit_the_status_is_refused(status: str, verb: str, number: str) -> None:
    """Each refusal has its own code, and changes nothing."""
    async with simulated(notebook(status=status)) as desk:
        assert await refusal(desk, verb) == number
        assert await desk.status("nb") == status
        assert (await desk.truth("nb"))["accepted_deletes"] == 0


async def test_a_running_notebook_can_be_deleted_where_the_dialect_allows_it() -> None:
    """Sources conflict, so both are possible: here DELETE of RUNNING and of FROZEN is accepted."""
    dialect = DialectOptions(delete_requires_stopped=False, delete_frozen=True)
    async with simulated(notebook("a", status="RUNNING"), notebook("b", status="FROZEN"), dialect=dialect) as desk:
        assert (await desk.delete("a")).status == 200
        assert (await desk.delete("b")).status == 200


async def test_a_second_delete_is_refused() -> None:
    """While DELETING: 6357. Afterwards: what the dialect says of notebooks that are gone."""
    async with simulated(notebook()) as desk:
        await desk.delete("nb")
        assert await refusal(desk, "delete") == "6357"
        desk.time.now_s += 5
        assert await refusal(desk, "delete") == "6309"
        assert (await desk.truth("nb"))["accepted_deletes"] == 1


@pytest.mark.parametrize(
    ("gone_answer", "status", "code"),
    [
        ("400/6309", 400, "ModelArts.6309"),
        ("400/6404", 400, "ModelArts.6404"),
        ("404", 404, "ModelArts.6309"),
        ("DELETED", 400, "ModelArts.6309"),
    ],
)
async def test_gone_is_said_in_the_dialect(gone_answer: Any, status: int, code: str) -> None:
    """GET and DELETE of a notebook that never was get the same answer as of one that is gone."""
    async with simulated(notebook(), dialect=DialectOptions(gone_answer=gone_answer), timing=TIMING) as desk:
        await desk.delete("nb")
        desk.time.now_s += 5 + 40
        for notebook_id in ("nb", "never-was"):
            for reply in (await desk.show(notebook_id), await desk.delete(notebook_id)):
                assert (reply.status, reply.code) == (status, code)


async def test_a_deleted_row_lingers_where_the_dialect_shows_it() -> None:
    """For forty seconds the row is there with status DELETED, in lists too, and DELETE is refused."""
    async with simulated(notebook(), dialect=DialectOptions(gone_answer="DELETED"), timing=TIMING) as desk:
        await desk.delete("nb")
        desk.time.now_s += 44.9
        assert await desk.status("nb") == "DELETED"
        assert (await desk.notebooks(status="DELETED")).names == ["nb"]
        assert await refusal(desk, "delete") == "6309"
        desk.time.now_s += 0.1
        assert (await desk.notebooks()).names == []


async def test_reads_can_be_stale() -> None:
    """For three seconds after DELETE the old status is shown everywhere; the truth knows better."""
    timing = TimingOptions(deletion_median_s=5, deletion_spread=0, stale_s=3)
    async with simulated(notebook(status="ERROR"), timing=timing) as desk:
        assert (await desk.delete("nb")).json["status"] == "DELETING"
        desk.time.now_s += 2.9
        assert await desk.status("nb") == "ERROR"
        assert (await desk.notebooks(status="ERROR")).json["data"][0]["status"] == "ERROR"
        truth = await desk.truth("nb")
        assert (truth["status"], truth["shown_status"]) == ("DELETING", "ERROR")
        assert await refusal(desk, "delete") == "6357"
        desk.time.now_s += 0.1
        assert await desk.status("nb") == "DELETING"


async def test_reads_can_be_stale_beyond_the_end() -> None:
    """A row may still be shown when its notebook is gone already; acting on it finds nothing."""
    timing = TimingOptions(deletion_median_s=1, deletion_spread=0, stale_s=3)
    async with simulated(notebook(), timing=timing) as desk:
        await desk.delete("nb")
        desk.time.now_s += 2
        assert await desk.status("nb") == "STOPPED"
        assert await refusal(desk, "delete") == "6309"
        assert (await desk.truth("nb"))["deleted"]
        desk.time.now_s += 1
        assert (await desk.show("nb")).status == 400


async def test_stop_takes_its_time() -> None:
    """RUNNING, STOPPING, STOPPED; then it can be deleted."""
    async with simulated(notebook(status="RUNNING"), timing=TIMING) as desk:
        reply = await desk.post("nb", "stop")
        assert (reply.status, reply.json["status"]) == (200, "STOPPING")
        desk.time.now_s += 10
        assert await desk.status("nb") == "STOPPED"
        assert (await desk.delete("nb")).status == 200


async def test_start_grants_a_lease_counted_from_its_creation() -> None:
    """The answered duration is the total since create_at: an hour before the start, plus two hours granted."""
    async with simulated(notebook(lease=lease_until(START_MS)), timing=TIMING) as desk:
        reply = await desk.post("nb", "start", duration=2 * HOUR_MS, type="TIMING")
        assert reply.json["status"] == "STARTING"
        lease = {"create_at": START_MS - HOUR_MS, "update_at": START_MS, "duration": 3 * HOUR_MS, "enable": True}
        assert reply.json["lease"] == lease | {"type": "TIMING"}
        desk.time.now_s += 20
        assert await desk.status("nb") == "RUNNING"
        desk.time.now_s = START_S + 2 * 3600
        assert await desk.status("nb") == "STOPPED"


async def test_start_without_parameters_grants_an_hour() -> None:
    """The default lease is TIMING, one hour."""
    async with simulated(notebook(create_at=START_MS)) as desk:
        lease = (await desk.post("nb", "start")).json["lease"]
        assert (lease["duration"], lease["type"], lease["enable"]) == (HOUR_MS, "TIMING", True)


async def test_start_can_switch_the_lease_off() -> None:
    """Duration -1: no automatic stop."""
    async with simulated(notebook(lease=lease_until(START_MS))) as desk:
        lease = (await desk.post("nb", "start", duration=-1)).json["lease"]
        assert (lease["enable"], lease["duration"]) == (False, -1)
        desk.time.now_s += 1_000_000
        assert await desk.status("nb") == "RUNNING"


@pytest.mark.parametrize(
    ("parameters", "number"),
    [({"duration": HOUR_MS - 1}, "6349"), ({"duration": 72 * HOUR_MS + 1}, "6349"), ({"duration": "x"}, "0104")],
)
async def test_impossible_leases_are_refused(parameters: dict[str, Any], number: str) -> None:
    """One to seventy-two hours, in whole milliseconds."""
    async with simulated(notebook()) as desk:
        assert (await desk.post("nb", "start", **parameters)).code == f"ModelArts.{number}"
        assert (await desk.post("nb", "start", type="NEVER")).code == "ModelArts.0104"


async def test_a_running_notebook_stops_at_the_end_of_its_lease() -> None:
    """Not a millisecond earlier; and its date is the end of the lease."""
    async with simulated(notebook(status="RUNNING", lease=lease_until(START_MS + HOUR_MS))) as desk:
        desk.time.now_s += 3599.9
        assert await desk.status("nb") == "RUNNING"
        desk.time.now_s += 7200
        row = (await desk.show("nb")).json
        assert (row["status"], row["update_at"]) == ("STOPPED", START_MS + HOUR_MS)


@pytest.mark.parametrize("lease", [None, LeaseSpec(), lease_until(START_MS, type="IDLE")])
async def test_without_a_timing_lease_it_runs_on(lease: LeaseSpec | None) -> None:
    """No lease, a disabled one, or one that waits for idleness: the clock alone stops nothing."""
    async with simulated(notebook(status="RUNNING", lease=lease)) as desk:
        desk.time.now_s += 10_000_000
        assert await desk.status("nb") == "RUNNING"


async def test_renewing_puts_the_stop_off() -> None:
    """PATCH lease grants two hours from now; the old end passes by."""
    path = f"/v1/{PROJECT}/notebooks/nb/lease"
    async with simulated(notebook(status="RUNNING", lease=lease_until(START_MS + HOUR_MS))) as desk:
        reply = await desk.call("PATCH", path, body={"duration": 2 * HOUR_MS, "type": "TIMING"})
        assert (reply.status, reply.json["duration"]) == (200, 3 * HOUR_MS)
        assert (await desk.call("GET", path)).json == reply.json
        desk.time.now_s += 7199
        assert await desk.status("nb") == "RUNNING"
        desk.time.now_s += 1
        assert await desk.status("nb") == "STOPPED"


async def test_a_duration_in_the_query_outdoes_the_body() -> None:
    """It also makes the lease a TIMING one."""
    async with simulated(notebook(status="RUNNING", create_at=START_MS)) as desk:
        path = f"/v1/{PROJECT}/notebooks/nb/lease"
        body = {"duration": 2 * HOUR_MS, "type": "IDLE"}
        lease = (await desk.call("PATCH", path, {"duration": HOUR_MS}, body=body)).json
        assert (lease["duration"], lease["type"]) == (HOUR_MS, "TIMING")
        assert (await desk.call("PATCH", path, body=body)).json["type"] == "IDLE"
        assert (await desk.call("PATCH", path, body=[])).code == "ModelArts.0104"


async def test_only_running_notebooks_have_a_lease_to_show() -> None:
    """GET and PATCH of a stopped one's lease: 6327."""
    async with simulated(notebook()) as desk:
        for method in ("GET", "PATCH"):
            assert (await desk.call(method, f"/v1/{PROJECT}/notebooks/nb/lease")).code == "ModelArts.6327"


async def test_deletions_take_times_around_the_median() -> None:
    """With a spread, some take longer than the median and some less, always the same for the same seed."""
    timing = TimingOptions(deletion_median_s=20, deletion_spread=0.5)
    fleet = [notebook(f"n{number}") for number in range(40)]
    spans = []
    for _ in range(2):
        async with simulated(*fleet, timing=timing) as desk:
            for spec in fleet:
                await desk.delete(spec.name)
            desk.time.now_s += 10_000
            truths = await desk.admin("GET", "instances")
            spans.append([truth["history"][-1]["at"] - START_S for truth in truths])
    assert spans[0] == spans[1]
    assert 10 < sum(span < 20 for span in spans[0]) < 30
    assert all(2 < span < 200 for span in spans[0])


def test_steady_deletions_have_no_spread() -> None:
    """The other tests count on exactly five seconds."""
    assert (STEADY.deletion_median_s, STEADY.deletion_spread) == (5, 0)
