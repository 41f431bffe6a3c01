"""The last plan that was made of a target: what a page shows of it, and the document that is approved."""

import json
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from nbsweep.core.model import Notebook, Volume
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.model import Cause, CauseCode, recorded
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.saved_plan.digest import DIGEST
from nbsweep.core.saved_plan.evidence import SavedFinding
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.core.selection import Excluded
from nbsweep.documents.saved_plan import plan_to_document
from nbsweep.service.plans.saved_plans import open_plan

FAST = 1
"""The level of compression: the documents of plans repeat themselves."""


class DraftRow(Struct, frozen=True):
    """What is shown of one notebook that may be deleted."""

    id: str
    name: str
    owner: str
    status: str
    policy: str
    cause: Cause
    idle_since: datetime | None
    volume: Volume | None
    """Its ownership and its size."""
    stop_first: bool
    about: Notebook
    """What exemptions look at: its ID, name, owner and date of creation; its other facts are left out."""

    @property
    def freed_gb(self) -> int:
        """The size of the disk that its deletion frees; 0 if it frees none, or if the size is not known."""
        return (self.volume and self.volume.reclaimable_gb) or 0


class Draft(Struct, frozen=True):
    """A plan that was made and not approved. Its rows and its document are all that is kept of it."""

    target: str
    plan_id: str
    digest: str
    """The digest of the document."""
    made_at: datetime
    made_by: str
    expires_at: datetime
    fleet: int
    rows: tuple[DraftRow, ...]
    to_mark: int
    """How many notebooks the sweep would mark."""
    refusals: tuple[Refusal, ...]
    """Why brakes refuse the plan."""
    cut: Statement | None
    """What the brakes have cut; None if they cut nothing."""
    excluded: tuple[Excluded, ...]
    document: bytes


class SavedRow(Struct, frozen=True):
    """What is shown of one notebook of an approved plan."""

    id: str
    name: str | None
    owner: str
    status: str
    policy: str
    reason: str
    """In English."""
    evidence: Raw
    """The evidence, which is read only for what is shown."""

    @property
    def cause(self) -> Cause:
        """Why it may be deleted, in a form that can be said in any language; in English for what is not the usual reason."""
        findings = msgspec.json.decode(self.evidence, type=_SavedEvidence).findings
        usual = Cause(CauseCode.POLICY_MATCHES, self.policy, tuple(each.finding() for each in findings))
        return usual if describe(usual) == self.reason else recorded(self.reason)


class _SavedEvidence(Struct, frozen=True):
    findings: tuple[SavedFinding, ...]


class _SavedTarget(Struct, frozen=True):
    items: tuple[SavedRow, ...]


class _SavedDocument(Struct, frozen=True):
    targets: tuple[_SavedTarget, ...]


def draft_of(plan: Plan, saved: SavedPlan, by: str) -> Draft:
    """Return a plan as a draft. Takes a second or two for a plan of 20,000 notebooks."""
    digest, document = seal(saved)
    return Draft(
        target=plan.target,
        plan_id=saved.plan_id,
        digest=digest,
        made_at=plan.created_at,
        made_by=by,
        expires_at=saved.expires_at,
        fleet=plan.fleet,
        rows=tuple(map(row_of, plan.items)),
        to_mark=len(plan.to_mark),
        refusals=plan.refusals,
        cut=plan.cut,
        excluded=plan.excluded,
        document=document,
    )


def without(draft: Draft, ids: Collection[str], by: str, plan_id: str) -> Draft:
    """Return a draft from which notebooks are excluded: another plan, with another digest."""
    saved = open_plan(draft.document, draft.plan_id)
    [target] = saved.targets
    left_out = [Excluded(item.id, item.name, by) for item in target.items if item.id in ids]
    excluded = (*target.excluded, *left_out)
    target = replace(target, items=tuple(each for each in target.items if each.id not in ids), excluded=excluded)
    digest, document = seal(replace(saved, plan_id=plan_id, targets=(target,)))
    rows = tuple(row for row in draft.rows if row.id not in ids)
    return replace(draft, plan_id=plan_id, digest=digest, document=document, rows=rows, excluded=excluded)


def row_of(item: Candidate) -> DraftRow:
    """Return what is shown of a candidate."""
    notebook, volume = item.notebook, item.notebook.volume
    return DraftRow(
        id=notebook.id,
        name=notebook.label,
        owner=notebook.owner_label,
        status=notebook.status.value,
        policy=item.verdict.rule,
        cause=item.verdict.cause,
        idle_since=item.idle_since,
        volume=Volume(ownership=volume.ownership, capacity_gb=volume.capacity_gb) if volume else None,
        stop_first=item.verdict.stop_first,
        about=Notebook(notebook.id, notebook.status, notebook.name, owner=notebook.owner, created_at=notebook.created_at),
    )


def seal(saved: SavedPlan) -> tuple[str, bytes]:
    """Return the digest of a plan's document, and the document, compressed."""
    document = plan_to_document(saved)
    return str(document[DIGEST]), zlib.compress(json.dumps(document).encode(), FAST)


def saved_rows(document: bytes) -> Sequence[SavedRow]:
    """Return what is shown of the document of a plan; whether it was altered is not checked.

    Raises:
        msgspec.ValidationError: it is no such document.
    """
    found = msgspec.json.decode(zlib.decompress(document), type=_SavedDocument)
    return [row for target in found.targets for row in target.items]
