"""Announced deletions by the service: it sends meanwhile, goes on after a reload, and two of them send once."""

import signal
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Started, eventually, idle
from acceptance.told import ZONE, People, Place, channels, entries, listed

HASTY = Path(__file__).with_name("hasty.py")
WEI, MEI = "wei.chen@example.com", "mei.wang@example.com"
FLEET = [
    idle("wei-1", owner="wei.chen"),
    idle("wei-2", owner="wei.chen"),
    idle("mei-1", owner="mei.wang"),
    idle("mei-starts-it", owner="mei.wang"),
    idle("keep-meis", owner="mei.wang"),
]
ANNOUNCED = {WEI: {"announce": {"wei-1", "wei-2"}}, MEI: {"announce": {"mei-1", "mei-starts-it"}}}
GRACE = {"for": "7d", "surveys": 2}
# Settling, so that the items of several targets go into one mail, takes this long.
SETTLED = timedelta(minutes=11)


@pytest.fixture
def place(simulate: Simulate, desk: Desk, told: People) -> Place:
    """Give the fleet, and a service that sweeps each second."""
    found = Place(desk, simulate(FLEET, timing={"start_s": 1}))
    configure(found, told)
    return found


def configure(place: Place, told: People, journal: str = "", **changes: Any) -> None:
    """Write the configuration; `changes` are those of the grace."""
    place.desk.write(
        place.cloud,
        journal=journal or f"sqlite:///{place.desk.journal}",
        schedule={"cron": "* * * * * *"},
        policies=[{"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": {**GRACE, **changes}}],
        protect=[{"name": "keep-*"}],
        owners=[{"domain": "example.com"}],
        channels=channels(place.desk.folder, told),
        calendar={"timezone": ZONE},
        service={"listen": None},
    )


def service(place: Place) -> Desk:
    """Return a desk whose service sends soon."""
    return replace(place.desk, program=(sys.executable, str(HASTY), str(place.ahead)))


def surveyed_twice(place: Place) -> bool:
    """Tell whether two surveys agree on four marks."""
    return [mark["surveys"] >= 2 for mark in place.marks().values()] == [True] * 4


def stopped(started: Started) -> None:
    """Stop a service."""
    started.signal(signal.SIGTERM)
    ended = started.ended()
    assert ended.code == 0, ended.err


def told_by_mail(told: People, count: int) -> list[Any]:
    """Wait for so many mails, and return them."""
    found: list[Any] = []

    def arrived() -> bool:
        found.extend(told.new_mails())
        return len(found) >= count

    eventually(arrived, f"{count} mails")
    return found


def test_the_service_tells_and_deletes_and_a_reload_changes_no_promise(place: Place, told: People) -> None:
    """A shorter grace in a new configuration brings no deadline forward that an owner has read."""
    with service(place).started("serve") as started:
        eventually(lambda: surveyed_twice(place), "four marks that two surveys agree on")
        assert told.new_mails() == []
        place.wait_until(place.now() + SETTLED)
        first = told_by_mail(told, 2)
        assert listed(first) == ANNOUNCED
        [deadline] = {entry.deadline for mail in first for entry in entries(mail)}
        assert deadline is not None

        configure(place, told, **{"for": "1d"})
        started.signal(signal.SIGHUP)
        started.wait_for("service.reloaded")
        place.wait(days=2)
        place.cloud.change("mei-starts-it", action="start")
        eventually(lambda: place.states()["mei-starts-it"] == "cleared", "a mark is cleared")
        place.wait_until(place.now() + SETTLED)
        assert listed(told_by_mail(told, 1)) == {MEI: {"cleared": {"mei-starts-it"}}}
        place.wait_until(deadline - timedelta(minutes=2))
        sweeps = started.err.count(b'"event": "sweep.finished"')
        started.wait_for_more("sweep.finished", sweeps + 3)
        assert place.cloud.accepted() == {}

        place.wait_until(deadline + timedelta(minutes=2))
        eventually(lambda: len(place.cloud.gone()) == 3, "three deletions")
        eventually(lambda: list(place.states().values()).count("removed") == 3, "three ended marks")
        place.wait_until(place.now() + SETTLED)
        assert listed(told_by_mail(told, 2)) == {WEI: {"deleted": {"wei-1", "wei-2"}}, MEI: {"deleted": {"mei-1"}}}
        stopped(started)
    assert place.cloud.accepted() == dict.fromkeys(("wei-1", "wei-2", "mei-1"), 1)
    assert told.new_mails() == []


def test_two_services_on_one_journal_send_each_mail_once(place: Place, told: People) -> None:
    """Whoever sweeps marks, and whoever is first sends."""
    check_two_services(place, told)


def check_two_services(place: Place, told: People) -> None:
    """Run two services until everything that they announced is deleted, and check what they sent."""
    with ExitStack() as stack:
        services = [stack.enter_context(service(place).started("serve")) for _ in range(2)]
        for started in services:
            started.wait_for("service.started")
        eventually(lambda: surveyed_twice(place), "four marks that two surveys agree on")
        place.wait_until(place.now() + SETTLED)
        first = told_by_mail(told, 2)
        # A service that never sweeps has not compared its clock with the cloud's; the next sweep of the other one has.
        eventually(lambda: all(mark["due_at"] for mark in place.marks().values()), "all are told")
        [deadline] = {entry.deadline for mail in first for entry in entries(mail)}
        assert deadline is not None
        place.wait_until(deadline + timedelta(minutes=2))
        eventually(lambda: len(place.cloud.gone()) == 4, "four deletions")
        eventually(lambda: set(place.states().values()) == {"removed"}, "all marks have ended")
        place.wait_until(place.now() + SETTLED)
        second = told_by_mail(told, 2)
        for started in services:
            stopped(started)
    mails = [*first, *second, *told.new_mails()]
    assert set(Counter(mail.message["Message-ID"] for mail in mails).values()) == {1}
    assert listed(mails) == {address: {**told, "deleted": told["announce"]} for address, told in ANNOUNCED.items()}
    assert place.cloud.accepted() == dict.fromkeys(("wei-1", "wei-2", "mei-1", "mei-starts-it"), 1)
