"""One-time links: an owner opens the link of a real mail on the pages of a real service, and exactly that notebook stays."""

import json
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, Started, free_port, idle
from acceptance.told import ZONE, People, Place, channels, entries, opened

pytestmark = pytest.mark.timeout(240)

NEVER = {"cron": "0 0 1 1 *"}
POLICY: Json = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": {"for": "7d", "surveys": 1}}
KEY = "a-key-that-nobody-else-could-ever-guess-in-time"
FORM = {"length": "30d", "reason": "the paper is due"}


@pytest.fixture
def address() -> str:
    """Give an address for the service."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def place(simulate: Simulate, desk: Desk, told: People, address: str) -> Place:
    """Give three notebooks of two owners, and links in notices."""
    fleet = [idle("wei-1", owner="wei.chen"), idle("wei-2", owner="wei.chen"), idle("li-1", owner="li.na")]
    found = Place(desk, simulate(fleet))
    configure(found, told, address)
    return found


def configure(place: Place, told: People, address: str, **exemptions: object) -> None:
    """Write the configuration and the key."""
    folder = place.desk.folder
    (folder / "link_key").write_text(KEY)
    (folder / "link_key").chmod(0o600)
    place.desk.write(
        place.cloud,
        policies=[POLICY],
        owners=[{"domain": "example.com"}],
        channels=channels(folder, told),
        calendar={"timezone": ZONE},
        schedule=NEVER,
        service={"listen": address},
        exemptions={"page_url": f"http://{address}", "link_key_file": str(folder / "link_key"), **exemptions},
    )


@contextmanager
def serving(place: Place) -> Iterator[Started]:
    """Run the service meanwhile; its log holds no token."""
    with place.desk.started("serve") as started:
        started.wait_for("service.started")
        yield started
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert not re.search(r"/keep/[^*\"]", ended.err)


def links(told: People) -> dict[str, str]:
    """Return the link of each notebook, from the mails of their owners."""
    return {entry.name: entry.link for mail in told.new_mails() for entry in entries(mail) if entry.link}


def test_one_owner_opts_out_by_the_link(place: Place, told: People) -> None:
    """The others go after their grace; opening links, also by scanners, changes nothing."""
    place.sweep()
    found = links(told)
    assert found.keys() == {"wei-1", "wei-2", "li-1"}
    with serving(place):
        for link in found.values():
            for method in ("GET", "HEAD", "GET"):
                assert opened(method, link)[0] == 200
        status, page = opened("POST", found["wei-2"], FORM)
        assert (status, "wei-2 is kept until" in page) == (200, True)
        assert "This link was used on" in opened("GET", found["wei-2"])[1]
        assert opened("POST", f"{found['li-1']}x", FORM)[0] == 404
    [exemption] = place.desk.run("exempt", "list", "--format", "json").document
    assert (exemption["notebook_id"], exemption["granted_by"], exemption["granted_as"]) == ("wei-2", "wei.chen", "owner")
    assert "1 in force, 1 of them granted by owners themselves." in place.desk.run("exempt", "list").out
    assert KEY not in place.desk.run("audit", "--format", "json").out

    place.wait(days=7, hours=2)
    place.sweep()
    assert place.cloud.gone() == {"wei-1", "li-1"}
    sections = {entry.name: entry.section for mail in told.new_mails() for entry in entries(mail)}
    assert sections == {"wei-2": "cleared", "wei-1": "deleted", "li-1": "deleted"}

    # After the exemption everything begins anew.
    place.wait(days=24)
    place.sweep()
    assert place.cloud.gone() == {"wei-1", "li-1"}
    assert links(told).keys() == {"wei-2"}


def test_two_requests_at_once_grant_once_over_all_services(place: Place, told: People) -> None:
    """The journal accepts the exemption of a mark once."""
    place.sweep()
    link = links(told)["li-1"]
    with serving(place), ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: opened("POST", link, FORM | {"reason": f"reason {number}"}), range(8)))
    assert {status for status, _ in answers} == {200}
    assert all("li-1 is kept until" in page for _, page in answers)
    assert len(place.desk.run("exempt", "list", "--all", "--format", "json").document) == 1
    assert len(place.desk.run("audit", "--what", "exempted", "--format", "json").document) == 1


def test_a_link_that_comes_too_late_says_so(place: Place, told: People) -> None:
    """The notebook was deleted, or its mark has ended."""
    place.sweep()
    found = links(told)
    assert place.desk.run("exempt", "add", "--owner", "wei.chen", "--until", "30d", "--reason", "on leave").code == 0
    place.wait(days=7, hours=2)
    place.sweep()
    assert place.cloud.gone() == {"li-1"}
    with serving(place):
        for method, form in (("GET", None), ("POST", FORM)):
            assert "li-1 was deleted" in opened(method, found["li-1"], form)[1]
            assert "wei-1 is no longer to be deleted" in opened(method, found["wei-1"], form)[1]
    assert len(place.desk.run("exempt", "list", "--all", "--format", "json").document) == 1


def test_owners_may_nothing_means_no_links(place: Place, told: People, address: str) -> None:
    """The notice says whom to ask."""
    configure(place, told, address, owners_may="0s")
    place.sweep()
    assert links(told) == {}
    assert place.desk.run("check", "--format", "json").code == 0


def test_check_tries_the_key(place: Place) -> None:
    """It must be there, long enough, and for nobody else; `serve` does not start without it."""
    folder = place.desk.folder

    def checked() -> Json:
        [found] = [each for each in place.desk.run("check", "--format", "json").document["checks"] if each["name"] == "links"]
        return dict(found)

    assert checked()["status"] == "ok"
    assert KEY not in json.dumps(checked())
    for content, mode, problem in (
        ("short", 0o600, "holds a key of 5 bytes"),
        (KEY, 0o644, "can be read or written by others"),
    ):
        (folder / "link_key").write_text(content)
        (folder / "link_key").chmod(mode)
        assert problem in json.dumps(checked())
    (folder / "link_key").unlink()
    assert checked()["status"] == "failed"
    ended = place.desk.run("serve")
    assert ended.code == 2
    assert "exemptions.link_key_file" in ended.err


def test_validate_names_what_is_missing(place: Place, told: People, address: str) -> None:
    """Links without a key, a key without links, and links that travel in clear."""
    for exemptions, problem in (
        ({"page_url": None}, "has link_key_file, but no page_url"),
        ({"link_key_file": None}, "links must be signed"),
        ({"page_url": "http://nbsweep.example.com"}, "must begin with https://"),
        ({"page_url": "https://nbsweep.example.com/pages"}, "must be an address without a path"),
    ):
        configure(place, told, address, **exemptions)
        ended = place.desk.run("validate")
        assert ended.code == 2
        assert problem in ended.out + ended.err
