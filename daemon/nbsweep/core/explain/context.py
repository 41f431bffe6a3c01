"""The context of an explanation besides the rules: the target's scope, the journal's facts, and the brakes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.errors import NbsweepError
from nbsweep.core.exemptions.covering import covers
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.explain.explain import Explanation
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import due_of
from nbsweep.core.model import Notebook
from nbsweep.core.planning.brakes import Brakes, format_share
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.sentences.brakes import BrakeCode
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.reasons.statement_wordings import describe_statement
from nbsweep.core.runs import NO_HISTORY, History, RunRecord


class TargetScope(Struct, frozen=True):
    """The notebooks that a target's sweeps cover."""

    workspaces: tuple[str, ...] | None
    """None means all workspaces that the caller may see."""
    features: tuple[str, ...]
    own: bool = False
    """Whether only the caller's own notebooks are covered."""


class JournalFacts(Struct, frozen=True):
    """What the journal knows about one notebook and its target."""

    last_active: datetime | None = None
    """When the notebook was last seen in a state other than at rest."""
    removals: tuple[Removal, ...] = ()
    """The notebook's removals in all runs, the newest first."""
    latest: RunRecord | None = None
    """The target's last sweep that surveyed its fleet and has ended."""
    history: History = NO_HISTORY
    """The target's past that brakes and the cool-down use."""
    left_alone: Verdict | None = None
    """The verdict of the cool-down after failed deletions; None if the notebook is not cooling down."""

    marks: tuple[Mark, ...] = ()
    """The marks of this very instance, the newest first."""

    @property
    def under_way(self) -> Removal | None:
        """The removal that has not ended yet; None if there is none."""
        return next((removal for removal in self.removals if not removal.ended), None)


class BrakeLine(Struct, frozen=True):
    """One brake with its setting and its present input."""

    brake: str
    """The key of the configuration, below `brakes`."""
    limit: str | None
    """The limit as in the configuration; None if the brake is switched off."""
    looks_at: str
    figure: Statement | None = None
    """The value that the journal knows for it."""

    @property
    def known(self) -> str | None:
        """The same in English words."""
        return describe_statement(self.figure) if self.figure else None


class NotebookContext(Struct, frozen=True):
    """The full explanation of one notebook on one target."""

    target: str
    asked_at: datetime
    notebook: Notebook
    cover: tuple[Finding, ...]
    explanation: Explanation
    memory: JournalFacts
    brakes: tuple[BrakeLine, ...]
    rules: Rules = Rules(())
    """The rules with the marks and the exemptions of the target."""

    @property
    def mark(self) -> Mark | None:
        """The open mark, or else the latest that has ended; None if it was never marked."""
        return next(iter(self.memory.marks), None)

    @property
    def due_at(self) -> datetime | None:
        """When the open mark becomes due; None while its owner has not been told."""
        return due_of(self.mark, self.rules.graces) if self.mark and self.mark.open else None

    @property
    def exemptions(self) -> tuple[tuple[Exemption, Truth], ...]:
        """The exemptions in force that cover the notebook, or may cover it, and whether they do."""
        judged = ((each, covers(each.selector, self.notebook)[0]) for each in self.rules.exemptions)
        return tuple((each, truth) for each, truth in judged if truth is not Truth.FAIL and each.in_force(self.asked_at))

    @property
    def covered(self) -> bool | None:
        """Whether the target covers the notebook; None if that is unknown."""
        truths = {finding.truth for finding in self.cover}
        return False if Truth.FAIL in truths else None if Truth.UNKNOWN in truths else True


class Explained(Struct, frozen=True):
    """The explanations of one notebook from several targets."""

    contexts: tuple[NotebookContext, ...] = ()
    """From each target that has the notebook, in the order of the targets."""
    errors: Mapping[str, NbsweepError] = {}
    """Why a target could not be asked, by its name."""


def cover_findings(notebook: Notebook, cover: TargetScope) -> tuple[Finding, ...]:
    """Return a finding for each limit of a target's scope: whether it includes this notebook."""
    workspaces = (
        Finding("workspaces", "all that the keys can see", notebook.workspace_id, Truth.PASS)
        if cover.workspaces is None
        else _listed("workspaces", cover.workspaces, notebook.workspace_id)
    )
    findings = (workspaces, _listed("features", cover.features, notebook.feature))
    if not cover.own:
        return findings
    return (*findings, Finding("scope", "own: what belongs to the owner of the keys", notebook.owner_label, Truth.UNKNOWN))


def _listed(key: str, allowed: Sequence[str], fact: str | None) -> Finding:
    truth = Truth.UNKNOWN if fact is None else Truth.PASS if fact in allowed else Truth.FAIL
    return Finding(key, " or ".join(allowed), fact, truth)


def brake_lines(brakes: Brakes, max_failures: Fraction | None, memory: JournalFacts) -> tuple[BrakeLine, ...]:
    """Return the setting of each brake, what it checks, and the value known from the journal, without a survey."""
    latest, before = memory.latest, memory.history.before
    return (
        BrakeLine(
            "max_deletions",
            _text(brakes.max_deletions),
            "how many notebooks a sweep of this target would delete",
            Statement(BrakeCode.PLANNED_LAST, {"planned": latest.planned}) if latest else None,
        ),
        BrakeLine(
            "max_share",
            _share(brakes.max_share),
            "how much of the fleet a sweep of this target would delete",
            Statement(BrakeCode.SHARE_LAST, {"planned": latest.planned, "fleet": latest.fleet}) if latest else None,
        ),
        BrakeLine("max_per_owner", _text(brakes.max_per_owner), "how many notebooks of one owner a sweep would delete"),
        BrakeLine(
            "max_per_day",
            _text(brakes.max_per_day),
            "how many deletions of a day were requested on this target",
            Statement(BrakeCode.REQUESTED_TODAY, {"requested": memory.history.requested}),
        ),
        BrakeLine(
            "max_fleet_drop",
            _share(brakes.max_fleet_drop),
            "by how much the fleet is smaller than at the last survey",
            Statement(BrakeCode.FLEET_EXPECTED, {"left": before.left, "run": before.run_id}) if before else None,
        ),
        BrakeLine("max_failures", _share(max_failures), "the share of begun removals that may fail before a sweep stops"),
        BrakeLine("on_excess", brakes.on_excess.value, "what happens to a plan that is too large"),
    )


def _share(share: Fraction | None) -> str | None:
    return None if share is None else format_share(share)


def _text(limit: int | None) -> str | None:
    return None if limit is None else str(limit)
