"""Reads what really came of a target's notebooks from the journal. Makes no call to the cloud."""

from anyio.lowlevel import checkpoint

from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.past import with_clock_ahead
from nbsweep.core.backtest.reading import Fleet
from nbsweep.core.backtest.reality import Reality, RealityReader
from nbsweep.core.lifecycle import State
from nbsweep.core.ports import Journal
from nbsweep.engine.past.backtest import by_identity, read_past, recorded_surveys


async def reality(journal: Journal, target: str, trial: Trial, period: Period) -> Reality:
    """Return what came of the notebooks that nbsweep really deleted, and of those that it held out, in a period.

    Raises:
        JournalError: the journal cannot be read.
    """
    surveys = await journal.inventory.surveys(period.since, period.until, target)
    holds = await journal.holds.since(period.since, target)
    ahead, found = with_clock_ahead(surveys), Reality()
    for identity, listed in by_identity(surveys).items():
        mine = [hold for hold in holds if hold.project == identity.project]
        past = await read_past(journal, target, identity, (trial,), period)
        if not mine and not any(removal.state is State.DELETED for removal in past.orders):
            continue
        reader = RealityReader(identity.project, past, mine, period.since)
        async for recorded in recorded_surveys(journal, identity, listed, Fleet(), ahead):
            reader.take(recorded)
            # A large fleet takes a while, and signals are heard in between.
            await checkpoint()
        part = reader.result(trial.rules, period.until)
        found = Reality(found.deleted + part.deleted, found.recreated + part.recreated, found.held + part.held)
    return found
