"""Announced deletions: the real command, a real mail server, a robot that answers as DingTalk does, and their clocks."""

import signal
from datetime import datetime, timedelta
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, free_port, idle
from acceptance.told import ZONE, People, Place, channels, entries, listed, opened
from mail_server import Mail

# A week passes in it, sweep after sweep.
pytestmark = pytest.mark.timeout(240)

BUSY = "451 4.2.1 The mailbox is busy, try again later"
UNKNOWN = "550 5.1.1 Recipient address rejected: User unknown"
POLICIES: list[Json] = [
    {"name": "failed", "match": {"status": "ERROR", "idle_over": "1d"}},
    {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": {"for": "7d", "remind": "2d", "surveys": 2}},
]
OWNERS = """\
wei.chen: wei.chen@example.com
mei.wang: mei@example.com
jonas.berg: jonas.berg@example.com
ana.lopez: ana.lopez@example.com
ines.costa: ines@example.com
tomas.silva: tomas.silva@example.com
kim.park: kim.park@example.com
"""
WEI, MEI, JONAS, ANA = "wei.chen@example.com", "mei@example.com", "jonas.berg@example.com", "ana.lopez@example.com"
INES, TOMAS, KIM = "ines@example.com", "tomas.silva@example.com", "kim.park@example.com"
FLEET: list[Json] = [
    idle("wei-1", owner="wei.chen"),
    idle("wei-2", days=90, owner="wei.chen"),
    idle("wei-starts-it", owner="wei.chen"),
    idle("mei-tags-it", owner="mei.wang"),
    idle("mei-failed", days=5, status="ERROR", owner="mei.wang"),
    idle("ana-is-exempt", owner="ana.lopez"),
    idle("jonas-keeps-it", owner="jonas.berg"),
    idle("ines-second-attempt", owner="ines.costa"),
    idle("tomas-is-refused", owner="tomas.silva"),
    idle("sofia-is-not-in-the-file", owner="sofia.rossi"),
    idle("keep-kims", owner="kim.park"),
    idle("kim-young", days=3, owner="kim.park"),
    idle("kim-becomes-idle", days=11, owner="kim.park"),
]
UNTOLD = {"tomas-is-refused", "sofia-is-not-in-the-file"}


@pytest.fixture
def place(simulate: Simulate, desk: Desk, told: People) -> Place:
    """Give the fleet, and a configuration that announces what one of the policies deletes."""
    found = Place(desk, simulate(FLEET, timing={"start_s": 20}))
    configure(found, told)
    return found


def configure(place: Place, told: People, **groups: Any) -> None:
    """Write the configuration and the owners' file."""
    folder = place.desk.folder
    (folder / "owners.yaml").write_text(OWNERS, encoding="utf-8")
    (folder / "link_key").write_text("a-key-that-nobody-else-could-ever-guess-in-time")
    (folder / "link_key").chmod(0o600)
    address = f"127.0.0.1:{free_port()}"
    document: Json = {
        "policies": POLICIES,
        "protect": [{"name": "keep-*"}, {"tags": {"keep": "*"}}],
        "owners": [{"file": str(folder / "owners.yaml")}],
        "channels": channels(folder, told),
        "notify": {"marks.untold": "ops", "sweep.failed": "ops", "channel.failed": "ops"},
        "calendar": {"timezone": ZONE},
        "service": {"listen": address},
        "schedule": {"cron": "0 0 1 1 *"},
        "exemptions": {"page_url": f"http://{address}", "link_key_file": str(folder / "link_key")},
    }
    place.desk.write(place.cloud, **{**document, **groups})


def told_first(place: Place, told: People) -> tuple[datetime, datetime]:
    """Sweep until the owners are told; return the deadline of those who are told at once, and of the one who is told later."""
    told.mail.recipient_answers = {INES: BUSY, TOMAS: UNKNOWN}

    # The first sweep marks, and the policy without a grace deletes.
    place.sweep()
    assert place.cloud.accepted() == {"mei-failed": 1}
    assert told.new_mails() == []
    marked = {each["id"] for each in FLEET} - {"mei-failed", "keep-kims", "kim-young", "kim-becomes-idle"}
    assert place.states() == dict.fromkeys(marked, "marked")

    # The second agrees, and the owners are told.
    place.wait(hours=1)
    earliest = place.now()
    place.sweep()
    first, latest = told.new_mails(), place.now()
    assert listed(first) == {
        WEI: {"announce": {"wei-1", "wei-2", "wei-starts-it"}},
        MEI: {"announce": {"mei-tags-it"}},
        ANA: {"announce": {"ana-is-exempt"}},
        JONAS: {"announce": {"jonas-keeps-it"}},
    }
    assert_told_is_listed(place, first)
    deadline = one_deadline(first)
    assert (deadline.minute, deadline.second) == (0, 0)
    assert earliest + timedelta(days=7) <= deadline <= latest + timedelta(days=7, hours=1)

    # The third: a mailbox that was busy takes the mail.
    place.wait(hours=1)
    told.mail.recipient_answers.pop(INES)
    place.sweep()
    second = told.new_mails()
    assert listed(second) == {INES: {"announce": {"ines-second-attempt"}}}
    assert_told_is_listed(place, [*first, *second])
    assert {name for name, state in place.states().items() if state == "marked"} == UNTOLD
    assert {mark["id"] for mark in place.desk.run("marks", "--untold", "--format", "json").document} == UNTOLD
    return deadline, one_deadline(second)


def test_what_was_announced_and_what_nobody_came_back_for_goes(place: Place, told: People) -> None:
    """After the grace exactly the rest goes, by one DELETE each, and everybody has read what became of their notebooks."""
    check_story(place, told)


def check_story(place: Place, told: People) -> None:
    """Follow the fleet from the first sweep to the deletions, and check what goes and what is told."""
    deadline, later = told_first(place, told)

    # Two owners come back, one keeps a notebook by the link, and an administrator exempts one.
    place.wait(days=1)
    granted = place.desk.run("exempt", "add", "ana-is-exempt", "--until", "30d", "--reason", "the paper is in review")
    assert granted.code == 0, granted.err
    keep_by_link(place, told)
    place.cloud.change("wei-starts-it", action="start")
    place.cloud.change("mei-tags-it", tags={"keep": "until the paper is out"})
    place.sweep()
    assert listed(told.new_mails()) == {
        WEI: {"cleared": {"wei-starts-it"}},
        MEI: {"cleared": {"mei-tags-it"}},
        ANA: {"cleared": {"ana-is-exempt"}},
        JONAS: {"cleared": {"jonas-keeps-it"}},
    }

    # Two days before the deadline they are reminded, and not before. A notebook that became idle meanwhile is announced.
    place.wait_until(deadline - timedelta(days=2, hours=3))
    place.sweep()
    assert listed(told.new_mails()) == {}
    place.wait_until(later - timedelta(days=2) + timedelta(minutes=5))
    place.sweep()
    reminders = told.new_mails()
    assert listed(reminders) == {
        WEI: {"remind": {"wei-1", "wei-2"}},
        INES: {"remind": {"ines-second-attempt"}},
        KIM: {"announce": {"kim-becomes-idle"}},
    }
    assert {entry.deadline for mail in reminders for entry in entries(mail) if entry.section == "remind"} <= {deadline, later}

    # Before the deadline nothing goes.
    place.wait_until(deadline - timedelta(minutes=2))
    assert place.sweep().document["counts"].get("deleted", 0) == 0
    assert told.new_mails() == []
    assert place.cloud.accepted() == {"mei-failed": 1}

    # After it exactly the rest goes, and each owner gets a summary.
    place.wait_until(later + timedelta(minutes=5))
    place.sweep()
    goes = {"wei-1", "wei-2", "ines-second-attempt"}
    assert place.cloud.accepted() == dict.fromkeys({"mei-failed", *goes}, 1)
    assert place.cloud.gone() == {"mei-failed", *goes}
    assert listed(told.new_mails()) == {WEI: {"deleted": {"wei-1", "wei-2"}}, INES: {"deleted": {"ines-second-attempt"}}}
    assert place.states() == {
        **dict.fromkeys(goes, "removed"),
        **dict.fromkeys({"wei-starts-it", "mei-tags-it", "ana-is-exempt", "jonas-keeps-it"}, "cleared"),
        **dict.fromkeys(UNTOLD, "marked"),
        "kim-becomes-idle": "told",
    }

    # Nothing more comes of it, and the operators have heard once of those who cannot be told.
    place.wait(days=1)
    place.sweep()
    assert told.new_mails() == []
    assert len(place.cloud.gone()) == 1 + len(goes)
    [text] = told.operators_read()
    assert all(name in text for name in ("sofia.rossi (1)", "tomas.silva (1)", "550 5.1.1"))


def keep_by_link(place: Place, told: People) -> None:
    """Open the link in the mail on the page of the service, which changes nothing, and press its button."""
    [mail] = [mail for mail in told.mail.mails if mail.recipients == (JONAS,)]
    [link] = [entry.link for entry in entries(mail)]
    with place.desk.started("serve") as started:
        started.wait_for("service.started")
        for _ in range(2):
            status, page = opened("GET", link)
            assert (status, "jonas-keeps-it" in page) == (200, True)
        assert place.states()["jonas-keeps-it"] == "told"
        assert opened("POST", link, {"length": "30d", "reason": "the paper is due"})[0] == 200
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0


def one_deadline(mails: list[Mail]) -> datetime:
    """Return the one deadline that mails give."""
    [deadline] = {entry.deadline for mail in mails for entry in entries(mail)}
    assert deadline is not None
    return deadline


def assert_told_is_listed(place: Place, mails: list[Mail]) -> None:
    """Check that those are told, and no others, that an accepted mail announces."""
    announced = {entry.name for mail in mails for entry in entries(mail) if entry.section == "announce"}
    assert {name for name, mark in place.marks().items() if mark["told_at"]} == announced
