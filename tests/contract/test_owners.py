"""What every owners' directory and every part of one keeps to, whoever the owner is."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hand_clock import HandClock
from nbsweep.adapters.owners.directory import ChainDirectory, Fallback, NamedPart
from nbsweep.adapters.owners.file import FileReader
from nbsweep.adapters.owners.iam import IamPart
from nbsweep.adapters.owners.parts import DomainPart, FilePart, Part, TagPart
from nbsweep.core.errors import Forbidden, Unreachable
from nbsweep.core.notices.contacts import Contact, IamUser, NoContact, Owner, OwnerDirectory
from nbsweep.testing.people import KnownOwners

Find = Callable[[Owner], Awaitable[Contact | NoContact]]
ALICE = Owner("u-1", "alice", {"contact": "alice@known.test"}, "lab")
STRANGERS = [
    Owner("u-2", "bob"),
    Owner("", ""),
    Owner("u-3", "eve@evil.test\r\nBcc: eve@evil.test", {"contact": "eve@evil.test, mallory@evil.test"}, "lab"),
    Owner("../u-1", "al ice", {"contact": None}, "nowhere"),
    Owner("u-4", "\ud800", {"contact": "\ud800@evil.test"}, "lab"),
]
FILE = "alice: alice@known.test\n"


async def look_up(user_id: str) -> IamUser | None:
    """Know one user; do not show the others, or do not answer."""
    if user_id == "u-1":
        return IamUser("u-1", "alice@known.test")
    if user_id == "u-4":
        raise Unreachable("eve@evil.test cannot be reached")
    raise Forbidden("eve@evil.test may not be seen", http_status=403)


def parts(folder: Path) -> dict[str, Part]:
    """Return one part of each kind, each of which knows Alice."""
    path = folder / "owners.yaml"
    path.write_text(FILE, encoding="utf-8")
    return {
        "file": FilePart(FileReader(path)),
        "tag": TagPart("contact"),
        "domain": DomainPart("known.test"),
        "iam": IamPart({"lab": look_up}, HandClock()),
    }


def fake() -> KnownOwners:
    """Return the directory for tests."""
    known = {"u-1": Contact("alice@known.test", "file")}
    return KnownOwners(known, NoContact("not known"), standby=Contact("team@known.test", "fallback"))


def chain(folder: Path) -> ChainDirectory:
    """Return the real directory of all parts."""
    named = [NamedPart(key, part) for key, part in parts(folder).items() if key != "domain"]
    return ChainDirectory(named, Fallback("team@known.test"))


@pytest.fixture(params=["file", "tag", "domain", "iam", "chain", "fake"])
def find(request: pytest.FixtureRequest, tmp_path: Path) -> Find:
    """Return the method that finds owners, of each implementation in turn."""
    if request.param == "fake":
        return fake().find
    return chain(tmp_path).find if request.param == "chain" else parts(tmp_path)[request.param].find


@pytest.fixture(params=["chain", "fake"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> OwnerDirectory:
    """Return each directory in turn."""
    return fake() if request.param == "fake" else chain(tmp_path)


async def test_an_owner_who_is_known_has_one_address(find: Find) -> None:
    """The same each time, with the part that knew it."""
    found = await find(ALICE)
    assert isinstance(found, Contact)
    assert found.address == "alice@known.test"
    assert found.source in {"file", "tag", "domain", "iam"}
    assert await find(ALICE) == found


@pytest.mark.parametrize("owner", STRANGERS, ids=range(len(STRANGERS)))
async def test_a_stranger_is_not_found_and_nothing_is_raised(find: Find, owner: Owner) -> None:
    """Or found at the configured domain; and the reason is one line that repeats nothing of theirs."""
    found = await find(owner)
    if isinstance(found, Contact):
        assert found.address == f"{owner.name}@known.test"
        return
    assert found.why
    assert found.why.isprintable()
    assert "evil" not in found.why
    assert "@" not in found.why


async def test_no_representation_shows_an_address(find: Find, directory: OwnerDirectory) -> None:
    """Of an owner with their tags, or of a contact."""
    shown = f"{ALICE!r} {await find(ALICE)!r} {await directory.fallback()!r}"
    assert "known.test" not in shown


async def test_the_fallback_is_told_apart(directory: OwnerDirectory) -> None:
    """By its source."""
    found = await directory.fallback()
    assert isinstance(found, Contact)
    assert (found.address, found.source) == ("team@known.test", "fallback")
