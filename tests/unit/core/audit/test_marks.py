"""What the audit trail says of marks and of exemptions, and which writes of a mark stand for which steps."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON
from nbsweep.core.audit.exemptions import entry_of_grant, entry_of_revocation
from nbsweep.core.audit.marks import entries_of_mark, mark_steps
from nbsweep.core.exemptions.model import Selector
from nbsweep.core.marks import model
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from notice_builders import exemption, mark

LATER = NOON + timedelta(hours=1)
TOLD = model.tell(mark(), LATER, "mail: 250", clock_verified=True)
WRITES = [
    (None, mark(), ["marked"]),
    (MarkState.MARKED, model.confirm(mark(), LATER, ()), []),
    (MarkState.MARKED, model.note_untold(mark(), "nobody knows them", NOON), []),
    (MarkState.MARKED, TOLD, ["told"]),
    (MarkState.TOLD, model.verify_clock(TOLD, LATER), []),
    (MarkState.TOLD, model.promise(TOLD, LATER), []),
    (MarkState.TOLD, model.renew_notice(TOLD, ()), ["marked"]),
    (MarkState.MARKED, model.clear(mark(), LATER, ClearCause.USED), ["cleared"]),
    (MarkState.TOLD, model.clear(TOLD, LATER, ClearCause.USED), ["cleared"]),
    (MarkState.TOLD, model.remove(TOLD, LATER, "run1"), []),
    (None, TOLD, ["marked", "told"]),
    (None, model.clear(mark(), LATER, ClearCause.USED), ["marked", "cleared"]),
]
SECRET = "token=abcdef see https://example.com/notebook?x=1"


@pytest.mark.parametrize(("before", "written", "expected"), WRITES)
def test_a_write_of_a_mark_stands_for_its_steps(before: MarkState | None, written: Mark, expected: list[str]) -> None:
    """What changes nothing for the owner is no step."""
    assert list(mark_steps(written, before)) == expected
    assert [(entry.sequence, entry.what) for entry in entries_of_mark(written, before, 41)] == list(enumerate(expected, 42))


def test_a_mark_that_was_told_before_it_was_first_written_has_both_times() -> None:
    """Each step has its own."""
    first, second = entries_of_mark(TOLD, None, 0)
    assert second.moment_us - first.moment_us == 3_600_000_000
    assert (first.reason, second.reason) == ("idle 21d (over 14d)", "mail: 250")


def test_a_stale_notice_is_on_the_trail_at_the_time_of_the_survey_that_found_it() -> None:
    """The mark is as old as it was."""
    [entry] = entries_of_mark(model.renew_notice(model.confirm(TOLD, LATER, ()), ()), MarkState.TOLD, 0)
    [first] = entries_of_mark(mark(), None, 0)
    assert entry.moment_us - first.moment_us == 3_600_000_000


def test_no_secret_gets_into_an_entry_of_a_mark() -> None:
    """Names, sentences and proofs are other people's text."""
    told = replace(TOLD, name=SECRET, owner_name=SECRET, reason=SECRET, told_by=SECRET)
    for entry in entries_of_mark(told, None, 0):
        assert "abcdef" not in str(entry)
        assert "notebook?x" not in str(entry)


def test_no_secret_gets_into_an_entry_of_an_exemption() -> None:
    """Neither by its reason nor by its selector, its ticket or its giver."""
    given = exemption(
        reason=SECRET, ticket=SECRET, granted_by=SECRET, selector=Selector(name=SECRET, owner=SECRET), revoked_by=SECRET
    )
    for entry in (entry_of_grant(given, 1), entry_of_revocation(replace(given, revoked_at=LATER), 2)):
        assert "abcdef" not in str(entry)
        assert "notebook?x" not in str(entry)


def test_an_exemption_says_who_gave_it_and_what_for() -> None:
    """The end is absolute; without a ticket there is none."""
    entry = entry_of_grant(exemption(), 7)
    assert entry.reason == "exemption e1 (owner alice) until 2026-03-02 12:00Z: a paper is due; granted by li as administrator"
    assert (entry.sequence, entry.owner, entry.started_by, entry.project) == (7, "alice", "li", "")
