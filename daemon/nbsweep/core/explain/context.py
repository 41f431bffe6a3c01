"""What is known of a notebook besides the rules: what its target covers, what the journal remembers, what brakes look at."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.brakes import Brakes, format_share
from nbsweep.core.conditions import Finding, Truth
from nbsweep.core.explain.explain import Explanation
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook
from nbsweep.core.policy import Verdict
from nbsweep.core.runs import NO_HISTORY, History, RunRecord


class TargetScope(Struct, frozen=True):
    """What a target's sweeps look at."""

    workspaces: tuple[str, ...] | None
    """None: all that the keys can see."""
    features: tuple[str, ...]
    own: bool = False
    """Only what belongs to the owner of the keys."""


class JournalFacts(Struct, frozen=True):
    """What the journal knows of one notebook and its target."""

    last_active: datetime | None = None
    """When it was last seen other than at rest."""
    removals: tuple[Removal, ...] = ()
    """Of this notebook, over all runs, the newest first."""
    latest: RunRecord | None = None
    """The target's last sweep that saw its fleet and has an end."""
    history: History = NO_HISTORY
    """What brakes and the cool-down go by: the target's last day, its last survey, and how removals failed."""
    left_alone: Verdict | None = None
    """Until when it is left alone, for its deletion has failed; None if it is not."""

    @property
    def under_way(self) -> Removal | None:
        """The removal that has no end yet."""
        return next((removal for removal in self.removals if not removal.ended), None)


class BrakeLine(Struct, frozen=True):
    """One brake as it stands."""

    brake: str
    """The key of the configuration, below `brakes`."""
    limit: str | None
    """As the configuration writes it; None if it is switched off."""
    looks_at: str
    known: str | None = None
    """What the journal knows of what it looks at."""


class NotebookContext(Struct, frozen=True):
    """All that can be said of one notebook on one target."""

    target: str
    asked_at: datetime
    notebook: Notebook
    cover: tuple[Finding, ...]
    explanation: Explanation
    memory: JournalFacts
    brakes: tuple[BrakeLine, ...]

    @property
    def covered(self) -> bool | None:
        """Whether the target's sweeps look at it at all; None if that cannot be told."""
        truths = {finding.truth for finding in self.cover}
        return False if Truth.FAIL in truths else None if Truth.UNKNOWN in truths else True


def cover_findings(notebook: Notebook, cover: TargetScope) -> tuple[Finding, ...]:
    """Describe for each thing that limits a target whether it leaves this notebook in."""
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


def last_ended(records: Iterable[RunRecord]) -> RunRecord | None:
    """Find the last sweep that made a plan and has an end, among one target's records with the newest first."""
    return next((record for record in records if record.ended_at and record.fleet), None)


def brake_lines(brakes: Brakes, max_failures: Fraction | None, memory: JournalFacts) -> tuple[BrakeLine, ...]:
    """Describe how each brake is set, what it looks at, and what the journal knows of that. No survey is made for it."""
    latest, before = memory.latest, memory.history.before
    return (
        BrakeLine(
            "max_deletions",
            _text(brakes.max_deletions),
            "how many notebooks a sweep of this target would delete",
            f"{latest.planned} at the last sweep" if latest else None,
        ),
        BrakeLine(
            "max_share",
            _share(brakes.max_share),
            "how much of the fleet a sweep of this target would delete",
            f"{latest.planned} of {latest.fleet} at the last sweep" if latest else None,
        ),
        BrakeLine("max_per_owner", _text(brakes.max_per_owner), "how many notebooks of one owner a sweep would delete"),
        BrakeLine(
            "max_per_day",
            _text(brakes.max_per_day),
            "how many deletions of a day were requested on this target",
            f"{memory.history.requested} within the last day",
        ),
        BrakeLine(
            "max_fleet_drop",
            _share(brakes.max_fleet_drop),
            "by how much the fleet is smaller than at the last survey",
            f"{before.left} expected after run {before.run_id}" if before else None,
        ),
        BrakeLine("max_failures", _share(max_failures), "how much of what a sweep has begun may fail before it stops itself"),
        BrakeLine("on_excess", brakes.on_excess.value, "what becomes of a plan that is too large"),
    )


def _share(share: Fraction | None) -> str | None:
    return None if share is None else format_share(share)


def _text(limit: int | None) -> str | None:
    return None if limit is None else str(limit)
