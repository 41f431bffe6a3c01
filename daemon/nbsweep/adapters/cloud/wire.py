"""JSON <-> Notebook. What cannot be read is `Malformed`, never a guess.

Only the fields that are declared here are ever read: a notebook's `token` and `url` are dropped where the bytes are parsed.
Sources: API notes, sections 1.2 and 1.3.
"""

import re
from datetime import UTC, datetime, timedelta
from sys import intern
from typing import Any

import msgspec

from nbsweep.core.errors import MalformedAnswer
from nbsweep.core.model import Image, Lease, LeaseType, MalformedRow, Named, Notebook, Page, Status, Volume

EARLIEST_MS = datetime(2015, 1, 1, tzinfo=UTC).timestamp() * 1000
"""Before the service existed: seconds that were taken for milliseconds end up there."""
LATEST_MS = datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000
LONGEST_LEASE_MS = timedelta(days=3660) / timedelta(milliseconds=1)
LARGEST_VOLUME_GB = 10**9
"""The API documents 4096 for EVS; a file system of the user's own may be larger."""

NOTEBOOK_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
"""Ids become part of an address, so nothing else is let through."""


NOBODY = Named()
NO_IMAGE = Image()

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder raises for bytes that are not the JSON that is wanted: wrong shape, wrong letters, nested beyond reason."""


class _LeaseRow(msgspec.Struct):
    create_at: int | None = None
    update_at: int | None = None
    duration: int | None = None
    enable: bool | None = None
    type: str | None = None


class _VolumeRow(msgspec.Struct):
    category: str | None = None
    ownership: str | None = None
    capacity: int | None = None
    mount_path: str | None = None
    status: str | None = None


class _NamedRow(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _UserRow(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    domain: _NamedRow | None = None


class _ImageRow(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    swr_path: str | None = None
    type: str | None = None


class _TagRow(msgspec.Struct):
    key: str
    value: str | None = None


class _NotebookRow(msgspec.Struct):
    id: str
    status: str
    name: str | None = None
    description: str | None = None
    fail_reason: str | None = None
    feature: str | None = None
    flavor: str | None = None
    workspace_id: str | int | None = None
    user: _UserRow | None = None
    user_id: str | None = None
    pool: _NamedRow | None = None
    image: _ImageRow | None = None
    lease: _LeaseRow | None = None
    volume: _VolumeRow | None = None
    data_volumes: list[_VolumeRow] | None = None
    billing_items: list[str] | None = None
    tags: list[_TagRow] | None = None
    create_at: int | None = None
    update_at: int | None = None


class _Label(msgspec.Struct):
    """As much of a malformed row as says which one it is."""

    id: Any = None
    name: Any = None


class _Listing(msgspec.Struct):
    total: int
    data: list[msgspec.Raw] | None = None


class _Workspace(msgspec.Struct):
    id: str | int


class _Workspaces(msgspec.Struct):
    workspaces: list[_Workspace]
    total_count: int | None = None


_ROW = msgspec.json.Decoder(_NotebookRow)
_LABEL = msgspec.json.Decoder(_Label)
_LISTING = msgspec.json.Decoder(_Listing)
_WORKSPACES = msgspec.json.Decoder(_Workspaces)


class _MalformedError(ValueError):
    """A field holds what it should never hold; the message names the field, never its content."""


def read_page(body: bytes) -> Page:
    """Read a page of a listing; a row that cannot be read becomes a `MalformedRow`.

    Raises:
        MalformedAnswer: it is no page at all.
    """
    try:
        listing = _LISTING.decode(body)
    except UNREADABLE as error:
        raise _malformed("a listing", error) from error
    if listing.total < 0:
        message = "the cloud's answer is not a listing: total is negative"
        raise MalformedAnswer(message)
    return Page(tuple(read_row(bytes(row)) for row in listing.data or ()), listing.total)


def read_row(body: bytes) -> Notebook | MalformedRow:
    """Read one row of a listing."""
    try:
        return _notebook(_ROW.decode(body))
    except (*UNREADABLE, _MalformedError) as error:
        return _malformed_row(body, _problem(error))


def read_notebook(body: bytes) -> Notebook:
    """Read the answer that is one notebook.

    Raises:
        MalformedAnswer: it cannot be read as one.
    """
    row = read_row(body)
    if isinstance(row, MalformedRow):
        message = f"the cloud's answer is not a notebook: {row.problem}"
        raise MalformedAnswer(message)
    return row


def read_workspace_ids(body: bytes) -> tuple[str, ...]:
    """Read the ids of the workspaces; the documents show them as text and as numbers (API notes, section 1).

    Raises:
        MalformedAnswer: it is no list of workspaces, or not all of them.
    """
    try:
        answer = _WORKSPACES.decode(body)
    except UNREADABLE as error:
        raise _malformed("a list of workspaces", error) from error
    if answer.total_count is not None and answer.total_count > len(answer.workspaces):
        message = f"the cloud lists {len(answer.workspaces)} workspaces and says that there are {answer.total_count}"
        raise MalformedAnswer(message)
    return tuple(str(workspace.id) for workspace in answer.workspaces)


def _malformed(what: str, error: Exception) -> MalformedAnswer:
    return MalformedAnswer(f"the cloud's answer is not {what}: {_problem(error)}")


def _problem(error: Exception) -> str:
    """Say which field is wrong; the decoder's own words name types and places, never content, but for an unreadable byte."""
    if isinstance(error, msgspec.ValidationError | _MalformedError):
        return str(error)
    return "it is not JSON"


def _malformed_row(body: bytes, problem: str) -> MalformedRow:
    try:
        label = _LABEL.decode(body)
    except UNREADABLE:
        return MalformedRow(None, None, problem)
    identity = label.id if isinstance(label.id, str) and label.id else None
    return MalformedRow(identity, label.name if isinstance(label.name, str) else None, problem)


def _notebook(row: _NotebookRow) -> Notebook:
    if not NOTEBOOK_ID.fullmatch(row.id):
        message = "id is not one that the API gives"
        raise _MalformedError(message)
    lease = _lease(row.lease) if row.lease else None
    user = row.user or _UserRow()
    tags, repeated_tags = _tags(row.tags)
    return Notebook(
        id=row.id,
        status=_status(row.status),
        name=row.name,
        description=row.description,
        fail_reason=row.fail_reason,
        feature=_shared(row.feature),
        flavor=_shared(row.flavor),
        workspace_id=None if row.workspace_id is None else _shared(str(row.workspace_id)),
        owner=Named(_shared(user.id or row.user_id), _shared(user.name)),
        domain=Named(_shared(user.domain.id), _shared(user.domain.name)) if user.domain else NOBODY,
        pool=Named(_shared(row.pool.id), _shared(row.pool.name)) if row.pool else None,
        image=_image(row.image) if row.image else NO_IMAGE,
        lease=lease,
        volume=_volume(row.volume) if row.volume else None,
        data_volumes=tuple(_volume(volume) for volume in row.data_volumes or ()),
        billing=tuple(map(intern, row.billing_items)) if row.billing_items is not None else None,
        tags=tags,
        repeated_tags=repeated_tags,
        created_at=_moment("create_at", row.create_at) or (lease.created_at if lease else None),
        updated_at=_moment("update_at", row.update_at) or (lease.updated_at if lease else None),
        dated=row.update_at is not None,
    )


def _shared(text: str | None) -> str | None:
    """Keep one copy of a text that many rows have: a large plan holds tens of thousands of them."""
    return None if text is None else intern(text)


def _tags(
    rows: list[_TagRow] | None,
) -> tuple[dict[str, str | None] | None, tuple[tuple[str, str | None], ...]]:
    """Read the tags, and apart from them each further value of a key; a value that is not shown is unknown, and not empty."""
    if rows is None:
        return None, ()
    tags: dict[str, str | None] = {}
    repeated = []
    for row in rows:
        key, value = intern(row.key), _shared(row.value)
        if tags.setdefault(key, value) != value:
            repeated.append((key, value))
    return tags, tuple(repeated)


def _image(row: _ImageRow) -> Image:
    return Image(_shared(row.id), _shared(row.name), _shared(row.swr_path), _shared(row.type))


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        known_shape = re.fullmatch(r"[A-Z_]{1,32}", text)
        message = f"status {text} is not one that the API documents" if known_shape else "status is not one of the API's"
        raise _MalformedError(message) from None


def _volume(row: _VolumeRow) -> Volume:
    if row.capacity is not None and not 0 <= row.capacity <= LARGEST_VOLUME_GB:
        message = "volume.capacity is no size that a volume can have"
        raise _MalformedError(message)
    category, ownership, mount_path, status = map(_shared, (row.category, row.ownership, row.mount_path, row.status))
    return Volume(category, ownership, row.capacity, mount_path, status)


def _lease(row: _LeaseRow) -> Lease:
    return Lease(
        enabled=row.enable,
        type=_lease_type(row.type),
        created_at=_moment("lease.create_at", row.create_at),
        updated_at=_moment("lease.update_at", row.update_at),
        duration=_duration(row),
    )


def _lease_type(text: str | None) -> LeaseType:
    """Read the type; a missing one means TIMING (API notes, section 1.3)."""
    if text is None:
        return LeaseType.TIMING
    try:
        return LeaseType(text)
    except ValueError:
        message = "lease.type is neither TIMING nor IDLE"
        raise _MalformedError(message) from None


def _duration(row: _LeaseRow) -> timedelta | None:
    """Read the duration; that of a lease which is not enabled may be absurd and says nothing (API notes, section 8)."""
    if not row.enable or row.duration is None:
        return None
    if not 0 < row.duration <= LONGEST_LEASE_MS:
        message = "lease.duration is no length of time that a lease can have"
        raise _MalformedError(message)
    return timedelta(milliseconds=row.duration)


def _moment(field: str, milliseconds: int | None) -> datetime | None:
    """Read an epoch in milliseconds."""
    if milliseconds is None:
        return None
    if not EARLIEST_MS <= milliseconds < LATEST_MS:
        message = f"{field} is no date that a notebook can have"
        raise _MalformedError(message)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
