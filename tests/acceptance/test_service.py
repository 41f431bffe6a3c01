import signal
import time
from pathlib import Path
from typing import Any

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, SECRET_KEY, Cloud, Desk, Ended, asked, eventually, free_port, idle_fleet

TOKEN = "a-token-of-the-test"
EVERY_TWO_SECONDS = {"cron": "*/2 * * * * *"}


def write(desk: Desk, cloud: Cloud | str, **groups: Any) -> None:
    """Write a service's configuration: it may delete, sweeps every two seconds, and answers nowhere."""
    service = {"listen": None, "drain": "20s"}
    desk.write(cloud, **{"mode": "enforce", "schedule": EVERY_TWO_SECONDS, "service": service, **groups})


def nobody_twice(cloud: Cloud) -> bool:
    """Tell whether the cloud accepted no notebook's DELETE twice, nor was sent one twice."""
    return max(cloud.accepted().values()) == 1 and max(cloud.deletes().values()) == 1


def journaled(desk: Desk) -> dict[str, set[str]]:
    """Tell from the journal which notebooks came to which outcome, over all runs."""
    found: dict[str, set[str]] = {}
    for record in desk.run("history", "--limit", "1000", "--format", "json").document:
        for removal in desk.run("show", record["run_id"], "--format", "json").document["results"]:
            found.setdefault(removal["outcome"], set()).add(removal["id"])
    return found


def names(ended: Ended) -> list[str]:
    """List the events of the log, in order."""
    return [line["event"] for line in ended.lines]


def test_a_service_sweeps_reloads_and_stops_cleanly(simulate: Simulate, desk: Desk) -> None:
    """Three sweeps, a configuration of no use, one that can be used, SIGTERM in mid-sweep: nothing lost, nothing twice."""
    cloud = simulate(idle_fleet(40), timing={"deletion_median_s": 0.3})
    few = {"max_deletions": 2, "max_share": None, "on_excess": "trim"}
    write(desk, cloud, brakes=few)
    with desk.started("serve") as started:
        started.wait_for_more("sweep.finished", 3)
        good = desk.config.read_text()
        desk.config.write_text(good.replace('"enforce"', '"enforced"'))
        started.signal(signal.SIGHUP)
        started.wait_for("service.reload_refused")
        started.wait_for_more("sweep.finished", 4)
        many = {"max_deletions": None, "max_share": None}
        write(desk, cloud, brakes=many, target={"limits": {"delete": "5/s"}}, removal={"grace": "300ms"})
        started.signal(signal.SIGHUP)
        started.wait_for("service.reloaded")
        before = len(cloud.accepted())
        eventually(lambda: len(cloud.accepted()) >= before + 5, "a sweep at the new speed is under way")
        asked_at = time.monotonic()
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert time.monotonic() - asked_at < 20
    assert (names(ended)[0], names(ended)[-1]) == ("service.started", "service.stopped")
    (refused,) = ended.events("service.reload_refused")
    assert "mode" in refused["problem"]
    taken = set(cloud.accepted())
    assert 10 < len(taken) < 40
    assert cloud.gone() == taken
    assert nobody_twice(cloud)
    outcomes = journaled(desk)
    assert outcomes["deleted"] == taken
    assert outcomes["spared"] == set(cloud.instances()) - taken
    assert outcomes.keys() == {"deleted", "spared"}


def test_what_kill_9_leaves_is_followed_before_anything_new_is_decided(simulate: Simulate, desk: Desk) -> None:
    """The service is killed in mid-sweep; the next one, with nothing due, follows what was sent, and sends none of it twice."""
    cloud = simulate(idle_fleet(24), timing={"deletion_median_s": 0.6})
    write(desk, cloud, target={"limits": {"delete": "10/s"}})
    with desk.started("serve") as started:
        eventually(lambda: len(cloud.accepted()) >= 6, "six accepted DELETEs")
        started.signal(signal.SIGKILL)
        started.ended()
    taken = set(cloud.accepted())
    assert len(taken) < 24
    write(desk, cloud, schedule={"cron": "0 3 * * *"})
    with desk.started("serve") as started:
        started.wait_for("recovery.finished")
        assert cloud.gone() == taken
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert ended.events("survey.finished") == []
    assert cloud.accepted() == dict.fromkeys(taken, 1)
    assert nobody_twice(cloud)
    assert journaled(desk)["deleted"] == taken


def test_in_dry_run_a_service_deletes_nothing(simulate: Simulate, desk: Desk) -> None:
    """Unless the configuration says `mode: enforce`, a service says what it would delete, and that is all."""
    cloud = simulate(idle_fleet(5))
    write(desk, cloud, mode="dry-run")
    with desk.started("serve") as started:
        started.wait_for_more("sweep.finished", 2)
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0
    assert cloud.writes() == []
    assert {line["outcome"] for line in ended.events("sweep.finished")} <= {"dry-run", "interrupted"}


def test_a_target_that_fails_does_not_stop_another(simulate: Simulate, desk: Desk) -> None:
    """One target's address leads nowhere: it backs off and says so, while the other one's fleet goes."""
    cloud = simulate(idle_fleet(5))
    write(desk, cloud)
    text = desk.config.read_text()
    good = text[text.index('"targets": [') + len('"targets": [') : text.index('], "policies"')]
    lost = good.replace('"lab"', '"lost"').replace(cloud.url, "http://127.0.0.1:1")
    desk.config.write_text(text.replace(good, f"{good}, {lost}"))
    with desk.started("serve") as started:
        eventually(lambda: len(cloud.gone()) == 5, "the fleet is gone")
        started.wait_for("target.backed_off")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0
    assert {line["target"] for line in ended.events("target.backed_off")} == {"lost"}
    assert "lab" in {line["target"] for line in ended.events("sweep.finished") if line["outcome"] == "finished"}


def test_of_two_services_one_sweeps_and_the_other_takes_over_when_it_is_killed(simulate: Simulate, desk: Desk) -> None:
    """Both are due at the same moments; who is killed in mid-sweep leaves the rest to the other; nobody is deleted twice."""
    cloud = simulate(idle_fleet(30), timing={"deletion_median_s": 0.3})
    write(desk, cloud, target={"limits": {"delete": "5/s"}}, service={"listen": None, "lease": "3s"})
    with desk.started("serve") as one, desk.started("serve") as other:
        eventually(lambda: len(cloud.accepted()) >= 5, "one of them sweeps")
        sweeping, waiting = (one, other) if b'"event": "plan.built"' in one.err else (other, one)
        assert b'"event": "plan.built"' not in waiting.err
        sweeping.signal(signal.SIGKILL)
        killed = sweeping.ended()
        eventually(lambda: len(cloud.gone()) == 30, "the other has taken over")
        waiting.signal(signal.SIGTERM)
        ended = waiting.ended()
    assert killed.code == -signal.SIGKILL
    assert ended.code == 0, ended.err
    assert ended.events("lease.taken_over")
    assert nobody_twice(cloud)
    assert journaled(desk)["deleted"] == set(cloud.instances())


def test_the_marks_are_in_the_metrics_from_the_start(simulate: Simulate, desk: Desk) -> None:
    """By the journal: the next survey of this service is hours away."""
    cloud, address = simulate(idle_fleet(3)), f"127.0.0.1:{free_port()}"
    grace = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": {"for": "7d"}}
    mail = {"kind": "smtp", "host": "127.0.0.1", "port": 9, "tls": "none", "from": "nbsweep@example.com"}
    rest = {"channels": {"mail": mail}, "owners": [{"domain": "example.com"}], "policies": [grace]}
    write(desk, cloud, service={"listen": address}, schedule={"cron": "0 0 29 2 *"}, **rest)
    assert desk.run("run", "--yes").code == 0
    with desk.started("serve") as started:
        started.wait_for("service.started")
        shown = 'nbsweep_marks{state="marked",target="lab"} 3.0'
        eventually(lambda: shown in asked(address, "GET", "/metrics")[1], "the marks of the journal")
        assert 'nbsweep_untold{target="lab"} 0.0' in asked(address, "GET", "/metrics")[1]


def test_while_the_cloud_is_away_the_service_says_so_and_goes_on(simulate: Simulate, desk: Desk) -> None:
    """Log, metrics and /readyz say it; once the cloud is back and somebody asks, all is well again."""
    cloud = simulate(idle_fleet(3))
    address = f"127.0.0.1:{free_port()}"
    service = {"listen": address, "api_token_file": str(write_token(desk))}
    write(desk, cloud.url.replace("127.0.0.1", "127.0.0.9"), service=service)
    with desk.started("serve") as started:
        started.wait_for("target.backed_off")
        status, sentence = asked(address, "GET", "/readyz")
        assert status == 503
        assert "lab: http" in sentence
        assert 'nbsweep_target_failures{target="lab"} 1.0' in asked(address, "GET", "/metrics")[1]
        assert asked(address, "GET", "/healthz")[0] == 200
        write(desk, cloud, service=service, schedule={"cron": "0 3 * * *"})
        started.signal(signal.SIGHUP)
        started.wait_for("service.reloaded")
        assert asked(address, "POST", "/api/v1/targets/lab/sweep")[0] == 401
        assert asked(address, "POST", "/api/v1/targets/lab/sweep", TOKEN)[0] == 202
        eventually(lambda: len(cloud.gone()) == 3, "the fleet is gone")
        eventually(lambda: asked(address, "GET", "/readyz")[0] == 200, "it is ready")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0


def test_a_service_uses_a_secret_that_is_mounted_late(simulate: Simulate, desk: Desk) -> None:
    """While the file is missing its target fails and says so; once it is there the next sweep works, without a restart."""
    cloud = simulate(idle_fleet(3))
    secret, address = desk.folder / "late-secret", f"127.0.0.1:{free_port()}"
    credentials = {"access_key": ACCESS_KEY, "secret_key_file": str(secret)}
    service = {"listen": address, "api_token_file": str(write_token(desk))}
    write(desk, cloud, target={"credentials": credentials}, service=service)
    with desk.started("serve") as started:
        started.wait_for("target.backed_off")
        assert cloud.requests() == []
        secret.write_text(SECRET_KEY)
        secret.chmod(0o600)
        assert asked(address, "POST", "/api/v1/targets/lab/sweep", TOKEN)[0] == 202
        eventually(lambda: len(cloud.gone()) == 3, "the fleet is gone")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert all("secret_key_file" in line["problem"] for line in ended.events("target.backed_off"))
    assert SECRET_KEY not in ended.err


def write_token(desk: Desk) -> Path:
    """Write the API's token where only its owner may read it."""
    path = desk.folder / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


def test_a_sweep_whose_time_passed_while_the_service_was_stopped_is_made_up_for(simulate: Simulate, desk: Desk) -> None:
    """Each half minute one is due: it is stopped before the next, and started after it."""
    cloud = simulate(idle_fleet(3))
    while time.time() % 30 > 12:
        time.sleep(0.5)
    write(desk, cloud, schedule={"cron": "*/30 * * * * *"})
    with desk.started("serve") as started:
        started.wait_for("target.scheduled")
        time.sleep(1)
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    due = time.time() // 30 * 30 + 30
    eventually(lambda: time.time() > due + 0.5, "a sweep was due")
    assert cloud.writes() == []
    write(desk, cloud, schedule={"cron": "*/30 * * * * *"})
    with desk.started("serve") as started:
        started.wait_for("target.made_up")
        eventually(lambda: len(cloud.gone()) == 3, "the fleet is gone")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
