from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, ago, target_lease
from nbsweep.core.lease import Holder, TargetLease, describe_held, describe_taken_over, may_take

MINUTE = timedelta(seconds=60)
ME = Holder("me", "web-1", "boot-1", 100, 5000)
OTHER = Holder("other", "web-2", "boot-2", 200, 6000)
HELD = target_lease(holder=OTHER, taken_at=ago(hours=1))


def after(seconds: float, alive: bool | None, lease: TargetLease | None = HELD) -> bool:  # noqa: FBT001  # named by the table below
    """Decide so many seconds after the last beat."""
    return may_take(lease, ME, NOON + timedelta(seconds=seconds), MINUTE, alive=alive)


@pytest.mark.parametrize(
    ("seconds", "alive", "may"),
    [
        # Its process can be seen from here: whether it is there decides, and no clock.
        (0, False, True),
        (3600, True, False),
        (-3600, True, False),
        (-3600, False, True),
        # It cannot be seen: its silence decides.
        (0, None, False),
        (20, None, False),
        (59.999, None, False),
        (60, None, True),
        (86_400, None, True),
        # The clock was set back, or the holder's goes ahead: a little is borne, and a lot does not keep the lease for ever.
        (-20, None, False),
        (-59.999, None, False),
        (-60, None, True),
        (-86_400 * 365, None, True),
    ],
)
def test_anothers_lease_may_be_taken_when_its_holder_is_dead_or_silent(  # a table
    seconds: float,
    alive: bool | None,  # noqa: FBT001
    may: bool,  # noqa: FBT001
) -> None:
    """At once if the end of the holder is visible, otherwise after the lease's time."""
    assert after(seconds, alive) is may


@pytest.mark.parametrize("alive", [True, False, None])
def test_my_own_lease_is_mine(alive: bool | None) -> None:  # noqa: FBT001  # a table
    """What an earlier sweep of this process could not give back is no reason to wait."""
    assert after(0, alive, replace(HELD, holder=ME))


def test_a_later_process_with_my_number_is_not_me() -> None:
    """Who is who is told by the owner, and by nothing else."""
    assert not after(0, alive=True, lease=replace(HELD, holder=replace(ME, owner="another")))


def test_what_nobody_holds_may_be_taken() -> None:
    """There is nobody to ask."""
    assert after(0, None, None)


def test_who_is_refused_is_told_who_holds_it_and_what_to_do() -> None:
    """Process, host, who started it and when; and how long a dead one would keep others out."""
    assert describe_held(HELD, HELD.target, MINUTE) == (
        "research is being swept by another nbsweep on this journal: process 200 on host web-2, started by li, since "
        "2026-03-01 11:00:00Z. Wait until it has ended, or end it; one that has died is taken over at once on its own host, "
        "and after 1m from elsewhere"
    )


def test_who_lost_it_is_told_to_whom() -> None:
    """And when it is nobody's any more, that."""
    assert "has taken research over during the sweep: process 200 on host web-2" in describe_taken_over("research", HELD)
    assert "no process holds it now" in describe_taken_over("research", None)
