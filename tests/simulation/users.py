"""Users who work during a sweep, most of all on notebooks that are about to be deleted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from simulation.cloud import Cloud, default_term
from simulation.facts import Facts
from simulation.notebooks import draw_notebook
from simulation.oracle import opinion
from simulation.scenario import Scenario


@dataclass(slots=True)
class Users:
    """The users of one account."""

    random: Random
    cloud: Cloud
    scenario: Scenario
    done: dict[str, int] = field(default_factory=dict)
    """The number of actions by name."""

    def begin(self) -> None:
        """Schedule actions of users until the cloud is calm."""
        self._after(self.scenario.user_actions_per_s, self._act)
        self._after(self.scenario.churn_per_s, self._churn)

    def _after(self, per_s: float, act: Callable[[], None]) -> None:
        if not per_s:
            return

        def again() -> None:
            if not self.cloud.calm:
                act()
                self._after(per_s, act)

        asyncio.get_running_loop().call_later(self.random.expovariate(per_s), again)

    def _act(self) -> None:
        facts = self._choose()
        if facts is None:
            return
        acts: dict[str, Callable[[Facts], bool]] = {
            "start": self._start,
            "stop": self._stop,
            "rename to keep": lambda one: self._change(one, name=f"keep-{one.name}"),
            "rename": lambda one: self._change(one, name=f"exp-{self.random.randint(1, 999)}"),
            "tag to keep": lambda one: self._change(one, tags=(*one.tags, ("keep", "please"))),
            "untag": lambda one: self._change(one, tags=()),
            "use": self._change,
            "renew": self._renew,
        }
        name = self.random.choices(list(acts), (4, 1, 3, 1, 3, 1, 2, 1))[0]
        if acts[name](facts):
            self._count(name)

    def _churn(self) -> None:
        if self.random.random() < 0.5:
            now_ms = int(self.cloud.now_ms)
            new = draw_notebook(self.random, self.random.choice(self.cloud.workspaces))
            self.cloud.create(replace(new, create_ms=now_ms, update_ms=now_ms, term=None, odd=""), "user creates it")
            self._count("create")
        elif facts := self._any(lambda one: one.exists and one.status not in ("DELETING", "STARTING", "STOPPING")):
            self.cloud.begin_deletion(facts.id, "user deletes it")
            self._count("delete")

    def _choose(self) -> Facts | None:
        now_ms = self.cloud.now_ms
        if self.random.random() < 0.7:
            wanted = self._any(lambda one: opinion(one, self.scenario.config, now_ms).what != "keep")
            if wanted:
                return wanted
        return self._any(lambda one: one.exists)

    def _any(self, fits: Callable[[Facts], bool]) -> Facts | None:
        found = [facts for facts in self.cloud.notebooks.values() if fits(facts)]
        return self.random.choice(found) if found else None

    def _start(self, facts: Facts) -> bool:
        if facts.status not in ("STOPPED", "START_FAILED"):
            return False
        self.cloud.order(facts.id, "user starts it", status="STARTING")
        seconds = self.random.uniform(0.5, 8)
        now_ms = int(self.cloud.now_ms)
        self.cloud.put(
            replace(self.cloud.notebooks[facts.id], term=default_term(self.random, facts.create_ms, now_ms)), "with a new lease"
        )
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self.cloud.settle, facts.id, "STARTING", "RUNNING", "it has started")
        return True

    def _stop(self, facts: Facts) -> bool:
        if facts.status != "RUNNING":
            return False
        self.cloud.begin_stop(facts.id, "user stops it")
        return True

    def _renew(self, facts: Facts) -> bool:
        if facts.status != "RUNNING":
            return False
        return self._change(facts, term=default_term(self.random, facts.create_ms, int(self.cloud.now_ms)))

    def _change(self, facts: Facts, **fields: object) -> bool:
        if facts.status == "DELETING":
            return False
        self.cloud.change(facts.id, f"user changes {', '.join(fields) or 'its files'}", **fields)
        return True

    def _count(self, name: str) -> None:
        self.done[name] = self.done.get(name, 0) + 1
