"""What really happened: every state of every notebook, every call, every order that was taken on; what the judge reads."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from simulation.facts import Facts


@dataclass(slots=True)
class Call:
    """One request, from where it left to what came of it; seconds are those of the loop."""

    number: int
    life: int
    begun_s: float
    """When it left the hands of the program."""
    left_s: float
    """When its bytes left, once it had a connection."""
    method: str
    kind: str
    """workspaces, list, show, delete, stop or token."""
    subject: str
    """The notebook's id, or what a listing was about."""
    arrived_s: float | None = None
    status: int | None = None
    """That of the answer; None while there is none, or when it was lost."""
    heard_s: float | None = None
    """When the client had the answer."""
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in one line."""
        answer = f"{self.status} heard at {self.heard_s:.3f}" if self.heard_s is not None else "no answer"
        notes = f" ({', '.join(self.notes)})" if self.notes else ""
        return f"life {self.life}: call {self.number} {self.method} {self.kind} {self.subject}: {answer}{notes}"


@dataclass(frozen=True, slots=True)
class Order:
    """A DELETE or a stop of ours that the cloud has taken on."""

    at_s: float
    kind: str
    notebook_id: str
    call: Call
    before: Facts


@dataclass(frozen=True, slots=True)
class State:
    """How a notebook was from a moment on; None when it was no more."""

    since_s: float
    facts: Facts | None
    cause: str


class Line(NamedTuple):
    """A change of a notebook, to be written out only for who wants to read it."""

    notebook_id: str
    facts: Facts | None
    cause: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"cloud: {self.notebook_id} is {_short(self.facts)} ({self.cause})"


@dataclass(slots=True)
class History:
    """The cloud's own record."""

    states: dict[str, list[State]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    """Numbers of the calls whose orders were taken on, and came to nothing."""
    lines: list[tuple[float, object]] = field(default_factory=list)
    """For people, in order."""

    def note(self, at_s: float, line: object) -> None:
        """Write a line for people."""
        self.lines.append((at_s, line))

    def become(self, at_s: float, notebook_id: str, facts: Facts | None, cause: str) -> None:
        """Note that a notebook has become other than it was."""
        self.states.setdefault(notebook_id, []).append(State(at_s, facts, cause))
        self.note(at_s, Line(notebook_id, facts, cause))

    def during(self, notebook_id: str, from_s: float, to_s: float) -> Iterator[State]:
        """Give every state that held at some moment between two."""
        states = self.states.get(notebook_id, [])
        first = max(0, bisect_right(states, from_s, key=lambda state: state.since_s) - 1)
        for state in states[first:]:
            if state.since_s > to_s:
                return
            yield state

    def at(self, notebook_id: str, at_s: float) -> Facts | None:
        """Tell how it was at a moment."""
        states = self.states.get(notebook_id, [])
        index = bisect_right(states, at_s, key=lambda state: state.since_s) - 1
        return states[index].facts if index >= 0 else None

    def orders_of(self, notebook_id: str, kind: str) -> list[Order]:
        """List the orders of one kind for one notebook."""
        return [order for order in self.orders if order.notebook_id == notebook_id and order.kind == kind]


def _short(facts: Facts | None) -> str:
    if facts is None:
        return "gone"
    tags = " ".join(f"{key}={value}" for key, value in facts.tags)
    return f"{facts.status} {facts.name} {tags}".rstrip()
