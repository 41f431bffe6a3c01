"""The mark of one instance of a notebook: its states, their transitions, and one function for each step.

MARKED ──> TOLD ──> DUE ──> REMOVED
   └────────┴────────┴────> CLEARED

DUE is no stored state: a told mark is due when its deadline has passed. Every change goes through `_move`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.marks.grace import OWNER, Grace
from nbsweep.core.model import Notebook, Status, microseconds

STALE_GRACES = 2
"""A notice is stale, and given again, so many times the grace after its deadline,"""
STALE_AT_LEAST = timedelta(days=40)
"""but not before this time after its deadline, so that a sweep a month finds the notice of the last one valid."""


class MarkState(StrEnum):
    """The stored state of a mark."""

    MARKED = "MARKED"
    """The intention is on record; the owner has not been told yet."""
    TOLD = "TOLD"
    """A channel has accepted a message that lists this notebook."""
    REMOVED = "REMOVED"
    """The notebook was deleted."""
    CLEARED = "CLEARED"
    """The intention was given up."""


NEXT: Mapping[MarkState, frozenset[MarkState]] = {
    # MARKED again, when a further survey agrees, or the owner cannot be told.
    MarkState.MARKED: frozenset({MarkState.MARKED, MarkState.TOLD, MarkState.CLEARED}),
    # TOLD again, when a reminder or a renewed notice was accepted; MARKED, when the notice has become stale.
    MarkState.TOLD: frozenset({MarkState.TOLD, MarkState.MARKED, MarkState.REMOVED, MarkState.CLEARED}),
    MarkState.REMOVED: frozenset(),
    MarkState.CLEARED: frozenset(),
}

OPEN = frozenset({MarkState.MARKED, MarkState.TOLD})


class ClearCause(StrEnum):
    """Why a mark was cleared."""

    USED = "used"
    """The notebook was started, changed, or seen in another state."""
    RENEWED = "renewed"
    """Its lease was changed."""
    TAGGED = "tagged"
    """Its tags were changed so that the policy no longer matches."""
    EXEMPT = "exempt"
    PROTECTED = "protected"
    GONE = "gone"
    """A complete survey no longer shows it, or shows another notebook with the same id."""
    POLICY_CHANGED = "policy-changed"
    """The policy was edited, renamed or removed, or another policy matches first."""
    NO_LONGER_MATCHES = "no-longer-matches"


class IllegalMarkStepError(Exception):
    """A step that the table does not allow; a bug in nbsweep."""


class Mark(Struct, frozen=True):
    """The announced intention to delete one instance of a notebook; also one row of the journal."""

    id: str
    """Unique; a digest of project, notebook id, creation date and the time of marking."""
    target: str
    project: str
    """The endpoint and project of the notebook, see `identity`."""
    notebook_id: str
    notebook_created_at: datetime
    """With the id, the identity of the instance: a notebook that is created again with the same id is another notebook."""
    name: str
    owner_id: str
    """Empty if the cloud does not show it."""
    owner_name: str
    """Empty if the cloud does not show it."""
    workspace_id: str
    feature: str
    policy: str
    policy_digest: str
    """A digest of the conditions of the policy; an edited policy starts anew."""
    reason: str
    """Why the policy matches, in English words."""
    cause: str
    """The same as JSON, see `reasons.keeping`, for other languages; empty if it is not on record."""
    status: Status
    """The status at marking."""
    updated_at: datetime | None
    """The notebook's `update_at` at marking."""
    lease_updated_at: datetime | None
    marked_at: datetime
    state: MarkState = MarkState.MARKED
    surveys: int = 1
    """The number of complete surveys in a row that agree."""
    last_survey_at: datetime | None = None
    told_at: datetime | None = None
    """When a channel accepted the message."""
    told_by: str = ""
    """The channel and its proof; empty until then."""
    clock_verified: bool = False
    """Whether the clock behind `told_at` was compared with the cloud's; otherwise the next survey sets `told_at` anew."""
    deadline: datetime | None = None
    """The latest deadline that was written to the owner, or is on its way; it never moves to an earlier time."""
    notices: int = 0
    """How many notices became stale, so that the owner is told again."""
    untold: str = ""
    """Why the last attempt to tell the owner failed; empty if none has failed."""
    untold_at: datetime | None = None
    """When the first of these attempts failed; None if none has failed, or if that is not on record."""
    retried: bool = False
    """Whether another attempt follows by itself; False if the owner cannot be told until somebody acts."""
    remedies: tuple[str, ...] = ()
    """What the owner can do to keep it: actions as JSON, see `core/reasons/actions`."""
    capacity_gb: int | None = None
    tell: tuple[str, ...] = ()
    """Where the notice goes, as the policy said at marking; and the fallback, if that was told instead."""
    tags: Mapping[str, str] = {}
    """A digest of the value of each tag at marking, by its key: a change may clear the mark. A value may be an address, which
    the journal never holds."""
    ended_at: datetime | None = None
    cleared: ClearCause | None = None
    run_id: str = ""
    """The run that removed the notebook."""
    version: int = 0
    """How often the mark was written before; a write succeeds only if nobody else has written it since it was read."""

    @property
    def open(self) -> bool:
        """Whether the mark has not ended."""
        return self.state in OPEN

    @property
    def was_told(self) -> bool:
        """Whether the owner was told at any time, also if that notice became stale since."""
        return self.told_at is not None or self.notices > 0

    @property
    def untold_since(self) -> datetime | None:
        """Since when the owner could not be told; None if no attempt has failed."""
        return (self.untold_at or self.marked_at) if self.untold else None

    @property
    def owner_key(self) -> str:
        """The key that identifies the owner; empty if the owner is unknown."""
        return self.owner_id or self.owner_name

    @property
    def owner_label(self) -> str:
        """The owner's name for people."""
        return self.owner_name or self.owner_id or "unknown"

    def is_of(self, notebook: Notebook) -> bool:
        """Return whether the mark belongs to this instance; False if the notebook does not show its creation date."""
        return notebook.id == self.notebook_id and notebook.created_at == self.notebook_created_at


def tag_digests(notebook: Notebook) -> Mapping[str, str]:
    """Return a digest of the values of each tag of a notebook, by its key."""
    values: dict[str, list[str]] = {}
    for key, value in notebook.all_tags:
        values.setdefault(key, []).append("" if value is None else f"={value}")
    return {key: sha256("\n".join(sorted(found)).encode()).hexdigest()[:16] for key, found in sorted(values.items())}


def due_at(mark: Mark, grace: Grace) -> datetime | None:
    """Return when a mark becomes due; None while the owner has not been told.

    The deadline that was written to the owner, and the present grace, both bind: an edited policy only moves it later.
    """
    if mark.state is not MarkState.TOLD or mark.told_at is None or not mark.clock_verified:
        return None
    counted = grace.ends(mark.told_at)
    return max(counted, mark.deadline) if mark.deadline else counted


def is_stale(mark: Mark, grace: Grace, now: datetime) -> bool:
    """Return whether the notice is so old that the owner has to be told again before a deletion."""
    stale = stale_at(mark, grace)
    return stale is not None and now > stale


def stale_at(mark: Mark, grace: Grace) -> datetime | None:
    """Return after which time a notice is stale; None while the mark has no time at which it is due."""
    due = due_at(mark, grace)
    return due + max(STALE_GRACES * grace.about, STALE_AT_LEAST) if due else None


def _move(mark: Mark, state: MarkState, **changes: Any) -> Mark:
    if state not in NEXT[mark.state]:
        message = f"mark of {mark.notebook_id}: {mark.state} -> {state} is not a step"
        raise IllegalMarkStepError(message)
    return replace(mark, state=state, **changes)


def confirm(mark: Mark, now: datetime, places: tuple[str, ...]) -> Mark:
    """Record that a further complete survey agrees, and where the policy says now that the notice goes."""
    return _move(mark, mark.state, surveys=mark.surveys + 1, last_survey_at=now, tell=places)


def promise(mark: Mark, deadline: datetime) -> Mark:
    """Record a deadline that is about to be written to the owner; an earlier one stays."""
    return _move(mark, mark.state, deadline=max(deadline, mark.deadline) if mark.deadline else deadline)


def tell(mark: Mark, now: datetime, told_by: str, *, clock_verified: bool, place: str = OWNER) -> Mark:
    """Record that a channel accepted a message that lists this notebook; the first time counts.

    `place` is who was told: a place that was told instead of the owner hears how it ends, too.
    """
    if mark.state is MarkState.TOLD:
        return mark
    return _move(
        mark,
        MarkState.TOLD,
        told_at=max(now, mark.marked_at),
        told_by=told_by,
        clock_verified=clock_verified,
        untold="",
        untold_at=None,
        retried=False,
        tell=mark.tell if place in (*mark.tell, OWNER) else (*mark.tell, place),
    )


def verify_clock(mark: Mark, now: datetime) -> Mark:
    """Set `told_at` to the time of a survey whose clock was compared with the cloud's, which that of the message was not."""
    return _move(mark, mark.state, told_at=max(now, mark.told_at or now), clock_verified=True)


def take_over_promise(mark: Mark, earlier: Iterable[Mark]) -> Mark:
    """Return a new mark with the latest deadline that was written to the owner by earlier marks of the same instance.

    Whatever ended those marks: the owner may have read that deadline, and not that the deletion was called off.
    """
    instance = (mark.project, mark.notebook_id, mark.notebook_created_at)
    promised = [
        each.deadline
        for each in earlier
        if each.deadline is not None and (each.project, each.notebook_id, each.notebook_created_at) == instance
    ]
    return promise(mark, max(promised)) if promised else mark


def note_untold(mark: Mark, why: str, now: datetime, *, retried: bool = False) -> Mark:
    """Record why the owner could not be told, and whether another attempt follows by itself."""
    return _move(mark, mark.state, untold=why, untold_at=mark.untold_since or now, retried=retried)


def renew_notice(mark: Mark, places: tuple[str, ...]) -> Mark:
    """Take a stale notice back: the owner has to be told again. The deadline that was written stays a lower bound."""
    again = replace(mark, notices=mark.notices + 1, told_at=None, told_by="", clock_verified=False)
    return _move(again, MarkState.MARKED, tell=places, untold="", untold_at=None, retried=False)


def clear(mark: Mark, now: datetime, cause: ClearCause) -> Mark:
    """Give the intention up."""
    return _move(mark, MarkState.CLEARED, ended_at=now, cleared=cause)


def remove(mark: Mark, now: datetime, run_id: str) -> Mark:
    """Record that the notebook was deleted."""
    return _move(mark, MarkState.REMOVED, ended_at=now, run_id=run_id)


def mark_id(project: str, notebook_id: str, created_at: datetime, marked_at: datetime) -> str:
    """Return the id of a mark: the same instance that is marked at the same time has the same id."""
    parts = (project, notebook_id, str(microseconds(created_at)), str(microseconds(marked_at)))
    return sha256("\n".join(parts).encode()).hexdigest()[:20]
