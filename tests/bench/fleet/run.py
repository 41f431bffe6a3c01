"""One fleet on fresh clouds and a fresh journal: start it, let it sweep all accounts once, and ask the clouds for the truth."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from acceptance.support import Cloud, Desk, Started, free_port, running_clouds
from bench.fleet.shape import TOKEN, Shape, configuration, simulated
from bench.fleet.usage import DatabaseUse, Watch, process_cpu_s, resident_mb
from bench.runs import ended_at
from postgresql.conftest import Server

LOOKS_EVERY_S = 0.25
PATIENCE_S = 3600.0
REQUESTS_AT_ONCE = 32
IDLE_S = 30.0
SETTLES_S = 3.0
"""What a process does once after its start has passed by then."""
WORDS_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """What the processes of one kind have used."""

    start_cpu_s: float
    """Of all of them, until they were ready."""
    cpu_s: float
    """Of all of them, from the request to the last end."""
    idle_mb: float
    """Memory of the largest, before there was anything to do."""
    peak_mb: float
    """Memory of the largest, when all was done."""


@dataclass(frozen=True, slots=True)
class FleetRun:
    """What one run came to."""

    shape: Shape
    makespan_s: float
    """From the first call to the last notebook gone, by the clouds' own logs."""
    calls: Counter[str]
    throttled: int
    sweep_s: tuple[float, ...]
    """How long each account was at work, from its first call to its last notebook gone, the shortest first."""
    workers: ProcessUse
    serve: ProcessUse
    database: DatabaseUse
    connections: int
    """The greatest number seen."""
    rows: dict[str, int]
    problem: str
    """What makes the figures worth nothing; empty when every notebook was deleted exactly once."""


@dataclass(slots=True)
class Processes:
    """The processes of one kind."""

    started: Sequence[Started]
    start_cpu_s: float = 0.0
    idle_mb: float = 0.0

    def note_start(self) -> None:
        """Note what they have used until now."""
        self.start_cpu_s = self._cpu_s()
        self.idle_mb = self._largest_mb()

    def use(self) -> ProcessUse:
        """Return what they have used since."""
        return ProcessUse(self.start_cpu_s, self._cpu_s() - self.start_cpu_s, self.idle_mb, self._largest_mb())

    def _cpu_s(self) -> float:
        return sum(process_cpu_s(each.process.pid) for each in self.started)

    def _largest_mb(self) -> float:
        return max(resident_mb(each.process.pid) for each in self.started)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run left behind."""

    clouds: Sequence[Cloud]
    workers: ProcessUse
    serve: ProcessUse
    database: DatabaseUse
    connections: int
    rows: dict[str, int]


def run_fleet(shape: Shape, server: Server, folder: Path) -> FleetRun:
    """Run a fleet once, in an empty folder and with a database of its own."""
    address, listen, token = server.new_database(), f"127.0.0.1:{free_port()}", written_token(folder)
    desk = Desk(folder, alone=True)
    with running_clouds(simulated(shape)) as clouds, closing(Watch(server, address)) as watch:
        desk.write("", **configuration(shape, clouds, address, listen, str(token)))
        with at_work(desk, shape.workers) as (serve, workers):
            before = watch.use()
            for cloud in clouds:
                cloud.forget_requests()
            request_all(listen, [f"t{number:04d}" for number in range(shape.accounts)])
            connections = wait_for_end(watch, [*serve.started, *workers.started])
            used = workers.use(), serve.use()
            cpu_s = watch.use().cpu_s
        after = replace(watch.use(), cpu_s=cpu_s)
        return judged(shape, Evidence(clouds, *used, after.since(before), connections, watch.rows()))


def idle_use(accounts: int, server: Server, folder: Path) -> tuple[ProcessUse, ProcessUse]:
    """Start one `serve` and one worker with so many accounts and nothing to do; return what each has used after a while."""
    shape = Shape(accounts, 0, 1)
    address, listen, token = server.new_database(), f"127.0.0.1:{free_port()}", written_token(folder)
    desk = Desk(folder, alone=True)
    with running_clouds(simulated(shape)) as clouds:
        desk.write("", **configuration(shape, clouds, address, listen, str(token)))
        with at_work(desk, 1) as (serve, workers):
            time.sleep(IDLE_S)
            return serve.use(), workers.use()


def written_token(folder: Path) -> Path:
    """Write the token of `serve`, and return its file."""
    token = folder / "token"
    token.write_text(TOKEN, encoding="utf-8")
    token.chmod(0o600)
    return token


@contextmanager
def at_work(desk: Desk, workers: int) -> Iterator[tuple[Processes, Processes]]:
    """Run one `serve` and so many workers meanwhile; all are ready."""
    with ExitStack() as stack:
        serve = Processes([stack.enter_context(desk.started("serve"))])
        serve.started[0].wait_for("service.started")
        found = Processes([stack.enter_context(desk.started("worker")) for _ in range(workers)])
        for each in found.started:
            each.wait_for("worker.started")
        time.sleep(SETTLES_S)
        serve.note_start()
        found.note_start()
        yield serve, found
        for each in (*serve.started, *found.started):
            each.process.terminate()
        for each in (*serve.started, *found.started):
            ended = each.ended()
            if ended.code != 0:
                raise RuntimeError(ended.err[-WORDS_SHOWN:])


def request_all(listen: str, targets: Sequence[str]) -> None:
    """Ask `serve` for a sweep of every target, of many at once as a schedule does."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as threads:
        for _ in threads.map(partial(request, listen), targets):
            pass


def request(listen: str, target: str) -> None:
    """Ask `serve` for a sweep of a target."""
    with closing(HTTPConnection(listen, timeout=60)) as connection:
        connection.request("POST", f"/api/v1/targets/{target}/sweep", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"the sweep of {target} was answered {answer.status}: {content.decode()}")


def wait_for_end(watch: Watch, processes: Sequence[Started]) -> int:
    """Wait until no sweep is open, and return the greatest number of connections meanwhile."""
    most, still_open, end_s = 0, 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        still_open, connections = watch.open_sweeps()
        most = max(most, connections)
        if not still_open:
            return most
        for each in processes:
            if each.process.poll() is not None:
                raise RuntimeError(f"a process has ended: {each.err[-WORDS_SHOWN:].decode()}")
        time.sleep(LOOKS_EVERY_S)
    raise RuntimeError(f"{still_open} sweeps are open after {PATIENCE_S:.0f} s")


def judged(shape: Shape, evidence: Evidence) -> FleetRun:
    """Return the figures of a run."""
    logs = [cloud.requests() for cloud in evidence.clouds]
    truths = [cloud.instances().values() for cloud in evidence.clouds]
    begun = [min(float(entry["at"]) for entry in log) for log in logs]
    ended = [max((ended_at(row) for row in rows if row["deleted"]), default=at) for at, rows in zip(begun, truths, strict=True)]
    calls = [entry for log in logs for entry in log]
    once = sum(row["deleted"] and row["accepted_deletes"] == 1 for rows in truths for row in rows)
    wanted = shape.accounts * shape.notebooks
    return FleetRun(
        shape=shape,
        makespan_s=max(ended) - min(begun),
        calls=Counter(entry["kind"] for entry in calls),
        throttled=sum(entry["status"] == HTTPStatus.TOO_MANY_REQUESTS for entry in calls),
        sweep_s=tuple(sorted(last - first for first, last in zip(begun, ended, strict=True))),
        workers=evidence.workers,
        serve=evidence.serve,
        database=evidence.database,
        connections=evidence.connections,
        rows=evidence.rows,
        problem="" if once == wanted else f"{once} of {wanted} notebooks were deleted exactly once",
    )
