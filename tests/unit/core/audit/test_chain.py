"""The chain: any change to it is found, and where it is."""

import json
from hashlib import sha256
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.audit.chain import (
    START,
    Break,
    Flaw,
    Head,
    Link,
    canonical,
    content,
    join,
    parse_head,
    verify,
    verify_coverage,
    verify_end,
)
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry

texts = st.text(max_size=12)
VALUES: dict[object, st.SearchStrategy[Any]] = {
    str: texts,
    str | None: st.none() | texts,
    int: st.integers(0, 2**63 - 1),
    int | None: st.none() | st.integers(0, 2**63 - 1),
}
any_entry = st.builds(AuditEntry, **{name: VALUES[hint] for name, hint in get_type_hints(AuditEntry).items()})


def chain_of(entries: list[AuditEntry]) -> list[Link]:
    """Count entries, and chain them from the beginning."""
    return join([entry._replace(sequence=number) for number, entry in enumerate(entries, 1)], START)


chains = st.lists(any_entry, min_size=1, max_size=6).map(chain_of)


def broken(links: list[Link], noted: Head | None = None) -> Break:
    """Return the break that a chain has."""
    found = verify(links, noted=[noted] if noted else [])
    assert isinstance(found, Break)
    return found


@searching
@given(any_entry)
def test_the_canonical_form_is_json_that_anybody_can_write(entry: AuditEntry) -> None:
    """Sorted keys, no blanks, ASCII: as the README tells those who verify an export by their own means."""
    assert canonical(entry) == json.dumps(content(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


AWKWARD = AuditEntry(
    sequence=7,
    moment_us=1_790_000_000_000_001,
    what="decided",
    target="lab \u007f\u2028",
    run_id='run"1\\',
    started_by="",
    notebook_id="nb\x00\t\n",
    name="Zoë 名 \U0001f9ea </script>",
    owner="\ud800 alone",
    policy="idle / {}",
    reason="idle 21d (over 14d)\r\b\f",
    requests=0,
    request_id="'",
    status_before=None,
    workspace_id="0",
    feature=None,
    capacity_gb=None,
    category="EVS",
)


@pytest.mark.parametrize(
    ("project", "digest"),
    [
        ("", "61d17c01c07e4949512b6e855071039742e68208c41223a3ea439e3e876d1a33"),
        ("https://modelarts.example é", "6f8903d4c57ef1cc933b9d2f93812843a51bae1762f3b36d81969a1891756ff6"),
    ],
)
def test_awkward_text_has_the_digest_that_existing_journals_hold(project: str, digest: str) -> None:
    """Quotes, control characters, a lone surrogate, other scripts and missing facts, with and without a project."""
    [link] = join([AWKWARD._replace(project=project)], Head(6, "ab" * 32))
    assert link.digest == digest


@searching
@given(chains)
def test_a_digest_is_of_the_one_before_and_the_canonical_form(links: list[Link]) -> None:
    """The first follows on sixty-four zeros."""
    before = "0" * 64
    for link in links:
        exported = json.dumps(content(link.entry), sort_keys=True, separators=(",", ":"))
        before = sha256((before + exported).encode()).hexdigest()
        assert link.digest == before


@searching
@given(chains, st.integers(0, 6))
def test_an_unbroken_chain_is_unbroken_in_parts_too(links: list[Link], cut: int) -> None:
    """Its head is the last of it, and is found again by who has noted it."""
    head = Head(links[-1].entry.sequence, links[-1].digest)
    between = verify(links[:cut])
    assert isinstance(between, Head)
    assert verify(links[cut:], between, [head]) == verify(links) == head
    assert verify_end(head, head) is None


@searching
@given(chains, st.data())
def test_an_altered_entry_is_found(links: list[Link], data: st.DataObject) -> None:
    """Whichever of its fields it was, and whatever it was made."""
    place = data.draw(st.integers(0, len(links) - 1))
    name = data.draw(st.sampled_from([name for name in AuditEntry._fields if name != "sequence"]))
    value: Any = data.draw(st.none() | texts | st.integers() | st.floats() | st.binary(max_size=3))
    entry = links[place].entry
    if value != getattr(entry, name) or type(value) is not type(getattr(entry, name)):
        links[place] = Link(entry._replace(**{name: value}), links[place].digest)
        found = broken(links)
        assert (found.flaw, found.sequence) == (Flaw.ALTERED, place + 1)
        assert found.unbroken == (Head(place, links[place - 1].digest) if place else START)


@searching
@given(chains, st.data())
def test_an_entry_that_was_altered_with_its_digest_is_found_at_the_next(links: list[Link], data: st.DataObject) -> None:
    """And at the last, by who has noted the head."""
    place = data.draw(st.integers(0, len(links) - 1))
    noted = Head(len(links), links[-1].digest)
    forged = links[place].entry._replace(reason=f"{links[place].entry.reason}!")
    before = Head(place, links[place - 1].digest) if place else START
    [links[place]] = join([forged], before)
    found = broken(links, noted)
    assert (found.flaw, found.sequence) == ((Flaw.ALTERED, place + 2) if place + 1 < len(links) else (Flaw.REPLACED, place + 1))


@searching
@given(chains, st.data())
def test_a_chain_that_was_made_anew_is_found_by_who_has_noted_its_head(links: list[Link], data: st.DataObject) -> None:
    """For by itself it is unbroken."""
    place = data.draw(st.integers(0, len(links) - 1))
    noted = Head(len(links), links[-1].digest)
    entries = [link.entry for link in links]
    entries[place] = entries[place]._replace(name=f"{entries[place].name}!")
    forged = chain_of(entries)
    assert isinstance(verify(forged), Head)
    assert broken(forged, noted).flaw is Flaw.REPLACED


@searching
@given(chains, st.data())
def test_a_removed_entry_is_found(links: list[Link], data: st.DataObject) -> None:
    """In the middle by itself; at the end by who has noted the head."""
    place = data.draw(st.integers(0, len(links) - 1))
    noted = Head(len(links), links[-1].digest)
    del links[place]
    if place < len(links):
        found = broken(links, noted)
        assert (found.flaw, found.sequence) == (Flaw.MISSING, place + 1)
    else:
        head = verify(links, noted=[noted])
        assert isinstance(head, Head)
        cut = verify_end(head, noted)
        assert cut
        assert (cut.flaw, cut.sequence) == (Flaw.CUT, place + 1)


@searching
@given(st.lists(any_entry, min_size=2, max_size=6).map(chain_of), st.data())
def test_two_entries_that_have_changed_places_are_found(links: list[Link], data: st.DataObject) -> None:
    """With their numbers, or without."""
    one, other = sorted(data.draw(st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True)))
    first, second = links[one], links[other]
    if data.draw(st.booleans()):
        links[one], links[other] = second, first
        assert broken(links).flaw is Flaw.MISSING
    elif first.entry._replace(sequence=0) != second.entry._replace(sequence=0):
        links[one] = Link(second.entry._replace(sequence=first.entry.sequence), second.digest)
        links[other] = Link(first.entry._replace(sequence=second.entry.sequence), first.digest)
        assert (broken(links).flaw, broken(links).sequence) == (Flaw.ALTERED, one + 1)


@searching
@given(chains, any_entry, st.data())
def test_an_inserted_entry_is_found(links: list[Link], entry: AuditEntry, data: st.DataObject) -> None:
    """Though it follows on the one before it: what came after does not follow on it."""
    place = data.draw(st.integers(0, len(links) - 1))
    before = Head(place, links[place - 1].digest) if place else START
    links[place:place] = join([entry._replace(sequence=place + 1)], before)
    found = broken(links)
    if links[place] == links[place + 1]:
        assert found.flaw is Flaw.OUT_OF_ORDER
    else:
        assert (found.flaw, found.sequence) == (Flaw.OUT_OF_ORDER, place + 1)


def test_a_break_is_told_in_a_sentence() -> None:
    """What is wrong there, and what that means."""
    entry = AuditEntry(0, 0, "decided", "t", "r", "cron", "n", "n", "o", "p", "because", 0, "", None, None, None, None, None)
    links = chain_of([entry] * 5)
    assert broken([*links[:2], *links[4:]]).problem == (
        "the entries 3 to 4 are missing before entry 5: removed from the journal"
    )
    assert broken([*links[:2], links[3]]).problem.startswith("entry 3 is missing before entry 4")
    altered = broken([*links[:2], links[2]._replace(digest="0" * 64)]).problem
    assert altered == (
        "the digest of entry 3 is not that of its content and the digest before it: "
        "this entry, or entry 2 with its digest, was altered after it was written"
    )
    cut = verify_end(Head(2, links[1].digest), Head(5, links[4].digest))
    assert cut
    assert cut.problem.startswith("the chain ends with entry 2, and entry 5 was noted")


def test_removals_that_the_trail_says_nothing_of_show_that_it_was_cut() -> None:
    """But not those that are older than it."""
    assert verify_coverage(Head(3, "a"), AuditCoverage("lab", older=9)) is None
    found = verify_coverage(Head(3, "a"), AuditCoverage("lab", older=9, missing=2))
    assert found
    assert (found.flaw, found.sequence) == (Flaw.CUT, 4)
    assert "2 removals are in the journal" in found.problem


@searching
@given(st.integers(0, 10**9), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_head_is_read_as_it_is_written(sequence: int, digest: str) -> None:
    """Also with what copying it may have added."""
    head = Head(sequence, digest)
    assert parse_head(str(head)) == head
    assert parse_head(f" {str(head).upper()}\n") == head


@pytest.mark.parametrize(
    "text",
    ["", "7", "7:", "7:abc", f":{'0' * 64}", f"-1:{'0' * 64}", f"7:{'g' * 64}", "\u0667:" + "0" * 64],
)
def test_what_is_no_head_is_told_how_one_looks(text: str) -> None:
    """It is not taken for another."""
    with pytest.raises(ValueError, match="a number, a colon and 64 hexadecimal digits"):
        parse_head(text)
