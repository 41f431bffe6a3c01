"""The ports of the journal for the inventory and for sightings."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.facts import KnownOwner
from nbsweep.core.inventory.model import NotebookState, OpenState, SurveyRecord
from nbsweep.core.inventory.recording import Changes
from nbsweep.core.lookup import NotebookRef


class InventoryRecords(Protocol):
    """The surveys, and the states of notebooks over time. All methods raise JournalError."""

    async def open_states(self, identity: TargetIdentity) -> Mapping[str, OpenState]:
        """Return the open states of the notebooks that a target covers, by notebook id."""
        ...

    async def record(self, survey: SurveyRecord, changes: Changes) -> int:
        """Store a survey and its changes in one transaction, and return the survey's number.

        A state that another process has closed since it was read stays closed, and a notebook never has two open states of the
        same caller.
        """
        ...

    async def surveys(self, since: datetime, until: datetime, target: str | None = None) -> tuple[SurveyRecord, ...]:
        """List the surveys from `since` to `until`, both included, in the order of their numbers."""
        ...

    async def surveys_at(self, at: datetime, target: str | None = None) -> tuple[SurveyRecord, ...]:
        """Return the latest survey of each target and extent that is not later than a moment, sorted by target."""
        ...

    async def states_at(self, survey: SurveyRecord, notebook_ids: Collection[str] | None = None) -> tuple[NotebookState, ...]:
        """List the states of the notebooks that a survey covers, or of these of them, as they were known with it, by id."""
        ...

    async def owners_at(self, survey: SurveyRecord) -> tuple[KnownOwner, ...]:
        """List the owners of the notebooks that a survey covers as they were known with it, each with its notebooks.

        Notebooks of one owner with different tags are apart. Notebooks whose facts cannot be read have no owner.
        """
        ...

    async def states_between(
        self, identity: TargetIdentity, surveys: tuple[int, int], after: tuple[int, str] | None, limit: int
    ) -> tuple[NotebookState, ...]:
        """List up to `limit` states that a target covers and that lasted at any survey from the first number to the second.

        They are sorted by the survey that showed them first, and then by notebook id. `after` is that survey and the notebook
        id of the last state of the previous part; None for the first part.
        """
        ...

    async def states_of(self, beginning: str) -> tuple[NotebookState, ...]:
        """List all states of the notebooks with this id or beginning of an id, sorted by id, the oldest state first."""
        ...

    async def latest_states(self, notebook_id: str, limit: int) -> tuple[NotebookState, ...]:
        """List up to `limit` of the latest states of the notebook with this whole id, the latest first."""
        ...

    async def notebooks(self, text: str, limit: int) -> tuple[NotebookRef, ...]:
        """List notebooks whose name or id begins with a text, those that are still there first.

        Among these, and among the others, those come first that were seen in a new state last. The case of ASCII letters in
        names is ignored. At most `limit` pairs of a notebook and a name are listed.
        """
        ...

    async def prune(self, before: datetime, now: datetime) -> int:
        """Delete the states that ended before a moment, and the surveys that no state needs; return how many states.

        Nothing is done if that was done less than a day ago.
        """
        ...


class SightingRecords(Protocol):
    """When notebooks were last seen in a state other than at rest. All methods raise JournalError."""

    async def note(self, project: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Record that these notebooks were seen so; only the latest time is kept."""
        ...

    async def latest(self, project: str, notebook_ids: Collection[str] | None = None) -> Mapping[str, datetime]:
        """Return when each notebook of a project, or each of these, was last seen so.

        Records without a project count for every project, because they can only keep a notebook.
        """
        ...
