"""The open marks are counted when the service starts."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, ago, announcing, exemption, mark, rules, told_mark
from nbsweep.core.errors import JournalError
from nbsweep.core.events.marks import MarksCounted
from nbsweep.service.marks_at_start import count_marks_at_start
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.support import Hands

RULES = rules(announcing())


async def test_the_open_marks_of_each_target_are_counted() -> None:
    """By state; a target without marks counts none, and marks that have ended do not count. nb5 was exempted."""
    journal, telemetry = InMemoryJournal(), RecordingTelemetry()
    told = told_mark(3, told_at=ago(days=1), deadline=NOON + timedelta(days=6))
    marks = (mark(1), mark(2, untold="550 no such user"), told, told_mark(4), told_mark(5))
    await journal.marks.write([replace(each, version=0) for each in marks])
    await journal.exemptions.grant(exemption(notebook_id="nb5"))
    await count_marks_at_start(journal, Hands(), telemetry, ["research", "training"], RULES)
    assert telemetry.of(MarksCounted) == [MarksCounted(2, 1, 1, 1, exempt=1), MarksCounted(0, 0, 0, 0)]


async def test_a_journal_that_cannot_be_read_does_not_end_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next survey tells."""

    async def away(*_: object) -> None:
        raise JournalError("it is away")

    journal, telemetry = InMemoryJournal(), RecordingTelemetry()
    monkeypatch.setattr(journal.marks, "marks", away)
    await count_marks_at_start(journal, Hands(), telemetry, ["research"], RULES)
    assert telemetry.of(MarksCounted) == []
