"""The open marks are counted when the service starts."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, ago, mark, told_mark
from nbsweep.core.errors import JournalError
from nbsweep.core.events.marks import MarksCounted
from nbsweep.core.marks.grace import Grace
from nbsweep.service.marks_at_start import count_marks_at_start
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.support import Hands

GRACES = {"old": Grace(timedelta(days=7))}


async def test_the_open_marks_of_each_target_are_counted() -> None:
    """By state; a target without marks counts none, and marks that have ended do not count."""
    journal, telemetry = InMemoryJournal(), RecordingTelemetry()
    told = told_mark(3, told_at=ago(days=1), deadline=NOON + timedelta(days=6))
    marks = (mark(1), mark(2, untold="550 no such user"), told, told_mark(4))
    await journal.marks.write([replace(each, version=0) for each in marks])
    await count_marks_at_start(journal, Hands(), telemetry, ["research", "training"], GRACES)
    assert telemetry.of(MarksCounted) == [MarksCounted(2, 1, 1, 1), MarksCounted(0, 0, 0, 0)]


async def test_a_journal_that_cannot_be_read_does_not_end_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next survey tells."""

    async def away(*_: object) -> None:
        raise JournalError("it is away")

    journal, telemetry = InMemoryJournal(), RecordingTelemetry()
    monkeypatch.setattr(journal.marks, "marks", away)
    await count_marks_at_start(journal, Hands(), telemetry, ["research"], GRACES)
    assert telemetry.of(MarksCounted) == []
