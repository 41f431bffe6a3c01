"""Owners who use a notebook again after an order of nbsweep was accepted, and suspensions of nbsweep's machine.

Everything here is drawn from a Random of its own, so that the rest of a seed stays as it is.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from simulation.cloud import Cloud, default_term
from simulation.facts import HOUR_MS, Facts
from simulation.history import Order

LONGEST_SLEEP_S = 7200.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How often owners react, in one seed; all shares are of orders."""

    comes_back: float = 0.0
    loses: float = 0.0
    """How often a DELETE is answered with 200 and has no effect."""
    sleeps: tuple[tuple[int, float], ...] = ()
    """After how many accepted orders nbsweep's machine is suspended, and for how many seconds; its monotonic clock stops,
    the cloud goes on."""
    by_order: bool = False
    """Whether the top date moves with an order, and not only when the state settles."""
    hides_deleting: str = ""
    """`listing`: what is DELETING stands in no listing but the one that asks for it; `all`: nor in that."""
    undated: bool = False
    """Whether no answer has a Date, until all is calm."""


def draw_habits(seed: int) -> Habits:
    """Return the habits of a seed."""
    random = Random(f"owners-{seed}")
    sleeps = tuple((random.randint(1, 12), random.uniform(600, LONGEST_SLEEP_S)) for _ in range(random.choice((1, 1, 2))))
    return Habits(
        comes_back=random.choice((0.0, 0.3, 0.6)),
        loses=random.choice((0.0, 0.0, 0.4)),
        sleeps=sleeps if random.random() < 0.4 else (),
        by_order=random.random() < 0.3,
        hides_deleting=random.choice(("", "", "", "listing", "all")) if random.random() < 0.4 else "",
        undated=random.random() < 0.04,
    )


@dataclass(slots=True)
class Owners:
    """The owners of one account, who react to orders."""

    random: Random
    cloud: Cloud
    habits: Habits
    done: Counter[str] = field(default_factory=Counter)

    def loses(self, order: Order) -> bool:
        """Return whether an accepted order has no effect."""
        lost = order.kind == "delete" and not self.cloud.calm and self.random.random() < self.habits.loses
        if lost:
            self.done["DELETE lost after its 200"] += 1
        return lost

    def notice(self, order: Order, *, lost: bool) -> None:
        """Schedule the reaction of an owner to an order, if there is one."""
        if self.cloud.calm or self.random.random() >= max(self.habits.comes_back, 0.9 if lost else 0.0):
            return
        acts: dict[str, Callable[[str], None]] = {"tag": self._tag, "rename": self._rename, "renew": self._renew}
        if lost:
            acts = {
                "start and fail": self._start_and_fail,
                " start and fail": self._start_and_fail,
                "start and stop": self._start_and_stop,
            }
        elif order.kind == "stop":
            acts |= {"start and stop": self._start_and_stop, "renew ": self._renew}
        what = self.random.choice(list(acts))
        _later(self.random.uniform(0.2, 6), lambda: self._act(what, acts[what], order.notebook_id))

    def wake(self) -> None:
        """Mark notebooks as used during a suspension of nbsweep."""
        for facts in list(self.cloud.notebooks.values()):
            if facts.exists and facts.status in ("STOPPED", "ERROR", "START_FAILED", "DELETE_FAILED"):
                now_ms = int(self.cloud.now_ms)
                term = facts.term and _moved(facts, now_ms)
                self.cloud.change(facts.id, "user has used it meanwhile", status="STOPPED", update_ms=now_ms, term=term)
                self.done["use during a sleep"] += 1

    def _act(self, what: str, act: Callable[[str], None], notebook_id: str) -> None:
        facts = self.cloud.notebooks.get(notebook_id)
        if facts is not None and facts.exists and not self.cloud.calm:
            self.done[what.strip()] += 1
            act(notebook_id)

    def _put(self, notebook_id: str, cause: str, **fields: Any) -> None:
        self.cloud.put(replace(self.cloud.notebooks[notebook_id], **fields), f"user {cause}")

    def _tag(self, notebook_id: str) -> None:
        tag = self.random.choice((("team", "b"), ("keep", "please"), ("hold", "yes")))
        self._put(notebook_id, "tags it", tags=(*self.cloud.notebooks[notebook_id].tags, tag))

    def _rename(self, notebook_id: str) -> None:
        self._put(notebook_id, "renames it", name=f"mine-{self.random.randint(1, 999)}")

    def _renew(self, notebook_id: str) -> None:
        facts, now_ms = self.cloud.notebooks[notebook_id], int(self.cloud.now_ms)
        if facts.term:
            asked_ms = self.random.choice((1, 24, 72)) * HOUR_MS
            term = replace(facts.term, update_ms=now_ms, duration_ms=now_ms - facts.term.create_ms + asked_ms)
            self._put(notebook_id, "renews its lease", term=term)

    def _start_and_stop(self, notebook_id: str) -> None:
        self._when_at_rest(notebook_id, lambda: self._run(notebook_id, "STOPPED"))

    def _start_and_fail(self, notebook_id: str) -> None:
        end = self.random.choice(("ERROR", "ERROR", "START_FAILED"))
        self._when_at_rest(notebook_id, lambda: self._run(notebook_id, end))

    def _when_at_rest(self, notebook_id: str, act: Callable[[], None], tries: int = 20) -> None:
        facts = self.cloud.notebooks.get(notebook_id)
        # Without a lease, a start leaves no trace after the stop, and cannot be noticed.
        if facts is None or facts.term is None or not tries or self.cloud.calm:
            return
        if facts.status in ("STOPPED", "ERROR", "START_FAILED"):
            act()
        else:
            _later(1.0, lambda: self._when_at_rest(notebook_id, act, tries - 1))

    def _run(self, notebook_id: str, end: str) -> None:
        facts, now_ms = self.cloud.notebooks[notebook_id], int(self.cloud.now_ms)
        self._put(notebook_id, "starts it", status="STARTING", term=default_term(self.random, facts.create_ms, now_ms))
        self._then(2.0, notebook_id, "STARTING", end if end == "START_FAILED" else "RUNNING", "its start has ended")
        if end != "START_FAILED":
            self._then(self.random.uniform(8, 25), notebook_id, "RUNNING", end, f"it is {end}, long after the user's start")

    def _then(self, seconds: float, notebook_id: str, status: str, then: str, cause: str) -> None:
        def settle() -> None:
            facts = self.cloud.notebooks.get(notebook_id)
            if facts is None or facts.status != status:
                return
            if then == "STOPPED" and facts.term:
                self._put(notebook_id, "stops it", term=_moved(facts, int(self.cloud.now_ms)))
            self.cloud.settle(notebook_id, status, then, f"user's: {cause}")

        _later(seconds, settle)


def _moved(facts: Facts, now_ms: int) -> Any:
    """Return a lease as an order at this time leaves it."""
    term = facts.term
    if term is None:
        return None
    asked_ms = term.create_ms + term.duration_ms - term.update_ms
    return replace(term, update_ms=now_ms, duration_ms=now_ms - term.create_ms + asked_ms)


def _later(seconds: float, act: Callable[[], Any]) -> None:
    asyncio.get_running_loop().call_later(seconds, act)
