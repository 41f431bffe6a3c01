"""The cloud's history, which the judge reads: every state of a notebook, every call, every accepted order."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from simulation.facts import Facts


@dataclass(slots=True)
class Call:
    """One request and its answer; seconds are those of the loop."""

    number: int
    life: int
    begun_s: float
    """When the client began the call."""
    left_s: float
    """When its bytes were sent, once it had a connection."""
    method: str
    kind: str
    """workspaces, list, show, delete, stop or token."""
    subject: str
    """The notebook's id, or the parameters of a listing."""
    arrived_s: float | None = None
    status: int | None = None
    """The status of the answer; None without an answer."""
    heard_s: float | None = None
    """When the client received the answer."""
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return one line."""
        answer = f"{self.status} heard at {self.heard_s:.3f}" if self.heard_s is not None else "no answer"
        notes = f" ({', '.join(self.notes)})" if self.notes else ""
        return f"life {self.life}: call {self.number} {self.method} {self.kind} {self.subject}: {answer}{notes}"


@dataclass(frozen=True, slots=True)
class Order:
    """A DELETE or a stop of nbsweep that the cloud has accepted."""

    at_s: float
    kind: str
    notebook_id: str
    call: Call
    before: Facts


@dataclass(frozen=True, slots=True)
class State:
    """The facts of a notebook from a time on; None if it does not exist."""

    since_s: float
    facts: Facts | None
    cause: str


class Line(NamedTuple):
    """A change of a notebook, formatted only when it is read."""

    notebook_id: str
    facts: Facts | None
    cause: str

    def __str__(self) -> str:
        """Return one line."""
        return f"cloud: {self.notebook_id} is {_short(self.facts)} ({self.cause})"


@dataclass(slots=True)
class History:
    """The history of the cloud."""

    states: dict[str, list[State]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    """The numbers of the calls whose orders were accepted without an effect."""
    lines: list[tuple[float, object]] = field(default_factory=list)
    """The lines of the trace, in order."""

    def note(self, at_s: float, line: object) -> None:
        """Add a line to the trace."""
        self.lines.append((at_s, line))

    def become(self, at_s: float, notebook_id: str, facts: Facts | None, cause: str) -> None:
        """Record a new state of a notebook."""
        self.states.setdefault(notebook_id, []).append(State(at_s, facts, cause))
        self.note(at_s, Line(notebook_id, facts, cause))

    def during(self, notebook_id: str, from_s: float, to_s: float) -> Iterator[State]:
        """Yield the states of a notebook between two times."""
        states = self.states.get(notebook_id, [])
        first = max(0, bisect_right(states, from_s, key=lambda state: state.since_s) - 1)
        for state in states[first:]:
            if state.since_s > to_s:
                return
            yield state

    def at(self, notebook_id: str, at_s: float) -> Facts | None:
        """Return the facts of a notebook at a time."""
        states = self.states.get(notebook_id, [])
        index = bisect_right(states, at_s, key=lambda state: state.since_s) - 1
        return states[index].facts if index >= 0 else None

    def orders_of(self, notebook_id: str, kind: str) -> list[Order]:
        """Return the orders of one kind for one notebook."""
        return [order for order in self.orders if order.notebook_id == notebook_id and order.kind == kind]


def _short(facts: Facts | None) -> str:
    if facts is None:
        return "gone"
    tags = " ".join(f"{key}={value}" for key, value in facts.tags)
    return f"{facts.status} {facts.name} {tags}".rstrip()
