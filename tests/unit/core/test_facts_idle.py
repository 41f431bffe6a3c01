from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NEVER_TOUCHED, NOON, ago, lease, moment, notebook, over
from nbsweep.core.facts import idle_since
from nbsweep.core.model import LeaseType, Status
from nbsweep.core.reasons.finding import Truth

RESTING = [Status.STOPPED, Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR, Status.FROZEN]


@pytest.mark.parametrize(
    ("days", "latest"),
    [
        ({"update": 10, "renewal": 40, "end": 30, "sight": 20}, 10),
        ({"update": 40, "renewal": 10, "end": 30, "sight": 20}, 10),
        ({"update": 40, "renewal": 30, "end": 10, "sight": 20}, 10),
        ({"update": 40, "renewal": 30, "end": 20, "sight": 10}, 10),
        ({"update": 10, "renewal": 10, "end": 10, "sight": 10}, 10),
    ],
    ids=["update", "lease-update", "lease-end", "journal", "all-the-same"],
)
def test_idleness_runs_from_the_latest_sign_of_use(days: dict[str, int], latest: int) -> None:
    """Of update, lease update, lease end and the journal's last sight, whichever is latest counts."""
    ends = ago(days=days["end"])
    made = ends - timedelta(days=100)
    row = notebook(
        updated_at=ago(days=days["update"]),
        lease=lease(created_at=made, updated_at=ago(days=days["renewal"]), duration=timedelta(days=100)),
    )
    assert idle_since(row, moment(nb1=ago(days=days["sight"]))) == ago(days=latest)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (ago(days=7), ago(days=7)),
        (NOON, NOON),
        (NOON + timedelta(microseconds=1), ago(days=50)),
        (NOON + timedelta(days=3), ago(days=50)),
    ],
)
def test_the_end_of_a_lease_counts_once_it_is_past(end: datetime, expected: datetime) -> None:
    """Until its lease ends a notebook may have run, and so may have been in use; an end to come says nothing."""
    row = notebook(
        updated_at=ago(days=50),
        lease=lease(created_at=ago(days=60), updated_at=ago(days=55), duration=end - ago(days=60)),
    )
    assert idle_since(row, moment()) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"enabled": False},
        {"enabled": False, "duration": None},
        {"type": LeaseType.IDLE},
        {"type": LeaseType.IDLE, "duration": None},
    ],
)
def test_only_an_enabled_timing_lease_has_an_end_that_counts(changes: dict[str, Any]) -> None:
    """A lease that is off or of type IDLE has no documented end; its update counts all the same."""
    ended_yesterday = {"created_at": ago(days=60), "duration": timedelta(days=59)}
    row = notebook(updated_at=ago(days=50), lease=lease(**{**ended_yesterday, "updated_at": ago(days=40), **changes}))
    assert idle_since(row, moment()) == ago(days=40)


@pytest.mark.parametrize("changes", [{"duration": None}, {"created_at": None}])
def test_an_enabled_lease_without_its_figures_leaves_idleness_unknown(changes: dict[str, Any]) -> None:
    """When it ended cannot be told, and that might be the latest sign of use."""
    assert idle_since(notebook(lease=lease(**changes)), moment()) is None


def test_a_lease_that_does_not_say_whether_it_is_enabled_leaves_idleness_unknown() -> None:
    """Its end was yesterday if it is enabled, so a missing `enabled` decides between one day and a hundred."""
    silent = lease(enabled=None, created_at=ago(days=60), duration=timedelta(days=59))
    assert over("idle", days=14).check(notebook(lease=silent), moment()).truth is Truth.UNKNOWN


@pytest.mark.parametrize("with_lease", [True, False])
def test_idleness_is_unknown_without_any_date_of_a_change(with_lease: bool) -> None:  # noqa: FBT001 -- parametrized
    """Neither creation, nor the end of a lease, nor the journal's own sight stands in for the cloud's missing dates."""
    row = notebook(updated_at=None, lease=lease(updated_at=None) if with_lease else None)
    assert idle_since(row, moment()) is None
    assert idle_since(row, moment(nb1=ago(days=90))) is None
    assert over("idle", days=14).check(row, moment()).truth is Truth.UNKNOWN


def test_the_leases_date_does_not_stand_in_for_the_notebooks() -> None:
    """It does not move when a state settles, so that a notebook that was used yesterday may show an old one."""
    row = notebook(updated_at=None, lease=lease(updated_at=ago(days=30)))
    assert idle_since(row, moment()) is None
    assert over("idle", days=14).check(row, moment()).truth is Truth.UNKNOWN


def test_a_row_of_a_listing_without_a_lease_does_not_say_since_when_it_is_idle() -> None:
    """The listing may leave leases out; an answer about the notebook alone that has none says that there is none."""
    row = notebook(updated_at=ago(days=30), lease=None)
    assert idle_since(replace(row, listed=True), moment()) is None
    assert idle_since(row, moment()) == ago(days=30)


def test_the_notebooks_own_date_is_enough() -> None:
    """A lease that has no date, or none at all, takes nothing away from it."""
    assert idle_since(notebook(updated_at=ago(days=30), lease=lease(updated_at=None)), moment()) == ago(days=30)
    assert idle_since(notebook(updated_at=ago(days=30), lease=None), moment()) == ago(days=30)


def test_a_first_run_trusts_the_clouds_own_dates() -> None:
    """A journal that has never seen the notebook takes nothing away from what the cloud shows."""
    row = notebook(updated_at=ago(days=30), lease=None)
    assert idle_since(row, moment()) == ago(days=30)
    assert idle_since(row, moment(another=ago(days=1))) == ago(days=30)


def test_the_journals_sight_saves_what_was_seen_in_use() -> None:
    """A notebook that the journal saw running yesterday is idle for a day, whatever older dates the cloud shows."""
    finding = over("idle", days=14).check(notebook(), moment(nb1=ago(days=1)))
    assert (finding.truth, finding.fact) == (Truth.FAIL, "1d")


@pytest.mark.parametrize("status", [Status.RUNNING, *NEVER_TOUCHED])
def test_a_notebook_that_is_not_at_rest_is_not_idle(status: Status) -> None:
    """It may be in use at this moment, whatever its dates say and even without any."""
    for row in (notebook(status=status), notebook(status=status, updated_at=None, lease=None)):
        assert idle_since(row, moment()) == NOON
        assert over("idle", seconds=0).check(row, moment()).truth is Truth.FAIL


@pytest.mark.parametrize("status", RESTING)
def test_the_clock_of_idleness_runs_at_rest(status: Status) -> None:
    """Stopped, failed and frozen notebooks are idle."""
    finding = over("idle", days=14).check(notebook(status=status), moment())
    assert (finding.truth, finding.fact) == (Truth.PASS, "99d 23h")


def test_a_date_to_come_is_not_idleness() -> None:
    """A cloud whose clock is ahead makes a notebook younger, never older."""
    row = notebook(updated_at=NOON + timedelta(hours=1), lease=None)
    assert over("idle", seconds=0).check(row, moment()).truth is Truth.FAIL
