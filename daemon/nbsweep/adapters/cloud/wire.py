"""Parses JSON into notebooks. A row that cannot be parsed becomes a `MalformedRow`; nothing is guessed.

Only the declared fields are read: a notebook's `token` and `url` are dropped when the bytes are parsed.
Sources: ModelArts API, sections 1.2 and 1.3.
"""

import re
from datetime import UTC, datetime, timedelta
from sys import intern

import msgspec

from nbsweep.adapters.cloud.bodies import (
    LABEL,
    LISTING,
    ROW,
    UNREADABLE,
    WORKSPACES,
    ImageRow,
    LeaseRow,
    NotebookRow,
    TagRow,
    UserRow,
    VolumeRow,
)
from nbsweep.adapters.cloud.coercion import plain_row, whole_number
from nbsweep.core.errors import MalformedAnswer
from nbsweep.core.model import PAGE_SIZE, Image, Lease, LeaseType, MalformedRow, Named, Notebook, Page, Status, Volume

EARLIEST_MS = datetime(2015, 1, 1, tzinfo=UTC).timestamp() * 1000
"""Earlier dates are invalid: the service did not exist, and seconds taken for milliseconds result in such dates."""
LATEST_MS = datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000
LONGEST_LEASE_MS = timedelta(days=3660) / timedelta(milliseconds=1)
LARGEST_VOLUME_GB = 10**9
"""The API documents 4096 for EVS; a user's own file system may be larger."""

NOTEBOOK_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
"""Ids become part of an address, so other texts are rejected."""


MOST_ROWS = 1000
"""The limit for one page; a server may send more rows than requested, although none is known to."""
MOST_COMMAS = 200 * MOST_ROWS
LONGEST_LABEL = 256

NOBODY = Named()
NO_IMAGE = Image()


class _MalformedError(ValueError):
    """A field has an invalid value; the message names the field, never its content."""


def read_page(body: bytes) -> Page:
    """Parse a page of a listing; a row that cannot be parsed becomes a `MalformedRow`.

    Raises:
        MalformedAnswer: the body is not a page.
    """
    _check_size(body)
    try:
        listing = LISTING.decode(body)
    except UNREADABLE as error:
        raise _malformed("a listing", error) from error
    total = whole_number(listing.total)
    if not isinstance(total, int) or total < 0:
        message = "the cloud's answer is not a listing: total is not a number of rows"
        raise MalformedAnswer(message)
    rows = listing.data or []
    if len(rows) > MOST_ROWS:
        message = (
            f"the cloud's answer is not a listing that was asked for: a page has {len(rows)} rows, {PAGE_SIZE} were requested"
        )
        raise MalformedAnswer(message)
    return Page(tuple(read_row(bytes(row)) for row in rows), total)


def _check_size(body: bytes) -> None:
    """Refuse a body that would take too long to parse; a row as documented has fewer than 100 commas.

    Raises:
        MalformedAnswer: the body is larger than any page of the API.
    """
    if body.count(b",") > MOST_COMMAS:
        message = f"the cloud's answer is not one that was asked for: {len(body)} bytes hold more than any page of the API"
        raise MalformedAnswer(message)


def read_row(body: bytes, *, listed: bool = True) -> Notebook | MalformedRow:
    """Parse one row of a listing, or the answer for one notebook."""
    try:
        return _notebook(_decoded(body), listed=listed)
    except (*UNREADABLE, _MalformedError) as error:
        return _malformed_row(body, _problem(error))


def _decoded(body: bytes) -> NotebookRow:
    """Decode a row as documented, which is fast, or else after conversions that need no guess."""
    try:
        return ROW.decode(body)
    except msgspec.ValidationError:
        return msgspec.convert(plain_row(msgspec.json.decode(body)), NotebookRow)


def read_notebook(body: bytes) -> Notebook:
    """Parse the answer for one notebook.

    Raises:
        MalformedAnswer: the body is not a notebook.
    """
    row = read_row(body, listed=False)
    if isinstance(row, MalformedRow):
        message = f"the cloud's answer is not a notebook: {row.problem}"
        raise MalformedAnswer(message)
    return row


def read_workspace_ids(body: bytes) -> tuple[str, ...]:
    """Parse the ids of the workspaces; the documents show texts and numbers (ModelArts API, section 1).

    Raises:
        MalformedAnswer: the body is not a complete list of workspaces.
    """
    _check_size(body)
    try:
        answer = WORKSPACES.decode(body)
    except UNREADABLE as error:
        raise _malformed("a list of workspaces", error) from error
    if answer.total_count is not None and answer.total_count > len(answer.workspaces):
        message = f"the cloud lists {len(answer.workspaces)} workspaces and says that there are {answer.total_count}"
        raise MalformedAnswer(message)
    return tuple(str(workspace.id) for workspace in answer.workspaces)


def _malformed(what: str, error: Exception) -> MalformedAnswer:
    return MalformedAnswer(f"the cloud's answer is not {what}: {_problem(error)}")


def _problem(error: Exception) -> str:
    """Return the field that is wrong. The decoder's messages contain types and paths, but no content."""
    if isinstance(error, msgspec.ValidationError | _MalformedError):
        return str(error)
    return "it is not JSON"


def _malformed_row(body: bytes, problem: str) -> MalformedRow:
    try:
        label = LABEL.decode(body)
    except UNREADABLE:
        return MalformedRow(None, None, problem)
    identity = label.id if isinstance(label.id, str) and 0 < len(label.id) <= LONGEST_LABEL else None
    return MalformedRow(identity, label.name[:LONGEST_LABEL] if isinstance(label.name, str) else None, problem)


def _notebook(row: NotebookRow, *, listed: bool) -> Notebook:
    if not NOTEBOOK_ID.fullmatch(row.id):
        message = "id is not one that the API gives"
        raise _MalformedError(message)
    lease = _lease(row.lease) if row.lease else None
    user = row.user or UserRow()
    tags, repeated_tags = _tags(row.tags)
    return Notebook(
        id=row.id,
        status=_status(row.status),
        name=row.name,
        description=row.description,
        fail_reason=row.fail_reason,
        feature=_enumerated(row.feature),
        flavor=_shared(row.flavor),
        workspace_id=None if row.workspace_id is None else _shared(str(row.workspace_id)),
        owner=Named(_shared(user.id or row.user_id), _shared(user.name)),
        pool=Named(_shared(row.pool.id), _shared(row.pool.name)) if row.pool else None,
        image=_image(row.image) if row.image else NO_IMAGE,
        lease=lease,
        volume=_volume(row.volume) if row.volume else None,
        billing=None if row.billing_items is msgspec.UNSET else tuple(intern(item.upper()) for item in row.billing_items or ()),
        tags=tags,
        repeated_tags=repeated_tags,
        created_at=_moment("create_at", row.create_at) or (lease.created_at if lease else None),
        updated_at=_moment("update_at", row.update_at),
        listed=listed,
    )


def _shared(text: str | None) -> str | None:
    """Return the shared copy of a text that many rows have, because a large plan holds tens of thousands of rows."""
    return None if text is None else intern(text)


def _tags(
    rows: list[TagRow] | msgspec.UnsetType | None,
) -> tuple[dict[str, str | None] | None, tuple[tuple[str, str | None], ...]]:
    """Parse the tags, and separately the further values of repeated keys; a value that is not shown is None, not empty."""
    if isinstance(rows, msgspec.UnsetType):
        return None, ()
    tags: dict[str, str | None] = {}
    repeated = []
    for row in rows or ():
        key, value = intern(row.key), _shared(row.value)
        if tags.setdefault(key, value) != value:
            repeated.append((key, value))
    return tags, tuple(repeated)


def _enumerated(text: str | None) -> str | None:
    """Return the shared copy of a word of an enumeration in upper case; some stacks use lower case."""
    return None if text is None else intern(text.upper())


def _image(row: ImageRow) -> Image:
    return Image(_shared(row.id), _shared(row.name), _shared(row.swr_path), _shared(row.type))


def _status(text: str) -> Status:
    try:
        return Status(text.upper())
    except ValueError:
        known_shape = re.fullmatch(r"[A-Za-z_]{1,32}", text)
        message = f"status {text} is not one that the API documents" if known_shape else "status is not one of the API's"
        raise _MalformedError(message) from None


def _volume(row: VolumeRow) -> Volume:
    if row.capacity is not None and not 0 <= row.capacity <= LARGEST_VOLUME_GB:
        message = "volume.capacity is not a valid size"
        raise _MalformedError(message)
    category, ownership, status = map(_enumerated, (row.category, row.ownership, row.status))
    return Volume(category, ownership, row.capacity, _shared(row.mount_path), status)


def _lease(row: LeaseRow) -> Lease:
    return Lease(
        enabled=row.enable,
        type=_lease_type(row.type),
        created_at=_moment("lease.create_at", row.create_at),
        updated_at=_moment("lease.update_at", row.update_at),
        duration=_duration(row),
    )


def _lease_type(text: str | None) -> LeaseType:
    """Parse the type; a missing type means TIMING (ModelArts API, section 1.3)."""
    if text is None:
        return LeaseType.TIMING
    try:
        return LeaseType(text.upper())
    except ValueError:
        message = "lease.type is neither TIMING nor IDLE"
        raise _MalformedError(message) from None


def _duration(row: LeaseRow) -> timedelta | None:
    """Parse the duration; ignore that of a lease that is not enabled, which may be invalid (ModelArts API, section 8)."""
    if not row.enable or row.duration is None:
        return None
    if not 0 < row.duration <= LONGEST_LEASE_MS:
        message = "lease.duration is not a valid duration"
        raise _MalformedError(message)
    return timedelta(milliseconds=row.duration)


def _moment(field: str, milliseconds: int | None) -> datetime | None:
    """Parse a time in milliseconds since 1970."""
    if milliseconds is None:
        return None
    if not EARLIEST_MS <= milliseconds < LATEST_MS:
        message = f"{field} is not a valid date"
        raise _MalformedError(message)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
