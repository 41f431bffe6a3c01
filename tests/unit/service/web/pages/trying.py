"""Back-tests for the page, without a process of their own."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

import anyio

from nbsweep.bootstrap.backtest_process import answer_by
from nbsweep.core.ports import Journal
from nbsweep.loading.file import read_settings
from nbsweep.service.web.trying.port import Answer, NoSurvey, Question
from nbsweep.settings import Settings

CONFIGURATION = """\
targets:
  - {name: research, region: cn-north-4, project_id: 0123456789abcdef0123456789abcdef,
     credentials: {access_key: access, secret_key: secret}}
policies: [{name: idle, match: {status: STOPPED, idle_over: 14d}}]
brakes: {max_deletions: null, max_share: null, max_fleet_drop: null}
"""


def in_force() -> Settings:
    """Return the configuration in force."""
    return read_settings("nbsweep.yaml", CONFIGURATION, {})


class NoPast:
    """Has nothing on record."""

    async def answer(self, question: Question, now: datetime) -> Answer:  # noqa: ARG002 - as the port has it
        """Return that there is no survey."""
        return NoSurvey(None, None)


@dataclass
class Here:
    """Tries policies on a journal, in this process; remembers what it was asked, and waits until it may go on."""

    journal: Journal
    asked: list[Question] = field(default_factory=list)
    begun: anyio.Event = field(default_factory=anyio.Event)
    go_on: anyio.Event | None = None

    async def answer(self, question: Question, now: datetime) -> Answer:
        """Try policies up to a moment."""
        self.asked.append(question)
        self.begun.set()
        if self.go_on:
            await self.go_on.wait()
        return await answer_by(self.journal, in_force(), question, now)


@dataclass
class Fixed:
    """Always gives one answer."""

    given: Answer

    async def answer(self, question: Question, now: datetime) -> Answer:  # noqa: ARG002 - as the port has it
        """Return it."""
        return self.given


class Untouched:
    """Fails if it is asked."""

    async def answer(self, question: Question, now: datetime) -> NoReturn:
        """Fail."""
        raise AssertionError(question, now)
