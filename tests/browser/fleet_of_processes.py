"""The page Fleet of a fleet of processes: everything that it can show of workers, accounts and due sweeps, without PostgreSQL.

The rows are those of a fixed journal; most texts in them are somebody's attempt to break the page.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from anyio.from_thread import start_blocking_portal

from browser.world import HOSTILE
from builders import NOON, ago, due_sweep, fence, service_record, worker_record
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.due_sweeps.model import DueSweep, Job, JobState
from nbsweep.core.fences.model import CRON, lanes_fence
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs, FleetStatus
from nbsweep.core.lease import Holder
from nbsweep.core.pacing import LearnedRate
from nbsweep.core.workers.model import WorkerRecord
from unit.service.web.support import Scene

OURS, THEIRS = "3f1c9a2b7d40", "b81e04c6aa92"
"""The configuration of the service, and another one."""


@dataclass(frozen=True)
class Served:
    """A service that answers."""

    url: str


class FixedFleet:
    """A fleet whose status is given."""

    def __init__(self, known: FleetInputs) -> None:
        """Judge what is known."""
        self.status = judge_fleet(known)

    async def read(self) -> FleetStatus:
        """Return the status."""
        return self.status


def hosts(owner: str, host: str) -> Holder:
    """Return a process on a host."""
    return Holder(owner, host, f"machine-{owner}", 4711, 700)


def workers() -> tuple[WorkerRecord, ...]:
    """Return a worker in each state; the hosts of some are hostile texts."""
    named = [worker_record(f"w{kind}", holder=hosts(kind, text), config=OURS) for kind, text in HOSTILE.items()]
    return (
        worker_record("w1", accounts=("acct-0001", "acct-0002"), config=OURS),
        worker_record("w2", config=THEIRS, draining=True, accounts=("acct-0003",)),
        worker_record("w3", beat_at=ago(minutes=9), config=OURS),
        worker_record("w4", stopped_at=ago(minutes=30), config=OURS),
        *named,
    )


def services() -> tuple[ServiceRecord, ...]:
    """Return a `serve` process in each state; the hosts of most are hostile texts."""
    started = {"started_at": ago(hours=2)}
    named = [service_record(f"s{kind}", holder=hosts(kind, text), **started) for kind, text in HOSTILE.items()]
    return (
        service_record("leader", holder=hosts("leader", HOSTILE["markup"]), beat_at=ago(seconds=9), **started),
        service_record("s2", holder=hosts("s2", HOSTILE["long"]), beat_at=ago(seconds=9), **started),
        service_record("s3", beat_at=ago(minutes=9), **started),
        service_record("s4", beat_at=ago(minutes=30), stopped_at=ago(minutes=30), **started),
        *named,
    )


def sweeps() -> tuple[DueSweep, ...]:
    """Return sweeps that are in progress, that wait, and that have failed for reasons of all kinds."""
    failed = [
        due_sweep(text, account=f"acct-{kind}", by=text, failures=2, problem=text, not_before=ago(minutes=-4))
        for kind, text in HOSTILE.items()
    ]
    return (
        due_sweep("research", account="acct-0001", begun_at=NOON),
        due_sweep("silent", account="acct-0002", begun_at=NOON),
        due_sweep("lab", account="acct-0009"),
        *failed,
    )


def busy_fleet() -> FixedFleet:
    """Return a fleet with something of everything: also a lost worker, and jobs that no running worker may take."""
    learned = {"delete": LearnedRate(2, 1.0, 1.5, 3.0), "list": LearnedRate(5, 4.0, 4.5, 3.0)}
    return FixedFleet(
        FleetInputs(
            now=NOON,
            config=OURS,
            lasts=timedelta(seconds=60),
            workers=workers(),
            leader=fence(CRON, holder=hosts("leader", HOSTILE["markup"])),
            fences=(
                fence(lanes_fence("acct-0001"), "w1"),
                fence(lanes_fence("acct-0002"), holder=hosts("long", HOSTILE["long"]), age_s=40.0),
                fence(lanes_fence("acct-free"), "w1", held=False),
            ),
            due=sweeps(),
            jobs=(
                Job("acct-0001", JobState.RUNNING, OURS, NOON),
                Job("acct-0009", JobState.WAITING, OURS, ago(minutes=5)),
                Job("acct-0010", JobState.WAITING, THEIRS, ago(hours=3)),
            ),
            learned={"acct-0001": learned},
            services=services(),
        )
    )


def idle_fleet() -> FixedFleet:
    """Return a fleet without workers, leader and jobs."""
    return FixedFleet(FleetInputs(now=NOON, config=OURS, lasts=timedelta(seconds=60), workers=(), leader=None))


@contextmanager
def serving_fleet(fleet: FixedFleet) -> Iterator[Served]:
    """Serve the pages in a thread of their own until the end of the block: in this one runs the loop of the browser."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Scene(fleet=fleet).open()) as face:
        yield Served(face.url)
