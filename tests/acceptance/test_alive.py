"""`status` knows whether a service is alive, and on which configuration."""

import signal
from typing import Any

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Json, asked, eventually, free_port, idle_fleet

NEVER = {"cron": "0 0 1 1 *"}


def write(desk: Desk, cloud: Cloud, **groups: Any) -> None:
    """Write the configuration of a service that does not sweep by itself today."""
    desk.write(cloud, **{"schedule": NEVER, "service": {"listen": None}, **groups})


def lab(desk: Desk) -> Json:
    """Return what `status` says of the one target."""
    (status,) = desk.run("status", "--format", "json").document
    return dict(status)


def swept(desk: Desk) -> None:
    """Have the target swept once, so that nothing else is wrong with it."""
    assert desk.run("run", "--yes").code == 0


def test_a_running_service_is_shown_with_its_configuration(simulate: Simulate, desk: Desk) -> None:
    """Since when, in which mode, whether it is the file's; after a change of the file it is not."""
    cloud = simulate(idle_fleet(1))
    write(desk, cloud)
    swept(desk)
    assert lab(desk)["service"] is None
    with desk.started("serve") as started:
        started.wait_for("service.started")
        eventually(lambda: lab(desk)["service"], "the service has said that it runs")
        service = lab(desk)["service"]
        assert (service["life"], service["mode"], service["same_as_file"]) == ("running", "enforce", True)
        assert (service["pid"], service["scheduled"]) == (started.process.pid, True)
        assert lab(desk)["well"] is True
        write(desk, cloud, brakes={"max_deletions": 7})
        assert lab(desk)["service"]["same_as_file"] is False
        assert "its configuration, not the one of the file," in desk.run("status").out
        started.signal(signal.SIGTERM)
        started.ended()
    assert (lab(desk)["service"]["life"], lab(desk)["well"]) == ("stopped", True)


def test_a_service_that_was_killed_is_missed(simulate: Simulate, desk: Desk) -> None:
    """Exit 1 with the host and the process; until it is started again."""
    cloud = simulate(idle_fleet(1))
    write(desk, cloud)
    swept(desk)
    with desk.started("serve") as started:
        eventually(lambda: lab(desk)["service"], "the service has said that it runs")
        started.signal(signal.SIGKILL)
        started.ended()
    ended = desk.run("status")
    assert ended.code == 1
    assert "has reported nothing since" in ended.out
    with desk.started("serve") as started:
        eventually(lambda: lab(desk)["well"], "it is well again")
        started.signal(signal.SIGTERM)
        started.ended()


def test_a_refused_reload_shows_in_status_readiness_and_metrics_until_one_is_accepted(simulate: Simulate, desk: Desk) -> None:
    """What changed is named when it is accepted."""
    cloud, address = simulate(idle_fleet(1)), f"127.0.0.1:{free_port()}"
    write(desk, cloud, service={"listen": address})
    swept(desk)
    good = desk.config.read_text(encoding="utf-8")
    with desk.started("serve") as started:
        started.wait_for("service.started")
        desk.config.write_text(good.replace('"enforce"', '"enforced"'), encoding="utf-8")
        started.signal(signal.SIGHUP)
        started.wait_for("service.reload_refused")
        status, text = asked(address, "GET", "/readyz")
        assert (status, "the configuration was changed, and cannot be used" in text) == (503, True)
        assert "nbsweep_reload_refused 1.0" in asked(address, "GET", "/metrics")[1]
        desk.config.write_text(good, encoding="utf-8")
        assert "has refused to reload its configuration" in desk.run("status").out
        write(desk, cloud, service={"listen": address}, brakes={"max_deletions": 7})
        started.signal(signal.SIGHUP)
        started.wait_for("service.reloaded")
        eventually(lambda: asked(address, "GET", "/readyz")[0] == 200, "it is ready")
        assert "nbsweep_reload_refused 0.0" in asked(address, "GET", "/metrics")[1]
        eventually(lambda: lab(desk)["service"]["same_as_file"], "it runs on the new configuration")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.events("service.reloaded")[0]["changed"] == ["brakes.max_deletions", "brakes.max_share"]


def test_a_service_without_a_schedule_says_so_among_its_first_lines(simulate: Simulate, desk: Desk) -> None:
    """And `status` says that the target is swept on request only."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud, service={"listen": None})
    swept(desk)
    with desk.started("serve") as started:
        started.wait_for("service.doubt")
        eventually(lambda: lab(desk)["service"], "the service has said that it runs")
        assert "no schedule: it is swept on request only" in desk.run("status").out
        started.signal(signal.SIGTERM)
        ended = started.ended()
    (line,) = ended.events("service.doubt")
    assert (line["level"], line["rule"]) == ("warning", "lab")
    assert "no schedule" in line["problem"]
    assert [each["event"] for each in ended.lines].index("service.doubt") <= 3
