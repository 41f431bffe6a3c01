"""The verdicts of a survey in, a plan out: what may go, in which order, and whether a brake refuses it.

Brakes are slices of a list. They bind over what the survey saw, and a survey that did not see everything is refused.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.model import AT_REST, MalformedRow, Notebook, Scope
from nbsweep.core.policy import Decision, Reason, Rules, Verdict, judge
from nbsweep.core.saved_plan import Spared


class OnExcess(StrEnum):
    """What a brake does with a plan that is too large."""

    REFUSE = "refuse"
    TRIM = "trim"


@dataclass(frozen=True, slots=True)
class Brakes:
    """Limits on one target's plan; None switches one off."""

    max_deletions: int | None = 100
    max_share: Fraction | None = Fraction(1, 4)
    """Of the fleet."""
    max_per_owner: int | None = None
    on_excess: OnExcess = OnExcess.REFUSE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A notebook that may go, and why."""

    notebook: Notebook
    scope: Scope
    verdict: Verdict
    idle_since: datetime | None
    position: int = -1
    """Which row of its listing it was, from 0; -1 when that is unknown."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one full listing of a target came to."""

    target: str
    taken_at: datetime
    fleet: int
    """How many notebooks there are, malformed rows included."""
    candidates: tuple[Candidate, ...] = ()
    kept: Mapping[Reason, int] = field(default_factory=dict)
    malformed: tuple[MalformedRow, ...] = ()
    gaps: tuple[str, ...] = ()
    """Why it is not complete; empty when it is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plan that must not be carried out."""

    brake: str
    """The configuration's key, or `incomplete-survey`."""
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered verdicts of one target that may go; permission to look again, not permission to delete."""

    target: str
    created_at: datetime
    fleet: int
    items: tuple[Candidate, ...]
    kept: Mapping[Reason, int]
    refusal: Refusal | None = None
    malformed: tuple[MalformedRow, ...] = ()
    spared: tuple[Spared, ...] = ()
    """What a saved plan, to which this one was narrowed, had permitted to go, and is kept after all."""


class Tally:
    """Adds up one listing row by row, and holds no more of it than the ids, their reasons, and what may go."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.reasons: dict[str, Reason] = {}
        """Why each id is kept, or may go."""
        self.nameless = 0
        """Rows without an id: they are counted, and cannot be told apart."""
        self.candidates: list[Candidate] = []
        self.malformed: list[MalformedRow] = []
        self.active: list[str] = []
        """Ids of those that are not at rest, for the journal to remember."""

    @property
    def rows(self) -> int:
        """How many different rows there were."""
        return len(self.reasons) + self.nameless

    def add(self, row: Notebook | MalformedRow, scope: Scope, rules: Rules, moment: Moment) -> None:
        """Judge one row; one whose id is here already changes nothing."""
        if row.id is not None and row.id in self.reasons:
            return
        if isinstance(row, MalformedRow):
            self.malformed.append(row)
            if row.id is None:
                self.nameless += 1
            else:
                self.reasons[row.id] = Reason.MALFORMED
        else:
            self._judge(row, scope, rules, moment)

    def _judge(self, notebook: Notebook, scope: Scope, rules: Rules, moment: Moment) -> None:
        verdict = judge(notebook, rules, moment)
        self.reasons[notebook.id] = verdict.reason
        if notebook.status not in AT_REST:
            self.active.append(notebook.id)
        if verdict.decision is Decision.DELETE:
            position = self.rows - 1
            self.candidates.append(Candidate(notebook, scope, verdict, idle_since(notebook, moment), position))


def join_tallies(target: str, taken_at: datetime, tallies: Iterable[Tally], gaps: Iterable[str]) -> Survey:
    """Make one survey of the listings of all scopes; a notebook that two of them show counts once, as it was seen first."""
    reasons: dict[str, Reason] = {}
    candidates: list[Candidate] = []
    malformed: list[MalformedRow] = []
    for tally in tallies:
        candidates += [candidate for candidate in tally.candidates if candidate.notebook.id not in reasons]
        malformed += [row for row in tally.malformed if row.id is None or row.id not in reasons]
        reasons = tally.reasons | reasons
    kept = Counter(reasons.values())
    kept[Reason.MALFORMED] += sum(row.id is None for row in malformed)
    fleet = kept.total() - kept.pop(Reason.ALREADY_DELETED, 0)
    del kept[Reason.POLICY]
    return Survey(target, taken_at, fleet, tuple(candidates), dict(+kept), tuple(malformed), tuple(gaps))


def build_plan(survey: Survey, brakes: Brakes) -> Plan:
    """Put the candidates in order, the longest idle first, and hold them against the brakes."""
    items = tuple(sorted(survey.candidates, key=_longest_idle_first))
    kept = dict(survey.kept)
    refusal = _incomplete(survey)
    if refusal is None and brakes.on_excess is OnExcess.REFUSE:
        refusal = _excess(items, survey.fleet, brakes)
    elif refusal is None:
        trimmed = _trim(items, survey.fleet, brakes)
        if len(trimmed) < len(items):
            kept[Reason.OVER_BRAKE] = len(items) - len(trimmed)
        items = trimmed
    return Plan(survey.target, survey.taken_at, survey.fleet, items, kept, refusal, survey.malformed)


def _longest_idle_first(candidate: Candidate) -> tuple[bool, float, str]:
    since = candidate.idle_since or candidate.notebook.created_at
    return (since is None, since.timestamp() if since else 0.0, candidate.notebook.id)


def _incomplete(survey: Survey) -> Refusal | None:
    if not survey.gaps:
        return None
    return Refusal("incomplete-survey", f"the survey did not see everything: {'; '.join(survey.gaps)}")


def _allowed_share(fleet: int, share: Fraction) -> int:
    return int(share * fleet)


def _excess(items: tuple[Candidate, ...], fleet: int, brakes: Brakes) -> Refusal | None:
    """Name the first brake that the plan exceeds, with the figures and what can be done."""
    count = len(items)
    if brakes.max_deletions is not None and count > brakes.max_deletions:
        return Refusal(
            "max_deletions",
            f"{count} notebooks would go, and brakes.max_deletions allows {brakes.max_deletions}. "
            "Narrow the policies, raise the brake, or set brakes.on_excess: trim",
        )
    if brakes.max_share is not None and count > _allowed_share(fleet, brakes.max_share):
        return Refusal(
            "max_share",
            f"{count} of {fleet} notebooks would go, and brakes.max_share allows {_allowed_share(fleet, brakes.max_share)} "
            f"({format_share(brakes.max_share)}). Narrow the policies, raise the brake, or set brakes.on_excess: trim",
        )
    return _excess_of_owner(items, brakes.max_per_owner)


def _excess_of_owner(items: tuple[Candidate, ...], allowed: int | None) -> Refusal | None:
    if allowed is None:
        return None
    counts = Counter(item.notebook.owner_key for item in items)
    key, count = max(counts.items(), key=lambda pair: pair[1], default=("", 0))
    if count <= allowed:
        return None
    labels = [item.notebook.owner_label for item in items if item.notebook.owner_key == key]
    owner = next((label for label in labels if label != key), key)
    return Refusal(
        "max_per_owner",
        f"{count} notebooks of {owner} would go, and brakes.max_per_owner allows {allowed} of one owner",
    )


def _trim(items: tuple[Candidate, ...], fleet: int, brakes: Brakes) -> tuple[Candidate, ...]:
    """Take from the front of the list what every brake allows."""
    if brakes.max_per_owner is not None:
        taken: Counter[str] = Counter()
        within = []
        for item in items:
            taken[item.notebook.owner_key] += 1
            if taken[item.notebook.owner_key] <= brakes.max_per_owner:
                within.append(item)
        items = tuple(within)
    if brakes.max_share is not None:
        items = items[: _allowed_share(fleet, brakes.max_share)]
    return items[: brakes.max_deletions]


def format_share(share: Fraction) -> str:
    """Write a share as the configuration does: ``25%``."""
    return f"{float(share * 100):g}%"
