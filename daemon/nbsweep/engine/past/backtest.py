"""Replays the recorded past of a target from the journal. Makes no call to the cloud."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain

from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from nbsweep.core.backtest.model import Past, Period, RecordedSurvey, Trial
from nbsweep.core.backtest.past import with_clock_ahead
from nbsweep.core.backtest.reading import Fleet
from nbsweep.core.backtest.replay import Replay
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.planning.brakes import A_DAY
from nbsweep.core.ports import Journal

STATES_AT_ONCE = 5000
"""Number of states in one answer of the journal, so that memory is bounded by this and the fleet."""


async def backtest(
    journal: Journal, target: str, trials: Sequence[Trial], period: Period
) -> tuple[Coverage, tuple[Replayed, ...]]:
    """Replay the past of a target by several rules at once; return what is known of it, and a result for each trial.

    If the target covered something else meanwhile, each part of the past is replayed as it was covered.

    Raises:
        JournalError: the journal cannot be read.
    """
    surveys = await journal.inventory.surveys(period.since, period.until, target)
    ahead = with_clock_ahead(surveys)
    coverage = Coverage(
        target,
        surveys=len(surveys),
        incomplete=sum(not survey.complete for survey in surveys),
        clock_ahead=len(ahead),
        first=min((survey.at for survey in surveys), default=None),
        last=max((survey.at for survey in surveys if survey.id not in ahead), default=None),
    )
    parts: list[tuple[Replayed, ...]] = []
    for identity, listed in by_identity(surveys).items():
        past = await read_past(journal, target, identity, trials, period)
        replays = [Replay(identity, trial, past) for trial in trials]
        fleet = Fleet()
        async for recorded in recorded_surveys(journal, identity, listed, fleet, ahead):
            for replay in replays:
                replay.take(recorded, period.horizon)
            # A large fleet takes a while, and signals are heard in between.
            await checkpoint()
        parts.append(tuple(replay.result(period) for replay in replays))
        coverage = replace(
            coverage,
            unreadable=coverage.unreadable + fleet.unreadable,
            ordered=coverage.ordered + len({removal.notebook_id for removal in past.orders}),
        )
    return coverage, tuple(joined([part[place] for part in parts]) for place in range(len(trials)))


def by_identity(surveys: Sequence[SurveyRecord]) -> Mapping[TargetIdentity, list[SurveyRecord]]:
    """Group surveys by what they covered, in their order; those of an unknown project are left out."""
    found: dict[TargetIdentity, list[SurveyRecord]] = {}
    for survey in surveys:
        if survey.identity is not None:
            found.setdefault(survey.identity, []).append(survey)
    return found


async def read_past(journal: Journal, target: str, identity: TargetIdentity, trials: Sequence[Trial], period: Period) -> Past:
    """Read the exemptions and the real orders that matter for a replay.

    Raises:
        JournalError: they cannot be read.
    """
    longest = max((trial.cool_down.longest for trial in trials if trial.cool_down), default=timedelta(0))
    exemptions = await journal.exemptions.between(period.since, period.until)
    orders = await journal.orders_since(target, identity, period.since - max(A_DAY, longest))
    return Past(tuple(each for each in exemptions if each.target in ("", target)), orders)


async def recorded_surveys(
    journal: Journal, identity: TargetIdentity, surveys: Sequence[SurveyRecord], fleet: Fleet, ahead: frozenset[int]
) -> AsyncIterator[RecordedSurvey]:
    """Yield surveys in the order of their numbers, each with the notebooks that it knew.

    Raises:
        JournalError: the states cannot be read.
    """
    between = (surveys[0].id, surveys[-1].id)
    waiting: list[NotebookState] = []
    after: tuple[int, str] | None = None
    is_last = False
    for survey in surveys:
        while not is_last and (not waiting or waiting[-1].first_survey <= survey.id):
            fleet.begin(state for state in waiting if state.first_survey <= survey.id)
            part = await journal.inventory.states_between(identity, between, after, STATES_AT_ONCE)
            waiting = [*(state for state in waiting if state.first_survey > survey.id), *part]
            is_last = len(part) < STATES_AT_ONCE
            after = (part[-1].first_survey, part[-1].notebook_id) if part else after
        fleet.begin(state for state in waiting if state.first_survey <= survey.id)
        waiting = [state for state in waiting if state.first_survey > survey.id]
        yield fleet.at(survey, clock_trusted=survey.id not in ahead)


def joined(parts: Sequence[Replayed]) -> Replayed:
    """Join the results of the parts of a target's past."""
    found = sorted(chain.from_iterable(part.found for part in parts), key=lambda each: each.would_be.survey)
    refused = sum((Counter(part.refused) for part in parts), Counter[str]())
    return Replayed(tuple(found), dict(refused), sum(part.marked for part in parts), sum(part.lacking for part in parts))
