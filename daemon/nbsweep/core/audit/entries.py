"""The audit trail: its entries, the steps that each write of a removal records, and their entries.

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
    """One step of a removal, a mark or an exemption. A tuple and not a dataclass, because a sweep makes four for each notebook.

    The values read from a journal may have been changed; only the chain shows that.
    """

    sequence: int
    """The number of the entry in its chain, counted from 1 without gaps."""
    moment_us: int
    """The time of the step, in microseconds since 1970; a step without its own time has that of its DELETE."""
    what: str
    target: str
    run_id: str
    started_by: str
    """Who or what started the run; empty if the journal has no record of it."""
    notebook_id: str
    name: str
    owner: str
    policy: str
    reason: str
    """The verdict's sentence, with fact and threshold, up to the request; after that, the reason of the end."""
    requests: int
    """The number of DELETEs that were sent, or about to be sent, by then."""
    request_id: str
    """The gateway's id of the last accepted DELETE."""
    status_before: str | None
    """This field and the following ones are the facts of the decision; only its own entry has them."""
    workspace_id: str | None
    feature: str | None
    capacity_gb: int | None
    category: str | None
    project: str = ""
    """The endpoint and project of the notebook; empty, and not part of the digest, in entries from before 0006."""


class RemovalSnapshot(NamedTuple):
    """The earlier state of a removal, as far as the audit trail needs it."""

    state: str
    requests: int
    failures: int
    sent_at_us: int | None
    """When the latest DELETE or stop was about to be sent."""

    @classmethod
    def of(cls, removal: Removal) -> "RemovalSnapshot":
        """Return the snapshot of a removal."""
        sent_at_us = microseconds(removal.sent_at) if removal.sent_at else None
        return cls(removal.state, removal.requests, removal.failures, sent_at_us)


class AuditQuery(Struct, frozen=True):
    """Selects the entries that match all of these fields; None matches everything."""

    target: str | None = None
    run_id: str | None = None
    notebook_id: str | None = None
    policy: str | None = None
    what: AuditStep | None = None
    since: datetime | None = None
    who: str | None = None
    """A part of `started_by`; the case of ASCII letters is ignored."""
    before: int | None = None
    """Only entries with a smaller position."""


class AuditCoverage(Struct, frozen=True):
    """The number of a target's removals in the journal without a decision on the trail."""

    target: str

    older: int = 0
    """Removals that were planned before the first entry."""
    missing: int = 0
    """Other removals; their entries are missing."""


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
    """Return the steps that a write of a removal records; `before` is its state in the journal, None if it is new."""
    step = _STEPS[removal.state]
    if before is None:
        return (AuditStep.DECIDED,) if step is AuditStep.DECIDED else (AuditStep.DECIDED, step)
    if before.state == removal.state:
        return _steps_in_same_state(removal, before, step)
    withdrawn = (AuditStep.WITHDRAWN,) if removal.requests < before.requests else ()
    return (*withdrawn, step) if removal.ended else withdrawn or (step,)


def _steps_in_same_state(removal: Removal, before: RemovalSnapshot, step: AuditStep) -> tuple[AuditStep, ...]:
    """Return the steps of a removal whose state did not change; none if the write changes nothing."""
    if step is AuditStep.STOPPING:
        return (step,)
    if removal.requests != before.requests:
        return (AuditStep.REQUESTED if removal.requests > before.requests else AuditStep.WITHDRAWN,)
    return (AuditStep.DELETE_FAILED,) if removal.failures > before.failures else ()


def entries_of(removal: Removal, before: RemovalSnapshot | None, started_by: str, after: int) -> list[AuditEntry]:
    """Return the entries for a write of a removal, with numbers from `after` + 1.

    Raises:
        ValueError: the time of a step is naive.
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
    return storable(entry)


def storable(entry: AuditEntry) -> AuditEntry:
    """Replace NUL, which PostgreSQL rejects, because digests must cover the text that is stored."""
    if "\0" not in "".join(filter(None, _texts(entry))):
        return entry
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
