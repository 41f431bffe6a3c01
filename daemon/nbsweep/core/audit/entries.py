"""The audit trail: the entries for the steps of a removal, and the steps that each write of a removal records.

An entry has no field for a token, a key or a URL, and text from elsewhere goes through `redact_named`. So no secret gets into
the trail, and nothing has to be removed from it later, which would break its chain (see `chain`).
"""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from msgspec import Struct

from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact_named


class AuditEntry(NamedTuple):
    """One step of one removal. A tuple and not a dataclass, because a sweep makes four for each notebook.

    What was read from a journal may hold anything, if somebody has been at it; only the chain says whether that is so.
    """

    sequence: int
    """Counted from 1, without a gap."""
    moment_us: int
    """When it happened, in microseconds since 1970; what has no moment of its own has that of the DELETE it is about."""
    what: str
    target: str
    run_id: str
    started_by: str
    """Who started that run; empty if the journal has no record of it."""
    notebook_id: str
    name: str
    owner: str
    policy: str
    reason: str
    """The verdict's sentence, with fact and threshold, up to the request; from then on what came of it."""
    requests: int
    """How many DELETEs have been about to leave by then."""
    request_id: str
    """The gateway's own id of the last DELETE that it has accepted."""
    status_before: str | None
    """From here on: the facts of the decision, in its own entry and in no other."""
    workspace_id: str | None
    feature: str | None
    capacity_gb: int | None
    category: str | None
    project: str = ""
    """The endpoint and project that the notebook is in; empty, and then no part of the digest, in entries from before 0006."""


class RemovalSnapshot(NamedTuple):
    """As much as must be known of how a removal stood before."""

    state: str
    requests: int
    failures: int
    sent_at_us: int | None
    """When the latest DELETE or stop was about to leave."""

    @classmethod
    def of(cls, removal: Removal) -> "RemovalSnapshot":
        """Return how a removal stands."""
        sent_at_us = microseconds(removal.sent_at) if removal.sent_at else None
        return cls(removal.state, removal.requests, removal.failures, sent_at_us)


class AuditQuery(Struct, frozen=True):
    """Which entries are wanted: those to which all of this applies."""

    target: str | None = None
    run_id: str | None = None
    notebook_id: str | None = None
    policy: str | None = None
    what: AuditStep | None = None
    since: datetime | None = None


class AuditCoverage(Struct, frozen=True):
    """How many removals of a journal the trail says nothing of the decision of."""

    older: int = 0
    """They were planned before its first entry."""
    missing: int = 0
    """They were not, and so their entries are gone."""


_STEPS: Mapping[str, AuditStep] = {
    State.PLANNED: AuditStep.DECIDED,
    State.STOPPING: AuditStep.STOPPING,
    State.REQUESTED: AuditStep.REQUESTED,
    State.ACCEPTED: AuditStep.ACCEPTED,
    State.DELETED: AuditStep.DELETED,
    State.FAILED: AuditStep.FAILED,
    State.TIMED_OUT: AuditStep.TIMED_OUT,
    State.SPARED: AuditStep.SPARED,
}
_BY_VERDICT = frozenset({AuditStep.DECIDED, AuditStep.STOPPING, AuditStep.REQUESTED})
_WITHOUT_REASON = frozenset({AuditStep.WITHDRAWN, AuditStep.ACCEPTED, AuditStep.DELETE_FAILED})
_MOMENTS: Mapping[AuditStep, str] = {
    AuditStep.DECIDED: "planned_at",
    AuditStep.STOPPING: "sent_at",
    AuditStep.REQUESTED: "sent_at",
    AuditStep.ACCEPTED: "accepted_at",
    AuditStep.DELETE_FAILED: "accepted_at",
}
_texts = itemgetter(*(place for place, hint in enumerate(AuditEntry.__annotations__.values()) if hint in (str, str | None)))


def steps(removal: Removal, before: RemovalSnapshot | None) -> tuple[AuditStep, ...]:
    """Return for which steps a write of a removal stands; `before` is as the journal has it, None for one that is new to it."""
    step = _STEPS[removal.state]
    if before is None:
        return (AuditStep.DECIDED,) if step is AuditStep.DECIDED else (AuditStep.DECIDED, step)
    if before.state == removal.state:
        return _step_on_the_spot(removal, before, step)
    withdrawn = (AuditStep.WITHDRAWN,) if removal.requests < before.requests else ()
    return (*withdrawn, step) if removal.ended else withdrawn or (step,)


def _step_on_the_spot(removal: Removal, before: RemovalSnapshot, step: AuditStep) -> tuple[AuditStep, ...]:
    """Return what has happened to a removal that stands where it stood; a write that changes nothing stands for nothing."""
    if step is AuditStep.STOPPING:
        return (step,)
    if removal.requests != before.requests:
        return (AuditStep.REQUESTED if removal.requests > before.requests else AuditStep.WITHDRAWN,)
    return (AuditStep.DELETE_FAILED,) if removal.failures > before.failures else ()


def entries_of(removal: Removal, before: RemovalSnapshot | None, started_by: str, after: int) -> list[AuditEntry]:
    """Describe what the trail says of a write of a removal; its entries are counted from `after` + 1.

    Raises:
        ValueError: a step's moment has no time zone.
    """
    return [
        _entry_of(removal, before, what, (sequence, started_by))
        for sequence, what in enumerate(steps(removal, before), after + 1)
    ]


def _entry_of(removal: Removal, before: RemovalSnapshot | None, what: AuditStep, place: tuple[int, str]) -> AuditEntry:
    sequence, started_by = place
    decided = what is AuditStep.DECIDED
    entry = AuditEntry(
        sequence,
        _moment_us(removal, before, what),
        what.value,
        removal.target,
        removal.run_id,
        started_by,
        removal.notebook_id,
        redact_named(removal.name),
        redact_named(removal.owner),
        removal.policy,
        _reason(removal, what),
        0 if decided else removal.requests,
        "" if decided else removal.request_id,
        *(_facts(removal) if decided else (None, None, None, None, None, removal.project)),
    )
    return _without_nul(entry) if "\0" in "".join(filter(None, _texts(entry))) else entry


def _without_nul(entry: AuditEntry) -> AuditEntry:
    """Put the sign for what cannot be shown in the place of NUL, which PostgreSQL does not take; digests are of what it has."""
    texts: dict[str, Any] = {name: value for name, value in entry._asdict().items() if isinstance(value, str)}
    return entry._replace(**{name: text.replace("\0", "\ufffd") for name, text in texts.items()})


def _facts(removal: Removal) -> tuple[str, str, str, int | None, str | None, str]:
    where = removal.workspace_id, removal.feature
    return (removal.status_before.value, *where, removal.capacity_gb, removal.category, removal.project)


def _reason(removal: Removal, what: AuditStep) -> str:
    if what in _WITHOUT_REASON:
        return ""
    return redact_named(removal.reason if what in _BY_VERDICT else removal.end_reason)


def _moment_us(removal: Removal, before: RemovalSnapshot | None, what: AuditStep) -> int:
    if what is AuditStep.WITHDRAWN and before is not None and before.sent_at_us is not None:
        return before.sent_at_us
    moment = getattr(removal, _MOMENTS.get(what, "ended_at"))
    return microseconds(moment or removal.planned_at)
