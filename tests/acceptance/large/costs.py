"""What pages cost: the CPU time of the service for each, beside that of a piece of work of a known size, and their sizes."""

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from msgspec import Struct

from acceptance.large.addresses import all_addresses, is_file
from acceptance.large.world import LargeWorld
from browser.world import PROXY_HEADERS, TOKENS

MOST_BYTES = 300_000
MOST_MS = 300
"""On a quiet machine, on which a piece of the yardstick takes `PIECE_MS`."""
MOST_MS_OF_VERIFYING = 5_300
"""A verification of the audit trail ends after five seconds, and offers to go on from there."""
MOST_GROWTH_KIB = 40_000
"""How much memory files of up to 120 MB may take while they are sent."""
PIECE_MS = 7
ROUNDS = 3
EVERY = 10
"""After so many pages a piece of the yardstick is worked."""
PATIENCE_S = 60
OF_OWNERS = "/mine"
VERIFYING = "/audit/verify"
CHINESE = {"Accept-Language": "zh-CN"}


class Cost(Struct, frozen=True):
    """What an address costs. The least of the rounds counts, because whatever else the machine does only adds to it."""

    cold_ms: float
    """The CPU time of the first request after a start of the service, as on a quiet machine."""
    warm_ms: float
    """That of the second one."""
    size: int
    """In bytes, in the language in which it is larger."""

    def with_round(self, other: "Cost") -> "Cost":
        """Return the cost with another round."""
        return Cost(min(self.cold_ms, other.cold_ms), min(self.warm_ms, other.warm_ms), max(self.size, other.size))

    def excess(self, path: str) -> str:
        """Return what is too much; empty if nothing is. Of a file, each part of 300 kB counts as a page."""
        worst_ms, most_ms = max(self.cold_ms, self.warm_ms), MOST_MS_OF_VERIFYING if path.startswith(VERIFYING) else MOST_MS
        if is_file(path):
            worst_ms /= max(1, self.size / MOST_BYTES)
        elif self.size > MOST_BYTES:
            return f"{self.size:,} bytes"
        return f"{worst_ms:.0f} ms" if worst_ms > most_ms else ""


class Round(Struct, frozen=True):
    """The costs of all addresses after one start of the service."""

    costs: Mapping[str, Cost]
    growth_kib: int
    """By how much the largest amount of memory grew while files were sent."""


def measured(world: LargeWorld, turn: float = 0) -> Round:
    """Start the service, and measure each address; `turn` is the share of the pages that come last instead of first."""
    with world.serving() as pid:
        addresses = list(all_addresses(world.parts))
        pages, files = [each for each in addresses if not is_file(each)], list(filter(is_file, addresses))
        begin = round(turn * len(pages))
        costs = dict(_costs(world.address, pid, [*pages[begin:], *pages[:begin]]))
        before_kib = peak_kib(pid, anew=True)
        costs |= _costs(world.address, pid, files)
        growth_kib = peak_kib(pid) - before_kib
    result = world.parts["result"]
    return Round({path.replace(result, "RESULT"): cost for path, cost in costs.items()}, growth_kib)


def best_of(rounds: Sequence[Round]) -> Mapping[str, Cost]:
    """Return the costs by address."""
    found: dict[str, Cost] = {}
    for each in rounds:
        for path, cost in each.costs.items():
            found[path] = found[path].with_round(cost) if path in found else cost
    return found


def too_much(costs: Mapping[str, Cost]) -> Mapping[str, str]:
    """Return what is too much, by address."""
    return {path: excess for path, cost in costs.items() if (excess := cost.excess(path))}


def cpu_s(pid: int) -> float:
    """Return the CPU time of another process, all its threads included; see clock_getcpuclockid(3)."""
    whole_process = 2
    return time.clock_gettime(~pid << 3 | whole_process)


def peak_kib(pid: int, *, anew: bool = False) -> int:
    """Return the largest amount of memory that a process had so far, or since the last call with `anew`; see proc(5)."""
    if anew:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    assert found
    return int(found[1])


def piece_s() -> float:
    """Return the CPU time of a piece of the yardstick: a fixed amount of what pages need, without any code of nbsweep."""
    began_s = time.process_time()
    rows = [{"id": f"nb-{number:06d}", "name": f"experiment-{number % 97}", "size": number % 50} for number in range(2_400)]
    text = json.dumps(sorted(rows, key=lambda row: (row["name"], row["id"])))
    digest = hashlib.sha256(text.encode()).hexdigest()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, name TEXT, size INTEGER)")
    database.executemany("INSERT INTO rows VALUES (:id, :name, :size)", json.loads(text))
    names = database.execute("SELECT name, count(*), sum(size) FROM rows GROUP BY name ORDER BY name").fetchall()
    database.close()
    page = "".join(f"{digest}{name}{count:,}{size:,}" for name, count, size in names * 30)
    assert len(names) == 97
    assert page.startswith(digest)
    return time.process_time() - began_s


def _costs(address: str, pid: int, paths: Sequence[str]) -> Iterator[tuple[str, Cost]]:
    piece_s()  # the first one imports
    pieces: list[float] = []
    taken: dict[str, tuple[float, float, int]] = {}
    for number, path in enumerate(paths):
        if number % EVERY == 0:
            pieces.append(piece_s())
        before_s = cpu_s(pid)
        size = got(address, path)
        between_s = cpu_s(pid)
        got(address, path)
        taken[path] = between_s - before_s, cpu_s(pid) - between_s, size
    for path in paths:
        cold_s, warm_s, size = taken[path]
        size = size if is_file(path) else max(size, got(address, path, CHINESE))
        yield path, Cost(cold_s / median(pieces) * PIECE_MS, warm_s / median(pieces) * PIECE_MS, size)


def got(address: str, path: str, headers: Mapping[str, str] | None = None) -> int:
    """Return the size of an answer, which must succeed or lead elsewhere."""
    connection = HTTPConnection(address, timeout=PATIENCE_S)
    visitor = PROXY_HEADERS if path.startswith(OF_OWNERS) else {"Authorization": f"Bearer {TOKENS['admin']}"}
    try:
        connection.request("GET", path, headers={**visitor, **(headers or {})})
        response = connection.getresponse()
        size = 0
        while piece := response.read(1 << 16):
            size += len(piece)
        assert response.status in (200, 303), f"{path}: {response.status}"
        return size
    finally:
        connection.close()
