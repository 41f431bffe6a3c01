import asyncio
from random import Random
from typing import Any

import aiohttp
import pytest

from nbsweep.simulator import FaultOptions, FleetOptions, NotebookSpec, ScriptedFault, SimulatorOptions, TimingOptions
from nbsweep.simulator.api.faults import Faults
from nbsweep.simulator.randomness import Randomness
from nbsweep.simulator.vocabulary import FaultName
from unit.simulator.support import PROJECT, START_MS, Desk, notebook, simulated

FLEET = [notebook(f"n{number:02d}", create_at=START_MS + number * 1000) for number in range(12)]


def always(fault: FaultName, kind: Any = "delete", **options: Any) -> FaultOptions:
    """Let every call of a kind go wrong."""
    return FaultOptions(rates={kind: {fault: 1.0}}, **options)


def once(fault: FaultName, **item: Any) -> FaultOptions:
    """Let the first matching call go wrong."""
    return FaultOptions(script=(ScriptedFault(fault=fault, **item),))


async def doomed(desk: Desk) -> bool:
    """Delete `nb`, and tell whether the connection was closed without an answer."""
    try:
        await desk.delete("nb")
    except aiohttp.ClientConnectionError:
        return True
    return False


@pytest.mark.parametrize(
    ("fault", "status", "code", "done"),
    [
        ("error_500_before", 500, "ModelArts.0010", False),
        ("error_500_after", 500, "ModelArts.0010", True),
        ("gateway_timeout_after", 504, "APIGW.0201", True),
        ("throttle", 429, "APIGW.0308", False),
        ("error", 500, "ModelArts.0010", False),
    ],
)
@pytest.mark.parametrize("make", [always, once])
async def test_errors_come_before_or_after_the_work(make: Any, fault: FaultName, status: int, code: str, *, done: bool) -> None:
    """The answer is the same, but `before` leaves the notebook alone and `after` deletes it."""
    async with simulated(notebook(), faults=make(fault)) as desk:
        reply = await desk.delete("nb")
        assert (reply.status, reply.code) == (status, code)
        assert (await desk.truth("nb"))["accepted_deletes"] == int(done)
        assert desk.simulator.log.entries[-1].fault == fault
        assert desk.simulator.log.entries[-1].error_code == code


@pytest.mark.parametrize(
    ("fault", "done"), [("reset_before", False), ("reset_after", True), ("hang", False), ("hang_after", True)]
)
@pytest.mark.parametrize("make", [always, once])
async def test_connections_are_closed_without_an_answer(make: Any, fault: FaultName, *, done: bool) -> None:
    """The caller learns nothing; the work is done or not."""
    options = FaultOptions(hang_s=0.01, rates=make(fault).rates, script=make(fault).script)
    async with simulated(notebook(), faults=options) as desk:
        assert await doomed(desk)
        assert (await desk.truth("nb"))["accepted_deletes"] == int(done)
        entry = desk.simulator.log.entries[-1]
        assert (entry.status, entry.fault) == (None, fault)


@pytest.mark.parametrize(("fault", "accepted"), [("hang", 0), ("hang_after", 1)])
async def test_a_hanging_request_is_held(fault: FaultName, accepted: int) -> None:
    """For as long as its own item says, in real time; other requests go on, and show whether it has done its work."""
    async with simulated(notebook(), faults=once(fault, kind="delete", hold_s=30)) as desk:
        hanging = asyncio.create_task(desk.delete("nb"))
        assert (await desk.show("nb")).status == 200
        assert (await desk.truth("nb"))["accepted_deletes"] == accepted
        assert not hanging.done()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging


@pytest.mark.parametrize("make", [always, once])
async def test_a_delete_can_be_answered_without_a_body(make: Any) -> None:
    """204, empty; the deletion is under way."""
    async with simulated(notebook(), faults=make("no_content")) as desk:
        reply = await desk.delete("nb")
        assert (reply.status, reply.text) == (204, "")
        assert await desk.status("nb") == "DELETING"


async def test_an_answer_without_a_body_is_for_accepted_deletes_only() -> None:
    """Other calls keep theirs, and a refusal stays a refusal."""
    async with simulated(notebook(status="RUNNING"), faults=always("no_content", "all")) as desk:
        assert (await desk.notebooks()).status == 200
        assert (await desk.delete("nb")).code == "ModelArts.6304"


async def test_an_error_can_repeat_the_request() -> None:
    """500, and in its message every header that was sent; nothing was done."""
    async with simulated(notebook(), faults=always("echo")) as desk:
        reply = await desk.delete("nb")
        assert (reply.status, reply.code) == (500, "ModelArts.0010")
        assert "SDK-HMAC-SHA256 Access=" in reply.text
        assert (await desk.truth("nb"))["accepted_deletes"] == 0


async def test_a_proxy_answers_in_html() -> None:
    """502 with a page instead of JSON."""
    async with simulated(notebook(), faults=always("html_502", "show")) as desk:
        reply = await desk.show("nb")
        assert reply.status == 502
        assert reply.headers["Content-Type"].startswith("text/html")
        assert reply.text.startswith("<html>")


@pytest.mark.parametrize("make", [always, once])
async def test_a_deletion_can_get_stuck(make: Any) -> None:
    """It is accepted and never ends."""
    async with simulated(notebook(), faults=make("stuck_deleting")) as desk:
        assert (await desk.delete("nb")).status == 200
        desk.time.now_s += 1_000_000
        assert await desk.status("nb") == "DELETING"


@pytest.mark.parametrize("make", [always, once])
async def test_a_deletion_can_fail(make: Any) -> None:
    """It is accepted and ends as DELETE_FAILED, with a reason."""
    async with simulated(notebook(), faults=make("delete_failed")) as desk:
        assert (await desk.delete("nb")).status == 200
        desk.time.now_s += 5
        row = (await desk.show("nb")).json
        assert (row["status"], row["fail_reason"]) == ("DELETE_FAILED", FaultOptions().fail_reason)


async def test_a_failed_deletion_can_be_tried_again() -> None:
    """One scripted failure befalls one attempt: the second one goes through."""
    async with simulated(notebook(), faults=once("delete_failed", fail_reason="Disk is busy.")) as desk:
        await desk.delete("nb")
        desk.time.now_s += 5
        assert (await desk.show("nb")).json["fail_reason"] == "Disk is busy."
        await desk.delete("nb")
        desk.time.now_s += 5
        assert (await desk.show("nb")).status == 400
        assert (await desk.truth("nb"))["accepted_deletes"] == 2


async def test_a_fate_waits_for_an_accepted_delete() -> None:
    """A refused DELETE does not use up the script's failure."""
    async with simulated(notebook(status="RUNNING"), faults=once("delete_failed")) as desk:
        assert (await desk.delete("nb")).code == "ModelArts.6304"
        await desk.post("nb", "stop")
        desk.time.now_s += 10
        await desk.delete("nb")
        desk.time.now_s += 5
        assert await desk.status("nb") == "DELETE_FAILED"


async def pages(desk: Desk, direction: str) -> tuple[list[str], list[int]]:
    """Read both pages of a listing; return the names and the totals."""
    replies = [await desk.notebooks(offset=offset, sort_dir=direction) for offset in (0, 10)]
    return [name for reply in replies for name in reply.names], [reply.json["total"] for reply in replies]


async def test_a_row_can_vanish_between_two_pages() -> None:
    """One row of the first page goes, the rest shifts, and the row that moved up is never seen."""
    async with simulated(*FLEET, faults=once("row_vanishes")) as desk:
        names, totals = await pages(desk, "ASC")
        assert totals == [12, 11]
        assert names == [f"n{number:02d}" for number in (*range(10), 11)]
        gone = [truth for truth in await desk.admin("GET", "instances") if truth["deleted"]]
        assert [truth["history"][-1]["cause"] for truth in gone] == ["user"]


async def test_a_row_can_appear_between_two_pages() -> None:
    """Youngest first, the new row pushes the last of the first page onto the second one."""
    async with simulated(*FLEET, faults=once("row_appears")) as desk:
        desk.time.now_s += 60
        names, totals = await pages(desk, "DESC")
        assert totals == [12, 13]
        assert names == [f"n{number:02d}" for number in (11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 2, 1, 0)]


async def test_pages_are_torn_either_way() -> None:
    """With `torn_pages` the seed decides whether a row appears or vanishes; the last page tears nothing."""
    outcomes = set()
    for seed in range(8):
        async with simulated(*FLEET, seed=seed, faults=always("torn_pages", "list_all")) as desk:
            _, totals = await pages(desk, "ASC")
            outcomes.add(totals[1])
            assert (await desk.notebooks()).json["total"] == totals[1]
    assert outcomes == {11, 13}


async def test_a_script_picks_its_requests() -> None:
    """Method, kind, part of the path, notebook and number must all fit; then the item is used up."""
    item = ScriptedFault(
        fault="error",
        method="GET",
        kind="show",
        path_contains="/notebooks/",
        notebook_id="b",
        nth=2,
        times=2,
        status=400,
        error_code="ModelArts.6333",
        error_msg="Being restored.",
    )
    async with simulated(notebook("a"), notebook("b"), faults=FaultOptions(script=(item,))) as desk:
        assert (await desk.show("a")).status == 200
        assert [(await desk.show("b")).status for _ in range(4)] == [200, 400, 400, 200]
        entry = desk.simulator.log.entries[-2]
        assert (entry.error_code, entry.fault) == ("ModelArts.6333", "error")


@pytest.mark.parametrize(
    "condition",
    [{"method": "PUT"}, {"kind": "list"}, {"path_contains": "/elsewhere"}, {"notebook_id": "other"}],
)
async def test_a_script_leaves_other_requests_alone(condition: dict[str, Any]) -> None:
    """One condition that does not hold is enough."""
    async with simulated(notebook(), faults=once("error", **condition)) as desk:
        assert (await desk.show("nb")).status == 200


async def test_scripts_are_consumed_in_order() -> None:
    """Two items for the same requests: first the first, then the second."""
    script = (ScriptedFault(fault="html_502"), ScriptedFault(fault="throttle"))
    async with simulated(notebook(), faults=FaultOptions(script=script)) as desk:
        assert [(await desk.show("nb")).status for _ in range(3)] == [502, 429, 200]


async def test_a_throttled_request_meets_no_fault() -> None:
    """A request that the gateway refuses draws no fault, so that timing does not change the faults."""
    async with simulated(notebook(), faults=once("html_502", kind="delete")) as desk:
        assert (await desk.call("DELETE", f"/v1/{PROJECT}/notebooks/nb", key=None)).status == 401
        assert (await desk.delete("nb")).status == 502


def thrown(options: FaultOptions, seed: int, order: Random) -> dict[tuple[str, int], str | None]:
    """Send each of 40 notebooks three DELETEs in a random order; return the faults by notebook and number."""
    faults = Faults(options, Randomness(seed))
    calls = [f"n{number}" for number in range(40)] * 3
    order.shuffle(calls)
    outcome: dict[tuple[str, int], str | None] = {}
    for name in calls:
        subject = faults.subject("DELETE", f"/v1/p/notebooks/{name}", "delete", name)
        fault = faults.of_request(subject)
        outcome[name, subject.nth] = fault.fault if fault else None
    return outcome


def test_the_same_seed_throws_the_same_faults_in_any_order() -> None:
    """What befalls the n-th call about a notebook does not depend on the other calls."""
    options = FaultOptions(rates={"delete": {"error_500_before": 0.2}, "all": {"reset_after": 0.2}})
    first = thrown(options, 7, Randomness(1).stream("order"))
    assert first == thrown(options, 7, Randomness(2).stream("order"))
    assert first != thrown(options, 8, Randomness(1).stream("order"))
    # Of 120 calls a fifth get the first fault, and a fifth of the others the second.
    tally = list(first.values())
    assert 12 <= tally.count("error_500_before") <= 36
    assert 10 <= tally.count("reset_after") <= 30


async def test_concurrent_requests_meet_the_same_faults() -> None:
    """Over HTTP too: shuffled and all at once, each notebook fares as before."""
    fleet = [NotebookSpec(id=f"n{number}") for number in range(30)]
    rates = FaultOptions(rates={"delete": {"error_500_after": 0.3, "html_502": 0.3, "stuck_deleting": 0.5}})
    fates = []
    for shuffle in range(2):
        async with simulated(*fleet, faults=rates) as desk:
            order = [spec.id or "" for spec in fleet]
            Randomness(shuffle).stream("order").shuffle(order)
            await asyncio.gather(*(desk.delete(name) for name in order))
            desk.time.now_s += 5
            faults = {entry.notebook_id: entry.fault for entry in desk.simulator.log.entries}
            statuses = {truth["id"]: truth["status"] for truth in await desk.admin("GET", "instances")}
            fates.append((faults, statuses))
    assert fates[0] == fates[1]
    assert set(fates[0][1].values()) == {"STOPPED", "DELETING", "DELETED"}


async def test_answers_take_their_time() -> None:
    """Latency is real time around its median: the request is held, not refused."""
    options = SimulatorOptions(
        fleet=FleetOptions(notebooks=0), timing=TimingOptions(latency_median_s=0.005, latency_spread=0.1)
    )
    async with simulated(fleet=options.fleet, timing=options.timing) as desk:
        begun_s = asyncio.get_running_loop().time()
        assert (await desk.notebooks()).status == 200
        assert asyncio.get_running_loop().time() - begun_s >= 0.003
