"""The metrics of marks and messages."""

from builders import NOON
from nbsweep.core.events.marks import MarkCleared, MarkMade, MarksCounted, MarksMade
from nbsweep.core.events.outbox import MessageDelayed, MessageFailed, MessageSent, OutboxCounted
from nbsweep.core.marks.model import ClearCause
from unit.adapters.metrics.test_collector import FakeService, Heard, target


def test_the_open_marks_of_the_last_survey_are_shown_by_state() -> None:
    """Of eleven open marks three are told, one is due, two are held out and three exempt; of two owners, one cannot be told."""
    heard = Heard(MarksMade(2, 1, 11, 0, 3, 1, 1, 2, 3))
    assert {state: count for (state, _), count in heard.samples("nbsweep_marks").items()} == {
        "marked": 2,
        "told": 3,
        "due": 1,
        "held-out": 2,
        "exempt": 3,
    }
    assert heard.samples("nbsweep_untold") == {("research",): 1}
    heard.hear(MarksMade(0, 6, 0, 0, 0, 0, 0))
    assert set(heard.samples("nbsweep_marks").values()) == {0}


def test_the_open_marks_are_shown_from_the_start_of_the_service() -> None:
    """As the journal has them, until the first survey."""
    heard = Heard(MarksCounted(2, 3, 1, 1, 4, 5))
    assert {state: count for (state, _), count in heard.samples("nbsweep_marks").items()} == {
        "marked": 2,
        "told": 3,
        "due": 1,
        "held-out": 4,
        "exempt": 5,
    }
    assert heard.samples("nbsweep_untold") == {("research",): 1}
    heard.hear(MarksMade(0, 6, 0, 0, 0, 0, 0))
    assert set(heard.samples("nbsweep_marks").values()) == set(heard.samples("nbsweep_untold").values()) == {0}


def test_marks_that_are_made_and_cleared_are_counted() -> None:
    """By the cause that cleared them; each begins at 0."""
    made = [MarkMade(f"nb{number}", "old", "age 200d") for number in range(3)]
    heard = Heard(*made, MarkCleared("nb1", "old", ClearCause.POLICY_CHANGED, told=True), service=FakeService((target(),)))
    assert heard.samples("nbsweep_marks_made_total") == {("research",): 3}
    cleared = heard.samples("nbsweep_marks_cleared_total")
    assert cleared["policy-changed", "research"] == 1
    assert {cause for cause, _ in cleared} == {cause.value for cause in ClearCause}
    assert sum(cleared.values()) == 1


def test_attempts_are_counted_by_what_came_of_them() -> None:
    """For each channel and kind, and from 0: an alert finds the first failure."""
    place = ("0123", "mail", "owner")
    heard = Heard(
        MessageSent(*place, 3, 1, "250 ok"),
        MessageDelayed(*place, 1, NOON, "421 try later"),
        MessageDelayed(*place, 2, NOON, "421 try later"),
        MessageFailed("4567", "mail", "operator", 9, "550 no"),
    )
    found = heard.samples("nbsweep_notifications_total")
    assert {labels: count for labels, count in found.items() if count} == {
        ("mail", "owner", "sent"): 1,
        ("mail", "owner", "delayed"): 2,
        ("mail", "operator", "failed"): 1,
    }
    assert len(found) == 6


def test_the_outbox_is_shown_by_channel_and_an_empty_one_as_nothing() -> None:
    """A series that vanished would leave the last age for a while."""
    heard = Heard(OutboxCounted({"mail": 2, "ops": 1}, {"mail": 7200.0, "ops": 60.0}, paused=True, waiting=4))
    assert heard.samples("nbsweep_outbox_pending") == {("mail",): 2, ("ops",): 1}
    assert heard.samples("nbsweep_outbox_oldest_seconds") == {("mail",): 7200, ("ops",): 60}
    assert heard.samples("nbsweep_outbox_paused") == {(): 1}
    assert heard.samples("nbsweep_outbox_waiting") == {(): 4}
    heard.hear(OutboxCounted({"ops": 1}, {"ops": 75.0}, paused=False, waiting=0))
    assert heard.samples("nbsweep_outbox_pending") == {("mail",): 0, ("ops",): 1}
    assert heard.samples("nbsweep_outbox_oldest_seconds") == {("mail",): 0, ("ops",): 75}
    assert heard.samples("nbsweep_outbox_paused") == {(): 0}
    assert heard.samples("nbsweep_outbox_waiting") == {(): 0}


def test_the_marks_of_a_target_that_is_configured_no_more_are_shown_no_more() -> None:
    """What was counted stays."""
    service = FakeService((target(), target("training")))
    heard = Heard(service=service)
    heard.hear(MarksMade(2, 0, 2, 0, 0, 0, 1), MarkMade("nb1", "old", "age 200d"), target="training")
    assert ("training",) in heard.samples("nbsweep_untold")
    service.states = (target(),)
    assert heard.samples("nbsweep_marks") == heard.samples("nbsweep_untold") == {}
    assert heard.samples("nbsweep_marks_made_total")["training",] == 1
