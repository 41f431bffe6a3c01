"""Encodes the facts of a notebook that policies can check, for the inventory, and decodes them again.

No other facts are kept: no description, no mount path. A field that is missing in the encoded facts is an unknown fact, and an
unknown field is ignored, so that later and earlier versions read each other's facts.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from zlib import adler32, crc32

from msgspec import DecodeError, Struct, json, msgpack
from msgspec.structs import replace

from nbsweep.core.model import AT_REST, Image, Lease, LeaseType, Named, Notebook, Status, Volume, microseconds

_LEASE = {"enabled": "e", "type": "t", "created_at": "c", "updated_at": "u", "duration": "d"}
_VOLUME = {"category": "c", "ownership": "o", "capacity_gb": "g"}
_FACTS = {
    "name": "n",
    "fail_reason": "x",
    "feature": "k",
    "flavor": "f",
    "workspace": "w",
    "owner_id": "oi",
    "owner": "o",
    "pool": "p",
    "image_id": "ii",
    "image": "i",
    "swr_path": "ip",
    "lease": "l",
    "volume": "v",
    "billing": "b",
    "tags": "t",
    "repeated_tags": "rt",
    "created_at": "c",
    "updated_at": "u",
    "last_active": "a",
    "whole": "h",
}
"""The stored names of the fields; short, because each state has them. A name is never used for another fact."""


class _Lease(Struct, frozen=True, omit_defaults=True, rename=_LEASE):
    enabled: bool | None = None
    type: LeaseType = LeaseType.TIMING
    created_at: datetime | None = None
    updated_at: datetime | None = None
    duration: timedelta | None = None


class _Volume(Struct, frozen=True, omit_defaults=True, rename=_VOLUME):
    category: str | None = None
    ownership: str | None = None
    capacity_gb: int | None = None


class _Facts(Struct, frozen=True, omit_defaults=True, rename=_FACTS):
    status: Status
    name: str | None = None
    fail_reason: str | None = None
    feature: str | None = None
    flavor: str | None = None
    workspace: str | None = None
    owner_id: str | None = None
    owner: str | None = None
    pool: Named | None = None
    image_id: str | None = None
    image: str | None = None
    swr_path: str | None = None
    billing: tuple[str, ...] | None = None
    tags: Mapping[str, str | None] | None = None
    repeated_tags: tuple[tuple[str, str | None], ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_active: datetime | None = None
    whole: bool = False
    """Whether this is no row of a listing: then a pool or a lease that is not shown is a fact, and not unknown."""
    lease: _Lease | None = None
    volume: _Volume | None = None


class Times(Struct, frozen=True):
    """The times of a notebook in use that may change at each survey, in microseconds since 1970."""

    updated_us: int | None = None
    lease_updated_us: int | None = None


NO_TIMES = Times()


class KnownFacts(Struct, frozen=True):
    """The facts of a notebook, decoded."""

    notebook: Notebook
    last_active: datetime | None
    """When the journal had last seen a notebook at rest in use; None if it never had, and for a notebook in use."""


FactValues = tuple[Any, ...]
"""The facts of a notebook in the order of the fields of `_Facts`; a lease and a volume are tuples, too."""


def fact_values(notebook: Notebook, last_active: datetime | None) -> FactValues:
    """Return the facts of a notebook that are kept; those of one in use are without the times in `Times`."""
    rests, lease, volume = notebook.status in AT_REST, notebook.lease, notebook.volume
    owner, image = notebook.owner, notebook.image
    return (
        notebook.status,
        notebook.name,
        notebook.fail_reason,
        notebook.feature,
        notebook.flavor,
        notebook.workspace_id,
        owner.id,
        owner.name,
        notebook.pool,
        image.id,
        image.name,
        image.swr_path,
        notebook.billing,
        notebook.tags,
        notebook.repeated_tags,
        notebook.created_at,
        notebook.updated_at if rests else None,
        last_active if rests else None,
        not notebook.listed,
        lease and (lease.enabled, lease.type, lease.created_at, lease.updated_at if rests else None, lease.duration),
        volume and (volume.category, volume.ownership, volume.capacity_gb),
    )


def digest_of(values: FactValues) -> int:
    """Return a number of 63 bits that tells the facts of a notebook apart from its earlier ones, the same in each process.

    Each row of each survey is compared by it, so it is made of two checksums, which take a sixth of the time of a cryptographic
    digest. Nobody gains by a collision. A CRC-32 finds each change of up to 32 bits in a row, and misses one of four thousand
    million others; nearly all of those have another Adler-32. If another version makes another number of the same facts, its
    first survey begins a new state of each notebook, which is equal to the one that it ends.
    """
    packed = _PACKER.encode(values)
    return crc32(packed) << 31 ^ adler32(packed)


def encode(values: FactValues) -> bytes:
    """Encode facts for the journal."""
    *plain, lease, volume = values
    facts = _Facts(*plain, lease and _Lease(*lease), volume and _Volume(*volume))  # type: ignore[call-arg]  # how many is unknown
    return _ENCODER.encode(facts)


_ENCODER = json.Encoder()
_PACKER = msgpack.Encoder()


def decode(notebook_id: str, facts: bytes, times: tuple[datetime | None, datetime | None] = (None, None)) -> KnownFacts:
    """Decode the facts of a notebook; `times` are those of `Times`, for one in use.

    Raises:
        msgspec.DecodeError: these are no facts.
    """
    known = json.decode(facts, type=_Facts)
    return KnownFacts(_timed(_notebook(notebook_id, known), *times), known.last_active)


class KnownOwner(Struct, frozen=True):
    """An owner, with the tags that may say where the owner is reached, and the notebooks that have both in common."""

    id: str
    """Empty if the cloud did not show it, like the name."""
    name: str
    tags: Mapping[str, str | None]
    notebook_ids: list[str]


class _OwnerFacts(Struct, frozen=True, rename=_FACTS):
    status: Status
    """Only a row that could not be read has none."""
    owner_id: str | None = None
    owner: str | None = None
    tags: Mapping[str, str | None] | None = None


_OWNERS = json.Decoder(_OwnerFacts)


def owners_of(facts: Iterable[tuple[str, str]]) -> tuple[KnownOwner, ...]:
    """Return the owners of notebooks, given their ids with their encoded facts; facts that cannot be read have no owner.

    Only what is returned stays in memory, and of the facts only these are decoded: there are thousands of notebooks.
    """
    owners: dict[tuple[object, ...], KnownOwner] = {}
    for notebook_id, encoded in facts:
        with suppress(DecodeError):
            known = _OWNERS.decode(encoded)
            owner = KnownOwner(known.owner_id or "", known.owner or "", known.tags or {}, [])
            key = (owner.id, owner.name, tuple(sorted(owner.tags.items(), key=itemgetter(0))))
            owners.setdefault(key, owner).notebook_ids.append(notebook_id)
    return tuple(owners.values())


def _notebook(notebook_id: str, facts: _Facts) -> Notebook:
    lease, volume = facts.lease, facts.volume
    return Notebook(
        notebook_id,
        facts.status,
        name=facts.name,
        fail_reason=facts.fail_reason,
        feature=facts.feature,
        flavor=facts.flavor,
        workspace_id=facts.workspace,
        owner=Named(facts.owner_id, facts.owner),
        pool=facts.pool,
        image=Image(facts.image_id, facts.image, facts.swr_path),
        lease=Lease(lease.enabled, lease.type, lease.created_at, lease.updated_at, lease.duration) if lease else None,
        volume=Volume(volume.category, volume.ownership, volume.capacity_gb) if volume else None,
        billing=facts.billing,
        tags=facts.tags,
        repeated_tags=facts.repeated_tags,
        created_at=facts.created_at,
        updated_at=facts.updated_at,
        listed=not facts.whole,
    )


def _timed(notebook: Notebook, updated_at: datetime | None, lease_updated_at: datetime | None) -> Notebook:
    """Return a notebook in use with the times that its encoded facts leave out."""
    if notebook.status in AT_REST:
        return notebook
    lease = notebook.lease and replace(notebook.lease, updated_at=lease_updated_at)
    return replace(notebook, updated_at=updated_at, lease=lease)


def times_of(notebook: Notebook) -> Times:
    """Return the times that the encoded facts of a notebook leave out; none for one at rest."""
    if notebook.status in AT_REST:
        return NO_TIMES
    lease = notebook.lease.updated_at if notebook.lease else None
    return Times(microseconds(notebook.updated_at) if notebook.updated_at else None, microseconds(lease) if lease else None)
