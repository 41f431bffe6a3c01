from datetime import UTC, datetime, timedelta, timezone

import pytest

from builders import NEVER_TOUCHED, ago, lease, notebook
from nbsweep.core.model import AT_REST, FAILED, IN_TRANSITION, LeaseType, Named, Status, require_aware


def test_the_statuses_are_the_fourteen_of_the_api() -> None:
    """A status more or less would be a guess."""
    documented = (
        "INIT CREATING STARTING STOPPING DELETING RUNNING STOPPED SNAPSHOTTING "
        "CREATE_FAILED START_FAILED DELETE_FAILED ERROR DELETED FROZEN"
    )
    assert {status.value for status in Status} == set(documented.split())


def test_every_status_is_in_transition_or_running_or_at_rest() -> None:
    """No status falls between the groups, and none is in two."""
    assert frozenset(NEVER_TOUCHED) == IN_TRANSITION
    assert set(Status) - IN_TRANSITION - {Status.RUNNING} == AT_REST
    assert {Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR} == FAILED


def test_a_lease_ends_after_its_creation_and_not_after_its_last_renewal() -> None:
    """The cloud's duration is the total since creation."""
    renewed = lease(created_at=ago(days=10), updated_at=ago(days=1), duration=timedelta(days=4))
    assert renewed.ends_at == ago(days=6)


@pytest.mark.parametrize(
    "changes",
    [{"enabled": False}, {"enabled": None}, {"type": LeaseType.IDLE}, {"created_at": None}, {"duration": None}],
)
def test_any_other_lease_has_no_known_end(changes: dict[str, object]) -> None:
    """Only an enabled TIMING lease with both figures has one."""
    assert lease(**changes).ends_at is None


def test_a_moment_must_say_its_time_zone() -> None:
    """A naive moment, compared with one in UTC, would be hours off."""
    naive = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        require_aware(naive)
    for zone in (UTC, timezone(timedelta(hours=8))):
        aware = naive.replace(tzinfo=zone)
        assert require_aware(aware) is aware


@pytest.mark.parametrize(
    ("owner", "label"),
    [(Named("u1", "alice"), "alice"), (Named("u1", None), "u1"), (Named(None, "alice"), "alice"), (Named(), "unknown")],
)
def test_an_owner_is_called_by_name_or_else_by_id(owner: Named, label: str) -> None:
    """People know names; an id is better than nothing."""
    assert notebook(owner=owner).owner_label == label


def test_a_notebook_is_called_by_name_or_else_by_id() -> None:
    """A nameless notebook can still be talked about."""
    assert notebook().label == "experiment-1"
    assert notebook(name=None).label == "nb1"
