import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, cloud_options, eventually, idle_fleet, running_cloud, without_root_powers

KIB = 1024


def assert_told_before_anything_was_deleted(ended: Ended, cloud: Cloud, desk: Desk, hint: str) -> None:
    """Assert exit 1, one sentence that names the journal and says what to do, and no request that changes anything."""
    assert ended.code == 1
    assert "Traceback" not in ended.err
    sentence = ended.error["error"]
    assert str(desk.journal) in sentence
    assert hint in sentence
    assert "\n" not in sentence
    assert cloud.writes() == []
    assert cloud.gone() == set()


def not_larger_than(size: int) -> Callable[[], None]:
    """Let no file that the process writes grow beyond this, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def with_room_for(size: int, desk: Desk) -> Callable[[], None]:
    """Make the journal, and let it grow by so much and no more: how large an empty one is depends on its tables."""
    desk.run("history")
    return not_larger_than(desk.journal.stat().st_size + size)


@pytest.fixture(scope="module")
def untouched() -> Iterator[Cloud]:
    """Give a cloud with something to delete, for tests in which none of it is."""
    with running_cloud(cloud_options(idle_fleet(500))) as cloud:
        yield cloud


def test_a_file_that_is_no_database_stays_as_it_is(untouched: Cloud, desk: Desk) -> None:
    """Told, and not a byte of it is changed."""
    desk.write(untouched)
    content = b"Dear diary, today I have deleted nothing. " * 100
    desk.journal.write_bytes(content)
    assert_told_before_anything_was_deleted(desk.sweep(), untouched, desk, "is not a database")
    assert desk.journal.read_bytes() == content


def test_a_folder_is_no_journal(untouched: Cloud, desk: Desk) -> None:
    """Told."""
    desk.write(untouched)
    desk.journal.mkdir()
    assert_told_before_anything_was_deleted(desk.sweep(), untouched, desk, "folder")


def test_a_journal_that_another_process_holds_is_waited_for_and_then_given_up(untouched: Cloud, desk: Desk) -> None:
    """Told that it is locked."""
    desk.write(untouched, service={"lease": "3s"})
    with closing(sqlite3.connect(desk.journal, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE held (value)")
        assert_told_before_anything_was_deleted(desk.sweep(), untouched, desk, "locked")


def test_a_sweep_outlasts_another_process_that_holds_the_journal(simulate: Simulate, desk: Desk) -> None:
    """For eight seconds, in which nothing is deleted that is not on the record: exit code 0, no error, everything is gone."""
    cloud = simulate(idle_fleet(40))
    desk.write(cloud, target={"limits": {"delete": "20/s", "concurrency": 4}})
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.deletes()) >= 5, "five DELETEs")
        with closing(sqlite3.connect(desk.journal, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(8)
            held = len(cloud.deletes())
            other.execute("ROLLBACK")
        ended = started.ended()
    assert held < 20
    assert ended.code == 0, ended.err
    assert not [line for line in ended.lines if line["level"] == "error"]
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)


def test_a_journal_that_may_not_be_written_is_no_journal(untouched: Cloud, desk: Desk) -> None:
    """A file that may only be read, then a folder in which nothing can be made."""
    desk.write(untouched)
    with closing(sqlite3.connect(desk.journal)) as connection:
        connection.execute("CREATE TABLE something (value)")
    desk.journal.chmod(0o400)
    ended = desk.run("run", "--yes", "--format", "json", prepare=without_root_powers)
    assert_told_before_anything_was_deleted(ended, untouched, desk, "read-only")
    desk.journal.unlink()
    assert desk.home.exists()
    desk.folder.chmod(0o500)
    try:
        ended = desk.run("run", "--yes", "--format", "json", prepare=without_root_powers)
    finally:
        desk.folder.chmod(0o700)
    assert_told_before_anything_was_deleted(ended, untouched, desk, "not writable")


def test_a_journal_below_a_file_cannot_be_made(untouched: Cloud, desk: Desk) -> None:
    """Told."""
    desk.write(untouched)
    (desk.folder / "file").touch()
    desk.write(untouched, journal=f"sqlite:///{desk.folder / 'file' / 'journal.db'}")
    ended = desk.sweep()
    assert ended.code == 1
    assert "is a file, not a folder" in ended.error["error"]
    assert untouched.writes() == []


def test_a_journal_of_a_newer_version_is_not_touched(untouched: Cloud, desk: Desk) -> None:
    """Told which revision it is of, and to upgrade."""
    desk.write(untouched)
    with closing(sqlite3.connect(desk.journal)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999_of_the_future')")
    before = desk.journal.read_bytes()
    ended = desk.sweep()
    assert_told_before_anything_was_deleted(ended, untouched, desk, "newer nbsweep")
    assert "9999_of_the_future" in ended.error["error"]
    assert "Upgrade nbsweep" in ended.error["error"]
    assert desk.journal.read_bytes() == before


def test_a_journal_that_cannot_be_made_for_want_of_room_is_none(untouched: Cloud, desk: Desk) -> None:
    """The disk is full when it is opened for the first time."""
    desk.write(untouched)
    ended = desk.run("run", "--yes", "--format", "json", prepare=not_larger_than(40 * KIB))
    assert_told_before_anything_was_deleted(ended, untouched, desk, "disk")


def test_a_plan_that_has_no_room_in_the_journal_is_not_carried_out(untouched: Cloud, desk: Desk) -> None:
    """It opens, but 500 planned notebooks are more than the disk takes: exit 1, nothing is deleted."""
    desk.write(untouched, inventory=None)
    ended = desk.run("run", "--yes", "--format", "json", prepare=with_room_for(40 * KIB, desk))
    assert ended.events("plan.built")
    assert_told_before_anything_was_deleted(ended, untouched, desk, "disk")
    assert ended.document["results"] == []


def test_a_survey_that_has_no_room_in_the_journal_ends_the_sweep(untouched: Cloud, desk: Desk) -> None:
    """The fleet cannot be recorded: nothing is planned, and nothing deleted."""
    desk.write(untouched)
    before = len(untouched.requests())
    ended = desk.run("run", "--yes", "--format", "json", prepare=with_room_for(40 * KIB, desk))
    assert len(untouched.requests()) - before >= 500 / 50  # all pages were read
    assert ended.events("plan.built") == []
    assert_told_before_anything_was_deleted(ended, untouched, desk, "disk")


def test_a_disk_that_fills_up_in_mid_sweep_ends_it_with_every_delete_on_the_record(simulate: Simulate, desk: Desk) -> None:
    """No DELETE leaves that the journal does not know of; with room again, the next run recovers and does the rest."""
    cloud = simulate(idle_fleet(60))
    limits = {"limits": {"delete": "60/s", "concurrency": 4}}
    desk.write(cloud, target=limits, inventory=None)
    ended = desk.run("run", "--yes", "--format", "json", prepare=with_room_for(132 * KIB, desk))
    assert ended.code == 1
    assert "disk" in ended.error["error"]
    assert "Traceback" not in ended.err
    sent = set(cloud.deletes())
    assert 0 < len(sent) < 60
    recorded = desk.run("show", ended.run_id, "--format", "json").document["results"]
    assert len(recorded) == 60
    assert sent <= {removal["id"] for removal in recorded if removal["requests"] >= 1}

    second = desk.sweep()
    assert second.code == 0, second.err
    assert cloud.gone() == set(cloud.instances())
    assert Counter(cloud.accepted().values()) == {1: 60}


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://nb@127.0.0.1:1/x?password=QXZ-0789-KVW",
        "postgresql://nb:QXZ-0789-KVW@127.0.0.1:1/x?sslpassword=QXZ-0789-KVW",
        "postgresql://nb:QXZ@0789-KVW@127.0.0.1:1/x",
        "postgresql:///nb:QXZ-0789-KVW@127.0.0.1/x",
        "sqlite:///nb:QXZ-0789-KVW@127.0.0.1/x",
    ],
)
def test_no_piece_of_a_secret_in_the_address_is_told(desk: Desk, address: str) -> None:
    """Neither by a sweep nor by `check`, whether the address is mistyped or nobody answers there."""
    desk.write("http://127.0.0.1:1", journal=address)
    for ended in (desk.sweep(), desk.run("check", "--format", "json")):
        assert ended.code in (1, 2), ended.err
        assert not [piece for piece in ("QXZ", "0789", "KVW") if piece in ended.out + ended.err]
