"""Kill -9 at every write of a run that marks and tells, and of a run that deletes what was announced."""

import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from acceptance.support import Desk, Json, cloud_options, idle, running_cloud
from acceptance.told import ZONE, People, Place, channels, entries
from mail_server import Mail

KILLED = Path(__file__).with_name("killed_ahead.py")
ENOUGH = 200
"""No run has so many moments; whoever counts that far counts wrongly."""
FEWEST = 9
"""Tables, lease, run, plan, marks, and for each of two owners a message, its lease and its result."""
WEI, MEI = "wei.chen@example.com", "mei.wang@example.com"
NOTEBOOKS = {WEI: {"wei-1", "wei-2"}, MEI: {"mei-1"}}
POLICY = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": {"for": "7d", "surveys": 1}}

# Some hundred commands, one after the other.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Place]:
    """Give a place with a cloud, in which one notebook is protected."""
    with running_cloud(options()) as cloud:
        yield Place(Desk(tmp_path), cloud)


def options() -> Json:
    """Describe the cloud."""
    return cloud_options([idle("keep-it"), *described("")], timing={"deletion_median_s": 0.06})


def described(suffix: str) -> list[Json]:
    """Describe the notebooks of the owners."""
    owned = [(address.partition("@")[0], name) for address, names in NOTEBOOKS.items() for name in sorted(names)]
    return [idle(f"{name}{suffix}", owner=owner) for owner, name in owned]


def desk_at(start: Place, folder: Path, told: People, journal: str = "") -> Place:
    """Give a desk and a journal of its own, whose owners are told by mail."""
    here = start.moved(folder)
    here.desk.write(
        here.cloud,
        journal=journal or f"sqlite:///{here.desk.journal}",
        policies=[POLICY],
        protect=[{"name": "keep-*"}],
        owners=[{"domain": "example.com"}],
        calendar={"timezone": ZONE},
        channels={"mail": channels(folder, told)["mail"]},
        removal={"grace": "200ms", "retries": 0},
        polling={"interval": "50ms", "max_interval": "50ms"},
    )
    return here


def was_killed(here: Place, moment: str, number: int) -> bool:
    """Run a sweep that is killed at that moment, if it comes; then run another, when leases of messages have ended."""
    program = (sys.executable, str(KILLED), str(here.ahead), moment, str(number))
    ended = replace(here.desk, program=program).sweep()
    assert ended.code in (0, -signal.SIGKILL), ended.err
    if ended.code == 0:
        assert number > FEWEST
        return False
    here.wait(minutes=10)
    here.sweep()
    return True


def check_read(mails: list[Mail], section: str, suffix: str) -> dict[str, datetime]:
    """Check that each owner has one mail with everything, or copies of it that a mail program recognises.

    Return the latest deadline for each notebook.
    """
    copies: dict[str, set[tuple[str, frozenset[str]]]] = defaultdict(set)
    deadlines: dict[str, datetime] = {}
    for mail in mails:
        [address] = mail.recipients
        found = [entry for entry in entries(mail) if entry.section == section]
        copies[address].add((mail.message["Message-ID"], frozenset(entry.name for entry in found)))
        for entry in found:
            if entry.deadline:
                deadlines[entry.name] = max(entry.deadline, deadlines.get(entry.name, entry.deadline))
    read = {address: [names for _, names in found] for address, found in copies.items()}
    assert read == {address: [{f"{name}{suffix}" for name in names}] for address, names in NOTEBOOKS.items()}
    return deadlines


@pytest.mark.parametrize("moment", ["before-commit", "after-commit", "at-write"])
def test_a_run_killed_at_any_write_loses_no_message(moment: str, tmp_path: Path, start: Place, told: People) -> None:
    """A run afterwards tells the rest: each owner has one mail, or copies of it, and nothing goes before what they read."""
    check_every_kill(moment, tmp_path, start, told, lambda: "")


def check_every_kill(moment: str, folder: Path, start: Place, told: People, new_journal: Callable[[], str]) -> None:
    """Kill a run that marks and tells at its first, second, ... moment until none is left, each in a journal of its own."""
    repeated = 0
    for number in range(1, ENOUGH):
        here = desk_at(start, folder / str(number), told, new_journal())
        again = was_killed(here, moment, number)
        mails, marks = told.new_mails(), here.marks()
        repeated += len(mails) > len(NOTEBOOKS)
        deadlines = check_read(mails, "announce", "")
        assert {name: mark["state"] for name, mark in marks.items()} == dict.fromkeys(deadlines, "told")
        assert all(datetime.fromisoformat(marks[name]["due_at"]) >= deadline for name, deadline in deadlines.items())
        assert start.cloud.accepted() == {}
        if not again:
            print(f"killed at each of {number - 1} moments of the kind {moment}; mails were repeated {repeated} times")  # noqa: T201
            return
        start = here
    pytest.fail("every one of so many runs was killed")


@pytest.mark.parametrize("moment", ["before-commit", "after-commit"])
def test_a_run_killed_while_it_deletes_tells_of_each_deletion(moment: str, tmp_path: Path, start: Place, told: People) -> None:
    """A run afterwards: each notebook is deleted by one DELETE, and each owner has one summary, or copies of it."""
    for number in range(1, ENOUGH):
        suffix = f"-{number}" if number > 1 else ""
        for each in described(suffix) if suffix else ():
            start.cloud.create(each)
        here = desk_at(start, tmp_path / str(number), told)
        here.sweep()
        check_read(told.new_mails(), "announce", suffix)
        here.wait(days=8)
        again = was_killed(here, moment, number)
        check_read(told.new_mails(), "deleted", suffix)
        names = {f"{name}{suffix}" for names in NOTEBOOKS.values() for name in names}
        assert here.states() == dict.fromkeys(names, "removed")
        accepted = start.cloud.accepted()
        assert {name: accepted[name] for name in names} == dict.fromkeys(names, 1)
        assert "keep-it" not in accepted
        if not again:
            print(f"killed at each of {number - 1} moments of the kind {moment}")  # noqa: T201
            return
        start = here
    pytest.fail("every one of so many runs was killed")
