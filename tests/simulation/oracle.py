"""A second implementation of the policies, written from the documents alone; it shares no code with nbsweep.

A condition is True, False, or None where a fact is missing; None never deletes.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from unicodedata import normalize

from simulation.facts import AT_WORK, DAY_MS, HOUR_MS, RESTING, Facts

Truth = bool | None
UNITS_MS = {"s": 1000, "m": 60_000, "h": HOUR_MS, "d": DAY_MS}


@dataclass(frozen=True, slots=True)
class Opinion:
    """The expected decision on a notebook: `delete`, `stop` or `keep`, and why."""

    what: str
    why: str


def opinion(facts: Facts | None, rules: Mapping[str, Any], now_ms: float) -> Opinion:
    """Return the opinion on a notebook by `policies` and `protect` of the configuration file."""
    if facts is None or not facts.exists:
        return Opinion("keep", "it is no more")
    if not covered(facts, rules["targets"][0]):
        return Opinion("keep", "the target does not cover it")
    if facts.odd in ("status", "date"):
        return Opinion("keep", "nobody can read it")
    if facts.status in AT_WORK:
        return Opinion("keep", f"the cloud is at work on it ({facts.status})")
    return protection(facts, rules, now_ms) or wish(facts, rules, now_ms)


def covered(facts: Facts, target: Mapping[str, Any]) -> bool:
    """Return whether a target covers a notebook."""
    workspaces = target.get("workspaces", "all")
    return (workspaces == "all" or facts.workspace in workspaces) and facts.feature in target.get("features", ("NOTEBOOK",))


def protection(facts: Facts, rules: Mapping[str, Any], now_ms: float) -> Opinion | None:
    """Find what protects it, or may protect it."""
    for rule in rules.get("protect", ()):
        if (truth := holds(rule, facts, now_ms, protects=True)) is not False:
            return Opinion("keep", f"{'protected' if truth else 'perhaps protected'} by {rule}")
    return None


def wish(facts: Facts, rules: Mapping[str, Any], now_ms: float) -> Opinion:
    """Return the opinion of the first policy that matches."""
    for policy in rules["policies"]:
        truth = holds(policy["match"], facts, now_ms)
        if truth is False:
            continue
        ordered = _order(facts, policy)
        if truth or ordered.what == "keep":
            return ordered if truth else Opinion("keep", f"perhaps {ordered.why}")
    return Opinion("keep", "no policy wants it")


def _order(facts: Facts, policy: Mapping[str, Any]) -> Opinion:
    if facts.status == "RUNNING":
        if policy.get("running", "skip") == "skip":
            return Opinion("keep", f"it runs, and {policy['name']} skips what runs")
        return Opinion("stop", policy["name"])
    if facts.status == "FROZEN" and "FROZEN" not in policy["match"].get("status", ()):
        return Opinion("keep", f"it is FROZEN, and {policy['name']} does not say so")
    return Opinion("delete", policy["name"])


def holds(match: Mapping[str, Any], facts: Facts, now_ms: float, *, protects: bool = False) -> Truth:
    """Return whether all conditions of a `match` hold; in a protection, a partial match holds."""
    return _all(_one(key, wanted, (facts, now_ms), protects=protects) for key, wanted in match.items())


def _one(key: str, wanted: Any, case: tuple[Facts, float], *, protects: bool) -> Truth:
    facts, now_ms = case
    in_part = True if protects else None
    truths: Mapping[str, Callable[[], Truth]] = {
        "any": lambda: _any(holds(part, facts, now_ms, protects=protects) for part in wanted),
        "not": lambda: _not(holds(wanted, facts, now_ms)),
        "status": lambda: facts.status in wanted,
        "name": lambda: _fits(facts.name, wanted, in_part),
        "owner": lambda: _any(_fits(text, wanted, in_part) for text in (facts.owner, f"id-of-{facts.owner}")),
        "flavor": lambda: _fits(facts.flavor, wanted, in_part),
        "tags": lambda: (
            None if facts.odd == "tags" else _all(_tag(facts, name, glob, in_part) for name, glob in wanted.items())
        ),
    }
    return truths[key]() if key in truths else _longer(key, wanted, facts, now_ms)


def _longer(key: str, wanted: str, facts: Facts, now_ms: float) -> Truth:
    since_ms = {"age_over": _born, "idle_over": _idle_since, "lease_expired_over": _lease_end}[key](facts, now_ms)
    return None if since_ms is None else now_ms - since_ms > milliseconds(wanted)


def _born(facts: Facts, _now_ms: float) -> float:
    return facts.create_ms


def _idle_since(facts: Facts, now_ms: float) -> float:
    """Whoever is not at rest is in use; else the last date that speaks of use."""
    if facts.status not in RESTING:
        return now_ms
    dates: list[float] = [facts.update_ms]
    if facts.term:
        dates.append(facts.term.update_ms)
        end_ms = facts.term.create_ms + facts.term.duration_ms
        if facts.term.enable and facts.term.type != "IDLE" and end_ms <= now_ms:
            dates.append(end_ms)
    return max(dates)


def _lease_end(facts: Facts, now_ms: float) -> float | None:
    if facts.term is None or (facts.term.enable and facts.term.type == "IDLE"):
        return None
    # One that is switched off never ends.
    return facts.term.create_ms + facts.term.duration_ms if facts.term.enable else now_ms


def milliseconds(text: str) -> float:
    """Read a duration of the configuration file."""
    return float(text[:-1]) * UNITS_MS[text[-1]]


def _fits(text: str, globs: Iterable[str], in_part: Truth) -> Truth:
    """Compare a name by its composed form, without regard to case; one that only looks alike is so in part."""
    if any(fnmatchcase(normalize("NFC", text).lower(), glob.lower()) for glob in globs):
        return True
    return in_part if any(fnmatchcase(plain(text), plain(glob)) for glob in globs) else False


def plain(text: str) -> str:
    """Write a text as it looks, as far as the notebooks of a simulation are concerned."""
    return normalize("NFKC", text).replace("\u200b", "").replace("\u0131", "i").strip().lower()


def _tag(facts: Facts, name: str, glob: str, in_part: Truth) -> Truth:
    """Compare all tags with this key: if only some match, or keys that look alike, the match is partial."""
    answers = {_one_tag(key == name, value, glob) for key, value in facts.tags if plain(key) == plain(name)}
    if answers <= {"no"}:
        return False
    if answers == {"yes"}:
        return True
    return in_part if answers & {"yes", "nearly"} else None


def _one_tag(same_key: bool, value: str | None, glob: str) -> str:  # noqa: FBT001 -- one of three facts about a tag
    if value is None:
        return "nearly" if glob == "*" else "hidden"
    if same_key and re.fullmatch(glob.replace("*", ".*"), value):
        return "yes"
    return "nearly" if fnmatchcase(plain(value), plain(glob)) else "no"


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _all(truths: Iterable[Truth]) -> Truth:
    found = list(truths)
    return False if False in found else None if None in found else True


def _any(truths: Iterable[Truth]) -> Truth:
    found = list(truths)
    return True if True in found else None if None in found else False
