"""Finds the notebooks of a visitor in the last surveys: the owners' directory reaches their owner at the visitor's address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import anyio
import msgspec
from anyio import to_thread
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
MOST_SHOWN = 200
"""How many notebooks of a visitor are read."""
MOST_REMEMBERED = 20
"""How many visitors' notebooks are remembered, until a target is surveyed again."""


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


@dataclass(slots=True)
class OwnedNotebooks:
    """Asks the inventory and the owners' directory; no notebook is read from the cloud."""

    control: Control
    journal: Journal
    clock: Clock
    ownership: Ownership
    _index: tuple[tuple[int, ...], "Index"] = ((), {})
    """The numbers of the surveys, and the notebooks in them."""
    _remembered: dict[tuple[str, ...], tuple[tuple[int, ...], OwnedFound]] = field(default_factory=dict)
    """By what a visitor is known as: the numbers of the surveys, and what was found in them."""
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    async def of(self, visitor: Visitor) -> OwnedFound:
        """Return the notebooks of a visitor.

        Raises:
            JournalError: the inventory cannot be read.
        """
        surveys = await self._surveys()
        if not surveys or visitor.signed_in is not SignedIn.PROXY:
            return OwnedFound((), bool(surveys))
        numbers = tuple(survey.id for survey in surveys)
        before, found = self._remembered.get(visitor.known_as, ((), None))
        if found is None or before != numbers:
            found = await self._find(visitor, surveys, numbers)
            while len(self._remembered) >= MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[visitor.known_as] = numbers, found
        return found

    async def one(self, visitor: Visitor, target: str, notebook_id: str) -> Owned | None:
        """Return a notebook of a visitor; None if there is none, or if it is somebody else's. The directory is asked anew.

        Raises:
            JournalError: the inventory cannot be read.
        """
        for survey in await self._surveys():
            if survey.target == target:
                owned = await self._read(survey, notebook_id)
                return owned if owned and await self.ownership.owns(visitor, _owner(owned)) else None
        return None

    async def _read(self, survey: SurveyRecord, notebook_id: str) -> Owned | None:
        """Return a notebook as a survey knew it; None if it did not show it."""
        for state in await self.journal.inventory.states_of(notebook_id):
            if state.notebook_id == notebook_id and state.target == survey.target and state.lasts_at(survey.id):
                return _owned(state, survey)
        return None

    async def _surveys(self) -> tuple[SurveyRecord, ...]:
        """Return the last survey of each target that there is."""
        names = {state.name for state in self.control.targets()}
        latest: dict[str, SurveyRecord] = {}
        for survey in await self.journal.inventory.surveys_at(self.clock.now()):
            if survey.target in names and (survey.target not in latest or latest[survey.target].id < survey.id):
                latest[survey.target] = survey
        return tuple(latest.values())

    async def _find(self, visitor: Visitor, surveys: Sequence[SurveyRecord], numbers: tuple[int, ...]) -> OwnedFound:
        index = await self._indexed(surveys, numbers)
        mine: list[str] = []
        places = {survey.target: survey for survey in surveys}
        found: list[Owned] = []
        for owner, ids in list(index.values())[:MOST_LOOKUPS]:
            if await self.ownership.owns(visitor, owner):
                mine += ids
                shown = ids[: max(0, MOST_SHOWN - len(found))]
                read = [await self._read(places[owner.target], notebook_id) for notebook_id in shown]
                found += [each for each in read if each]
        return OwnedFound(found, is_surveyed=True, is_whole=len(index) <= MOST_LOOKUPS, more=len(mine) - len(found))

    async def _indexed(self, surveys: Sequence[SurveyRecord], numbers: tuple[int, ...]) -> "Index":
        """Return the notebooks of surveys by owner; they are read once for all visitors."""
        async with self._lock:
            if self._index[0] != numbers:
                index: Index = {}
                for survey in surveys:
                    states = await self.journal.inventory.states_at(survey)
                    await to_thread.run_sync(_add_to, index, states, survey)
                self._index = numbers, index
            return self._index[1]


Index = dict[tuple[object, ...], tuple[Owner, list[str]]]
"""Owners with the IDs of their notebooks, by what the directory may look at."""


def _add_to(index: Index, states: Sequence[NotebookState], survey: SurveyRecord) -> None:
    for state in states:
        if owned := _owned(state, survey):
            index.setdefault(_key(owned), (_owner(owned), []))[1].append(owned.notebook.id)


def _owned(state: NotebookState, survey: SurveyRecord) -> Owned | None:
    """Return a notebook as a survey knew it; None if its facts cannot be read, so that nobody is its owner."""
    try:
        return Owned(survey.target, state.facts_at(survey.id).notebook, survey.at)
    except msgspec.DecodeError:
        return None


def _owner(owned: Owned) -> Owner:
    notebook = owned.notebook
    return Owner(notebook.owner.id or "", notebook.owner.name or "", dict(notebook.tags or {}), owned.target)


def _key(owned: Owned) -> tuple[object, ...]:
    """Return what the directory may look at, so that it is asked once for all notebooks that have it in common."""
    owner = _owner(owned)
    return owner.target, owner.id, owner.name, tuple(sorted((key, value or "") for key, value in owner.tags.items()))
