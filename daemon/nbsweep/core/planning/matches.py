"""Counts how many notebooks each rule matches, whichever rule decides in the end; a rule without any may have a mistake."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.finding import Truth


class RuleMatch(Struct, frozen=True):
    """How many notebooks one rule matches."""

    kind: Literal["policy", "protection"]
    name: str
    notebooks: int


MatchCounts = Counter[int]
"""The number of notebooks by the position of the rule in `Rules.conditions`."""


def count_matches(notebook: Notebook, rules: Rules, moment: Moment, counts: MatchCounts) -> None:
    """Count the rules that match a notebook."""
    for place, condition in enumerate(rules.conditions):
        counts[place] += condition.check(notebook, moment).truth is Truth.PASS


def name_matches(rules: Rules, counts: Iterable[MatchCounts]) -> tuple[RuleMatch, ...]:
    """Return the sums for all rules, policies first, in the order of the configuration."""
    total = sum(counts, Counter())
    protections = [RuleMatch("protection", rule.name, total[place]) for place, rule in enumerate(rules.protections)]
    first = len(protections)
    policies = [RuleMatch("policy", rule.name, total[first + place]) for place, rule in enumerate(rules.policies)]
    return (*policies, *protections)


def describe_matches(matches: Sequence[RuleMatch]) -> str:
    """Return the numbers in words: ``3 failed; 0 idle``."""
    return "; ".join(f"{match.notebooks} {match.name}" for match in matches)
