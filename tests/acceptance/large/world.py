"""A service with a journal of 20,000 notebooks, and the cloud that has them."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio

from acceptance.large.past import OWNER, RESTLESS, RUN, SMALL, TARGET, fill, instances
from acceptance.support import PROJECT, Desk, cloud_options, free_port, running_cloud, target
from browser.world import FREE, GRACE, NEVER, access, sent
from nbsweep.core.identity import TargetIdentity

LIMITS = {"delete": "20000/s", "list": "20000/s", "show": "20000/s", "concurrency": 32}


@dataclass
class LargeWorld:
    """The configuration of a service, which can be started as often as one likes."""

    desk: Desk
    address: str
    parts: dict[str, str] = field(default_factory=lambda: {"target": TARGET, "run_id": RUN, "notebook_id": RESTLESS})
    """What may stand in the addresses of pages, by the name in braces."""

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Run the service, with a plan of all notebooks, and the result of a back-test; yield the ID of the process."""
        with self.desk.started("serve") as started:
            started.wait_for("service.started")
            self._posted(f"/plan/{TARGET}")
            if "plan_id" not in self.parts:
                self.parts["plan_id"] = self._approved()
            self.parts["result"] = self._tried()
            yield started.process.pid
            started.signal(signal.SIGTERM)

    def _posted(self, path: str, **fields: str) -> tuple[str, str]:
        return sent(self.address, "POST", path, **fields)

    def _approved(self) -> str:
        _, page = sent(self.address, "GET", f"/plan/{TARGET}")
        approved, _ = self._posted(f"/plan/{TARGET}/approve", digest=_digest(page))
        self._posted(f"{approved}/compare")
        return approved.rpartition("/")[2]

    def _tried(self) -> str:
        text = f"policies: [{{name: old, match: {{status: STOPPED, age_over: 1d}}}}]\n{FREE}"
        lengths = {"since": "1d", "horizon": "1h", "thresholds": "7d"}
        form = {"policies": text, "target": SMALL, "compare": "yes", "max_regret": "2%", **lengths}
        result, page = self._posted("/backtest", **form)
        assert result.startswith("/backtest/"), page
        return result.rpartition("/")[2]


def _digest(page: str) -> str:
    return page.partition('name="digest" value="')[2].partition('"')[0]


@contextmanager
def large_world(folder: Path) -> Iterator[LargeWorld]:
    """Run the cloud, and fill the journal."""
    desk, address = Desk(folder), f"127.0.0.1:{free_port()}"
    with running_cloud(cloud_options(instances(datetime.now(UTC)))) as cloud:
        _configure(desk, cloud.url, address)
        identity = TargetIdentity(cloud.url, PROJECT, None, ("NOTEBOOK",), "all")
        anyio.run(fill, f"sqlite:///{desk.journal}", identity)
        yield LargeWorld(desk, address)


def _configure(desk: Desk, url: str, address: str) -> None:
    broken: Mapping[str, object] = {"name": "broken", "match": {"status": ["ERROR"], "idle_over": "14d"}, "grace": GRACE}
    groups = {
        "targets": [target(url, limits=LIMITS), target(url, name=SMALL, features=["DEFAULT"], limits=LIMITS)],
        "policies": [{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}, broken],
        "brakes": {"max_deletions": None, "max_share": None, "max_fleet_drop": None},
        "channels": {"mail": {"kind": "smtp", "host": "127.0.0.1", "port": 1, "from": "nbsweep@example.com"}},
        "owners": [{"domain": "example.com"}],
        "schedule": NEVER,
        "service": {"listen": address, "drain": "5s", **access(desk.folder)},
    }
    desk.write(url, **groups)
    assert OWNER == "wei.chen", "the proxy's user of browser/world"
