import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, SECRET_KEY, Desk, Ended, Json, days_ago, idle, idle_fleet, target

NO_LIST = {
    "access_key": "MAYNOTLIST0000000001",
    "secret_key": "s" * 40,
    "permissions": {"list_all": False, "list_own": False},
}
ONLY_LOOKS = {"access_key": "MAYNOTDELETE00000001", "secret_key": "s" * 40, "permissions": {"delete": False}}
GOOD = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}


def credentials(key: Json) -> Json:
    """Give the credentials of a target."""
    return {"credentials": {"access_key": key["access_key"], "secret_key": key["secret_key"]}}


def assert_told_plainly(ended: Ended, code: int, *hints: str) -> None:
    """Assert that one sentence says what happened and what to check."""
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err
    sentence = ended.error["error"]
    assert "\n" not in sentence
    assert [hint for hint in hints if hint not in sentence] == []
    assert SECRET_KEY not in ended.err
    assert ended.document["results"] == []
    (finished,) = ended.events("sweep.finished")
    assert (finished["outcome"], finished["problem"]) == ("failed", sentence)


NOT_ALLOWED: dict[str, tuple[Json, list[str]]] = {
    "wrong-secret-key": (credentials(GOOD | {"secret_key": "w" * 40}), ["secret key", "clock"]),
    "unknown-access-key": (credentials(GOOD | {"access_key": "NOSUCHKEY0000000001A"}), ["access key"]),
    "forbidden-project": ({"project_id": "f" * 32}, ["project_id"]),
    "may-not-list": (credentials(NO_LIST), ["modelarts:notebook:listAllNotebooks, list"]),
}


def test_what_the_cloud_does_not_allow_is_told(simulate: Simulate, desk: Desk) -> None:
    """Exit 5; each target has one sentence that says what to check, and there is no request but GET, and no second try."""
    cloud = simulate([idle("nb")], access={"access_keys": [GOOD, NO_LIST]})
    apart = ({"workspaces": [f"w{number}"], **changed} for number, (changed, _) in enumerate(NOT_ALLOWED.values()))
    desk.write(cloud, targets=[target(cloud.url, name=name, **more) for name, more in zip(NOT_ALLOWED, apart, strict=True)])
    ended = desk.sweep()
    assert ended.code == 5
    assert "Traceback" not in ended.err
    assert SECRET_KEY not in ended.err + ended.out
    said = {line["target"]: line["error"] for line in ended.events("command.failed")}
    assert said.keys() == NOT_ALLOWED.keys()
    for name, (_, hints) in NOT_ALLOWED.items():
        assert "\n" not in said[name]
        assert [hint for hint in hints if hint not in said[name]] == [], said[name]
    assert {line["target"]: line["problem"] for line in ended.events("sweep.finished")} == said
    assert ended.document["results"] == []
    assert cloud.writes() == []
    # Each was told no once; only who may not list got as far as the second call, and to the third, for his own.
    assert len(cloud.requests()) == 6


def test_a_delete_that_is_forbidden_ends_the_sweep(simulate: Simulate, desk: Desk) -> None:
    """Who may look but not delete is told so, once; the rest is not tried one by one."""
    cloud = simulate(idle_fleet(40), access={"access_keys": [ONLY_LOOKS]})
    desk.write(cloud, target=credentials(ONLY_LOOKS) | {"limits": {"delete": "20/s", "concurrency": 2}})
    ended = desk.sweep()
    assert ended.code == 5
    assert "delete" in ended.error["error"]
    assert cloud.gone() == set()
    assert 1 <= len(cloud.writes()) <= 4
    assert "unfinished" not in set(ended.outcomes().values())


def test_without_any_credentials_it_is_told_where_they_are_looked_for(simulate: Simulate, desk: Desk) -> None:
    """An empty home and environment: exit 5, nobody is called."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": None})
    ended = desk.sweep()
    assert ended.code == 5
    assert "HUAWEICLOUD_SDK_AK" in ended.error["error"]
    assert cloud.requests() == []


def test_keys_of_the_environment_are_found(simulate: Simulate, desk: Desk) -> None:
    """As the vendor's own tools name them."""
    cloud = simulate([idle("nb")])
    desk.write(cloud, target={"credentials": None})
    desk.environment = {"HUAWEICLOUD_SDK_AK": ACCESS_KEY, "HUAWEICLOUD_SDK_SK": SECRET_KEY}
    assert desk.sweep().code == 0
    assert cloud.gone() == {"nb"}


def test_a_gateway_that_knows_no_such_address_never_means_gone(simulate: Simulate, desk: Desk) -> None:
    """404 APIGW.0101 on both listings: exit 1, and endpoint, region and project are named; nothing counts as deleted."""
    fault = {"fault": "error", "status": 404, "error_code": "APIGW.0101", "error_msg": "The API does not exist.", "times": 99}
    cloud = simulate([idle("nb")], faults={"script": [fault | {"kind": kind} for kind in ("list_all", "list")]})
    desk.write(cloud)
    assert_told_plainly(desk.sweep(), 1, "endpoint", "region", "project_id")
    assert cloud.writes() == []


@pytest.mark.parametrize(("count", "looks"), [(1, {"kind": "show"}), (3, {"kind": "list_all", "nth": 2})])
def test_a_gateway_that_forgets_the_address_in_mid_sweep_never_means_gone(
    simulate: Simulate, desk: Desk, count: int, looks: Json
) -> None:
    """404 APIGW.0101 on the second look, by id or by page: exit 1, nothing is deleted, and nothing is reported as deleted."""
    fault = {"fault": "error", "status": 404, "error_code": "APIGW.0101", "error_msg": "The API does not exist.", "times": 99}
    cloud = simulate(idle_fleet(count), faults={"script": [fault | looks]})
    desk.write(cloud)
    ended = desk.sweep()
    assert ended.code == 1
    assert set(ended.outcomes().values()) == {"spared"}
    assert cloud.writes() == []


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextmanager
def answering(context: ssl.SSLContext | None) -> Iterator[int]:
    """Answer everything on a port of its own with an HTTP error, behind TLS where a context is given."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopping = threading.Event()
        server.settimeout(0.1)

        def serve() -> None:
            while not stopping.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(1)
                    try:
                        spoken = context.wrap_socket(connection, server_side=True) if context else connection
                        spoken.recv(65_536)
                        spoken.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                        spoken.close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stopping.set()
            thread.join()


def self_signed() -> ssl.SSLContext:
    """Serve with a certificate of an authority that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_an_endpoint_that_cannot_be_reached_does_not_stop_the_other_targets(simulate: Simulate, desk: Desk) -> None:
    """Nobody there, no TLS there, a certificate that nobody signed: one plain sentence each, and the good one is swept."""
    cloud = simulate([idle("nb")])
    with answering(self_signed()) as signed_by_nobody, answering(None) as in_clear:
        desk.write(cloud)
        addresses = {
            "nobody": f"https://127.0.0.1:{free_port()}",
            "untrusted": f"https://127.0.0.1:{signed_by_nobody}",
            "in-clear": f"https://127.0.0.1:{in_clear}",
        }
        desk.write(cloud, targets=[target(cloud.url), *(target(url, name=name) for name, url in addresses.items())])
        ended = desk.sweep()
    assert ended.code == 1
    assert cloud.gone() == {"nb"}
    assert ended.outcomes() == {"nb": "deleted"}
    assert "Traceback" not in ended.err
    errors = {line["target"]: line["error"] for line in ended.events("command.failed")}
    assert errors.keys() == addresses.keys()
    assert all("\n" not in error and addresses[name] in error and "Check" in error for name, error in errors.items())
    assert "certificate" in errors["untrusted"]
    assert {line["target"]: line["outcome"] for line in ended.events("sweep.finished")} == {
        "lab": "finished",
        **dict.fromkeys(addresses, "failed"),
    }
    # A certificate does not get better by asking again.
    assert {line["target"] for line in ended.events("http.retried")} == {"nobody"}


MALFORMED: tuple[Json, ...] = (
    {"raw": {"status": "HIBERNATING"}},
    {"raw": {"status": None}},
    {"drop": ["id"]},
    {"drop": ["status"]},
    {"raw": {"id": 17}},
    {"raw": {"id": "../all"}},
    {"raw": {"create_at": "2024-01-01"}},
    {"raw": {"create_at": -1}},
    {"raw": {"create_at": 1_700_000_000}},
    {"raw": {"create_at": 10**30}},
    {"raw": {"create_at": 253_402_300_800_000}},
    {"raw": {"update_at": 1.5e300}},
    {"raw": {"lease": {"create_at": "soon", "enable": True}}},
    {"raw": {"tags": "keep"}},
    {"raw": {"volume": {"capacity": -5}}},
)


def test_rows_that_the_api_should_never_send_are_kept_and_counted(simulate: Simulate, desk: Desk) -> None:
    """Unknown states, missing ids, dates that are none, in the midst of a listing of two pages: all others go as planned."""
    good = idle_fleet(45)
    bad = [idle(f"bad-{number:02d}", days=399.9 - number / 12, **row) for number, row in enumerate(MALFORMED)]
    # The fiftieth row is the last of its page, and the first of the next: it too may be one without an id.
    nameless = idle("bad-at-the-seam", days=400 - 34.5 / 24, drop=["id"])
    cloud = simulate([*good, *bad, nameless])
    desk.write(cloud)
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert cloud.gone() == ended.ids("deleted") == {row["id"] for row in good}
    assert ended.document["kept"] == {"malformed": len(bad) + 1}
    assert len(ended.events("survey.malformed_row")) == len(bad) + 1
    assert set(cloud.deletes()) == {row["id"] for row in good}


def test_a_listing_that_shifts_again_and_again_is_refused(simulate: Simulate, desk: Desk) -> None:
    """Rows vanish between the pages of every attempt: incomplete, exit 4, nothing is deleted. HTML is asked for again."""
    torn = {"fault": "row_vanishes", "kind": "list_all", "times": 3}
    html = {"fault": "html_502", "kind": "list_all", "times": 2}
    cloud = simulate(idle_fleet(60), faults={"script": [html, torn]})
    desk.write(cloud)
    ended = desk.sweep()
    assert ended.code == 4
    assert ended.document["refusal"]["brake"] == "incomplete-survey"
    assert len(ended.events("survey.torn")) == 3
    assert cloud.writes() == []


def test_dates_in_seconds_are_not_taken_for_very_old_ones(simulate: Simulate, desk: Desk) -> None:
    """A cloud that counts in seconds would make everything look decades old: all of it is kept."""
    rows = [
        idle(f"nb-{number}", raw={"create_at": days_ago(1) // 1000, "update_at": days_ago(1) // 1000}) for number in range(3)
    ]
    cloud = simulate(rows)
    desk.write(cloud, policies=[{"name": "old", "match": {"age_over": "30d"}}])
    ended = desk.sweep()
    assert (ended.code, ended.document["kept"]) == (3, {"malformed": 3})
    assert cloud.writes() == []
