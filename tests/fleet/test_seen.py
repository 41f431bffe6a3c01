"""What people see of a fleet: `fleet`, `status`, `check`, and a worker that is drained, with real processes."""

import json
import re
import signal

from acceptance.support import ACCESS_KEY, SECRET_KEY, asked, eventually, free_port, idle_fleet
from fleet.conftest import Fleet, MakeFleet


def change(mine: Fleet, **service: object) -> None:
    """Change keys of `service` in the configuration."""
    document = json.loads(mine.desk.config.read_text())
    document["service"] |= service
    mine.desk.config.write_text(json.dumps(document))


def test_fleet_shows_workers_accounts_and_what_is_due(fleet: MakeFleet, address: str) -> None:
    """With one account at a time for one worker, a second account waits, and both commands say so; then all is well."""
    mine = fleet(idle_fleet(30), 2)
    mine.write(address, service={"accounts_at_once": 1, "drain": "20s"}, target={"limits": {"delete": "5/s"}})
    with mine.at_work() as (_, [worker]):
        quiet = mine.desk.run("fleet", "--format", "json")
        assert (quiet.code, quiet.document["problems"], quiet.document["due"]) == (0, [], [])
        assert [each["pid"] for each in quiet.document["workers"]] == [worker.process.pid]
        mine.request()

        def waits() -> bool:
            document = mine.desk.run("fleet", "--format", "json").document
            return sorted(job["state"] for job in document["jobs"]) == ["running", "waiting"]

        eventually(waits, "one job runs, and one waits")
        document = mine.desk.run("fleet", "--format", "json").document
        assert [each["held"] for each in document["accounts"]].count(True) == 1
        [held] = (each for each in document["accounts"] if each["held"])
        assert held["holder"]["pid"] == worker.process.pid
        assert {each["state"] for each in document["due"]} == {"sweeping", "waiting"}
        status = mine.desk.run("status").out
        assert len(re.findall("waits for a worker", status)) == 1
        eventually(mine.all_gone, "all notebooks are deleted")
        eventually(lambda: not mine.desk.run("fleet", "--format", "json").document["due"], "nothing is due")
        table = mine.desk.run("fleet")
        assert (table.code, table.out.splitlines()[0]) == (0, "All is well.")
    mine.check_once()


def test_a_target_whose_worker_was_killed_is_not_called_swept(fleet: MakeFleet, address: str) -> None:
    """When the hold of its account has ended, it waits for a worker: in `fleet`, in `status`, and in the HTTP API."""
    listen = f"127.0.0.1:{free_port()}"
    mine = fleet(idle_fleet(40), 1)
    mine.write(address, service={"listen": listen}, target={"limits": {"delete": "2/s"}})

    def shown() -> tuple[str, str]:
        document = mine.desk.run("fleet", "--format", "json").document
        [target] = json.loads(asked(listen, "GET", "/api/v1/targets")[1])["targets"]
        return document["due"][0]["state"], target["phase"]

    with mine.at_work() as (_, [worker]):
        mine.request()
        eventually(lambda: mine.accepted() > 2, "some DELETEs are accepted")
        eventually(lambda: shown() == ("sweeping", "sweeping"), "the target is swept")
        worker.signal(signal.SIGKILL)
        eventually(lambda: shown() == ("waiting", "waiting-for-worker"), "the target waits for a worker")
        status = mine.desk.run("status").out
        assert "waits for a worker" in status
        assert "being swept" not in status


def test_one_serve_leads_and_the_other_stands_by(fleet: MakeFleet, address: str) -> None:
    """When the first one stops, the other one leads."""
    mine = fleet([], 1)
    mine.write(address)

    def states() -> dict[int, str]:
        return {each["pid"]: each["state"] for each in mine.desk.run("fleet", "--format", "json").document["serves"]}

    with mine.started("serve") as first:
        first.wait_for("fleet.leading")
        with mine.started("serve") as second:
            both = {first.process.pid: "leading", second.process.pid: "standing-by"}
            eventually(lambda: states() == both, "both are shown")
            first.signal(signal.SIGTERM)
            first.ended()
            after = {first.process.pid: "stopped", second.process.pid: "leading"}
            eventually(lambda: states() == after, "the second one leads")


def test_a_worker_that_is_drained_takes_no_more_and_ends(fleet: MakeFleet, address: str) -> None:
    """It is named by its host and process; then no worker is left, which both commands call a problem."""
    mine = fleet(idle_fleet(2), 1)
    mine.write(address)
    with mine.at_work() as (_, [worker]):
        [shown] = mine.desk.run("fleet", "--format", "json").document["workers"]
        name = f"{shown['host']}:{shown['pid']}"
        unknown = mine.desk.run("fleet", "drain", "nowhere:1")
        assert (unknown.code, name in unknown.err) == (2, True)
        assert mine.desk.run("fleet", "drain", name).code == 0
        assert worker.ended().code == 0
        ended = mine.desk.run("fleet", "--format", "json")
        assert (ended.code, ended.document["workers"][0]["state"]) == (1, "stopped")
        assert any("no worker is running" in problem for problem in ended.document["problems"])
        status = mine.desk.run("status", "--format", "json")
        assert status.code == 1
        assert any("no worker is running" in problem for problem in status.document[0]["problems"])
        assert mine.desk.run("fleet", "drain", name).code == 2


def test_a_worker_serves_its_health_and_its_metrics(fleet: MakeFleet, address: str) -> None:
    """It is ready once the journal has its report; it counts its deletions, and `serve` counts workers and jobs."""
    mine = fleet(idle_fleet(3), 1)
    of_worker, of_serve = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    mine.write(address, service={"listen": of_serve})
    with mine.started("serve") as serving, mine.started("worker", options=["--listen", of_worker]):
        serving.wait_for("fleet.leading")
        assert asked(of_worker, "GET", "/healthz") == (200, "ok")
        eventually(lambda: asked(of_worker, "GET", "/readyz")[0] == 200, "the worker is ready")
        mine.request()
        deleted = 'nbsweep_removals_total{outcome="deleted",policy="idle",target="t0"} 3.0'
        eventually(lambda: deleted in asked(of_worker, "GET", "/metrics")[1], "the worker counts its deletions")
        for series in (
            'nbsweep_workers{state="running"} 1.0',
            "nbsweep_fleet_leading 1.0",
            'nbsweep_jobs{state="waiting"} 0.0',
        ):
            eventually(lambda series=series: series in asked(of_serve, "GET", "/metrics")[1], series)  # type: ignore[misc]
        assert "nbsweep_account_held{" in asked(of_serve, "GET", "/metrics")[1]
        assert json.loads(asked(of_serve, "GET", "/api/v1/fleet")[1])["well"] is True


def test_jobs_of_another_configuration_are_told(fleet: MakeFleet, address: str) -> None:
    """`serve` has a new configuration, and the worker the old one."""
    mine = fleet(idle_fleet(2), 1)
    mine.write(address)
    with mine.started("worker") as worker:
        change(mine, lease="3s")
        with mine.started("serve") as serving:
            serving.wait_for("fleet.leading")
            mine.request()
            eventually(lambda: mine.desk.run("fleet", "--format", "json").document["jobs"] != [], "a job waits")
            told = mine.desk.run("fleet", "--format", "json")
            assert told.code == 1
            [refused] = told.document["refused"]
            assert refused["configuration"] == told.document["configuration"]
            assert [each["same_configuration"] for each in told.document["workers"]] == [False]
            assert any("1 job waits for a worker with the configuration" in each for each in told.document["problems"])
            status = mine.desk.run("status", "--format", "json")
            assert status.code == 1
            assert any("1 job waits for a worker with the configuration" in each for each in status.document[0]["problems"])
            worker.wait_for("worker.configuration_differs")
    assert not mine.all_gone()


def test_without_a_fleet_the_command_says_so(fleet: MakeFleet, address: str) -> None:
    """It is a mistake of usage."""
    mine = fleet([], 1)
    mine.write(address)
    change(mine, fleet=False)
    ended = mine.desk.run("fleet")
    assert ended.code == 2
    assert "there is no fleet" in ended.err


def test_an_account_that_cannot_be_looked_up_is_told_by_check_and_at_the_start(fleet: MakeFleet, address: str) -> None:
    """Its credentials stand for it; with `account` in the target there is nothing to look up."""
    mine = fleet(idle_fleet(1), 1)
    mine.write(address)

    def write(**changes: object) -> None:
        document = json.loads(mine.desk.config.read_text())
        document["targets"][0] |= {"credentials": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}, **changes}
        mine.desk.config.write_text(json.dumps(document))

    def account() -> dict[str, str]:
        checks = mine.desk.run("check", "--format", "json").document["checks"]
        [found] = (each for each in checks if each["name"] == "account")
        return dict(found)

    write(account=None)
    assert account()["status"] == "warning"
    with mine.started("worker") as worker:
        worker.wait_for("account.unidentified")
    write(account="mine")
    told = account()
    assert (told["status"], told["finding"].endswith("/mine")) == ("ok", True)
