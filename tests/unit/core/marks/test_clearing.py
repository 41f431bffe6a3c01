"""What clears a mark by the facts of its notebook alone, and which facts are needed to know."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, ago, lease, mark, moment, notebook
from nbsweep.core.marks.clearing import lacks, sign_of_use
from nbsweep.core.marks.model import ClearCause
from nbsweep.core.model import Named, Status

SECOND = timedelta(seconds=1)
LATER = ago(days=2)
"""After the mark was made."""


def test_a_notebook_that_rests_as_it_was_marked_keeps_its_mark() -> None:
    """Nothing has changed."""
    assert sign_of_use(mark(), notebook(), moment()) is None


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.STOPPED])
def test_another_state_is_a_sign_of_use_unless_it_is_on_its_way_out(status: Status) -> None:
    """No use leads to a deletion, whoever ordered it; nbsweep's own deletion must not clear its mark."""
    on_the_way = status in {Status.DELETING, Status.DELETED, Status.DELETE_FAILED}
    assert sign_of_use(mark(), notebook(status=status), moment()) == (None if on_the_way else ClearCause.USED)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"updated_at": LATER}, ClearCause.USED),
        ({"updated_at": ago(days=100) + SECOND}, ClearCause.USED),
        ({"lease": lease(updated_at=LATER)}, ClearCause.RENEWED),
        ({"lease": lease(updated_at=ago(days=100) + SECOND)}, ClearCause.RENEWED),
        ({"lease": lease(updated_at=LATER), "updated_at": LATER}, ClearCause.RENEWED),
        ({"created_at": ago(days=3)}, ClearCause.GONE),
        ({"created_at": ago(days=3), "updated_at": LATER}, ClearCause.GONE),
        ({"owner": Named("u2", "bob")}, ClearCause.USED),
        ({"owner": Named("u2", None)}, ClearCause.USED),
        ({"owner": Named(None, "bob")}, ClearCause.USED),
        ({"status": Status.DELETE_FAILED, "owner": Named("u2", "bob")}, ClearCause.USED),
        ({"status": Status.DELETE_FAILED, "lease": lease(updated_at=LATER)}, ClearCause.RENEWED),
    ],
)
def test_a_change_since_the_mark_clears_it(changes: dict[str, Any], cause: ClearCause) -> None:
    """A later date of the notebook or of its lease, another owner, another instance."""
    assert sign_of_use(mark(), notebook(**changes), moment()) is cause


@pytest.mark.parametrize(
    "changes",
    [
        {"updated_at": ago(days=101)},
        {"updated_at": None},
        {"lease": None},
        {"lease": lease(updated_at=None)},
        {"lease": lease(updated_at=ago(days=101))},
        {"created_at": None},
        {"owner": Named()},
        {"owner": Named("u1", "alice-renamed")},
        {"tags": {"team": "sound"}},
        {"status": Status.DELETE_FAILED, "updated_at": LATER},
    ],
)
def test_what_is_no_change_does_not_clear_it(changes: dict[str, Any]) -> None:
    """Facts that are missing, earlier dates, and the date of a deletion that failed."""
    assert sign_of_use(mark(), notebook(**changes), moment()) is None


def test_dates_that_were_unknown_at_marking_count_from_the_mark() -> None:
    """A listing may leave out what another answer shows."""
    blind = mark(updated_at=None, lease_updated_at=None)
    assert sign_of_use(blind, notebook(), moment()) is None
    assert sign_of_use(blind, notebook(updated_at=mark().marked_at), moment()) is None
    assert sign_of_use(blind, notebook(updated_at=mark().marked_at + SECOND), moment()) is ClearCause.USED
    assert sign_of_use(blind, notebook(lease=lease(updated_at=mark().marked_at + SECOND)), moment()) is ClearCause.RENEWED


def test_what_the_journal_saw_in_use_since_the_mark_was_used() -> None:
    """Though it rests again, and its dates are those of before."""
    assert sign_of_use(mark(), notebook(), moment(nb1=ago(days=9))) is ClearCause.USED
    assert sign_of_use(mark(), notebook(), moment(nb1=mark().marked_at)) is None
    assert sign_of_use(mark(), notebook(), moment(nb2=ago(days=9))) is None


def test_a_notebook_that_ran_when_it_was_marked_may_be_seen_running() -> None:
    """By a policy with `running: stop`; when it stops, somebody has used it."""
    running = mark(status=Status.RUNNING)
    assert sign_of_use(running, notebook(status=Status.RUNNING), moment(nb1=NOON)) is None
    assert sign_of_use(running, notebook(), moment()) is ClearCause.USED


def test_a_deletion_that_failed_hides_a_use_if_there_is_no_lease() -> None:
    """The date of the deletion replaces that of the use; while the deletion goes on, nothing is decided."""
    blind = mark(lease_updated_at=None)
    for status, cause in ((Status.DELETE_FAILED, ClearCause.USED), (Status.DELETING, None), (Status.DELETED, None)):
        assert sign_of_use(blind, notebook(status=status, lease=None), moment()) is cause
    failed = mark(lease_updated_at=None, status=Status.DELETE_FAILED)
    assert sign_of_use(failed, notebook(status=Status.DELETE_FAILED, lease=None), moment()) is None
    again = notebook(status=Status.DELETE_FAILED, lease=None, updated_at=LATER)
    assert sign_of_use(failed, again, moment()) is ClearCause.USED


def test_an_owner_without_an_id_is_compared_by_name() -> None:
    """Names are all that is known."""
    nameless = mark(owner_id="")
    assert sign_of_use(nameless, notebook(), moment()) is None
    assert sign_of_use(nameless, notebook(owner=Named("u1", "bob")), moment()) is ClearCause.USED
    assert sign_of_use(mark(owner_id="", owner_name=""), notebook(), moment()) is None


# ---- facts that are needed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({}, ""),
        ({"created_at": None}, "create_at"),
        ({"updated_at": None}, "update_at"),
        ({"lease": None}, "lease"),
        ({"lease": lease(updated_at=None)}, "lease.update_at"),
        ({"listed": True, "lease": None}, "lease"),
    ],
)
def test_what_shows_a_use_must_not_be_missing(changes: dict[str, Any], fact: str) -> None:
    """Of a marked notebook that had all facts."""
    assert lacks(mark(), notebook(**changes)) == fact


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({}, ""),
        ({"created_at": None}, "create_at"),
        ({"updated_at": None}, "update_at"),
        ({"lease": None, "listed": True}, "lease"),
        ({"lease": None}, ""),
        ({"lease": lease(updated_at=None)}, ""),
    ],
)
def test_a_mark_needs_the_same_facts(changes: dict[str, Any], fact: str) -> None:
    """A notebook may have no lease, which only an answer about that notebook shows."""
    assert lacks(None, notebook(**changes)) == fact
    if not fact:
        without = mark(lease_updated_at=None)
        assert lacks(without, notebook(**changes)) == ""
