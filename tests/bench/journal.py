"""`python -m bench.journal`, with `tests` on the path: what a journal with a million removals costs those who read it.

The same commands and pages, on an empty journal and on a full one, in turn; the least of each counts, because whatever else the
machine does only adds to it. The CPU time is that of the command or the service, and that of the PostgreSQL server, if there is
one: so what else runs on the machine hardly changes it. Needs PostgreSQL's server on this machine for `--postgresql`, which
`make test-postgresql` installs. `--keep FOLDER` fills a journal once and uses it again.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import yaml
from msgspec import Struct
from sqlalchemy import create_engine, make_url, text

from acceptance.support import cloud_options, free_port, idle, running_cloud, target
from bench.filling import Amount, fill_journal, name_of, notebook_id_of, project_id_of, run_id_of

ROUNDS = 5
PATIENCE_S = 60.0
IDLE_MS = 30.0
"""CPU time in a second that is as good as none: a service looks at the journal now and then."""
NOTEBOOK = notebook_id_of(0)
"""A notebook of the first target, which the cloud shows and the full journal has a removal of."""


class Cost(Struct, frozen=True):
    """What one command or one page took, in milliseconds."""

    wall_ms: float
    cpu_ms: float
    """The CPU time of the process and of the database server."""


class Amounts(Struct, frozen=True):
    """An empty and a full journal, by their addresses."""

    empty: str
    full: str


def commands() -> Mapping[str, Sequence[str]]:
    """Return the commands, by what the table calls them."""
    return {
        "`status`": ["status"],
        "`history`": ["history"],
        "`history --since 90d`": ["history", "--since", "90d"],
        "`show RUN`": ["show", run_id_of(0)],
        "`explain ID`": ["explain", NOTEBOOK, "--target", name_of(0)],
        "`audit`": ["audit"],
        "`audit --policy`": ["audit", "--policy", "policy-1", "--what", "spared"],
        "`audit --notebook`": ["audit", "--notebook", NOTEBOOK],
        "`marks`": ["marks"],
        "`marks --owner`": ["marks", "--state", "cleared", "--owner", "USER-7"],
        "`outbox`": ["outbox"],
    }


def pages() -> Mapping[str, str]:
    """Return the paths of the pages, by what the table calls them."""
    return {
        "page Fleet": "/",
        "page History": "/history",
        "page History, 90 days": "/history?since=90d",
        "page of a run": f"/history/{run_id_of(0)}",
        "page Marks": "/marks",
        "page Marks, cleared": "/marks?state=cleared",
        "page Exemptions": "/exemptions",
        "page Audit": "/audit",
        "page Audit, by who": "/audit?who=nobody",
        "page Audit, by target": f"/audit?target={name_of(1)}",
        "page of a notebook": f"/notebooks/{NOTEBOOK}",
        "search, by name": "/notebooks?q=bert-eval-77",
        "search, by ID": f"/notebooks?q={NOTEBOOK[:6]}",
        "search, nothing": "/notebooks?q=no-such-notebook",
    }


def command_cost(config: Path, arguments: Sequence[str], server: int | None) -> Cost:
    """Run a command to its end, and return what it took."""
    before, server_ms, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), server_cpu_ms(server), time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "nbsweep", *arguments, "--config", str(config)], capture_output=True, check=False
    )
    took_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    # `status` ends with 1 if a target is overdue, and says so on stdout. An empty journal does not know the run.
    if ended.returncode not in {0, 1, 2} or (config.stem == "full" and not ended.stdout):
        raise RuntimeError(ended.stderr.decode())
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(1000 * took_s, 1000 * cpu_s + server_cpu_ms(server) - server_ms)


@contextmanager
def serving(config: Path, listen: str, server: int | None) -> Iterator[tuple[int, Cost]]:
    """Run the service; give its process, the time until it was ready, and the CPU time until it had nothing to do."""
    server_ms, began_s = server_cpu_ms(server), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nbsweep", "serve", "--config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while _status(listen, "/readyz") not in {200, 503}:
            if process.poll() is not None or time.perf_counter() - began_s > PATIENCE_S:
                raise RuntimeError("the service has not started")
            time.sleep(0.01)
        took_s = time.perf_counter() - began_s
        wait_until_idle(process.pid)
        yield process.pid, Cost(1000 * took_s, cpu_ms(process.pid) + server_cpu_ms(server) - server_ms)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def wait_until_idle(process: int) -> None:
    """Wait until a process has used almost no CPU time for a while, or for `PATIENCE_S`."""
    until_s, before_ms = time.monotonic() + PATIENCE_S, float("-inf")
    while (used_ms := cpu_ms(process)) - before_ms >= IDLE_MS and time.monotonic() < until_s:
        before_ms = used_ms
        time.sleep(1.0)


def page_cost(process: int, listen: str, path: str, server: int | None) -> Cost:
    """Load a page, and return what the service took for it; an empty journal does not know every page."""
    before_ms, began_s = cpu_ms(process) + server_cpu_ms(server), time.perf_counter()
    status = _status(listen, path)
    took_s = time.perf_counter() - began_s
    if status not in {200, 404}:
        raise RuntimeError(f"{path} answers {status}")
    return Cost(1000 * took_s, cpu_ms(process) + server_cpu_ms(server) - before_ms)


def cpu_ms(process: int) -> float:
    """Return the CPU time of a process so far, in milliseconds."""
    return sum(_ticks(process)[:2]) * 1000 / os.sysconf("SC_CLK_TCK")


def server_cpu_ms(server: int | None) -> float:
    """Return the CPU time of a PostgreSQL server and its processes so far, also of those that have ended; 0 without one."""
    if server is None:
        return 0
    children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii").split()
    return (sum(_ticks(server)) + sum(sum(_ticks(int(each))) for each in children)) * 1000 / os.sysconf("SC_CLK_TCK")


def server_of(url: str) -> int:
    """Return the process id of the PostgreSQL server, which must run on this machine."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        backend = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        parent = int(_fields(backend)[1])
    engine.dispose()
    return parent


def _ticks(process: int) -> list[int]:
    """Return the CPU times of a process and of its ended children, in clock ticks; none if it has just ended."""
    try:
        return [int(field) for field in _fields(process)[11:15]]
    except FileNotFoundError:
        return []


def _fields(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


def _status(listen: str, path: str) -> int:
    connection = HTTPConnection(listen, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return 0
    finally:
        connection.close()
    return answer.status


def least(costs: Sequence[Cost]) -> Cost:
    """Return the least of each."""
    return Cost(min(each.wall_ms for each in costs), min(each.cpu_ms for each in costs))


def measured(folder: Path, url: str, journals: Amounts, rounds: int) -> dict[str, tuple[Cost, Cost]]:
    """Measure all commands and pages on both journals, in turn."""
    listens = {name: f"127.0.0.1:{free_port()}" for name in ("empty", "full")}
    configs = {name: configuration(folder, url, name, getattr(journals, name), listens[name]) for name in listens}
    server = server_of(journals.full) if journals.full.startswith("postgresql") else None
    found: dict[str, dict[str, list[Cost]]] = {}

    def note(title: str, name: str, cost: Cost) -> None:
        found.setdefault(title, {}).setdefault(name, []).append(cost)

    for _ in range(rounds):
        for title, arguments in commands().items():
            for name, config in configs.items():
                note(title, name, command_cost(config, arguments, server))
    for _ in range(rounds):
        # One after the other, so that what a PostgreSQL server does is done for one of them.
        for name, config in configs.items():
            with serving(config, listens[name], server) as (process, started):
                note("start of `serve`", name, started)
                for title, path in pages().items():
                    note(title, name, page_cost(process, listens[name], path, server))
    return {title: (least(costs["empty"]), least(costs["full"])) for title, costs in found.items()}


def configuration(folder: Path, url: str, name: str, journal: str, listen: str) -> Path:
    """Write a configuration of fifty targets, of which the first is that of the cloud."""
    path = folder / f"{name}.yaml"
    targets = [target(url, name=name_of(number), project_id=project_id_of(number)) for number in range(Amount().targets)]
    policies = [{"name": "policy-1", "match": {"status": "STOPPED", "idle_over": "14d"}}]
    service = {"listen": listen}
    document = {"targets": targets, "policies": policies, "journal": journal, "service": service}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def table(found: Mapping[str, tuple[Cost, Cost]]) -> str:
    """Write the table in Markdown."""
    lines = ["| | empty, ms | full, ms | difference, ms | CPU, difference, ms |", "|---|---|---|---|---|"]
    for title, (empty, full) in found.items():
        difference, cpu = full.wall_ms - empty.wall_ms, full.cpu_ms - empty.cpu_ms
        lines.append(f"| {title} | {empty.wall_ms:.0f} | {full.wall_ms:.0f} | {difference:.0f} | {cpu:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Fill a journal, measure, and write the table to stdout."""
    parser = argparse.ArgumentParser(prog="python -m bench.journal", description=__doc__)
    parser.add_argument("--removals", type=int, default=Amount().removals)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--postgresql", metavar="URL", nargs=2, help="the addresses of two empty databases")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep the full journal there, or use the one of last time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = options.keep or folder
        kept.mkdir(exist_ok=True)
        files = Amounts(f"sqlite:///{folder}/empty.db", f"sqlite:///{kept.resolve()}/full.db")
        journals = Amounts(*options.postgresql) if options.postgresql else files
        with running_cloud(cloud_options([idle(NOTEBOOK, days=20)]), port_of(kept)) as running:
            fill_once(kept, journals.full, Amount(removals=options.removals, endpoint=running.url, until=datetime.now(UTC)))
            sys.stdout.write(table(measured(folder, running.url, journals, options.rounds)) + "\n")


def port_of(folder: Path) -> int:
    """Return the port of the cloud, which is the same each time: a journal knows its projects by their endpoint."""
    note = folder / "port"
    if not note.exists():
        note.write_text(str(free_port()), encoding="ascii")
    return int(note.read_text(encoding="ascii"))


def fill_once(folder: Path, url: str, amount: Amount) -> None:
    """Fill a journal, unless a note in the folder says that this was done."""
    note = folder / f"filled-{make_url(url).get_backend_name()}"
    if note.exists():
        return
    began_s = time.monotonic()
    fill_journal(url, amount)
    note.touch()
    sys.stdout.write(f"filled in {time.monotonic() - began_s:.0f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
