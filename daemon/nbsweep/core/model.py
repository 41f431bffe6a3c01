"""A notebook as the policies and the reports see it.

The field names follow the ModelArts API, section 1.3. Everything but `id` and `status` may be missing (None), because the API
documents it so. A notebook's `token` and `url` are not here: they are dropped where the answer is read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

PAGE_SIZE = 50
"""Rows of the largest page that the API gives (ModelArts API, section 1.1)."""


class Status(StrEnum):
    """The fourteen states of the ModelArts API, section 1.4."""

    INIT = "INIT"
    CREATING = "CREATING"
    STARTING = "STARTING"
    STOPPING = "STOPPING"
    DELETING = "DELETING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SNAPSHOTTING = "SNAPSHOTTING"
    CREATE_FAILED = "CREATE_FAILED"
    START_FAILED = "START_FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    ERROR = "ERROR"
    DELETED = "DELETED"
    FROZEN = "FROZEN"


IN_TRANSITION = frozenset(
    {Status.INIT, Status.CREATING, Status.STARTING, Status.STOPPING, Status.DELETING, Status.SNAPSHOTTING}
)
"""The cloud is at work on these; they are never touched."""

AT_REST = frozenset(
    {
        Status.STOPPED,
        Status.CREATE_FAILED,
        Status.START_FAILED,
        Status.DELETE_FAILED,
        Status.ERROR,
        Status.FROZEN,
        Status.DELETED,
    }
)
"""Nobody can be working in one of these: the clock of `idle` runs."""

FAILED = frozenset({Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR})
"""States that say that something went wrong."""


class LeaseType(StrEnum):
    """What ends a lease: a set time, or idleness."""

    TIMING = "TIMING"
    IDLE = "IDLE"


class Lease(Struct, frozen=True):
    """When the cloud stops the notebook by itself; a lease never deletes (ModelArts API, section 8)."""

    enabled: bool | None = None
    type: LeaseType = LeaseType.TIMING
    created_at: datetime | None = None
    updated_at: datetime | None = None
    duration: timedelta | None = None
    """In total since `created_at`, not what remains; None if it says nothing (a lease that is not enabled)."""

    @property
    def ends_at(self) -> datetime | None:
        """When an enabled TIMING lease ends; None for any other, where that sum is not documented, and beyond the calendar."""
        if not self.enabled or self.type is not LeaseType.TIMING or self.created_at is None or self.duration is None:
            return None
        try:
            return self.created_at + self.duration
        except OverflowError:
            return None


class Volume(Struct, frozen=True):
    """A disk of the notebook; its data is destroyed with the notebook unless it is `DEDICATED`."""

    category: str | None = None
    """SFS, EVS, OBS, OBSFS or EFS."""
    ownership: str | None = None
    """MANAGED (goes with the notebook) or DEDICATED (the user's own)."""
    capacity_gb: int | None = None
    mount_path: str | None = None
    status: str | None = None

    @property
    def reclaimable_gb(self) -> int | None:
        """What a deletion gives back: nothing of a disk that is the user's own, for that stays and goes on costing."""
        return None if self.ownership == "DEDICATED" else self.capacity_gb


class Named(Struct, frozen=True):
    """Something that has an id and a name: an owner, a pool."""

    id: str | None = None
    name: str | None = None


class Image(Struct, frozen=True):
    """What the notebook was started from."""

    id: str | None = None
    name: str | None = None
    swr_path: str | None = None
    type: str | None = None


class Notebook(Struct, frozen=True):
    """One notebook instance, as the cloud showed it at one moment."""

    id: str
    status: Status
    name: str | None = None
    description: str | None = None
    fail_reason: str | None = None
    feature: str | None = None
    """NOTEBOOK, or DEFAULT for the free CodeLab."""
    flavor: str | None = None
    workspace_id: str | None = None
    owner: Named = Named()
    pool: Named | None = None
    """The dedicated pool; None means a public one (ModelArts API, section 1.3)."""
    image: Image = Image()
    lease: Lease | None = None
    volume: Volume | None = None
    billing: tuple[str, ...] | None = None
    tags: Mapping[str, str | None] | None = None
    """None when the answer had no tags at all, which is not the same as having none; a value is None when it is not shown."""
    repeated_tags: tuple[tuple[str, str | None], ...] = ()
    """Each further value of a key that `tags` has already; which of them holds, nobody can tell."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    listed: bool = False
    """Whether it is a row of a listing. A listing may leave out what an answer about one notebook shows, so that what is not
    there (a lease, a pool) is no fact."""

    @property
    def all_tags(self) -> tuple[tuple[str, str | None], ...]:
        """Every tag that the answer held, as key and value; nothing where it held none."""
        return (*(self.tags or {}).items(), *self.repeated_tags)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.id

    @property
    def owner_label(self) -> str:
        """What people call its owner."""
        return self.owner.name or self.owner.id or "unknown"

    @property
    def owner_key(self) -> str:
        """What tells its owner from others, even where some rows lack the name."""
        return self.owner.id or self.owner_label

    @property
    def last_change(self) -> datetime | None:
        """The latest change of the notebook and of its lease; None if the notebook's own date is missing.

        The lease's date does not stand in for it: it does not move when a state settles (ModelArts API, section 12, E1).
        """
        of_lease = self.lease.updated_at if self.lease else None
        if self.updated_at is None or of_lease is None:
            return self.updated_at
        return max(self.updated_at, of_lease)


class MalformedRow(Struct, frozen=True):
    """A row of a listing that cannot be read as a notebook; it is counted, and kept."""

    id: str | None
    name: str | None
    problem: str
    """Which field, and what is wrong with it; never the field's content."""


class Scope(Struct, frozen=True):
    """What one listing covers. The API shows one workspace and one feature at a time (ModelArts API, section 1.1)."""

    workspace_id: str
    feature: str


class Page(Struct, frozen=True):
    """One page of a listing."""

    rows: tuple[Notebook | MalformedRow, ...]
    total: int
    """How many rows the whole listing has, by the cloud's own count at that moment."""
    oldest_first: bool = False
    """Whether the cloud was asked to sort the listing by creation, and did not refuse to."""


def require_aware(moment: datetime) -> datetime:
    """Let a moment pass that says which time zone it is in.

    Raises:
        ValueError: the moment is naive.
    """
    if moment.tzinfo is None:
        message = f"a moment without a time zone: {moment.isoformat()}"
        raise ValueError(message)
    return moment


def microseconds(moment: datetime) -> int:
    """Count whole microseconds since 1970, as the journal keeps moments.

    Raises:
        ValueError: the moment has no time zone.
    """
    return (require_aware(moment) - _EPOCH) // _MICROSECOND


def moment_of(since_1970_us: int) -> datetime:
    """Return the moment that `microseconds` has counted, in UTC.

    Raises:
        OverflowError: it is beyond the calendar.
    """
    return _EPOCH + _MICROSECOND * since_1970_us
