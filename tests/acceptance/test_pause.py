"""A pause is the operator's word: nothing but their taking it back ends it."""

import json
import signal

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, asked, eventually, free_port, idle_fleet

TOKEN = "a-token-of-the-test"


def write(desk: Desk, cloud: Cloud, address: str, cron: str) -> None:
    """Write a service's configuration: it may delete, and its API takes changes."""
    token_file = desk.folder / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    service = {"listen": address, "api_token_file": str(token_file)}
    desk.write(cloud, mode="enforce", schedule={"cron": cron}, service=service)


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
