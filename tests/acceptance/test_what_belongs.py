"""Servers that ignore what a listing was asked for, and listings that leave out what rules ask for."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from acceptance.conftest import Simulate
from acceptance.support import PROJECT, Desk, Json, days_ago, idle, idle_fleet
from nbsweep.simulator.state.model import identity

SCRATCH = identity("workspace", 1)
IGNORED = {"workspace_parameter": "none"}


def test_rows_of_the_default_workspace_are_never_taken_for_those_of_a_named_one(simulate: Simulate, desk: Desk) -> None:
    """W4: the server ignores the parameter, and its rows do not say where they belong: nothing goes, whoever shows it."""
    fleet = {"workspaces": 2}
    cloud = simulate(idle_fleet(3), fleet=fleet, dialect=IGNORED | {"omits": ["workspace_id"]})
    desk.write(cloud, target={"workspaces": [SCRATCH]})
    ended = desk.sweep()
    assert (ended.code, ended.document["kept"], cloud.writes()) == (0, {"unknown-fact": 3}, [])
    assert cloud.gone() == set()


def test_a_workspace_that_only_an_answer_by_id_shows_decides(simulate: Simulate, desk: Desk) -> None:
    """W4: the rows of the listing leave it out; each that may go is asked for, and belongs elsewhere."""
    cloud = simulate(idle_fleet(3), fleet={"workspaces": 2}, dialect=IGNORED | {"list_omits": ["workspace_id"]})
    desk.write(cloud, target={"workspaces": [SCRATCH]})
    ended = desk.sweep()
    assert (ended.code, ended.document["kept"], cloud.writes()) == (0, {"elsewhere": 3}, [])


def test_a_listing_without_workspaces_is_swept_whole_where_the_server_heeds_the_parameter(
    simulate: Simulate, desk: Desk
) -> None:
    """A5: each is asked for by id, and shows the workspace that was asked for."""
    rows = [row | {"workspace_id": SCRATCH} for row in idle_fleet(60)]
    cloud = simulate([*rows, *idle_fleet(3, "other")], fleet={"workspaces": 2}, dialect={"list_omits": ["workspace_id"]})
    desk.write(cloud, target={"workspaces": [SCRATCH]})
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (0, {row["id"] for row in rows})
    (asked,) = ended.events("survey.asked")
    assert (asked["asked"], asked["left_out"]) == (60, ["workspace_id"])


@pytest.mark.parametrize("dialect", [{}, {"list_omits": ["feature"]}, {"omits": ["feature"]}])
def test_a_free_notebook_never_goes_under_a_target_of_paid_ones(simulate: Simulate, desk: Desk, dialect: Json) -> None:
    """W4: the server shows all features, whatever was asked for; the row says so, or the answer by id, or nothing does."""
    cloud = simulate([idle("paid"), idle("free", feature="DEFAULT")], dialect={"feature_parameter": False} | dialect)
    desk.write(cloud)
    assert desk.sweep().code == 0
    assert cloud.gone() == (set() if "omits" in dialect else {"paid"})


LEFT_OUT: dict[str, list[str]] = {
    "tags": ["tags"],
    "dates": ["create_at", "update_at"],
    "dates-and-lease": ["create_at", "update_at", "lease"],
    "user": ["user", "user_id"],
    "billing": ["billing_items"],
    "lease": ["lease"],
    "all": ["tags", "create_at", "update_at", "user", "user_id", "billing_items", "lease", "image", "volume", "flavor"],
}
RULES = {
    "policies": [{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d", "billing": ["STORAGE"]}}],
    "protect": [{"tags": {"keep": "*"}}, {"owner": ["boss"]}],
}


@pytest.mark.parametrize("fields", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_listing_leaves_out_is_asked_for(simulate: Simulate, desk: Desk, fields: list[str]) -> None:
    """A5, W5: a fleet of two hundred is swept whole; who is protected, or was used yesterday, is kept."""
    rows = idle_fleet(200)
    lease = {"create_at": days_ago(300), "update_at": days_ago(300), "duration": 3_600_000, "enable": True}
    kept = [
        idle("tagged", tags={"keep": "yes"}),
        idle("bosss", owner="boss"),
        idle("used", update_at=days_ago(1), lease=lease),
        idle("expired-yesterday", lease=lease | {"duration": 299 * 86_400_000}),
    ]
    billed = [row | {"raw": {"billing_items": ["STORAGE"]}} for row in (*rows, *kept)]
    cloud = simulate(billed, dialect={"list_omits": fields})
    desk.write(cloud, **RULES)
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (0, {row["id"] for row in rows})
    (asked,) = ended.events("survey.asked")
    assert set(asked["left_out"]) & {*fields, "user"}
    assert "unknown-fact" not in ended.document["kept"]


def test_a_listing_that_leaves_out_what_no_rule_asks_for_costs_no_call(simulate: Simulate, desk: Desk) -> None:
    """A5: nobody's verdict hangs on tags, user or billing here."""
    cloud = simulate(idle_fleet(60), dialect={"list_omits": ["tags", "user", "user_id", "billing_items"]})
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, len(cloud.gone())) == (0, 60)
    assert ended.events("survey.asked") == []
    kinds = [request["kind"] for request in cloud.requests()]
    assert "show" not in kinds[: kinds.index("delete")]


def test_an_administrators_own_listing_of_everybodys_deletes_nobodys(simulate: Simulate, desk: Desk) -> None:
    """`scope: own`, and the listing shows several owners: which are the caller's is not known, and it is said what to do."""
    cloud = simulate([idle("mine", owner="sweeper"), idle("yours", owner="li.chen")], dialect={"own_lists_all": True})
    desk.write(cloud, target={"scope": "own"})
    ended = desk.sweep()
    assert (ended.code, cloud.writes()) == (4, [])
    (refused,) = ended.events("plan.refused")
    assert "several owners (li.chen, sweeper, ...)" in refused["message"]
    assert "scope: all" in refused["message"]


# ---- answers that contradict themselves --------------------------------------------------------------------------------------

CONTRADICTIONS = ["error_200_after", "foreign_after", "nonsense_after"]


@pytest.mark.parametrize("fault", CONTRADICTIONS)
def test_a_delete_that_is_answered_200_with_something_else_is_looked_at_at_once(
    simulate: Simulate, desk: Desk, fault: str
) -> None:
    """A10: it is not called accepted, and is found out within a second although the poller's interval is long."""
    cloud = simulate([idle("nb")], faults={"script": [{"fault": fault, "kind": "delete"}]})
    desk.write(cloud, polling={"interval": "8s", "max_interval": "8s"}, removal={"grace": "5s", "retries": 0})
    ended = desk.sweep()
    assert (ended.code, cloud.gone(), cloud.deletes()) == (0, {"nb"}, {"nb": 1})
    (unanswered,) = ended.events("removal.unanswered")
    assert "whether the DELETE did its work is unknown" in unanswered["problem"]
    asked = {request["kind"]: request["at"] for request in reversed(cloud.requests())}
    shows = [request["at"] for request in cloud.requests() if request["kind"] == "show" and request["at"] > asked["delete"]]
    assert shows[0] - asked["delete"] < 6


def test_an_error_under_200_before_a_delete_is_no_acceptance(simulate: Simulate, desk: Desk) -> None:
    """A10: nothing was done; a look shows that, and another DELETE follows once none can arrive any more."""
    fault = {"fault": "error", "status": 200, "error_code": "ModelArts.0010", "kind": "delete"}
    cloud = simulate([idle("nb")], faults={"script": [fault]})
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, cloud.gone(), cloud.deletes()) == (0, {"nb"}, {"nb": 2})


@pytest.mark.parametrize("kind", ["list_all", "show"])
@pytest.mark.parametrize("code", ["ModelArts.6309", "ModelArts.0104"])
def test_an_error_under_200_never_means_empty_or_gone(simulate: Simulate, desk: Desk, kind: str, code: str) -> None:
    """A10: a listing or an answer about a notebook that is a 200 with an error_code is told as that error."""
    fault = {"fault": "error", "status": 200, "error_code": code, "error_msg": "No.", "kind": kind, "times": 999}
    cloud = simulate([idle("nb")], faults={"script": [fault]})
    desk.write(cloud)
    ended = desk.sweep()
    assert ended.code in (1, 3)
    assert cloud.writes() == []
    assert code in ended.err
    assert ended.ids("deleted") == set()


# ---- rows that cannot be read ------------------------------------------------------------------------------------------------


def test_a_fleet_that_cannot_be_read_is_no_success(simulate: Simulate, desk: Desk) -> None:
    """A6: the odd rows are kept, the others are swept, and the exit code is 3, with the reason in the run's line and record."""
    odd = [idle(f"odd-{number}", raw={"status": 5}) for number in range(60)]
    cloud = simulate([*odd, *idle_fleet(3)])
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, len(cloud.gone())) == (3, 3)
    (finished,) = ended.events("sweep.finished")
    assert (finished["outcome"], finished["kept"]) == ("finished", {"malformed": 60})
    assert finished["problem"].startswith("60 of 63 notebooks cannot be read, and are kept: Expected `str`, got `int`")
    assert len(ended.events("survey.malformed_row")) == 50
    planned = desk.run("plan")
    assert planned.code == 3
    assert "60 of 60 notebooks cannot be read, and are kept" in planned.out


def test_a_fleet_in_another_handwriting_is_swept_whole(simulate: Simulate, desk: Desk) -> None:
    """A6: enumerations in lower case, dates as digits in text and as floats."""
    long_ago = days_ago(300)
    written = {
        "text": {"status": "stopped", "feature": "notebook", "create_at": str(long_ago), "update_at": str(long_ago)},
        "float": {"create_at": float(long_ago), "update_at": float(long_ago)},
        "lease": {"lease": {"enable": True, "type": "timing", "create_at": str(long_ago), "duration": "3600000"}},
        "used": {"status": "stopped", "update_at": str(days_ago(1))},
    }
    cloud = simulate([idle(name, raw=raw) for name, raw in written.items()])
    desk.write(cloud)
    ended = desk.sweep()
    assert (ended.code, cloud.gone()) == (0, {"text", "float", "lease"})
    assert ended.document["kept"] == {"no-policy": 1}


# ---- bodies and listings out of all proportion -------------------------------------------------------------------------------


class Junk(BaseHTTPRequestHandler):
    """Answers each listing with a page that is mostly rubbish, and never the same twice."""

    def do_GET(self) -> None:
        """Give one workspace, or six million bytes."""
        body = b'{"total_count":1,"count":1,"workspaces":[{"id":"0"}]}' if "/workspaces" in self.path else self.page()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def page(self) -> bytes:
        """Give so many rows that are none."""
        return b'{"total":1000000,"data":[' + b",".join([b'{"a":1}'] * 750_000) + b"]}"

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""


class Growing(Junk):
    """A listing of which more is to come, however much of it is read."""

    def page(self) -> bytes:
        """Give the rows that are asked for, and count some more."""
        first = int(parse_qs(urlsplit(self.path).query)["offset"][0])
        data = [{"id": f"nb-{first + number}", "status": "STOPPED", "workspace_id": "0"} for number in range(50)]
        return json.dumps({"total": first + 200, "data": data}).encode()


@contextmanager
def serving(handler: type[Junk]) -> Iterator[str]:
    """Answer on a port of loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("handler", "code", "words"), [(Junk, 1, "more than any page"), (Growing, 4, "it does not end")])
def test_a_listing_out_of_all_proportion_comes_to_an_end(desk: Desk, handler: type[Junk], code: int, words: str) -> None:
    """H5: six million bytes of rows that are none, and a listing that grows for ever: nothing goes, and it is said why."""
    with serving(handler) as url:
        desk.write(url, target={"project_id": PROJECT})
        ended = desk.sweep()
    assert ended.code == code
    assert words in ended.err
    assert len(ended.lines) < 3000
