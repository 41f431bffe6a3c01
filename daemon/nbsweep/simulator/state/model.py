"""A notebook, its lease and its history, as the simulated cloud holds them."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from msgspec import Raw, Struct

from nbsweep.simulator.vocabulary import DeletionFault


class Moment(Struct, frozen=True):
    """One change of a notebook's status."""

    #: Epoch seconds.
    at: float
    status: str
    #: `fleet`, `admin`, `user`, `timer`, or `api:` and the kind of call.
    cause: str


@dataclass(frozen=True, slots=True)
class Person:
    """An IAM user; the id is derived from the name, so that keys, owners and filters agree."""

    name: str

    @property
    def id(self) -> str:
        """The 32 hex digits that stand for this name."""
        return identity("user", self.name)


@dataclass(slots=True)
class Lease:
    """The automatic stop; see ModelArts API, section 8."""

    create_at_ms: int
    update_at_ms: int
    #: Counted from `create_at_ms`.
    duration_ms: int
    enabled: bool
    type: str | None

    @property
    def ends_at_s(self) -> float | None:
        """When a running notebook is stopped, if that is known beforehand."""
        if not self.enabled or self.type == "IDLE":
            return None
        return (self.create_at_ms + self.duration_ms) / 1000


@dataclass(slots=True, kw_only=True)
class Instance:
    """One notebook instance."""

    id: str
    name: str
    status: str
    feature: str
    workspace_id: str
    owner: Person
    flavor: str
    create_at_ms: int
    update_at_ms: int
    lease: Lease | None
    volume: dict[str, Any]
    image: dict[str, Any]
    description: str = ""
    fail_reason: str = ""
    pool: dict[str, Any] | None = None
    ip: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    history: list[Moment] = field(default_factory=list)
    accepted_deletes: int = 0
    #: How its deletion will end; None: well.
    deletion_fault: DeletionFault | None = None
    #: The fail reason for a deletion that will fail.
    fate_reason: str = ""
    #: What reads show: behind `status` while reads are stale.
    shown_status: str = ""
    stale_until_s: float = 0.0
    gone: bool = False
    #: Whether reads still find the row.
    listed: bool = True
    #: Counts status changes, so that a timer set for an earlier status knows that it is void.
    generation: int = 0
    #: The row as lists encode it, until something changes.
    encoded_row: Raw | None = None

    @property
    def billing_items(self) -> list[str]:
        """The resources that are billed now: storage always, computing while the notebook runs."""
        return ["STORAGE", "COMPUTE"] if self.shown_status == "RUNNING" else ["STORAGE"]


def identity(*words: object) -> str:
    """Return 32 hex digits that are always the same for the same words."""
    return blake2b("/".join(map(str, words)).encode(), digest_size=16).hexdigest()


def uuid_like(*words: object) -> str:
    """Return an id in the form of a UUID that is always the same for the same words."""
    digits = identity(*words)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
