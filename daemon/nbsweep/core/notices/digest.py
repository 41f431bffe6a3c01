"""The digest: all items of one message as values, and its split into parts that a channel accepts."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.marks.model import ClearCause
from nbsweep.core.model import Status
from nbsweep.core.notices.outbox import ItemKind, Listed
from nbsweep.core.reasons.language import Language


class Audience(StrEnum):
    """Who reads a digest."""

    OWNER = "owner"
    """The owner of all notebooks in it."""
    FALLBACK = "fallback"
    """The fallback contact, instead of the owners."""
    CHANNEL = "channel"
    """The readers of a channel that the policy names."""


class Detail(StrEnum):
    """How much of a line is shown; less, if otherwise no part of the message could hold it."""

    FULL = "full"
    SHORT = "short"
    """The beginning of the reason, and one remedy."""
    BARE = "bare"
    """What, when, and a few words of the reason."""


class Line(Struct, frozen=True):
    """One item of a digest, with what is told about its notebook."""

    item_id: str
    kind: ItemKind
    name: str
    notebook_id: str
    owner: str
    """The owner's name for people."""
    target: str
    workspace: str
    status: Status
    """The status at marking."""
    capacity_gb: int | None
    """The size of the disk that is destroyed; None if it is unknown."""
    policy: str
    reason: str
    """The verdict's sentence."""
    cause: str
    """The verdict's cause as JSON, for other languages; empty if it is not on record."""
    marked_at: datetime
    deadline: datetime | None = None
    """The earliest time of the deletion; None for a notebook that was deleted, or is no longer to be."""
    ended_at: datetime | None = None
    """When it was deleted, or its mark was cleared."""
    cleared: ClearCause | None = None
    remedies: tuple[str, ...] = ()
    """What the owner can do to keep it: actions as JSON."""
    keep_url: str = ""
    """A link to a page on which the owner can keep the notebook; empty if there is none."""
    keep_until: datetime | None = None
    """Until when that link keeps it."""
    detail: Detail = Detail.FULL


KINDS = tuple(ItemKind)
"""The order of the kinds in a digest: what will be deleted comes first."""
LESS = (Detail.SHORT, Detail.BARE)
LATEST = datetime.max.replace(tzinfo=UTC)


class Digest(Struct, frozen=True):
    """One message for one recipient, or a part of one."""

    key: str
    """The key of the message in the outbox; the same for all parts."""
    audience: Audience
    recipient: str
    """The name by which the recipient is addressed; empty for none."""
    languages: tuple[Language, ...]
    """At least one; a message in several languages says everything in each."""
    zone: str
    """The name of the time zone of all dates: Asia/Shanghai."""
    lines: tuple[Line, ...]
    page_url: str = ""
    """A link to a page with all notebooks of the recipient; empty if there is none."""
    part: int = 1
    parts: int = 1

    def of_kind(self, kind: ItemKind) -> tuple[Line, ...]:
        """List the lines of a kind."""
        return tuple(line for line in self.lines if line.kind is kind)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of all items in it."""
        return tuple(line.item_id for line in self.lines)


def to_line(listed: Listed, deadline: datetime | None, keep_url: str = "", keep_until: datetime | None = None) -> Line:
    """Return the line of an item; `deadline` is the one that the message promises."""
    item, mark = listed.item, listed.mark
    return Line(
        item_id=item.id,
        kind=item.kind,
        name=mark.name,
        notebook_id=mark.notebook_id,
        owner=mark.owner_label,
        target=mark.target,
        workspace=mark.workspace_id,
        status=mark.status,
        capacity_gb=mark.capacity_gb,
        policy=mark.policy,
        reason=mark.reason,
        cause=mark.cause,
        marked_at=mark.marked_at,
        deadline=deadline,
        ended_at=mark.ended_at,
        cleared=mark.cleared,
        remedies=mark.remedies,
        keep_url=keep_url,
        keep_until=keep_until,
    )


def in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Sort lines by kind, and then by deadline; the order does not depend on the order in which the lines come."""
    return tuple(
        sorted(
            lines,
            key=lambda line: (KINDS.index(line.kind), line.deadline or line.ended_at or LATEST, line.name, line.item_id),
        )
    )


Fits = Callable[[Digest], bool]
"""Returns whether a channel accepts a message with this content."""


def split(digest: Digest, fits: Fits) -> tuple[Digest, ...]:
    """Split a digest into parts that fit; the same digest is always split in the same way.

    Every line is in exactly one part. A line that does not fit alone is shown in less detail, and is a part of its own.
    """
    whole = replace(digest, lines=in_order(digest.lines))
    if not whole.lines:
        return ()
    if fits(whole):
        return (whole,)
    # While the parts are formed, their number is not known; the largest possible one takes as much room as any.
    most = len(whole.lines)
    parts: list[Digest] = []
    rest = whole.lines
    while rest:
        part = _first_part(replace(whole, lines=rest, part=most, parts=most), fits)
        parts.append(part)
        rest = rest[len(part.lines) :]
    return tuple(replace(part, part=number, parts=len(parts)) for number, part in enumerate(parts, start=1))


def _first_part(rest: Digest, fits: Fits) -> Digest:
    """Return the longest beginning that fits, or else the first line in less detail."""

    def beginning(count: int) -> Digest:
        return replace(rest, lines=rest.lines[:count])

    # First by doubling, so that no attempt is much larger than a part.
    sizes = (2**power for power in range(len(rest.lines).bit_length()))
    good = max(takewhile(lambda count: fits(beginning(count)), sizes), default=0)
    if good == 0:
        return _less_detailed(beginning(1), fits)
    bad = min(2 * good, len(rest.lines) + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(beginning(middle)) else (good, middle)
    return beginning(good)


def _less_detailed(single: Digest, fits: Fits) -> Digest:
    [line] = single.lines
    candidates = [replace(single, lines=(replace(line, detail=detail),)) for detail in LESS]
    return next((candidate for candidate in candidates if fits(candidate)), candidates[-1])
