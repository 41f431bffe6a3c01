"""The evidence for a verdict: the facts of the notebook at that time, and the finding of each condition.

A notebook's free text (`description`) is left out; its `token` and `url` are not even in the model.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import UNSET, Struct, UnsetType

from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.model import Image, Lease, Named, Notebook, Status, Volume
from nbsweep.core.reasons.finding import Finding, Truth


class SavedFinding(Struct, frozen=True):
    """A finding in a saved plan; the field names are the keys of the plan's file."""

    condition: str
    threshold: str
    fact: str | None
    truth: Truth
    parts: tuple["SavedFinding", ...] = ()
    alternatives: tuple[str, ...] | UnsetType = UNSET
    """This and the following are absent where a condition has none, and in plans of older versions."""
    age_s: int | UnsetType = UNSET
    limit_s: int | UnsetType = UNSET
    limit_gb: int | UnsetType = UNSET

    def finding(self) -> Finding:
        """Return the finding, from which sentences in any language are made."""
        return Finding(
            self.condition,
            self.threshold,
            self.fact,
            self.truth,
            tuple(part.finding() for part in self.parts),
            self.alternatives or (),
            _length(self.age_s),
            _length(self.limit_s),
            self.limit_gb or None,
        )


def _length(seconds: int | UnsetType) -> timedelta | None:
    return None if seconds is UNSET else timedelta(seconds=seconds)


class Evidence(Struct, frozen=True):
    """All facts that a policy can check, at the time of the verdict, and the findings of the conditions."""

    status: Status
    created_at: datetime | None
    updated_at: datetime | None
    idle_since: datetime | None
    """The latest sign of use, including the journal's records."""
    lease: Lease | None
    owner: Named
    tags: Mapping[str, str | None] | None
    """None if the answer had no tags field, which differs from an empty one; a value is None if it is not shown."""
    flavor: str | None
    image: Image
    pool: Named | None
    volume: Volume | None
    billing: tuple[str, ...] | None
    fail_reason: str | None
    findings: tuple[SavedFinding, ...]
    """The findings of the policy that matched."""
    repeated_tags: tuple[tuple[str, str | None], ...] = ()
    """Further values of keys that are in `tags` already."""


def evidence_of(notebook: Notebook, verdict: Verdict, idle_since: datetime | None) -> Evidence:
    """Return the evidence for a verdict on a notebook."""
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
    return SavedFinding(
        finding.condition,
        finding.threshold,
        finding.fact,
        finding.truth,
        tuple(map(_saved, finding.parts)),
        finding.alternatives or UNSET,
        UNSET if finding.age is None else int(finding.age.total_seconds()),
        UNSET if finding.limit is None else int(finding.limit.total_seconds()),
        UNSET if finding.limit_gb is None else finding.limit_gb,
    )
