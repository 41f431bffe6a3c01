import signal
import sqlite3
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.support import Cloud, Desk, Ended, Json, cloud_options, idle, running_cloud

KILLED = Path(__file__).with_name("killed.py")
ENOUGH = 200
"""No run has so many moments; whoever counts that far counts wrongly."""
PARTS = 3
"""The moments are dealt out to so many tests, so that they can be tried at the same time."""
FEWEST = 9
"""Tables, lease, run, plan, and for what is deleted at least a stop, a request, its acceptance and its end; the run's end."""
ASKED = ("idle-1", "idle-2", "idle-3", "running-1")
FLEET: list[Json] = [
    *(idle(name, days=100) for name in ASKED[:3]),
    idle("running-1", days=300, status="RUNNING", update_at=None),
    idle("keep-me", days=200),
    idle("in-use", days=1),
    idle("fails-to-parse", days=200, raw={"create_at": "long ago"}),
]
POLICIES: list[Json] = [
    {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}},
    {"name": "forgotten", "match": {"age_over": "250d"}, "running": "stop"},
]

# Some twenty commands, one after the other.
pytestmark = pytest.mark.timeout(400)


def place(folder: Path, cloud: Cloud) -> Desk:
    """Give a desk of its own, with a configuration for that cloud; nothing in it waits for long."""
    folder.mkdir()
    desk = Desk(folder)
    desk.write(
        cloud,
        policies=POLICIES,
        protect=[{"name": "keep-*"}],
        removal={"grace": "200ms", "retries": 0},
        polling={"interval": "50ms", "max_interval": "50ms"},
    )
    return desk


def killed(desk: Desk, moment: str, number: int) -> Ended:
    """Run `run --yes`, to be killed at that moment."""
    doomed = replace(desk, program=(sys.executable, str(KILLED), moment, str(number)))
    return doomed.run("run", "--yes", "--format", "json")


def check(cloud: Cloud, desk: Desk) -> None:
    """Hold the cloud's own history against the orders, and the journal against both."""
    assert cloud.accepted() == dict.fromkeys(ASKED, 1), "each that was asked is deleted by one DELETE, and no other by any"
    assert cloud.gone() == set(ASKED)
    with closing(sqlite3.connect(desk.journal)) as journal:
        assert journal.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert journal.execute("SELECT * FROM removals WHERE ended_at IS NULL").fetchall() == []
        assert journal.execute("SELECT * FROM runs WHERE ended_at IS NULL OR outcome = 'running'").fetchall() == []
        assert journal.execute("SELECT * FROM leases").fetchall() == []
        deleted = journal.execute("SELECT notebook_id FROM removals WHERE state = 'DELETED' ORDER BY 1").fetchall()
        assert deleted == [(name,) for name in sorted(ASKED)], "the journal has each deletion, and has it once"
        assert journal.execute("SELECT DISTINCT state FROM removals WHERE state NOT IN ('DELETED', 'SPARED')").fetchall() == []


def came_through(ended: Ended, kills: int, cloud: Cloud, desk: Desk) -> bool:
    """Tell whether a run was not killed any more; then everything must be as it should, after enough that were."""
    if ended.code == 0:
        check(cloud, desk)
        assert kills >= FEWEST
    else:
        assert ended.code == -signal.SIGKILL, ended.err
    return ended.code == 0


@pytest.fixture
def clouds() -> Iterator[Iterator[Cloud]]:
    """Give simulated clouds, all alike, one after the other."""
    options = cloud_options(FLEET, timing={"deletion_median_s": 0.06, "stop_s": 0.05})

    def each() -> Generator[Cloud]:
        for _ in range(ENOUGH):
            with running_cloud(options) as cloud:
                yield cloud

    with closing(each()) as found:
        yield found


@pytest.mark.parametrize("first", range(1, PARTS + 1))
@pytest.mark.parametrize("moment", ["before-commit", "after-commit", "at-write"])
def test_a_sweep_killed_at_any_write_is_recovered_from(
    moment: str, first: int, clouds: Iterator[Cloud], tmp_path: Path
) -> None:
    """Killed at the first, the fourth, ... moment until none is left: a plain run afterwards reaches the one right end."""
    for number, cloud in zip(range(first, ENOUGH, PARTS), clouds, strict=False):
        desk = place(tmp_path / str(number), cloud)
        ended = killed(desk, moment, number)
        if came_through(ended, number - PARTS, cloud, desk):
            print(f"there are fewer than {number} moments of the kind {moment}")  # noqa: T201  # how much is proven
            return
        second = desk.sweep()
        assert second.code == 0, second.err
        check(cloud, desk)
    pytest.fail("every one of so many runs was killed")


@pytest.mark.parametrize("moment", ["before-commit", "after-commit"])
def test_a_sweep_killed_again_and_again_comes_to_its_end(moment: str, clouds: Iterator[Cloud], tmp_path: Path) -> None:
    """Each run is killed one commit later than the one before it, while it recovers as well, until one is not."""
    cloud = next(clouds)
    desk = place(tmp_path / "desk", cloud)
    for kills in range(ENOUGH):
        ended = killed(desk, moment, kills + 1)
        if came_through(ended, kills, cloud, desk):
            print(f"killed {kills} times, each time one commit later ({moment})")  # noqa: T201  # how much is proven
            return
    pytest.fail("every one of so many runs was killed")
