"""Fleets: real processes on a real PostgreSQL server, with a simulated cloud for each account."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from acceptance.conftest import Simulate, desk, simulate
from acceptance.support import Cloud, Desk, Json, Started, target
from postgresql.conftest import address, bouncer, server

__all__ = ["address", "bouncer", "desk", "server", "simulate"]


@dataclass
class Fleet:
    """The configuration of a fleet, and the processes that are started with it."""

    desk: Desk
    clouds: dict[str, Cloud]
    """The cloud of each target."""

    def write(self, journal: str, **groups: Any) -> None:
        """Write the configuration: one target for each cloud, which is an account of its own."""
        of_target, of_service = groups.pop("target", {}), groups.pop("service", {})
        targets = [target(cloud.url, name=name, **of_target) for name, cloud in self.clouds.items()]
        service = {"fleet": True, "listen": None, "lease": "2s", "drain": "5s"} | of_service
        self.desk.write("http://127.0.0.1:1", **{"journal": journal, "targets": targets, "service": service} | groups)

    def request(self) -> None:
        """Ask for a sweep of every target."""
        for name in self.clouds:
            ended = self.desk.run("sweep", name)
            assert ended.code == 0, ended.err

    @contextmanager
    def at_work(self, workers: int = 1, serves: int = 1) -> Iterator[tuple[list[Started], list[Started]]]:
        """Run so many `serve` and `worker` processes meanwhile."""
        with ExitStack() as stack:
            serving = [stack.enter_context(self.desk.started("serve")) for _ in range(serves)]
            working = [stack.enter_context(self.desk.started("worker")) for _ in range(workers)]
            for started in serving:
                started.wait_for("service.started")
            for started in working:
                started.wait_for("worker.started")
            yield serving, working

    def runs(self) -> Sequence[Json]:
        """List the runs of all targets."""
        found: Sequence[Json] = self.desk.run("history", "--format", "json").document
        return found

    def all_gone(self) -> bool:
        """Return whether every notebook is deleted."""
        return all(cloud.gone() == set(cloud.instances()) for cloud in self.clouds.values())

    def check_once(self) -> None:
        """Check that every notebook is deleted by exactly one accepted DELETE."""
        for cloud in self.clouds.values():
            assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)


MakeFleet = Callable[..., Fleet]


@pytest.fixture
def fleet(simulate: Simulate, desk: Desk) -> MakeFleet:
    """Make a fleet of so many accounts with these notebooks each."""

    def make(instances: list[Json], accounts: int, **groups: Any) -> Fleet:
        return Fleet(desk, {f"t{number}": simulate(instances, **groups) for number in range(accounts)})

    return make
