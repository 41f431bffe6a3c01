"""A configuration that cannot be put in force is refused, with the reason, and the one before it stays."""

import signal
import socket
from typing import Any

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Json, Started, asked, eventually, free_port, idle_fleet

NEVER = {"cron": "0 0 1 1 *"}


def reload(started: Started, desk: Desk, cloud: Cloud, event: str, **groups: Any) -> None:
    """Write another configuration, and wait for what the service says of it."""
    so_far = started.err.count(f'"event": "{event}"'.encode())
    desk.write(cloud, **{"mode": "enforce", "schedule": NEVER, **groups})
    started.signal(signal.SIGHUP)
    started.wait_for_more(event, so_far + 1)


def test_what_cannot_be_put_in_force_is_refused_and_the_service_goes_on(simulate: Simulate, desk: Desk) -> None:
    """A port that is taken, the same port of an address that is taken, a journal that is none, a token that nobody can read."""
    cloud, port = simulate(idle_fleet(3)), free_port()
    address = f"127.0.0.1:{port}"
    desk.write(cloud, mode="enforce", schedule=NEVER, service={"listen": address})
    (desk.folder / "no.db").write_text("this is no database, and never was one")
    with desk.started("serve") as started, socket.socket() as taken, socket.socket() as same_port:
        started.wait_for("service.started")
        for other, place in ((taken, ("127.0.0.1", 0)), (same_port, ("127.0.0.2", port))):
            other.bind(place)
            other.listen()
        bad: list[Json] = [
            {"service": {"listen": f"127.0.0.1:{taken.getsockname()[1]}"}},
            {"service": {"listen": f"127.0.0.2:{port}"}},
            {"service": {"listen": "192.0.2.1:9464", "api_token_file": "/nowhere/token"}},
            {"journal": f"sqlite:///{desk.folder}/no.db", "service": {"listen": address}},
        ]
        for groups in bad:
            reload(started, desk, cloud, "service.reload_refused", **groups)
            eventually(lambda: answers(address), "the old address answers")
        reload(started, desk, cloud, "service.reloaded", service={"listen": address}, schedule={"cron": "* * * * * *"})
        eventually(lambda: len(cloud.gone()) == 3, "the fleet is gone")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    problems = [line["problem"] for line in ended.events("service.reload_refused")]
    named = ["service.listen", "service.listen", "api_token_file", "no.db"]
    assert all(word in problem for word, problem in zip(named, problems, strict=True)), problems


def answers(address: str) -> bool:
    """Tell whether the service answers there."""
    try:
        return asked(address, "GET", "/healthz") == (200, "ok")
    except OSError:
        return False


def test_a_reload_that_is_refused_in_mid_sweep_disturbs_nothing(simulate: Simulate, desk: Desk) -> None:
    """The sweep goes on to its end, and each notebook is deleted once."""
    cloud = simulate(idle_fleet(12), timing={"deletion_median_s": 0.3})
    slow = {"target": {"limits": {"delete": "5/s"}}, "service": {"listen": None}}
    desk.write(cloud, mode="enforce", schedule={"cron": "*/2 * * * * *"}, **slow)
    with desk.started("serve") as started, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        eventually(lambda: len(cloud.accepted()) >= 3, "a sweep is under way")
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        reload(started, desk, cloud, "service.reload_refused", service={"listen": listen})
        eventually(lambda: len(cloud.gone()) == 12, "the fleet is gone")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)


def test_who_asks_for_a_reload_hears_what_came_of_it(simulate: Simulate, desk: Desk) -> None:
    """As systemd's ExecReload: exit code 2 and the reason when it is refused, 0 when it is accepted, 1 where nobody is."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud, mode="enforce", schedule=NEVER, service={"listen": None})
    desk.environment["RUNTIME_DIRECTORY"] = str(desk.folder)
    with desk.started("serve") as started:
        started.wait_for("service.started")
        desk.environment["MAINPID"] = str(started.process.pid)
        good = desk.config.read_text()
        desk.config.write_text(good.replace('"enforce"', '"enforced"'))
        refused = desk.run("serve", "--reload")
        desk.config.write_text(good)
        accepted = desk.run("serve", "--reload")
        started.wait_for("service.reloaded")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    assert (refused.code, accepted.code, accepted.err) == (2, 0, "")
    assert "refused" in refused.error["error"]
    assert "mode" in refused.error["error"]
    assert desk.run("serve", "--reload").code == 1
