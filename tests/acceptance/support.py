"""The simulated cloud and the real command, each as a process of its own, and what is known of both from outside."""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from acceptance.forked import Forked

Json = dict[str, Any]
Process = Forked | subprocess.Popen[bytes]

PROJECT = "0123456789abcdef0123456789abcdef"
ACCESS_KEY = "SIMULATEDACCESSKEY01"
SECRET_KEY = "simulatedSecretKeySimulatedSecretKey0001"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
LONG_S = 1_000_000
PATIENCE_S = 60.0
"""No process and no condition is waited for any longer."""

INTERESTING_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def days_ago(days: float) -> int:
    """Give the epoch in milliseconds of so many days before now."""
    return round(time.time() * 1000 - days * DAY_MS)


def eventually(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Ask again and again until something is true, and give it back; not for ever."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.04)
    raise AssertionError(f"in {patience_s:.0f} s this did not come about: {what}")


# ---- the cloud -------------------------------------------------------------------------------------------------------------


def idle(notebook_id: str, days: float = 100, **more: Any) -> Json:
    """Describe a notebook that nobody has used for so long; its name is its id unless another is given."""
    return {"id": notebook_id, "name": notebook_id, "status": "STOPPED", "create_at": days_ago(days), **more}


def idle_fleet(count: int, prefix: str = "nb") -> list[Json]:
    """Describe so many, each idle for an hour less than the one before, the first for the longest."""
    return [idle(f"{prefix}-{number:03d}", days=400 - number / 24) for number in range(count)]


def cloud_options(instances: Sequence[Json] = (), **groups: Json) -> Json:
    """Give options for a cloud of exactly these notebooks, which deletes in no time and changes no state by itself."""
    timing = {"deletion_median_s": 0.05, "deletion_spread": 0, "stop_s": 0.1}
    timing |= {"create_s": LONG_S, "start_s": LONG_S, "snapshot_s": LONG_S}
    fleet: Json = {"notebooks": 0, "instances": list(instances), "workspaces": 1}
    return {
        **groups,
        "fleet": fleet | groups.get("fleet", {}),
        "timing": timing | groups.get("timing", {}),
    }


@dataclass
class Cloud:
    """A simulated cloud that runs, asked over its own admin addresses for what is true."""

    url: str

    def instances(self) -> dict[str, Json]:
        """Tell the truth about every notebook ever, by id."""
        return {row["id"]: row for row in self._ask("GET", "/instances")}

    def gone(self) -> set[str]:
        """Tell which ids are no more."""
        return {notebook_id for notebook_id, row in self.instances().items() if row["deleted"]}

    def accepted(self) -> dict[str, int]:
        """Tell how many DELETEs were accepted, for the ids that had any."""
        return {
            notebook_id: row["accepted_deletes"] for notebook_id, row in self.instances().items() if row["accepted_deletes"]
        }

    def requests(self) -> list[Json]:
        """List what arrived, in order."""
        found: list[Json] = self._ask("GET", "/requests")
        return found

    def writes(self) -> list[Json]:
        """List what arrived and was no GET."""
        return [request for request in self.requests() if request["method"] != "GET"]

    def deletes(self) -> Counter[str]:
        """Count the DELETEs that arrived, by notebook."""
        return Counter(request["notebook_id"] for request in self.requests() if request["method"] == "DELETE")

    def most_in_a_second(self) -> dict[str, int]:
        """Tell the greatest number of arrivals in any second, by kind and in total."""
        found: dict[str, int] = self._ask("GET", "/counts")["max_in_window"]
        return found

    def change(self, notebook_id: str, **change: Any) -> None:
        """Do to a notebook what its owner does."""
        self._ask("PATCH", f"/instances/{notebook_id}", change)

    def create(self, notebook: Json) -> None:
        """Add a notebook."""
        self._ask("POST", "/instances", notebook)

    def break_with(self, *faults: Json) -> None:
        """Append to the script of faults."""
        self._ask("POST", "/faults", faults)

    def let_pass(self, seconds: float) -> None:
        """Put the cloud's clock forward."""
        self._ask("POST", "/clock", {"seconds": seconds})

    def run_ahead(self, seconds: float) -> None:
        """Put the cloud's clock forward, and let its answers say so, as where the caller's own clock is behind."""
        self._ask("POST", "/clock", {"seconds": seconds, "date_header": True})

    def revoke_token(self) -> None:
        """Revoke the token that was used last at the real IAM that has issued it."""
        self._ask("POST", "/revoke_token")

    def forget_requests(self) -> None:
        """Begin the log anew."""
        self._ask("POST", "/reset_counts")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE_S)
        try:
            connection.request(method, f"/_simulator{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            content = json.loads(response.read())
            assert response.status < 300, content
            return content
        finally:
            connection.close()


@contextmanager
def running_cloud(options: Json, port: int = 0) -> Iterator[Cloud]:
    """Run a simulated cloud as its own process, on any free port if it is 0."""
    with running_clouds([options], port) as (cloud,):
        yield cloud


@contextmanager
def running_clouds(options: Sequence[Json], port: int = 0) -> Iterator[list[Cloud]]:
    """Run simulated clouds that share nothing, each with an address of its own, as one process."""
    command = [sys.executable, "-m", "nbsweep.simulator", "--options", "-", "--port", str(port)]
    process = Forked(command, env=minimal_environment(Path("/")), cwd=Path("/"))
    with ended_afterwards(process):
        process.stdin.write(json.dumps(options).encode())
        process.stdin.close()
        ready = [json.loads(process.stdout.readline()) for _ in options]
        assert all(line["event"] == "simulator.ready" for line in ready)
        yield [Cloud(line["url"]) for line in ready]


@contextmanager
def ended_afterwards(process: Process) -> Iterator[Process]:
    """End a process, whatever has happened, and close its pipes."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


# ---- the command -----------------------------------------------------------------------------------------------------------


def minimal_environment(home: Path) -> dict[str, str]:
    """Give what even a bare cron job has, and the empty home that goes with it; no test asks a real metadata server."""
    found = {"HOME": str(home), "PATH": os.defpath, "NBSWEEP_METADATA_ENDPOINT": "http://127.0.0.1:1"}
    # Where the code under test is, when it is not the one that is installed.
    return found | {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The result on stdout, as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Json]:
        """The log on stderr, every line of which must be JSON."""
        return [json.loads(line) for line in self.err.splitlines()]

    def events(self, name: str) -> list[Json]:
        """List the lines of the log with that event."""
        return [line for line in self.lines if line["event"] == name]

    @property
    def run_id(self) -> str:
        """The run's id, from the log."""
        return str(self.events("sweep.started")[0]["run_id"])

    def outcomes(self) -> dict[str, str]:
        """Tell what `run --format json` says became of each notebook."""
        return {result["id"]: result["outcome"] for result in self.document["results"]}

    def ids(self, outcome: str) -> set[str]:
        """Tell which notebooks came to that outcome."""
        return {notebook_id for notebook_id, end in self.outcomes().items() if end == outcome}

    def reason(self, notebook_id: str) -> str:
        """Tell the reason that is given for what became of a notebook."""
        return str(next(result["reason"] for result in self.document["results"] if result["id"] == notebook_id))

    @property
    def error(self) -> Json:
        """The one line that says why the command failed."""
        (line,) = self.events("command.failed")
        return line


@dataclass
class Started:
    """A command at work, its output gathered meanwhile."""

    process: Process
    _out: bytearray = field(default_factory=bytearray)
    _err: bytearray = field(default_factory=bytearray)
    _readers: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to gather."""
        assert self.process.stdout
        assert self.process.stderr
        for stream, kept in ((self.process.stdout, self._out), (self.process.stderr, self._err)):
            reader = threading.Thread(target=_gather, args=(stream, kept))
            reader.start()
            self._readers.append(reader)

    def has(self, event: str) -> bool:
        """Tell whether the log has a line with that event by now."""
        return f'"event": "{event}"'.encode() in bytes(self._err)

    def wait_for(self, event: str) -> None:
        """Wait until the log has a line with that event."""
        needle = f'"event": "{event}"'.encode()
        eventually(lambda: needle in bytes(self._err) or self.process.poll() is not None, f"a line {event}")
        assert needle in bytes(self._err), f"it ended without a line {event}: {self._err.decode()}"

    @property
    def out(self) -> bytes:
        """What it has written to stdout so far."""
        return bytes(self._out)

    @property
    def err(self) -> bytes:
        """What it has written to stderr so far."""
        return bytes(self._err)

    def wait_for_more(self, event: str, count: int) -> None:
        """Wait until the log has so many lines with that event."""
        needle = f'"event": "{event}"'.encode()
        eventually(lambda: bytes(self._err).count(needle) >= count or self.process.poll() is not None, f"{count} lines {event}")
        assert bytes(self._err).count(needle) >= count, f"it ended without {count} lines {event}: {self._err.decode()}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self, patience_s: float = PATIENCE_S) -> Ended:
        """Wait for the end."""
        code = self.process.wait(patience_s)
        for reader in self._readers:
            reader.join(patience_s)
        return Ended(code, self._out.decode(), self._err.decode())


def _gather(stream: IO[bytes], kept: bytearray) -> None:
    while chunk := os.read(stream.fileno(), 65_536):
        kept += chunk


@dataclass
class Desk:
    """A place to work from: an empty home, a configuration, a journal."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    names_config: bool = True
    """Whether the command line says where the configuration is."""
    program: Sequence[str] = (sys.executable, "-m", "nbsweep")
    """What is run, before its arguments."""
    alone: bool = False
    """Whether commands are started by themselves, and not forked from a process that has imported nbsweep."""
    journal_file: Path = Path("journal.db")
    """The journal that `write` names, as seen from the folder."""

    @property
    def home(self) -> Path:
        """The home folder, empty at first."""
        return self.folder / "home"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "nbsweep.yaml"

    @property
    def journal(self) -> Path:
        """The journal that `write` names."""
        return self.folder / self.journal_file

    def write(self, cloud: Cloud | str, **groups: Any) -> None:
        """Write a configuration for that cloud: all that is idle goes, fast; `groups` go before what it says."""
        url = cloud if isinstance(cloud, str) else cloud.url
        document: Json = {
            "mode": "enforce",
            "journal": f"sqlite:///{self.journal}",
            "targets": [target(url, **groups.pop("target", {}))],
            "policies": [{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}],
            "brakes": {"max_deletions": None, "max_share": None},
            "removal": {"grace": "300ms", "retries": 0},
            "polling": {"interval": "60ms", "max_interval": "150ms"},
        }
        self.config.write_text(json.dumps(document | groups), encoding="utf-8")

    def run(self, *arguments: str, **options: Any) -> Ended:
        """Run the command to its end."""
        with self.started(*arguments, **options) as started:
            return started.ended()

    def sweep(self) -> Ended:
        """Run `run --yes` with its result as JSON."""
        return self.run("run", "--yes", "--format", "json")

    @contextmanager
    def started(self, *arguments: str, prepare: Callable[[], None] | None = None) -> Iterator[Started]:
        """Run the command meanwhile; `prepare` is called in the new process first."""
        process = (
            self._start_alone(arguments, prepare)
            if prepare or self.alone or self._is_read_at_start()
            else self._fork(arguments)
        )
        with ended_afterwards(process):
            started = Started(process)
            try:
                yield started
            finally:
                if process.poll() is None:
                    process.kill()
                started.ended()

    def _fork(self, arguments: Sequence[str]) -> Forked:
        process = Forked(self.command(*arguments), env=self.variables(), cwd=self.folder)
        process.stdin.close()
        return process

    def _start_alone(self, arguments: Sequence[str], prepare: Callable[[], None] | None) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.variables(),
            preexec_fn=prepare,  # noqa: PLW1509  # nothing but a limit of the new process is set there
        )

    def _is_read_at_start(self) -> bool:
        """Return whether a variable is set that is read when the interpreter starts or when a module is imported."""
        return any(name.startswith(("PYTHON", "LANG", "LC_", "SSL_")) for name in self.environment)

    def command(self, *arguments: str) -> list[str]:
        """Give the command line."""
        named = ["--config", str(self.config)] if self.names_config else []
        return [*self.program, *named, *arguments]

    def variables(self) -> dict[str, str]:
        """Give the environment."""
        self.home.mkdir(exist_ok=True)
        return minimal_environment(self.home) | self.environment


def target(url: str, **more: Any) -> Json:
    """Give a target of the configuration, with no limit that would be felt."""
    limits = {"delete": "400/s", "list": "400/s", "show": "400/s", "concurrency": 32}
    return {
        "name": "lab",
        "endpoint": url,
        "project_id": PROJECT,
        "credentials": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY},
        **more,
        "limits": limits | more.get("limits", {}),
    }


def without_root_powers() -> None:
    """Make the file permissions hold for the process to come, even where it is root's."""
    if os.geteuid() == 0:
        drop_from_bounding_set, override, read_search = 24, 1, 2
        library = ctypes.CDLL(None)
        for capability in (override, read_search):
            assert library.prctl(drop_from_bounding_set, capability, 0, 0, 0) == 0


def plain(text: str) -> bool:
    """Tell whether a text has no control character but the line end."""
    return INTERESTING_CONTROL.search(text) is None


def most_in_window(moments: Sequence[float], window_s: float) -> int:
    """Count the moments in the fullest half-open window; a microsecond is forgiven, for it is lost in the arithmetic."""
    ordered = sorted(moments)
    return max(
        (sum(1 for later in ordered[place:] if later - first < window_s - 1e-6) for place, first in enumerate(ordered)),
        default=0,
    )


def sent(ended: Ended) -> Mapping[str, list[float]]:
    """Tell by lane when the calls left, from the log."""
    moments: dict[str, list[float]] = {}
    for line in ended.events("http.request"):
        moments.setdefault(line["lane"], []).append(line["sent_s"])
    return moments


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(address: str, method: str, path: str, token: str = "") -> tuple[int, str]:
    """Ask the web face; give the status and the body."""
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
