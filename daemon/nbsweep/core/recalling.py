"""What is known of a notebook besides the rules: what its target covers, what the journal remembers, what brakes look at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbsweep.core.conditions import Finding, Truth
from nbsweep.core.explaining import Explanation
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook
from nbsweep.core.plan import Brakes, format_share
from nbsweep.core.ports import RunRecord

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cover:
    """What a target's sweeps look at."""

    workspaces: tuple[str, ...] | None
    """None: all that the keys can see."""
    features: tuple[str, ...]
    own: bool = False
    """Only what belongs to the owner of the keys."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the journal knows of one notebook and its target."""

    last_active: datetime | None = None
    """When it was last seen other than at rest."""
    removals: tuple[Removal, ...] = ()
    """Of this notebook, over all runs, the newest first."""
    latest: RunRecord | None = None
    """The target's last sweep that saw its fleet and has an end."""
    requested: int = 0
    """How many notebooks of the target were requested to be deleted within the last day."""

    @property
    def under_way(self) -> Removal | None:
        """The removal that has no end yet."""
        return next((removal for removal in self.removals if not removal.ended), None)


@dataclass(frozen=True, slots=True)
class BrakeLine:
    """One brake as it stands."""

    brake: str
    """The key of the configuration, below `brakes`."""
    limit: str | None
    """As the configuration writes it; None when it is switched off."""
    looks_at: str
    known: str | None = None
    """What the journal knows of what it looks at."""


@dataclass(frozen=True, slots=True)
class Account:
    """All that can be said of one notebook on one target."""

    target: str
    asked_at: datetime
    notebook: Notebook
    cover: tuple[Finding, ...]
    explanation: Explanation
    memory: Memory
    brakes: tuple[BrakeLine, ...]

    @property
    def covered(self) -> bool | None:
        """Whether the target's sweeps look at it at all; None when that cannot be told."""
        truths = {finding.truth for finding in self.cover}
        return False if Truth.FAIL in truths else None if Truth.UNKNOWN in truths else True


def cover_findings(notebook: Notebook, cover: Cover) -> tuple[Finding, ...]:
    """Say for each thing that limits a target whether it leaves this notebook in."""
    workspaces = (
        Finding("workspaces", "all that the keys can see", notebook.workspace_id, Truth.PASS)
        if cover.workspaces is None
        else _listed("workspaces", cover.workspaces, notebook.workspace_id)
    )
    findings = (workspaces, _listed("features", cover.features, notebook.feature))
    if not cover.own:
        return findings
    return (*findings, Finding("scope", "own: what belongs to the owner of the keys", notebook.owner_label, Truth.UNKNOWN))


def _listed(key: str, wanted: Sequence[str], fact: str | None) -> Finding:
    truth = Truth.UNKNOWN if fact is None else Truth.PASS if fact in wanted else Truth.FAIL
    return Finding(key, " or ".join(wanted), fact, truth)


def last_ended(records: Iterable[RunRecord], target: str) -> RunRecord | None:
    """Find a target's last sweep that made a plan and has an end, among records with the newest first."""
    return next((record for record in records if record.target == target and record.ended_at and record.fleet), None)


def recent(records: Iterable[RunRecord], target: str, now: datetime) -> tuple[RunRecord, ...]:
    """List a target's sweeps that may have sent DELETEs within the last day."""
    mine = (record for record in records if record.target == target and not record.dry_run)
    return tuple(record for record in mine if record.ended_at is None or (record.planned and record.ended_at > now - A_DAY))


def count_requested(removals: Iterable[Removal], target: str, now: datetime) -> int:
    """Count a target's notebooks whose deletion was requested within the last day."""
    return sum(
        removal.requests > 0 and removal.sent_at is not None and removal.sent_at > now - A_DAY
        for removal in removals
        if removal.target == target
    )


def brake_lines(brakes: Brakes, latest: RunRecord | None) -> tuple[BrakeLine, ...]:
    """Say how each brake is set, what it looks at, and what the last sweep came to. No survey is made for it."""
    return (
        BrakeLine(
            "max_deletions",
            _text(brakes.max_deletions),
            "how many notebooks a sweep of this target would delete",
            f"{latest.planned} at the last sweep" if latest else None,
        ),
        BrakeLine(
            "max_share",
            None if brakes.max_share is None else format_share(brakes.max_share),
            "how much of the fleet a sweep of this target would delete",
            f"{latest.planned} of {latest.fleet} at the last sweep" if latest else None,
        ),
        BrakeLine("max_per_owner", _text(brakes.max_per_owner), "how many notebooks of one owner a sweep would delete"),
        BrakeLine("on_excess", brakes.on_excess.value, "what becomes of a plan that is too large"),
    )


def _text(limit: int | None) -> str | None:
    return None if limit is None else str(limit)
