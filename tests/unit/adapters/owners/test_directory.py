"""The chain: who answers first, who ends it, and what is said of those whom nobody knows."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from hand_clock import HandClock
from nbsweep.adapters.owners.directory import Fallback
from nbsweep.bootstrap.people.owners import make_directory
from nbsweep.core.errors import Unreachable
from nbsweep.core.notices.contacts import Contact, IamUser, NoContact, Owner, OwnerDirectory
from nbsweep.core.reasons.language import Language
from nbsweep.settings import Settings

FILE = """\
alice: alice@file.test
platform team: {email: team@file.test, language: zh, name: 平台组}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return an owners' file."""
    path = tmp_path / "owners.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def directory(*parts: Mapping[str, object], user: IamUser | None = None, away: bool = False) -> OwnerDirectory:
    """Build the directory of these parts."""

    async def look_up(_user_id: str) -> IamUser | None:
        if away:
            raise Unreachable("IAM is away")
        return user

    made = Settings.model_validate(
        {
            "targets": [{"name": "lab", "region": "cn-north-4", "project_id": "0" * 32}],
            "policies": [{"name": "p", "match": {"name": "x"}}],
            "owners": parts,
            "channels": {
                "mail": {"kind": "smtp", "host": "mail.test", "from": "nbsweep@mail.test"},
                "ops": {"kind": "slack", "url": "https://hooks.slack.test/x"},
            },
        }
    )
    return make_directory(made, {"lab": look_up}, HandClock())


def write(path: Path, text: str) -> None:
    """Write a file."""
    path.write_text(text, encoding="utf-8")


def remove(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def owner(name: str, **tags: str) -> Owner:
    """Return an owner."""
    return Owner(f"id-of-{name}", name, tags, "lab")


async def test_the_first_part_that_answers_wins(file: Path) -> None:
    """In the order of the configuration."""
    tag, domain, iam = {"tag": "contact"}, {"domain": "domain.test"}, {"iam": True}
    user = IamUser("u", "user@iam.test")
    alice = owner("alice", contact="alice@tag.test")
    in_order = directory({"file": str(file)}, tag, domain, iam, user=user)
    assert await in_order.find(alice) == Contact("alice@file.test", "file")
    assert await in_order.find(owner("bob", contact="bob@tag.test")) == Contact("bob@tag.test", "tag")
    assert await in_order.find(owner("bob")) == Contact("bob@domain.test", "domain")
    assert await in_order.find(owner("bob smith")) == Contact("user@iam.test", "iam")
    assert await directory(domain, tag, {"file": str(file)}).find(alice) == Contact("alice@domain.test", "domain")


async def test_whom_nobody_knows_has_no_contact_and_each_part_is_told(file: Path) -> None:
    """The fallback is not asked for."""
    parts: list[dict[str, object]] = [
        {"file": str(file)},
        {"tag": "contact"},
        {"domain": "domain.test"},
        {"iam": True},
        {"fallback": "ops"},
    ]
    found = await directory(*parts).find(owner("bob smith"))
    assert found == NoContact(
        f"file: {file} does not name the owner; tag: the notebook has no tag contact; "
        "domain: the name of the owner cannot be part of an address; iam: IAM knows no such user"
    )


async def test_a_part_that_cannot_answer_ends_the_search(file: Path) -> None:
    """Otherwise the domain would name somebody whom the file names otherwise."""
    remove(file)
    found = await directory({"file": str(file)}, {"domain": "domain.test"}).find(owner("alice"))
    assert found == NoContact(f"file: {file} cannot be relied on: cannot be read: No such file or directory", passing=True)
    away = await directory({"iam": True}, {"domain": "domain.test"}, away=True).find(owner("alice"))
    assert away == NoContact("iam: IAM did not answer", passing=True)


async def test_without_parts_nobody_is_found() -> None:
    """And there is no fallback."""
    for empty in (directory(), directory({"fallback": "ops"})):
        assert await empty.find(owner("alice")) == NoContact("owners names no part that knows owners")
    assert await directory().fallback() == NoContact("owners has no fallback")


@pytest.mark.parametrize(
    ("value", "contact"),
    [
        ("team@example.com", Contact("team@example.com", "fallback")),
        ("ops", Contact("", "fallback", channel="ops")),
        ("Platform Team", Contact("team@file.test", "fallback", language=Language.CHINESE, name="平台组")),
    ],
)
async def test_the_fallback_is_an_address_a_channel_or_an_owner_of_the_file(file: Path, value: str, contact: Contact) -> None:
    """In this order."""
    assert await directory({"file": str(file)}, {"fallback": value}).fallback() == contact


async def test_a_fallback_that_cannot_be_found_says_so(file: Path) -> None:
    """For now, if the file cannot be read."""
    unknown = await directory({"file": str(file)}, {"fallback": "nobody"}).fallback()
    assert unknown == NoContact(f"fallback: {file} does not name the owner")
    assert await Fallback("nobody").find() == NoContact(
        "fallback: it is neither an address nor a channel, and there is no file"
    )
    remove(file)
    away = await directory({"file": str(file)}, {"fallback": "nobody"}).fallback()
    assert isinstance(away, NoContact)
    assert away.passing


async def test_no_address_is_in_any_text(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in what is logged, and not in what a debugger or an error shows of any record."""
    caplog.set_level(logging.DEBUG)
    write(file, f"{FILE}broken: [hidden@file.test]\n")
    user = IamUser("u", "user@iam.test")
    parts: list[dict[str, object]] = [
        {"file": str(file)},
        {"tag": "contact"},
        {"iam": True},
        {"fallback": "boss@fallback.test"},
    ]
    made = directory(*parts, user=user)
    people = [owner("alice"), owner("bob", contact="bob@tag.test"), owner("carol", contact="x y@tag.test")]
    found = [await made.find(each) for each in people] + [await made.fallback()]
    shown = f"{made!r} {people!r} {found!r} {user!r} {caplog.text}"
    assert "Contact(source='file'" in shown
    assert not [word for word in ("file.test", "tag.test", "iam.test", "fallback.test") if word in shown]
