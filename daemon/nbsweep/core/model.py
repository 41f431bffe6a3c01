"""The model of a notebook, as policies and reports use it.

The field names follow the ModelArts API, section 1.3. Every field except `id` and `status` may be missing (None), as the API
documents. A notebook's `token` and `url` are left out: they are dropped when an answer is read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

PAGE_SIZE = 50
"""Rows of the largest page that the API allows (ModelArts API, section 1.1)."""


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
"""States in which the cloud is changing the notebook, so that it is never touched."""

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
"""States in which nobody can use the notebook, so that its idle time grows."""

FAILED = frozenset({Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR})
"""States after a failed operation."""


class LeaseType(StrEnum):
    """What ends a lease: a fixed time, or idleness."""

    TIMING = "TIMING"
    IDLE = "IDLE"


class Lease(Struct, frozen=True):
    """The lease after which the cloud stops a notebook; a lease never deletes it (ModelArts API, section 8)."""

    enabled: bool | None = None
    type: LeaseType = LeaseType.TIMING
    created_at: datetime | None = None
    updated_at: datetime | None = None
    duration: timedelta | None = None
    """The total time since `created_at`, not the remaining time; None if the lease is not enabled."""

    @property
    def ends_at(self) -> datetime | None:
        """When an enabled TIMING lease ends; None for other leases, whose end is not documented, and for dates out of range."""
        if not self.enabled or self.type is not LeaseType.TIMING or self.created_at is None or self.duration is None:
            return None
        try:
            return self.created_at + self.duration
        except OverflowError:
            return None


class Volume(Struct, frozen=True):
    """A volume of the notebook; its data is destroyed with the notebook, unless it is `DEDICATED`."""

    category: str | None = None
    """SFS, EVS, OBS, OBSFS or EFS."""
    ownership: str | None = None
    """MANAGED (deleted with the notebook) or DEDICATED (the user's own)."""
    capacity_gb: int | None = None
    mount_path: str | None = None
    status: str | None = None

    @property
    def is_dedicated(self) -> bool:
        """Whether a deletion of the notebook leaves the volume, which still incurs charges."""
        return self.ownership == "DEDICATED"

    @property
    def reclaimable_gb(self) -> int | None:
        """The capacity that a deletion frees; None for a dedicated volume."""
        return None if self.is_dedicated else self.capacity_gb


class Named(Struct, frozen=True):
    """An owner or a pool, with an id and a name."""

    id: str | None = None
    name: str | None = None


class Image(Struct, frozen=True):
    """The image of a notebook."""

    id: str | None = None
    name: str | None = None
    swr_path: str | None = None
    type: str | None = None


class Notebook(Struct, frozen=True):
    """One notebook instance, as the cloud showed it at one time."""

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
    """The dedicated pool; None means a public pool (ModelArts API, section 1.3)."""
    image: Image = Image()
    lease: Lease | None = None
    volume: Volume | None = None
    billing: tuple[str, ...] | None = None
    tags: Mapping[str, str | None] | None = None
    """None if the answer had no tags field, which differs from an empty one; a value is None if it is not shown."""
    repeated_tags: tuple[tuple[str, str | None], ...] = ()
    """Further values of keys that are in `tags` already; which value is valid is unknown."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    listed: bool = False
    """Whether this is a row of a listing. A listing may leave out fields that a call for one notebook shows, so a missing field
    (a lease, a pool) is no fact."""

    @property
    def all_tags(self) -> tuple[tuple[str, str | None], ...]:
        """All tags of the answer, as pairs of key and value."""
        return (*(self.tags or {}).items(), *self.repeated_tags)

    @property
    def label(self) -> str:
        """The name for people, or the id without one."""
        return self.name or self.id

    @property
    def owner_label(self) -> str:
        """The owner's name for people, or the id without one."""
        return self.owner.name or self.owner.id or "unknown"

    @property
    def owner_key(self) -> str:
        """The key that identifies the owner, also if some rows lack the name."""
        return self.owner.id or self.owner_label

    @property
    def last_change(self) -> datetime | None:
        """The latest change of the notebook or of its lease; None if the notebook's own date is missing.

        The lease's date cannot replace it, because it does not move when a state settles (ModelArts API, section 12, E1).
        """
        of_lease = self.lease.updated_at if self.lease else None
        if self.updated_at is None or of_lease is None:
            return self.updated_at
        return max(self.updated_at, of_lease)


class MalformedRow(Struct, frozen=True):
    """A row of a listing that cannot be read as a notebook; the notebook is counted and kept."""

    id: str | None
    name: str | None
    problem: str
    """The field and its problem; never its content."""


class Scope(Struct, frozen=True):
    """The scope of one listing. The API lists one workspace and one feature at a time (ModelArts API, section 1.1)."""

    workspace_id: str
    feature: str


class Page(Struct, frozen=True):
    """One page of a listing."""

    rows: tuple[Notebook | MalformedRow, ...]
    total: int
    """The number of rows of the whole listing, as counted by the cloud at that time."""
    oldest_first: bool = False
    """Whether the request asked for a listing sorted by creation, and the cloud accepted it."""


def require_aware(moment: datetime) -> datetime:
    """Return a datetime unchanged if it is aware.

    Raises:
        ValueError: it is naive.
    """
    if moment.tzinfo is None:
        message = f"a moment without a time zone: {moment.isoformat()}"
        raise ValueError(message)
    return moment


def microseconds(moment: datetime) -> int:
    """Return the whole microseconds since 1970, as the journal stores datetimes.

    Raises:
        ValueError: the datetime is naive.
    """
    return (require_aware(moment) - _EPOCH) // _MICROSECOND


def moment_of(since_1970_us: int) -> datetime:
    """Return the datetime in UTC for a number of microseconds since 1970.

    Raises:
        OverflowError: the date is out of range.
    """
    return _EPOCH + _MICROSECOND * since_1970_us
