import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders import NOON, removal, run_record
from nbsweep.core.lifecycle import Removal
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.runs import RunRecord
from nbsweep.service.control import Phase, TargetState
from nbsweep.service.web.responses import ROWS_AT_ONCE
from nbsweep.testing import InMemoryJournal
from unit.service.web.support import BEARER, EARLIER, LANES_DOCUMENT, FakeControl, Scene, filled_journal, state, token_file

RESEARCH = {
    "target": "research",
    "phase": "waiting",
    "dry_run": False,
    "paused": False,
    "pause": None,
    "next_run": "2026-03-01T12:00:00.000Z",
    "last_success": "2026-02-28T03:00:00.000Z",
    "failures": 0,
    "problem": None,
    "accounts_ahead": None,
    "lanes": LANES_DOCUMENT,
}
FIRST_RUN = {
    "run_id": "20260228T030000Z-aaaaaa",
    "target": "research",
    "outcome": "finished",
    "problem": None,
    "dry_run": False,
    "overrides": None,
    "started_by": "cron",
    "started_at": "2026-02-28T03:00:00.000Z",
    "ended_at": "2026-03-01T12:00:00.000Z",
    "fleet": 40,
    "planned": 2,
    "kept": {"no-policy": 38},
    "lanes": LANES_DOCUMENT,
}
SECOND_RUN: dict[str, object] = {
    "run_id": "20260301T030000Z-bbbbbb",
    "target": "research",
    "outcome": "running",
    "problem": None,
    "dry_run": True,
    "overrides": None,
    "started_by": "service",
    "started_at": "2026-03-01T12:00:00.000Z",
    "ended_at": None,
    "fleet": 0,
    "planned": 0,
    "kept": {},
    "lanes": {},
}
FIRST_COUNTED = FIRST_RUN | {"counts": {"deleted": 1, "spared": 1, "unfinished": 1}, "reclaimed_gb": 50}
SECOND_COUNTED = SECOND_RUN | {"counts": {}, "reclaimed_gb": 0}
DELETED = {
    "target": "research",
    "id": "nb1",
    "name": "experiment-1",
    "outcome": "deleted",
    "reason": "proven gone",
    "policy": "old",
    "planned_because": "age 200d (over 1d)",
    "owner": "alice",
    "workspace": "0",
    "feature": "NOTEBOOK",
    "status_before": "STOPPED",
    "state": "DELETED",
    "requests": 1,
    "failures": 0,
    "capacity_gb": 50,
    "category": "EVS",
    "request_id": "req-1",
    "planned_at": "2026-03-01T12:00:00.000Z",
    "requested_at": "2026-02-28T03:00:00.000Z",
    "accepted_at": "2026-02-28T03:00:00.000Z",
    "ended_at": "2026-03-01T12:00:00.000Z",
}
ITEM = {
    "target": "research",
    "id": "nb7",
    "name": "experiment-7",
    "status": "STOPPED",
    "owner": "alice",
    "workspace": "0",
    "policy": "old",
    "reason": "age 200d (over 1d)",
    "stop_first": False,
    "feature": "NOTEBOOK",
    "flavor": "modelarts.vm.cpu.2u",
    "capacity_gb": 50,
    "category": "EVS",
    "ownership": "MANAGED",
    "created_at": "2025-08-13T12:00:06.000Z",
    "idle_since": "2025-11-21T12:00:00.000Z",
    "action": "delete",
}


async def test_targets_are_told_in_the_order_of_the_configuration() -> None:
    """Each with what the service knows of it."""
    control = FakeControl(
        state(),
        state("training", phase=Phase.BACKING_OFF, failures=3, problem="the cloud cannot be reached", last_success=None),
    )
    async with Scene(control).open() as face:
        status, document = await face.ask("GET", "/api/v1/targets")
        training = {
            **RESEARCH,
            "target": "training",
            "phase": "backing-off",
            "failures": 3,
            "problem": "the cloud cannot be reached",
            "last_success": None,
        }
        assert (status, document) == (200, {"targets": [RESEARCH, training]})


async def test_a_target_is_told_with_its_last_sweep_and_what_has_no_end() -> None:
    """What `status` shows of it, and what the service knows."""
    async with Scene().open() as face:
        status, document = await face.ask("GET", "/api/v1/targets/research")
        assert isinstance(document, dict)
        assert status == 200
        assert [row["id"] for row in document.pop("unfinished")] == ["nb3"]
        assert document == {**RESEARCH, "last_sweep": SECOND_RUN, "more_unfinished": False}


async def test_a_target_that_was_never_swept_has_no_last_sweep() -> None:
    """Null, which is not the same as an empty one."""
    async with Scene().open() as face:
        status, document = await face.ask("GET", "/api/v1/targets/training")
        assert isinstance(document, dict)
        assert (status, document["last_sweep"], document["unfinished"]) == (200, None, [])


@pytest.mark.parametrize("path", ["", "/plan", "/sweep", "/pause", "/resume"])
async def test_an_unknown_target_is_not_found(tmp_path: Path, path: str) -> None:
    """Whatever is asked of it."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        method = "POST" if path else "GET"
        assert (await face.error(method, f"/api/v1/targets/nobody{path}", headers=BEARER))[:2] == (404, "not-found")


async def test_runs_are_listed_newest_first_up_to_a_limit() -> None:
    """The keys are those of `history --format json`."""
    async with Scene().open() as face:
        assert await face.ask("GET", "/api/v1/runs") == (200, {"runs": [SECOND_COUNTED, FIRST_COUNTED]})
        assert await face.ask("GET", "/api/v1/runs?limit=1") == (200, {"runs": [SECOND_COUNTED]})


async def test_without_a_limit_twenty_runs_are_listed() -> None:
    """As `history` does."""
    journal = InMemoryJournal()
    for number in range(25):
        started_at = EARLIER + timedelta(hours=number)
        await journal.open_run(run_record(f"run{number:02}", started_at=started_at))
    async with Scene(journal=journal).open() as face:
        _, document = await face.ask("GET", "/api/v1/runs")
        assert isinstance(document, dict)
        assert [run["run_id"] for run in document["runs"]] == [f"run{number:02}" for number in range(24, 4, -1)]


async def test_a_run_is_told_with_what_became_of_each_notebook() -> None:
    """The keys are those of `show --format json`."""
    async with Scene().open() as face:
        status, document = await face.ask("GET", "/api/v1/runs/20260228T030000Z-aaaaaa")
        assert isinstance(document, dict)
        assert status == 200
        assert document.keys() == {"run_id", "targets", "results", "next_offset"}
        assert (document["run_id"], document["targets"]) == ("20260228T030000Z-aaaaaa", [FIRST_COUNTED])
        assert document["results"][0] == DELETED
        assert [row["outcome"] for row in document["results"]] == ["deleted", "spared", "unfinished"]


async def test_a_run_without_removals_has_an_empty_list_of_results() -> None:
    """A list all the same."""
    async with Scene().open() as face:
        told = await face.ask("GET", "/api/v1/runs/20260301T030000Z-bbbbbb")
        document = {"run_id": "20260301T030000Z-bbbbbb", "targets": [SECOND_COUNTED], "results": [], "next_offset": None}
        assert told == (200, document)


async def test_an_unknown_run_is_not_found() -> None:
    """The sentence says where to look."""
    async with Scene().open() as face:
        status, code, message = await face.error("GET", "/api/v1/runs/nobody")
        assert (status, code) == (404, "not-found")
        assert "/api/v1/runs" in message


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
async def test_a_large_run_arrives_whole(count: int) -> None:
    """It is written piece by piece, and the pieces fit."""
    journal = InMemoryJournal()
    await journal.open_run(run_record())
    await journal.write([removal(notebook_id=f"nb{number}") for number in range(count)])
    async with Scene(journal=journal).open() as face:
        _, document = await face.ask("GET", "/api/v1/runs/run1")
        assert isinstance(document, dict)
        assert [row["id"] for row in document["results"]] == [f"nb{number}" for number in range(count)]


async def test_the_removals_of_a_notebook_are_told_over_all_runs() -> None:
    """The newest first; none when there were none, for that is an answer too."""
    journal = await filled_journal()
    await journal.write([removal(run_id="a-later-run", planned_at=NOON + timedelta(days=1))])
    async with Scene(journal=journal).open() as face:
        status, document = await face.ask("GET", "/api/v1/removals/nb1")
        assert isinstance(document, dict)
        assert (status, document["id"]) == (200, "nb1")
        assert [row["outcome"] for row in document["removals"]] == ["unfinished", "deleted"]
        assert document["removals"][1] == DELETED
        assert await face.ask("GET", "/api/v1/removals/nobody") == (200, {"id": "nobody", "removals": []})


async def test_a_plan_is_made_now_and_told_as_plan_tells_it(tmp_path: Path) -> None:
    """The keys are those of `plan --format json`."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        status, document = await face.ask("POST", "/api/v1/targets/research/plan", headers=BEARER)
        assert isinstance(document, dict)
        assert document.pop("plan_id").startswith("20260301T120000Z-")
        kept = {"no-policy": 38, "protected": 1}
        target = {
            "target": "research",
            "fleet": 40,
            "planned": 1,
            "refusal": None,
            "trimmed": None,
            "kept": kept,
            "workspaces_refused": [],
            "malformed": [],
            "excluded": [],
            "policies": [],
            "next_window": None,
            "marks": {
                "to_mark": 0,
                "to_clear": 0,
                "waiting": 0,
                "open": dict.fromkeys(("marked", "told", "due", "untold", "retried", "held_out", "exempt"), 0)
                | {"next_due_at": None},
                "refusals": [],
            },
            "error": None,
        }
        assert (status, document) == (
            200,
            {
                "created_at": "2026-03-01T12:00:00.000Z",
                "refusal": None,
                "refusals": [],
                "items": [ITEM],
                "to_mark": [],
                "kept": kept,
                "targets": [target],
            },
        )
        assert face.control.asked == [("plan", "research")]


async def test_one_plan_of_a_target_is_made_at_a_time(tmp_path: Path) -> None:
    """Each costs calls; another target's may be made meanwhile, and the next one afterwards, also when it failed."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        face.control.go_on.clear()
        first = asyncio.create_task(face.ask("POST", "/api/v1/targets/research/plan", headers=BEARER))
        await face.control.planning.wait()
        assert (await face.error("POST", "/api/v1/targets/research/plan", headers=BEARER))[:2] == (409, "conflict")
        face.control.go_on.set()
        assert (await face.ask("POST", "/api/v1/targets/training/plan", headers=BEARER))[0] == 200
        assert (await first)[0] == 200
        face.control.error = ValueError()
        assert (await face.ask("POST", "/api/v1/targets/research/plan", headers=BEARER))[0] == 500
        face.control.error = None
        assert (await face.ask("POST", "/api/v1/targets/research/plan", headers=BEARER))[0] == 200


async def test_a_sweep_is_asked_for_and_not_waited_for(tmp_path: Path) -> None:
    """202, with how the target stands."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        assert await face.ask("POST", "/api/v1/targets/research/sweep", headers=BEARER) == (202, RESEARCH)
        assert face.control.asked == [("sweep", "research")]


async def test_a_sweep_that_is_under_way_or_wanted_is_not_asked_for_again(tmp_path: Path) -> None:
    """409."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        face.control.willing = False
        assert (await face.error("POST", "/api/v1/targets/research/sweep", headers=BEARER))[:2] == (409, "conflict")


async def test_a_sweep_of_a_paused_target_is_refused_with_who_paused_it(tmp_path: Path) -> None:
    """409, and the request is not kept for later."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        status, code, message = await face.error("POST", "/api/v1/targets/training/sweep", headers=BEARER)
        assert (status, code) == (409, "conflict")
        assert message == "the target is paused by alice since 2026-02-28 03:00Z: moving house; resume it first"


async def test_a_target_is_paused_and_resumed(tmp_path: Path) -> None:
    """As often as somebody likes; the answer shows what it came to."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        pause = {"since": "2026-03-01T12:00:00.000Z", "by": "admin token (api)", "reason": None, "until": None}
        paused = {**RESEARCH, "paused": True, "pause": pause, "next_run": None}
        for _ in range(2):
            assert await face.ask("POST", "/api/v1/targets/research/pause", headers=BEARER) == (200, paused)
        assert await face.ask("POST", "/api/v1/targets/research/resume", headers=BEARER) == (200, RESEARCH)
        assert face.control.asked == [("pause", "research")] * 2 + [("resume", "research")]


async def test_names_of_other_people_cannot_break_out_of_a_document() -> None:
    """Whatever somebody has called his notebook."""
    name = '"}<script>\x1b[2J\u2028'
    journal = InMemoryJournal()
    await journal.write([removal(name=name)])
    async with Scene(journal=journal).open() as face, face.session.get(f"{face.url}/api/v1/removals/nb1") as response:
        assert response.content_type == "application/json"
        assert json.loads(await response.read())["removals"][0]["name"] == name


def test_no_record_that_is_told_has_room_for_a_secret() -> None:
    """Tokens, keys, signatures and a notebook's url are dropped where the cloud's answers are read, and have no field here."""
    secrets = ("token", "url", "secret", "access_key", "signature", "password", "credential", "authorization")
    for kind in (TargetState, RunRecord, Removal, Plan, Candidate):
        assert [field for field in kind.__struct_fields__ if any(word in field for word in secrets)] == []


async def test_no_answer_holds_the_token(tmp_path: Path) -> None:
    """Neither a document nor an error repeats what was shown."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        for method, path in [
            ("GET", "/readyz"),
            ("GET", "/api/v1/openapi.json"),
            ("GET", "/api/v1/targets/research"),
            ("POST", "/api/v1/targets/research/plan"),
            ("POST", "/api/v1/targets/research/sweep"),
            ("POST", "/api/v1/targets/nobody/sweep"),
            ("POST", "/nowhere"),
        ]:
            async with face.session.request(method, face.url + path, headers=BEARER) as response:
                told = f"{response.headers} {await response.text()}"
            assert BEARER["Authorization"].removeprefix("Bearer ") not in told
        assert "the-token" not in str(face.telemetry.records)


async def test_a_run_of_fifty_thousand_is_told_in_pages_of_a_thousand() -> None:
    """Each says where the next one begins; none is longer, whatever is asked for."""
    journal = await filled_journal()
    [run] = await journal.runs(1)
    await journal.open_run(replace(run, run_id="large"))
    await journal.write([removal(notebook_id=f"nb{number}", run_id="large") for number in range(2500)])
    seen: list[str] = []
    async with Scene(journal=journal).open() as face:
        offset: int | None = 0
        while offset is not None:
            status, page = await face.ask("GET", f"/api/v1/runs/large?offset={offset}")
            assert (status, isinstance(page, dict)) == (200, True)
            assert isinstance(page, dict)
            seen += [result["id"] for result in page["results"]]
            assert len(page["results"]) <= 1000
            offset = page["next_offset"]
        assert (await face.error("GET", "/api/v1/runs/large?limit=1001"))[0] == 400
        assert (await face.error("GET", "/api/v1/runs/large?offset=-1"))[0] == 400
    assert seen == [f"nb{number}" for number in range(2500)]
