"""Changes recorded states as if an older or a newer version had written them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from msgspec.structs import replace

from nbsweep.testing.records.inventory import InMemoryInventory
from simulation.past.scenario import Scenario

OPTIONAL = ("n", "l", "t", "u", "o", "oi", "c")
"""Stored names of facts that a state may lack."""


def _with_unknown_field(facts: dict[str, Any], random: Random) -> str:
    return json.dumps(facts | {f"z{random.randrange(9)}": random.choice([1, "x", {"y": None}, []])})


def _with_missing_field(facts: dict[str, Any], random: Random) -> str:
    missing = random.choice(OPTIONAL)
    return json.dumps({key: value for key, value in facts.items() if key != missing})


def _not_decodable(facts: dict[str, Any], random: Random) -> str:
    return random.choice([json.dumps(facts)[:-3], json.dumps(facts | {"status": "HIBERNATING"}), "[]", ""])


WAYS: tuple[Callable[[dict[str, Any], Random], str], ...] = (_with_unknown_field, _with_missing_field, _not_decodable)


@dataclass(slots=True)
class Tampering:
    """Changes some states, and puts them right again."""

    inventory: InMemoryInventory
    scenario: Scenario
    _before: dict[tuple[str, int], Any] = field(default_factory=dict)

    def begin(self) -> int:
        """Change some states, and return how many."""
        stored = self.inventory._stored  # noqa: SLF001 -- nothing else writes a state a second time
        random = Random(f"tampering-{self.scenario.seed}")
        self._before = dict(stored)
        changed = 0
        for key, one in self._before.items():
            if random.random() < self.scenario.tampered:
                facts = random.choice(WAYS)(json.loads(one.state.facts), random)
                stored[key] = replace(one, state=replace(one.state, facts=facts))
                changed += 1
        return changed

    def end(self) -> None:
        """Put all states right again."""
        self.inventory._stored = self._before  # noqa: SLF001 -- likewise
