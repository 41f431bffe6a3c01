"""Compares the rows of a survey with the open states of the inventory, and collects what has changed.

A row of a notebook in use has times that may move at each survey. A state keeps their latest values, and a new state begins
only when one has moved by more than an hour since the state began. The times of a notebook at rest count exactly, because its
idle time depends on them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import compress, decompress

from msgspec import Struct, msgpack

from nbsweep.core.inventory.facts import Times, digest_of, encode, fact_values, times_of
from nbsweep.core.inventory.model import Closed, Moved, Opened, OpenState
from nbsweep.core.model import AT_REST, Notebook, Scope, microseconds

MOST_MOVED_US = timedelta(hours=1) // timedelta(microseconds=1)
"""How far a time of a notebook in use may move within one state."""
PACKED_TOGETHER = 256
"""Number of new states that are in memory as they are; the others are compressed until they are written."""
FASTEST = 1
UNREAD = b"{}"
"""The facts of a notebook whose row could not be read; they cannot be decoded."""
DIGEST_OF_UNREAD = -1
"""No digest of facts is negative."""


@dataclass(slots=True)
class Pack:
    """New states, compressed, so that a first survey of a large fleet takes little memory."""

    _packed: list[bytes] = field(default_factory=list)
    _latest: list[Opened] = field(default_factory=list)
    size: int = 0

    def add(self, opened: Opened) -> None:
        """Add a state."""
        self._latest.append(opened)
        self.size += 1
        if len(self._latest) == PACKED_TOGETHER:
            self._packed.append(compress(msgpack.encode(self._latest), FASTEST))
            self._latest = []

    def __iter__(self) -> Iterator[Opened]:
        """Yield the states in their order; a few of them are in memory at a time."""
        for packed in self._packed:
            yield from msgpack.decode(decompress(packed), type=list[Opened])
        yield from self._latest


@dataclass(slots=True)
class Recorder:
    """Collects the changes that the rows of one listing show."""

    known: Mapping[str, OpenState]
    """The open states, by notebook id; the recorders of a survey share them."""
    opened: Pack = field(default_factory=Pack)
    moved: dict[str, Times] = field(default_factory=dict)
    """The latest times of the notebooks in use whose times have moved, by notebook id."""
    _provisional: dict[str, int] = field(default_factory=dict)
    """The place of the state of each notebook that is asked for facts that its row leaves out."""
    _withdrawn: set[int] = field(default_factory=set)

    def see(self, notebook: Notebook, scope: Scope, last_active: datetime | None, *, provisional: bool = False) -> None:
        """Compare a row with the open state; a later row of the same notebook replaces a provisional one."""
        if self._provisional:
            self.forget(notebook.id)
        values, known = fact_values(notebook, last_active), self.known.get(notebook.id)
        digest = digest_of(values)
        if known is not None and known.digest == digest and notebook.status in AT_REST:
            # All its times are among the facts.
            return
        times = times_of(notebook)
        if known is not None and known.digest == digest and is_near(known, times):
            if moved := latest(known, times):
                self.moved[notebook.id] = moved
            return
        if provisional:
            self._provisional[notebook.id] = self.opened.size
        created_us = microseconds(notebook.created_at) if notebook.created_at else None
        state = (created_us, digest, times.updated_us, times.lease_updated_us, encode(values))
        self.opened.add(Opened(notebook.id, scope.workspace_id, scope.feature, *state))

    def see_unread(self, notebook_id: str, scope: Scope) -> None:
        """Begin a state without facts for a notebook whose row cannot be read: what was known of it may be outdated."""
        known = self.known.get(notebook_id)
        if known is None or known.digest != DIGEST_OF_UNREAD:
            state = (None, DIGEST_OF_UNREAD, None, None, UNREAD)
            self.opened.add(Opened(notebook_id, scope.workspace_id, scope.feature, *state))

    def forget(self, notebook_id: str) -> None:
        """Drop the state that a provisional row of a notebook has shown."""
        place = self._provisional.pop(notebook_id, None)
        if place is not None:
            self._withdrawn.add(place)

    def states(self) -> Iterator[Opened]:
        """Yield the new states."""
        return (opened for place, opened in enumerate(self.opened) if place not in self._withdrawn)


def is_near(known: OpenState, times: Times) -> bool:
    """Return whether the times of a notebook, whose facts are those of a state, have not moved too far since it began."""
    return _is_near(known.updated_us, times.updated_us) and _is_near(known.lease_updated_us, times.lease_updated_us)


def _is_near(one: int | None, other: int | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(other - one) <= MOST_MOVED_US


def latest(known: OpenState, times: Times) -> Times | None:
    """Return the latest times of a state after a survey; None if they are as they are stored.

    A time that has moved back changes nothing: the notebook never looks idle for longer than an earlier survey knew.
    """
    if times.updated_us is None and times.lease_updated_us is None:
        return None
    stored = Times(
        known.updated_us if known.latest_updated_us is None else known.latest_updated_us,
        known.lease_updated_us if known.latest_lease_updated_us is None else known.latest_lease_updated_us,
    )
    later = Times(_later(stored.updated_us, times.updated_us), _later(stored.lease_updated_us, times.lease_updated_us))
    return None if later == stored else later


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


class Listed(Struct, frozen=True):
    """What one listing of a survey has shown."""

    recorder: Recorder
    shown: Iterable[str]
    """The ids of all notebooks that the listing showed, also of those whose rows could not be read."""


@dataclass(slots=True)
class Changes:
    """What a survey changes in the inventory; each collection can be read several times."""

    listed: tuple[Listed, ...]
    known: Mapping[str, OpenState]
    complete: bool
    """Whether the survey showed every notebook, so that the others are gone."""
    _first: dict[str, int] = field(default_factory=dict, init=False)
    """The first listing that showed each notebook, if there are several."""

    def __post_init__(self) -> None:
        """Find the listing of each notebook."""
        if len(self.listed) > 1:
            for place, listing in enumerate(self.listed):
                for notebook_id in listing.shown:
                    self._first.setdefault(notebook_id, place)

    def opened(self) -> Iterator[Opened]:
        """Yield the new states."""
        for place, listing in enumerate(self.listed):
            yield from (each for each in listing.recorder.states() if self._first.get(each.notebook_id, place) == place)

    def closed(self) -> Iterator[Closed]:
        """Yield the ends of the states that were replaced, and after a complete survey of those of notebooks that are gone."""
        for opened in self.opened() if self.known else ():
            known = self.known.get(opened.notebook_id)
            if known is not None:
                yield Closed(opened.notebook_id, known.survey)
        if self.complete:
            shown = self._first.keys() if len(self.listed) != 1 else set(self.listed[0].shown)
            yield from (Closed(key, known.survey) for key, known in self.known.items() if key not in shown)

    def moved(self) -> Iterator[Moved]:
        """Yield the times that have moved within a state."""
        for place, listing in enumerate(self.listed):
            for key, times in listing.recorder.moved.items():
                if self._first.get(key, place) == place:
                    yield Moved(key, self.known[key].survey, times.updated_us, times.lease_updated_us)
