"""The inventory in memory."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.facts import KnownOwner, owners_of
from nbsweep.core.inventory.model import NotebookState, OpenState, SurveyRecord
from nbsweep.core.inventory.recording import Changes
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.model import require_aware

A_DAY = timedelta(days=1)


class _Stored(Struct, frozen=True):
    """A state, and the columns that only the table has."""

    state: NotebookState
    project: str
    caller: str
    digest: int


class InMemoryInventory:
    """Surveys and states in lists."""

    def __init__(self) -> None:
        """Begin without records."""
        self._surveys: dict[int, SurveyRecord] = {}
        self._stored: dict[tuple[str, int], _Stored] = {}
        self._pruned_at: datetime | None = None

    async def open_states(self, identity: TargetIdentity) -> Mapping[str, OpenState]:
        """Return the open states of the notebooks that a target covers, by notebook id."""
        await asyncio.sleep(0)
        found = (one for one in self._covered(identity) if one.state.ended_by is None)
        return {one.state.notebook_id: _open_state(one) for one in found}

    def is_known_to_be_gone(self, project: str, notebook_id: str) -> bool:
        """Return whether there are states of a notebook, and all have ended."""
        mine = [one for one in self._stored.values() if (one.project, one.state.notebook_id) == (project, notebook_id)]
        return bool(mine) and all(one.state.ended_by is not None for one in mine)

    async def record(self, survey: SurveyRecord, changes: Changes) -> int:
        """Store a survey and its changes, and return the survey's number."""
        require_aware(survey.at)
        number = max(self._surveys, default=0) + 1
        self._surveys[number] = replace(survey, id=number)
        for closed in changes.closed():
            self._change((closed.notebook_id, closed.survey), ended_by=number, seen_until=survey.at)
        for moved in changes.moved():
            latest = {"latest_updated_us": moved.updated_us, "latest_lease_updated_us": moved.lease_updated_us}
            self._change((moved.notebook_id, moved.survey), **latest)
        self._open(self._surveys[number], changes)
        await asyncio.sleep(0)
        return number

    def _open(self, survey: SurveyRecord, changes: Changes) -> None:
        caller = survey.identity.caller if survey.identity else ""
        lasting = {
            one.state.notebook_id
            for one in self._stored.values()
            if (one.project, one.caller, one.state.ended_by) == (survey.project, caller, None)
        }
        for opened in changes.opened():
            if opened.notebook_id in lasting:
                continue
            state = NotebookState(
                opened.notebook_id,
                survey.target,
                opened.workspace_id,
                opened.feature,
                survey.id,
                survey.at,
                None,
                None,
                opened.updated_us,
                opened.lease_updated_us,
                None,
                None,
                opened.facts.decode(),
            )
            self._stored[opened.notebook_id, survey.id] = _Stored(state, survey.project, caller, opened.digest)

    def _change(self, key: tuple[str, int], **changes: object) -> None:
        stored = self._stored.get(key)
        if stored is not None and stored.state.ended_by is None:
            self._stored[key] = replace(stored, state=replace(stored.state, **changes))

    async def surveys(self, since: datetime, until: datetime, target: str | None = None) -> tuple[SurveyRecord, ...]:
        """List the surveys from `since` to `until`, both included, in the order of their numbers."""
        await asyncio.sleep(0)
        return tuple(one for one in self._surveys.values() if since <= one.at <= until and target in (None, one.target))

    async def surveys_at(self, at: datetime, target: str | None = None) -> tuple[SurveyRecord, ...]:
        """Return the latest survey of each target and extent that is not later than a moment, sorted by target."""
        await asyncio.sleep(0)
        earlier = (one for one in self._surveys.values() if one.at <= at and target in (None, one.target))
        latest = {(one.project, one.target, one.extent): one for one in earlier}
        return tuple(sorted(latest.values(), key=lambda one: (one.target, one.id)))

    async def states_at(self, survey: SurveyRecord, notebook_ids: Collection[str] | None = None) -> tuple[NotebookState, ...]:
        """List the states of the notebooks that a survey covers, or of these of them, as they were known with it, by id."""
        await asyncio.sleep(0)
        covered = self._covered(survey.identity) if survey.identity else ()
        lasting = (_shown(one.state) for one in covered if one.state.lasts_at(survey.id))
        found = [state for state in lasting if notebook_ids is None or state.notebook_id in notebook_ids]
        return tuple(sorted(found, key=lambda state: state.notebook_id))

    async def owners_at(self, survey: SurveyRecord) -> tuple[KnownOwner, ...]:
        """List the owners of the notebooks that a survey covers as they were known with it, each with its notebooks."""
        return owners_of((state.notebook_id, state.facts) for state in await self.states_at(survey))

    async def states_between(
        self, identity: TargetIdentity, surveys: tuple[int, int], after: tuple[int, str] | None, limit: int
    ) -> tuple[NotebookState, ...]:
        """List states that a target covers and that lasted at any of these surveys, by their first survey, in parts."""
        await asyncio.sleep(0)
        first, last = surveys
        states = (one.state for one in self._covered(identity))
        found = {
            (state.first_survey, state.notebook_id): _shown(state)
            for state in states
            if state.first_survey <= last and (state.ended_by is None or state.ended_by > first)
        }
        return tuple(found[key] for key in sorted(found) if after is None or key > after)[:limit]

    async def states_of(self, beginning: str) -> tuple[NotebookState, ...]:
        """List all states of the notebooks with this id or beginning of an id, sorted by id, the oldest state first."""
        await asyncio.sleep(0)
        found = [_shown(one.state) for one in self._stored.values() if one.state.notebook_id.startswith(beginning)]
        return tuple(sorted(found, key=lambda state: (state.notebook_id, state.first_survey)))

    async def latest_states(self, notebook_id: str, limit: int) -> tuple[NotebookState, ...]:
        """List the latest states of the notebook with this id, the latest first."""
        await asyncio.sleep(0)
        found = [_shown(one.state) for one in self._stored.values() if one.state.notebook_id == notebook_id]
        return tuple(sorted(found, key=lambda state: state.first_survey, reverse=True))[:limit]

    async def notebooks(self, text: str, limit: int) -> tuple[NotebookRef, ...]:
        """List notebooks whose name or id begins with a text, those with a lasting state first."""
        await asyncio.sleep(0)
        latest: dict[NotebookRef, tuple[bool, int]] = {}
        for one in self._stored.values():
            facts = one.state.known_at(one.state.first_survey)
            name, owner = (facts.notebook.name, facts.notebook.owner_label) if facts else (None, "unknown")
            ref = NotebookRef(one.state.target, one.state.notebook_id, name, owner)
            if ref.id.startswith(text) or (ref.name or "").lower().startswith(text.lower()):
                state = (one.state.ended_by is None, one.state.first_survey)
                latest[ref] = max(latest.get(ref, state), state)
        by_id = sorted(latest, key=lambda ref: (ref.target, ref.id, ref.name or "", ref.owner))
        return tuple(sorted(by_id, key=latest.__getitem__, reverse=True))[:limit]

    async def prune(self, before: datetime, now: datetime) -> int:
        """Delete the states that ended before a moment, and the surveys that no state needs; return how many states."""
        await asyncio.sleep(0)
        if self._pruned_at is not None and abs(now - self._pruned_at) < A_DAY:
            return 0
        self._pruned_at = now
        old = [key for key, one in self._stored.items() if one.state.ended_by and self._surveys[one.state.ended_by].at < before]
        for key in old:
            del self._stored[key]
        states = [one.state for one in self._stored.values()]
        needed = (
            {state.first_survey for state in states} | {state.ended_by for state in states} | {max(self._surveys, default=0)}
        )
        past = [number for number, survey in self._surveys.items() if survey.at < before and number not in needed]
        for number in past:
            del self._surveys[number]
        return len(old)

    def _covered(self, identity: TargetIdentity) -> Iterator[_Stored]:
        for one in self._stored.values():
            same = (one.project, one.caller) == (identity.project, identity.caller)
            if same and identity.covers(one.state.workspace_id, one.state.feature):
                yield one


def _open_state(one: _Stored) -> OpenState:
    state = one.state
    return OpenState(
        state.first_survey,
        one.digest,
        state.updated_us,
        state.lease_updated_us,
        state.latest_updated_us,
        state.latest_lease_updated_us,
    )


def _shown(state: NotebookState) -> NotebookState:
    """Return a state that does not end before it begins, if the clock was set back in between."""
    until = state.seen_until
    return state if until is None else replace(state, seen_until=max(until, state.seen_from))
