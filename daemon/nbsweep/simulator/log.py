"""The log of requests, by which tests check a client."""

from collections import Counter, deque
from itertools import count
from typing import Any

from msgspec import Struct

from nbsweep.simulator.state.model import identity
from nbsweep.simulator.vocabulary import Kind

_WINDOW_S = 1.0
_THROTTLED = 429


class Entry(Struct):
    """One request; the fields from `user` on are set while it is handled."""

    #: Arrival in epoch seconds, of the unshifted clock.
    at: float
    method: str
    #: With the query, as it came over the wire.
    path: str
    kind: Kind
    notebook_id: str | None
    sent_headers: list[str]
    #: The token or the signature that came with it, so that tests can search for where else it is written; null without one.
    proof: str | None = None
    user: str | None = None
    #: HTTP status; null when the connection was closed without an answer.
    status: int | None = None
    error_code: str | None = None
    fault: str | None = None
    #: As answered in X-Request-Id.
    request_id: str = ""


class RequestLog:
    """All requests but the admin's, in the order of arrival."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._serials = count()

    def add(self, entry: Entry) -> None:
        """Append a request that has just arrived, and give it its id."""
        entry.request_id = identity("request", next(self._serials))
        self.entries.append(entry)

    def clear(self) -> None:
        """Clear the log."""
        self.entries = []

    def since(self, moment_s: float) -> list[Entry]:
        """Return the requests that arrived at a time or later."""
        return [entry for entry in self.entries if entry.at >= moment_s]

    def counts(self) -> dict[str, Any]:
        """Return the totals."""
        entries = self.entries
        kinds = sorted({entry.kind for entry in entries})
        return {
            "total": len(entries),
            "by_kind": Counter(entry.kind for entry in entries),
            "by_kind_and_status": _by_kind_and_status(entries),
            "throttled": sum(entry.status == _THROTTLED for entry in entries),
            "first_at": entries[0].at if entries else None,
            "last_at": entries[-1].at if entries else None,
            "max_in_window": {
                "total": most_in_window([entry.at for entry in entries]),
                **{kind: most_in_window([e.at for e in entries if e.kind == kind]) for kind in kinds},
            },
        }


def most_in_window(arrivals: list[float], window_s: float = _WINDOW_S) -> int:
    """Return the greatest number of arrivals, given in order, in any half-open window."""
    inside: deque[float] = deque()
    most = 0
    for arrival in arrivals:
        inside.append(arrival)
        while inside[0] <= arrival - window_s:
            inside.popleft()
        most = max(most, len(inside))
    return most


def _by_kind_and_status(entries: list[Entry]) -> dict[str, dict[str, int]]:
    table: dict[str, Counter[str]] = {}
    for entry in entries:
        table.setdefault(entry.kind, Counter())[str(entry.status or "none")] += 1
    return {kind: dict(statuses) for kind, statuses in table.items()}
