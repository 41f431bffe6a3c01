"""Fleets: real processes on a real PostgreSQL server, with a simulated cloud for each account, all in one process."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from acceptance.conftest import desk
from acceptance.support import SECRET_KEY, Cloud, Desk, Json, Started, cloud_options, running_clouds, target
from postgresql.conftest import address, bouncer, server

__all__ = ["address", "bouncer", "desk", "server"]

LEASE_S = 4.0
"""Long enough for a busy machine, and short enough to wait for several."""
FULL = bool(os.environ.get("NBSWEEP_TEST_FLEET_FULL"))
"""Whether the tests are run at their whole size, which takes much longer."""
WORKERS = 64
"""How many processes can be told apart by their access keys."""


def access_key(number: int) -> str:
    """Return the access key of a process, by which the log of a simulated cloud tells who has called."""
    return f"SIMULATEDPROCESS{number:04d}"


def user(number: int) -> str:
    """Return the user of a process, as the clouds know it."""
    return f"process-{number}"


@dataclass
class Fleet:
    """The configuration of a fleet, and the processes that are started with it."""

    desk: Desk
    clouds: dict[str, Cloud]
    """The cloud of each target."""
    numbers: Iterator[int] = field(default_factory=count)
    serving: set[str] = field(default_factory=set)
    """The users of the `serve` processes, as the clouds know them."""

    def write(self, journal: str, **groups: Any) -> None:
        """Write the configuration: one target for each cloud, which is an account of its own."""
        of_target, of_service = groups.pop("target", {}), groups.pop("service", {})
        targets = [
            target(cloud.url, name=name, account=name, credentials=None, **of_target) for name, cloud in self.clouds.items()
        ]
        service = {"fleet": True, "listen": None, "lease": f"{LEASE_S:g}s", "drain": "5s"} | of_service
        self.desk.write("http://127.0.0.1:1", **{"journal": journal, "targets": targets, "service": service} | groups)

    @contextmanager
    def started(self, command: str, *before: str, options: Sequence[str] = ()) -> Iterator[Started]:
        """Run a process of the fleet meanwhile, with an access key of its own; `before` is what starts it."""
        number = next(self.numbers)
        if command == "serve":
            self.serving.add(user(number))
        environment = {"HUAWEICLOUD_SDK_AK": access_key(number), "HUAWEICLOUD_SDK_SK": SECRET_KEY}
        program = (*before, *self.desk.program)
        mine = replace(self.desk, environment=environment, program=program, alone=bool(before))
        with mine.started(command, *options) as started:
            started.wait_for(f"{'service' if command == 'serve' else command}.started")
            yield started

    @contextmanager
    def at_work(self, workers: int = 1, serves: int = 1) -> Iterator[tuple[list[Started], list[Started]]]:
        """Run so many `serve` and `worker` processes meanwhile."""
        with ExitStack() as stack:
            serving = [stack.enter_context(self.started("serve")) for _ in range(serves)]
            working = [stack.enter_context(self.started("worker")) for _ in range(workers)]
            yield serving, working

    def request(self, *names: str) -> None:
        """Ask for a sweep of these targets, or of all."""
        for name in names or self.clouds:
            ended = self.desk.run("sweep", name)
            assert ended.code == 0, ended.err

    def runs(self) -> Sequence[Json]:
        """List the runs of all targets, the newest first."""
        found: Sequence[Json] = self.desk.run("history", "--format", "json", "--limit", "1000").document
        return found

    def all_gone(self) -> bool:
        """Return whether every notebook is deleted."""
        return all(cloud.gone() == set(cloud.instances()) for cloud in self.clouds.values())

    def is_idle(self) -> bool:
        """Return whether every target has a run, and none is under way."""
        runs = self.runs()
        return {run["target"] for run in runs} == set(self.clouds) and all(run["ended_at"] for run in runs)

    def accepted(self) -> int:
        """Return how many DELETEs were accepted."""
        return sum(len(cloud.accepted()) for cloud in self.clouds.values())

    def check_once(self) -> None:
        """Check that every notebook is deleted by exactly one accepted DELETE."""
        for cloud in self.clouds.values():
            assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)

    def turns(self, name: str) -> list[str]:
        """Return which workers have called an account, one after the other; calls of `serve` do not count."""
        callers = [str(request["user"]) for request in self.clouds[name].requests() if request["user"] not in self.serving]
        return [user for user, _ in groupby(callers)]

    def check_fenced(self, journal: str) -> None:
        """Check that no two workers have called an account at the same time.

        The calls of one worker are followed by those of another only after the fence was taken anew, which its epoch counts.
        """
        with psycopg.connect(journal) as connection:
            epochs: dict[str, int] = dict(
                connection.execute("SELECT name, epoch FROM fences WHERE name LIKE 'lanes:%'").fetchall()
            )
        for name, cloud in self.clouds.items():
            turns, epoch = self.turns(name), epochs[f"lanes:{urlsplit(cloud.url).netloc}/{name}"]
            assert len(turns) <= epoch, f"{len(turns)} turns on {name}, whose fence was taken {epoch} times: {turns}"


MakeFleet = Callable[..., Fleet]


@pytest.fixture
def fleet(desk: Desk) -> Iterator[MakeFleet]:
    """Make a fleet of so many accounts with these notebooks each."""
    keys = [{"access_key": access_key(number), "secret_key": SECRET_KEY, "user": user(number)} for number in range(WORKERS)]
    with ExitStack() as stack:

        def make(instances: list[Json], accounts: int, **groups: Any) -> Fleet:
            options = cloud_options(instances, access={"access_keys": keys}, **groups)
            clouds = stack.enter_context(running_clouds([options] * accounts))
            return Fleet(desk, {f"t{number}": cloud for number, cloud in enumerate(clouds)})

        yield make
