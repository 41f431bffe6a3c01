"""The accounts of a fleet, as its processes know them."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acceptance.forked import Forked
from acceptance.support import (
    SECRET_KEY,
    cloud_options,
    ended_afterwards,
    eventually,
    free_port,
    idle_fleet,
    minimal_environment,
)
from fleet.conftest import MakeFleet, access_key

KEYS = {"access_key": access_key(0), "secret_key": SECRET_KEY}
"""Keys that the cloud and IAM know."""


@contextmanager
def iam_on(port: int) -> Iterator[None]:
    """Run an IAM at a port that was chosen before."""
    command = [sys.executable, "-m", "nbsweep.simulator", "--options", "-", "--port", str(port)]
    with ended_afterwards(Forked(command, env=minimal_environment(Path("/")), cwd=Path("/"))) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(cloud_options(access={"access_keys": [KEYS]})).encode())
        process.stdin.close()
        assert json.loads(process.stdout.readline())["event"] == "simulator.ready"
        yield


def test_a_worker_that_could_not_reach_iam_at_its_start_learns_the_account_later(fleet: MakeFleet, address: str) -> None:
    """It begins anew with the account that all processes agree on, and sweeps what is due."""
    mine, port = fleet(idle_fleet(3), 1), free_port()
    mine.write(address)
    document = json.loads(mine.desk.config.read_text())
    document["targets"][0] |= {"account": None, "credentials": {**KEYS, "iam_endpoint": f"http://127.0.0.1:{port}"}}
    mine.desk.config.write_text(json.dumps(document))
    with mine.started("serve"), mine.started("worker") as worker:
        worker.wait_for("account.unidentified")
        with iam_on(port):
            worker.wait_for_more("worker.started", 2)
            mine.request()
            eventually(mine.all_gone, "all notebooks are deleted")
            eventually(mine.is_idle, "all runs end")
            worker.signal(signal.SIGTERM)
            ended = worker.ended()
    assert (ended.code, len(ended.events("account.unidentified"))) == (0, 1)
    taken = [line["fence"] for line in ended.events("fence.taken") if line["fence"].startswith("lanes:")]
    assert len(taken) == 1
    assert "~" not in taken[0]
