"""`exempt add`, `list` and `revoke`: an exemption keeps exactly what it covers, and stays on record."""

from datetime import UTC, datetime, timedelta

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, days_ago, idle

WHY = ("--reason", "a paper is due")
ANNOUNCED = {
    "policies": [{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}, "grace": {"for": "7d", "surveys": 1}}],
    # Nothing listens on this port, so that nobody is told.
    "channels": {"mail": {"kind": "smtp", "host": "127.0.0.1", "port": 9, "tls": "none", "from": "nbsweep@example.com"}},
    "owners": [{"domain": "example.com"}],
}


def owned(notebook_id: str, owner: str) -> dict[str, object]:
    """Describe an idle notebook of an owner."""
    return idle(notebook_id, owner=owner)


@pytest.fixture(name="cloud")
def _cloud(simulate: Simulate, desk: Desk) -> Cloud:
    cloud = simulate([owned("nb-1", "wei"), owned("nb-2", "wei"), owned("exp-3", "li"), owned("exp-4", "li")])
    desk.write(cloud)
    return cloud


def test_a_sweep_deletes_all_but_what_is_exempt(cloud: Cloud, desk: Desk) -> None:
    """One by its name, which the cloud is asked for, and those with a name that matches; the audit trail has the grants."""
    by_name = desk.run("exempt", "add", "nb-1", "--until", "30d", *WHY, "--ticket", "OPS-7")
    assert by_name.code == 0, by_name.err
    assert "keeps notebook nb-1 (nb-1 of wei, on lab) until" in by_name.out
    by_glob = desk.run("exempt", "add", "--name", "EXP-*", "--until", "30d", *WHY)
    assert "keeps every notebook of name EXP-* until" in by_glob.out
    assert desk.sweep().ids("deleted") == {"nb-2"}
    assert cloud.gone() == {"nb-2"}
    trail = desk.run("audit", "--what", "exempted", "--format", "json").document
    assert {entry["notebook_id"] for entry in trail} == {"nb-1", ""}
    assert "ticket OPS-7" in str(trail)


def test_a_revoked_exemption_keeps_nothing_and_stays_on_record(cloud: Cloud, desk: Desk) -> None:
    """With who revoked it, and why; a second revocation says so."""
    granted = desk.run("exempt", "add", "--owner", "wei", "--until", "30d", *WHY, "--format", "json").document
    exemption = granted["exemption"]["exemption"]
    assert (granted["announced"], granted["too_late"]) == (0, [])
    assert desk.sweep().ids("deleted") == {"exp-3", "exp-4"}
    assert "is revoked" in desk.run("exempt", "revoke", exemption.upper(), "--reason", "the paper is out").out
    assert "was revoked already" in desk.run("exempt", "revoke", exemption).out
    assert desk.run("exempt", "list", "--format", "json").document == []
    [row] = desk.run("exempt", "list", "--all", "--format", "json").document
    assert (row["state"], row["owner"], row["revoked_reason"]) == ("revoked", "wei", "the paper is out")
    assert desk.sweep().ids("deleted") == {"nb-1", "nb-2"}
    assert len(cloud.gone()) == 4
    unknown = desk.run("exempt", "revoke", "nobody")
    assert unknown.code == 2
    assert "`nbsweep exempt list`" in unknown.err


def test_an_announced_notebook_is_found_without_the_cloud(simulate: Simulate, desk: Desk) -> None:
    """By its name in the journal; credentials are not needed. The next sweep ends its mark."""
    cloud = simulate([owned("nb-1", "wei"), owned("nb-2", "wei")])
    desk.write(cloud, **ANNOUNCED, target={"credentials": {"access_key": "${AK}", "secret_key": "${SK}"}})
    desk.environment |= {"AK": "SIMULATEDACCESSKEY01", "SK": "simulatedSecretKeySimulatedSecretKey0001"}
    assert desk.run("run", "--yes").code == 0
    keys, desk.environment = desk.environment, {}
    calls = len(cloud.requests())
    added = desk.run("exempt", "add", "NB-1", "--until", "30d", *WHY)
    assert added.code == 0, added.err
    assert "1 announced notebook is kept; its owner hears of it with the next sweep." in added.out
    assert len(cloud.requests()) == calls
    desk.environment = keys
    assert desk.run("run", "--yes").code == 0
    assert {mark["id"] for mark in desk.run("marks", "--format", "json").document} == {"nb-2"}
    shown = desk.run("exempt", "list").out
    assert "1 in force, 0 of them granted by owners themselves." in shown
    assert "By owner: wei 1." in shown


def test_a_notebook_that_is_created_again_with_its_id_is_not_exempt(cloud: Cloud, desk: Desk, simulate: Simulate) -> None:
    """The exemption holds the creation date; with `--id-only` it holds the id alone."""
    assert desk.run("exempt", "add", "nb-1", "--until", "30d", *WHY).code == 0
    assert desk.run("exempt", "add", "nb-2", "--until", "30d", *WHY, "--id-only").code == 0
    assert cloud.instances().keys() >= {"nb-1", "nb-2"}
    desk.write(simulate([owned("nb-1", "wei") | {"create_at": days_ago(99)}, owned("nb-2", "wei")]))
    assert desk.sweep().ids("deleted") == {"nb-1"}


def test_what_cannot_be_exempted_is_refused_with_advice(cloud: Cloud, desk: Desk) -> None:
    """Nothing is granted, and the exit code is 2."""
    latest = (datetime.now(UTC) + timedelta(days=90) - timedelta(days=1)).date()
    cases = {
        ("nb-1", "--until", "91d", *WHY): f"the latest date {latest}",
        ("nb-1", "--until", "2020-01-01", *WHY): "has passed",
        ("nb-1", "--until", "soon", *WHY): "neither a duration",
        ("nb-1", "--until", "30d", "--reason", " "): "reason: must not be empty",
        ("nb-9", "--until", "30d", *WHY): "nb-9 fits no notebook of lab",
        ("exp-", "--until", "30d", *WHY): "ambiguous, 2 fit",
        ("--until", "30d", *WHY): "name a notebook, or use --owner or --name",
        ("nb-1", "--owner", "wei", "--until", "30d", *WHY): "leave out --owner and --name",
        ("--name", "a[b", "--until", "30d", *WHY): "name:",
    }
    for arguments, problem in cases.items():
        refused = desk.run("exempt", "add", *arguments)
        assert refused.code == 2, arguments
        assert problem in refused.err, refused.err
    assert desk.run("exempt", "add", "nb-1", "--until", "30d", *WHY, "--target", "lob").code == 2
    assert desk.run("exempt", "list", "--all").out == "No exemption is on record.\n"
    assert not cloud.writes()


def test_without_the_cloud_a_notebook_that_the_journal_does_not_know_is_refused(cloud: Cloud, desk: Desk) -> None:
    """Because nobody knows when it was created; `--id-only` does without."""
    desk.write("http://127.0.0.1:1")
    refused = desk.run("exempt", "add", "nb-1", "--until", "30d", *WHY)
    assert refused.code == 2
    assert "does not know when nb-1 was created, and the cloud cannot be asked" in refused.err
    assert "--id-only" in refused.err
    kept = desk.run("exempt", "add", "nb-1", "--until", "30d", *WHY, "--id-only")
    assert kept.code == 0
    assert "keeps any notebook with the ID nb-1 until" in kept.out
    desk.write(cloud)
    assert desk.sweep().ids("deleted") == {"nb-2", "exp-3", "exp-4"}


def test_it_is_too_late_once_the_delete_has_left(simulate: Simulate, desk: Desk) -> None:
    """Exit code 3, while a sweep waits for the cloud's slow deletion."""
    cloud = simulate([idle("nb-1")], timing={"deletion_median_s": 1_000_000})
    desk.write(cloud, removal={"deadline": "30s", "retries": 0})
    with desk.started("run", "--yes") as started:
        started.wait_for("removal.accepted")
        late = desk.run("exempt", "add", "nb-1", "--until", "30d", *WHY, "--id-only")
    assert late.code == 3
    assert "Too late for nb-1 (nb-1): its DELETE was requested at" in late.out
