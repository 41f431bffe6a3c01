"""The parts that look at the file, the tags and the name."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsweep.adapters.owners.file import FileReader
from nbsweep.adapters.owners.parts import DomainPart, FilePart, TagPart
from nbsweep.core.notices.addresses import is_address
from nbsweep.core.notices.contacts import Contact, NoContact, Owner

ALICE = Owner("u-1", "alice")


def file_part(path: Path, text: str) -> FilePart:
    """Write the file, and return the part that reads it."""
    path.write_text(text, encoding="utf-8")
    return FilePart(FileReader(path))


@pytest.mark.parametrize("key", ["alice", "ALICE", "u-1", "U-1"])
async def test_the_file_finds_an_owner_by_name_or_id(tmp_path: Path, key: str) -> None:
    """Without regard to case."""
    part = file_part(tmp_path / "owners.yaml", f"{key}: alice@example.com\n")
    assert await part.find(ALICE) == Contact("alice@example.com", "file")


async def test_the_suffix_says_how_a_file_is_read(tmp_path: Path) -> None:
    """`.csv` in any case is CSV."""
    part = file_part(tmp_path / "owners.CSV", "owner,email\nalice,alice@example.com\n")
    assert isinstance(await part.find(ALICE), Contact)


@pytest.mark.parametrize("owner", [Owner("u-2", "bob"), Owner("", "bob"), Owner("", "")])
async def test_an_owner_whom_the_file_does_not_name_is_not_found(tmp_path: Path, owner: Owner) -> None:
    """A file without mistakes is sure of that."""
    found = await file_part(tmp_path / "owners.yaml", "alice: alice@example.com\n").find(owner)
    assert isinstance(found, NoContact)
    assert not found.passing


async def test_an_owner_with_two_entries_is_a_mistake(tmp_path: Path) -> None:
    """One by name and one by id: which one holds is not known."""
    part = file_part(tmp_path / "owners.yaml", "alice: alice@example.com\nu-1: other@example.com\n")
    found = await part.find(ALICE)
    assert isinstance(found, NoContact)
    assert found.passing
    assert found.why.endswith("lines 1 and 2 are about the same owner, by name and by id; keep one")


async def test_a_file_with_a_mistake_still_names_those_whose_entries_are_right(tmp_path: Path) -> None:
    """Of all others it is not known whether it names them."""
    part = file_part(tmp_path / "owners.yaml", "alice: alice@example.com\nbob: nowhere\n")
    assert isinstance(await part.find(ALICE), Contact)
    for other in (Owner("u-2", "bob"), Owner("u-3", "carol"), Owner("u-1", "bob")):
        found = await part.find(other)
        assert isinstance(found, NoContact)
        assert found.passing
        assert found.why.startswith(f"{tmp_path}/owners.yaml cannot be relied on: line 2: email must be one mail address")


@pytest.mark.parametrize("there", ["nothing", "a folder", "a pipe"])
async def test_a_file_that_cannot_be_read_is_never_an_empty_one(tmp_path: Path, there: str) -> None:
    """A later attempt may succeed."""
    path = tmp_path / "owners.yaml"
    if there == "a folder":
        path.mkdir()
    if there == "a pipe":
        os.mkfifo(path)
    found = await FilePart(FileReader(path)).find(ALICE)
    assert isinstance(found, NoContact)
    assert found.passing
    assert found.why.startswith(f"{path} cannot be relied on: ")


async def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    """Its time, its size, or the file behind the name; a file that vanished does not live on."""
    path = tmp_path / "owners.yaml"
    part = file_part(path, "alice: alice@example.com\n")
    first = await part.reader.current()
    assert await part.reader.current() is first
    path.write_text("alice: other@example.com\n", encoding="utf-8")
    assert await part.find(ALICE) == Contact("other@example.com", "file")
    status = path.stat()
    path.write_text("alice: third@example.com\n", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert await part.find(ALICE) == Contact("third@example.com", "file")
    path.unlink()
    assert isinstance(await part.find(ALICE), NoContact)
    path.write_text("alice: alice@example.com\n", encoding="utf-8")
    assert isinstance(await part.find(ALICE), Contact)


async def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A sparse file costs nothing, and must not fill the memory."""
    path = tmp_path / "owners.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    found = await FilePart(FileReader(path)).find(ALICE)
    assert isinstance(found, NoContact)
    assert "is larger than 4194304 bytes" in found.why


async def test_a_tag_holds_the_address() -> None:
    """Spaces around it are left out."""
    owner = Owner("u-1", "alice", {"contact": " alice@example.com "})
    assert await TagPart("contact").find(owner) == Contact("alice@example.com", "tag")


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, "the notebook has no tag contact"),
        ({"Contact": "a@example.com"}, "the notebook has no tag contact"),
        ({"contact": None}, "the notebook has no tag contact"),
        ({"contact": ""}, "the notebook has no tag contact"),
        ({"contact": "alice"}, "the tag contact is no address"),
        ({"contact": "Alice <a@example.com>"}, "the tag contact is no address"),
        ({"contact": "a@example.com,b@example.com"}, "the tag contact is no address"),
        ({"contact": "a@example.com\r\nBcc: b@example.com"}, "the tag contact is no address"),
    ],
)
async def test_a_tag_without_an_address_is_not_used(tags: dict[str, str | None], why: str) -> None:
    """And its value is not repeated."""
    assert await TagPart("contact").find(Owner("u-1", "alice", tags)) == NoContact(why)


async def test_a_name_becomes_an_address_at_the_domain() -> None:
    """If it can."""
    part = DomainPart("example.com")
    assert await part.find(ALICE) == Contact("alice@example.com", "domain")
    assert await part.find(Owner("u-1", "")) == NoContact("the name of the owner is unknown")
    assert await part.find(Owner("u-1", "alice@evil.test")) == NoContact("the name of the owner cannot be part of an address")


TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["a@b.c", "a@evil.test\n", "a b", "@", "\0", "a@b.com@c.com", "x\u202e"])
)


@given(TEXTS, TEXTS)
async def test_no_name_and_no_tag_leads_to_a_wrong_address(name: str, value: str) -> None:
    """One plain address; and of the domain, the configured one only."""
    owner = Owner("u-1", name, {"contact": value})
    for part in (TagPart("contact"), DomainPart("example.com")):
        found = await part.find(owner)
        if isinstance(found, Contact):
            assert is_address(found.address)
            assert found.address.count("@") == 1
            assert all("!" <= character <= "~" for character in found.address)
            assert found.source == "tag" or found.address.endswith("@example.com")
