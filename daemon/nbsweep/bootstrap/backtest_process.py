"""Runs the back-tests of the page in a process of their own, whose time and memory are bounded, so that sweeps are not delayed.

Pasted text is read only there, too. The process gets the rules in force and the address of the journal, and no credentials.
"""

import gzip
import os
import pickle
import resource
import sys
from datetime import datetime

import anyio
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.backtests import Backtested, NamedTrial, Trials, recorded_between, run_trials
from nbsweep.bootstrap.trials import trial_of
from nbsweep.core.backtest.model import Label
from nbsweep.core.backtest.thresholds import asks_for_idle_time
from nbsweep.core.errors import ConfigurationError, JournalError
from nbsweep.core.ports import Journal
from nbsweep.loading.pasted import read_pasted
from nbsweep.reports.backtest import backtest_report
from nbsweep.reports.figures import return_bins
from nbsweep.reports.words import CURRENT
from nbsweep.service.web.trying.port import (
    MEMORY_BYTES,
    MOST_RECREATED,
    MOST_REGRETS,
    PASTED,
    TIME_S,
    Answer,
    Mistaken,
    NoSurvey,
    Question,
    TooMuch,
    Tried,
    Unreadable,
)
from nbsweep.settings import Settings
from nbsweep.settings.pasted import without_secrets

COMMAND = (sys.executable, "-P", "-m", "nbsweep.bootstrap.backtest_process")
NICENESS = 10
MOST_MISTAKES = 50
CUT_SHORT = 120
"""Characters of the end of a traceback in an error."""


class Job(Struct, frozen=True):
    """What the process gets."""

    settings: Settings
    """The rules in force and the address of the journal."""
    question: Question
    now: datetime


class ProcessBacktester(Struct, frozen=True):
    """Tries policies in a process of its own, which is ended when the time is over or nobody waits any more."""

    settings: Settings

    async def answer(self, question: Question, now: datetime) -> Answer:
        """Try policies up to a moment.

        Raises:
            RuntimeError: the process ended without an answer.
        """
        job = pickle.dumps(Job(without_secrets(self.settings), question, now))
        with anyio.move_on_after(TIME_S):
            done = await anyio.run_process(COMMAND, input=job, check=False)
            if done.returncode < 0:
                return TooMuch()
            if done.returncode:
                last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
                raise RuntimeError(f"the process of the back-test ended with {done.returncode}: {last[:CUT_SHORT]}")
            answer: Answer = msgspec.msgpack.decode(done.stdout, type=Answer)
            return answer
        return TooMuch()


async def answer_by(journal: Journal, settings: Settings, question: Question, now: datetime) -> Answer:
    """Try policies on the surveys of a journal.

    Raises:
        JournalError: the journal cannot be read.
    """
    try:
        trials, no_idle_time = _trials(settings, question)
    except ConfigurationError as error:
        return Mistaken(error.mistakes[:MOST_MISTAKES])
    found = await run_trials(journal, trials, now)
    if found is None:
        return NoSurvey(*await recorded_between(journal, question.targets, now))
    return tried(found, no_idle_time=no_idle_time)


def _trials(settings: Settings, question: Question) -> tuple[Trials, bool]:
    """Return what is tried, and whether thresholds were left out because no policy asks for an idle time.

    Raises:
        ConfigurationError: the pasted text cannot be used.
    """
    current = NamedTrial(CURRENT, trial_of(settings))
    first = NamedTrial(PASTED, trial_of(read_pasted(question.policies, settings))) if question.policies else current
    asks = asks_for_idle_time(first.trial)
    trials = Trials(
        tried=first,
        other=current if question.compared and question.policies else None,
        since=question.since,
        horizon=question.horizon,
        thresholds=question.thresholds if asks else (),
        max_regret=question.max_regret,
        targets=question.targets,
    )
    return trials, bool(question.thresholds) and not asks


def tried(found: Backtested, *, no_idle_time: bool = False) -> Tried:
    """Return a result with its files, and with as much of the document as the page shows."""
    document = found.document
    whole = replace(document, deletions=list(document.deletions))
    regrets = [each for each in whole.deletions if each.label is Label.CAME_BACK]
    comparison, reality = document.comparison, document.reality
    shown = replace(
        whole,
        deletions=regrets[:MOST_REGRETS],
        comparison=replace(comparison, only_there_deletions=(), only_here_ids=()) if comparison else None,
        reality=replace(reality, recreated=reality.recreated[:MOST_RECREATED], held_out_notebooks=()) if reality else None,
    )
    return Tried(
        document=shown,
        regrets=len(regrets),
        returns=return_bins(regrets),
        assumptions=found.assumptions,
        no_idle_time=no_idle_time,
        json=gzip.compress(msgspec.json.format(msgspec.json.encode(whole)), mtime=0),
        report=gzip.compress(backtest_report(whole).encode(), mtime=0),
    )


async def _work(job: Job) -> Answer:
    try:
        async with open_journal(job.settings.journal) as journal:
            return await answer_by(journal, job.settings, job.question, job.now)
    except JournalError as error:
        return Unreadable(str(error))


def main() -> None:
    """Read a job from stdin, and write its answer to stdout."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(TIME_S), int(TIME_S) + 1))
    try:
        # The job comes from the service itself; what somebody pasted is only text in it.
        job = pickle.load(sys.stdin.buffer)  # noqa: S301
        answer = anyio.run(_work, job)
    except MemoryError:
        answer = TooMuch()
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
