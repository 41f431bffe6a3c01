"""What a verdict rests on: the facts of the notebook as they were, and what each condition made of them.

A notebook's free text (`description`) is not among them, and its `token` and `url` are not even in the model.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from nbsweep.core.conditions import Finding, Truth
from nbsweep.core.model import Image, Lease, Named, Notebook, Status, Volume
from nbsweep.core.policy import Verdict


class SavedFinding(Struct, frozen=True):
    """A finding as a saved plan shows it; its keys are those of the plan's file."""

    condition: str
    threshold: str
    fact: str | None
    truth: Truth
    parts: tuple["SavedFinding", ...] = ()


class Evidence(Struct, frozen=True):
    """All that a policy can ask about a notebook, at the moment of the verdict, and the conditions that held."""

    status: Status
    created_at: datetime | None
    updated_at: datetime | None
    idle_since: datetime | None
    """The latest of everything that speaks of use, the journal's memory included."""
    lease: Lease | None
    owner: Named
    tags: Mapping[str, str | None] | None
    """None when the answer had no tags at all, which is not the same as having none; a value is None when it is not shown."""
    flavor: str | None
    image: Image
    pool: Named | None
    volume: Volume | None
    billing: tuple[str, ...] | None
    fail_reason: str | None
    findings: tuple[SavedFinding, ...]
    """Of the policy that matched: condition, threshold, the fact it saw, and what it made of it."""
    repeated_tags: tuple[tuple[str, str | None], ...] = ()
    """Each further value of a key that `tags` has already."""


def evidence_of(notebook: Notebook, verdict: Verdict, idle_since: datetime | None) -> Evidence:
    """Gather what a verdict on a notebook rests on."""
    return Evidence(
        status=notebook.status,
        created_at=notebook.created_at,
        updated_at=notebook.updated_at,
        idle_since=idle_since,
        lease=notebook.lease,
        owner=notebook.owner,
        tags=notebook.tags,
        flavor=notebook.flavor,
        image=notebook.image,
        pool=notebook.pool,
        volume=notebook.volume,
        billing=notebook.billing,
        fail_reason=notebook.fail_reason,
        findings=tuple(map(_saved, verdict.findings)),
        repeated_tags=notebook.repeated_tags,
    )


def _saved(finding: Finding) -> SavedFinding:
    parts = tuple(map(_saved, finding.parts))
    return SavedFinding(finding.condition, finding.threshold, finding.fact, finding.truth, parts)
