"""Finds the notebooks of a visitor in the last surveys: the owners' directory reaches their owner at the visitor's address."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import anyio
import msgspec
from msgspec import Struct

from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.model import Notebook
from nbsweep.core.notices.contacts import Owner
from nbsweep.core.ports import Clock, Journal
from nbsweep.service.control import Control
from nbsweep.service.web.access.ownership import Ownership
from nbsweep.service.web.access.visitors import SignedIn, Visitor

MOST_LOOKUPS = 1000
"""How many owners the directory is asked for at one visit: it may ask IAM."""
MOST_READ = 1000
"""How many notebooks of a visitor are read."""
MOST_REMEMBERED = 20
"""How many visitors' notebooks are remembered by their IDs, until a target is surveyed again."""


class Owned(Struct, frozen=True):
    """A notebook of a visitor, as the last survey of its target showed it."""

    target: str
    notebook: Notebook
    surveyed_at: datetime


class OwnedFound(Struct, frozen=True):
    """The notebooks of a visitor."""

    notebooks: Sequence[Owned]
    is_surveyed: bool
    """Whether any target has a survey on record."""
    is_whole: bool = True
    """False if there are more owners than the directory is asked for."""
    more: int = 0
    """How many notebooks of the visitor are left out."""


class _Mine(Struct, frozen=True):
    """What is remembered of a visitor."""

    numbers: tuple[int, ...]
    """The numbers of the surveys."""
    ids: Mapping[str, Sequence[str]]
    """The IDs of the notebooks by target."""
    is_whole: bool


@dataclass(slots=True)
class OwnedNotebooks:
    """Asks the inventory and the owners' directory; no notebook is read from the cloud."""

    control: Control
    journal: Journal
    clock: Clock
    ownership: Ownership
    _index: tuple[tuple[int, ...], "Index"] = field(default_factory=lambda: ((), []))
    """The numbers of the surveys, and the notebooks in them."""
    _remembered: dict[tuple[str, ...], _Mine] = field(default_factory=dict)
    """By what a visitor is known as."""
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    async def of(self, visitor: Visitor) -> OwnedFound:
        """Return the notebooks of a visitor.

        Raises:
            JournalError: the inventory cannot be read.
        """
        surveys = await self._surveys()
        if not surveys or visitor.signed_in is not SignedIn.PROXY:
            return OwnedFound((), bool(surveys))
        mine = await self._mine(visitor, surveys)
        found: list[Owned] = []
        for survey in surveys:
            wanted = mine.ids.get(survey.target, ())[: MOST_READ - len(found)]
            found += await self._read(survey, wanted) if wanted else ()
        more = sum(map(len, mine.ids.values())) - len(found)
        return OwnedFound(found, is_surveyed=True, is_whole=mine.is_whole, more=more)

    async def one(self, visitor: Visitor, target: str, notebook_id: str) -> Owned | None:
        """Return a notebook of a visitor; None if there is none, or if it is somebody else's. The directory is asked anew.

        Raises:
            JournalError: the inventory cannot be read.
        """
        for survey in await self._surveys():
            if survey.target == target:
                for owned in await self._read(survey, [notebook_id]):
                    return owned if await self.ownership.owns(visitor, _owner(owned)) else None
        return None

    async def _read(self, survey: SurveyRecord, notebook_ids: Collection[str]) -> list[Owned]:
        """Return notebooks as a survey knew them; those that it did not show are left out."""
        states = await self.journal.inventory.states_at(survey, notebook_ids)
        return [owned for state in states if (owned := _owned(state, survey))]

    async def _surveys(self) -> tuple[SurveyRecord, ...]:
        """Return the last survey of each target that there is."""
        names = {state.name for state in self.control.targets()}
        latest: dict[str, SurveyRecord] = {}
        for survey in await self.journal.inventory.surveys_at(self.clock.now()):
            if survey.target in names and (survey.target not in latest or latest[survey.target].id < survey.id):
                latest[survey.target] = survey
        return tuple(latest.values())

    async def _mine(self, visitor: Visitor, surveys: Sequence[SurveyRecord]) -> _Mine:
        """Return which notebooks are the visitor's; the directory is asked once for each survey."""
        numbers = tuple(survey.id for survey in surveys)
        mine = self._remembered.get(visitor.known_as)
        if mine is None or mine.numbers != numbers:
            mine = await self._find(visitor, surveys, numbers)
            while len(self._remembered) >= MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[visitor.known_as] = mine
        return mine

    async def _find(self, visitor: Visitor, surveys: Sequence[SurveyRecord], numbers: tuple[int, ...]) -> _Mine:
        index = await self._indexed(surveys, numbers)
        mine: dict[str, list[str]] = {}
        for owner, ids in index[:MOST_LOOKUPS]:
            if await self.ownership.owns(visitor, owner):
                mine.setdefault(owner.target, []).extend(ids)
        return _Mine(numbers, {target: sorted(ids) for target, ids in mine.items()}, is_whole=len(index) <= MOST_LOOKUPS)

    async def _indexed(self, surveys: Sequence[SurveyRecord], numbers: tuple[int, ...]) -> "Index":
        """Return the notebooks of surveys by owner; they are read once for all visitors."""
        async with self._lock:
            if self._index[0] != numbers:
                index: Index = []
                for survey in surveys:
                    owners = await self.journal.inventory.owners_at(survey)
                    index += [(Owner(each.id, each.name, each.tags, survey.target), each.notebook_ids) for each in owners]
                self._index = numbers, index
            return self._index[1]


Index = list[tuple[Owner, Sequence[str]]]
"""Owners with the IDs of their notebooks that have all in common that the directory may look at, so that it is asked once."""


def _owned(state: NotebookState, survey: SurveyRecord) -> Owned | None:
    """Return a notebook as a survey knew it; None if its facts cannot be read, so that nobody is its owner."""
    try:
        return Owned(survey.target, state.facts_at(survey.id).notebook, survey.at)
    except msgspec.DecodeError:
        return None


def _owner(owned: Owned) -> Owner:
    notebook = owned.notebook
    return Owner(notebook.owner.id or "", notebook.owner.name or "", dict(notebook.tags or {}), owned.target)
