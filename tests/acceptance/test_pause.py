"""A pause is the operator's word: nothing but their taking it back ends it."""

import json
import signal
import time

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, asked, eventually, free_port, idle_fleet, target

TOKEN = "a-token-of-the-test"


def write(desk: Desk, cloud: Cloud, address: str, cron: str) -> None:
    """Write a service's configuration: it may delete, and its API takes changes."""
    token_file = desk.folder / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    service = {"listen": address, "api_token_file": str(token_file)}
    desk.write(cloud, schedule={"cron": cron}, service=service)


def test_a_pause_outlives_a_restart_until_it_is_taken_back(simulate: Simulate, desk: Desk) -> None:
    """Paused, killed, started anew with a sweep due each second: no DELETE; resumed, the fleet goes."""
    cloud, address = simulate(idle_fleet(3)), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address, "0 0 1 1 *")
    with desk.started("serve") as started:
        started.wait_for("service.started")
        assert asked(address, "POST", "/api/v1/targets/lab/pause", TOKEN)[0] == 200
        started.signal(signal.SIGKILL)
        started.ended()
    write(desk, cloud, address, "* * * * * *")
    with desk.started("serve") as started:
        started.wait_for_more("target.skipped", 2)
        assert json.loads(asked(address, "GET", "/api/v1/targets/lab")[1])["paused"] is True
        assert cloud.writes() == []
        assert asked(address, "POST", "/api/v1/targets/lab/resume", TOKEN)[0] == 200
        eventually(lambda: len(cloud.gone()) == 3, "the fleet is gone")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0


NEVER = "0 0 1 1 *"


def test_a_pause_binds_run_which_says_who_when_and_why(simulate: Simulate, desk: Desk) -> None:
    """Exit 4 and no DELETE; a plan and a dry run change nothing, and are made; another target is swept."""
    cloud = simulate(idle_fleet(3))
    other = target(cloud.url, name="other", features=["DEFAULT"])
    desk.write(cloud, targets=[target(cloud.url), other])
    assert desk.run("pause", "lab", "--reason", "moving house").code == 0
    ended = desk.run("run", "--yes", "--format", "json")
    assert ended.code == 4
    (line,) = [line for line in ended.events("command.failed") if line["target"] == "lab"]
    assert line["error"].startswith("paused by ")
    assert ": moving house. Nothing is deleted" in line["error"]
    assert "`nbsweep resume lab`" in line["error"]
    assert "--ignore-pause" in line["error"]
    assert cloud.writes() == []
    assert [record["target"] for record in desk.run("history", "--format", "json").document] == ["other"]
    assert desk.run("plan").code == 0
    assert desk.run("run", "--dry-run").code == 0
    assert (
        desk.run("resume").out == f"lab was {line['error'].partition('. Nothing')[0]}; it is resumed.\nother was not paused.\n"
    )
    assert desk.run("run", "--yes").code == 0
    assert len(cloud.gone()) == 3


def test_a_pause_may_be_set_aside_for_one_run_which_is_on_the_record(simulate: Simulate, desk: Desk) -> None:
    """The pause itself stays."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud)
    desk.run("pause")
    assert desk.run("run", "--yes", "--ignore-pause").code == 0
    assert len(cloud.gone()) == 2
    assert [record["overrides"] for record in desk.run("history", "--format", "json").document] == ["--ignore-pause"]
    assert desk.run("run", "--yes").code == 4


def test_a_pause_ends_at_its_time(simulate: Simulate, desk: Desk) -> None:
    """`--until` takes a duration or a moment, and no moment that is past."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    assert desk.run("pause", "--until", "1s").code == 0
    time.sleep(1.1)
    assert desk.run("run", "--yes").code == 0
    assert desk.run("pause", "--until", "2199-01-01T08:00+08:00").code == 0
    (status,) = desk.run("status", "--format", "json").document
    assert status["paused"]["until"] == "2199-01-01T00:00:00.000Z"
    for wrong in ("2001-01-01", "soon", "-1h", "9999-12-31T23:59:59-12:00"):
        refused = desk.run("pause", f"--until={wrong}")
        assert refused.code == 2
        assert wrong in refused.err
    assert desk.run("pause", "labb").code == 2


def test_a_reason_is_one_line_of_readable_text(desk: Desk, simulate: Simulate) -> None:
    """It is shown on terminals, in logs and to whoever asks `/readyz`: line breaks become spaces, the rest is refused."""
    desk.write(simulate(idle_fleet(1)))
    paused = desk.run("pause", "--reason", "moving\n\tthe \u3000house: \u642c\u5bb6")
    assert (paused.code, "Z: moving the house: \u642c\u5bb6.\n" in paused.out) == (0, True)
    for wrong in ("red \x1b[31m", "back \u202e wards", "\udcff", "x" * 501):
        refused = desk.run("pause", "--reason", wrong)
        assert (refused.code, "Invalid value for --reason" in refused.err) == (2, True), ascii(wrong)


def test_a_target_named_twice_is_paused_once(desk: Desk, simulate: Simulate) -> None:
    """The output has one line for it."""
    desk.write(simulate(idle_fleet(1)))
    assert desk.run("pause", "lab", "lab").out.count("lab is paused") == 1


def test_a_pause_through_the_journal_reaches_the_service_and_so_does_its_end(simulate: Simulate, desk: Desk) -> None:
    """No token is needed for those who own the journal; a sweep that is asked for meanwhile is refused, and not kept."""
    cloud, address = simulate(idle_fleet(2)), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address, NEVER)
    with desk.started("serve") as started:
        started.wait_for("service.started")
        assert "Noticed within seconds by the service on host" in desk.run("pause").out
        started.wait_for("target.paused")
        assert asked(address, "GET", "/readyz")[1].startswith("ready; lab is paused by ")
        refused = desk.run("sweep", "lab")
        assert (refused.code, "lab is paused" in refused.error["error"]) == (4, True)
        assert asked(address, "POST", "/api/v1/targets/lab/sweep", TOKEN)[0] == 409
        desk.run("resume")
        started.wait_for("target.resumed")
        assert cloud.writes() == []
        taken = desk.run("sweep", "lab")
        assert (taken.code, taken.out.startswith("The service has taken the request.")) == (0, True)
        eventually(lambda: len(cloud.gone()) == 2, "the fleet is gone")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert [line["answer"] for line in ended.events("target.requested")] == ["accepted"]


def test_a_sweep_that_is_asked_for_during_another_one_is_refused_in_words(simulate: Simulate, desk: Desk) -> None:
    """The service keeps no request; the command says what to do, and ends with an error."""
    cloud, address = simulate(idle_fleet(2), timing={"deletion_median_s": 600}), f"127.0.0.1:{free_port()}"
    write(desk, cloud, address, NEVER)
    with desk.started("serve") as started:
        started.wait_for("service.started")
        eventually(lambda: desk.run("sweep", "lab").code == 0, "the first request is taken")
        eventually(lambda: len(cloud.accepted()) == 2, "the sweep waits for its deletions")
        refused = desk.run("sweep", "lab")
        assert (refused.code, refused.out) == (1, "")
        assert "lab is being swept" in refused.error["error"]
        assert "Ask again when it has ended" in refused.error["error"]
        cloud.let_pass(600)
        eventually(lambda: len(cloud.gone()) == 2, "the fleet is gone")


def test_without_a_service_nobody_can_be_asked_for_a_sweep(simulate: Simulate, desk: Desk) -> None:
    """It says so at once, and what to do instead; nothing is kept for a later service."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    assert desk.run("pause").out.endswith(
        "No service runs on this journal. `nbsweep run` deletes nothing until `nbsweep resume`.\n"
    )
    desk.run("resume")
    refused = desk.run("sweep", "lab")
    assert refused.code == 1
    assert "no service that knows lab runs on this journal" in refused.error["error"]
    assert "nbsweep run --target lab" in refused.error["error"]
    assert desk.run("sweep", "lab2").code == 2
