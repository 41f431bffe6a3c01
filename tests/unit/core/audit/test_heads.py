"""Heads as people note them: of one chain, or of all in one line."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.audit.chain import LEGACY, Head
from nbsweep.core.audit.heads import AllHeads, ChainHead, chain_name, join_heads, parse_noted
from nbsweep.core.audit.verification import heads_by_chain

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
heads = st.builds(Head, st.integers(0, 10**9), digests)
chains = names | st.just("")


@searching
@given(chains, heads)
def test_a_head_of_a_chain_is_read_as_it_is_written(chain: str, head: Head) -> None:
    """Also with what copying it may have added, and that of the entries of no target."""
    noted = ChainHead(chain, head)
    assert parse_noted(str(noted)) == parse_noted(f" {noted}\n") == noted


@searching
@given(heads)
def test_a_head_without_a_name_is_read_as_before(head: Head) -> None:
    """That of the legacy chain is written like this."""
    assert str(ChainHead(LEGACY, head)) == str(head)
    assert parse_noted(str(head)) == ChainHead(None, head)


@searching
@given(st.dictionaries(chains | st.just(LEGACY), heads, max_size=5))
def test_a_line_for_all_chains_is_read_as_it_is_written(ends: dict[str, Head]) -> None:
    """Its digest is of the sorted names, numbers and digests, the legacy chain first."""
    line = join_heads(ends)
    assert parse_noted(str(line)) == line
    order = sorted(ends, key=lambda name: "" if name == LEGACY else f"x{name}")
    listed = [[name, ends[name].sequence, ends[name].digest] for name in order]
    assert line.digest == sha256(json.dumps(listed, separators=(",", ":")).encode()).hexdigest()
    assert [name for name, _ in line.sequences] == order


def test_a_line_is_short_and_plain() -> None:
    """Numbers by chain; the entries of no target have a dash for a name, and the legacy chain none."""
    line = AllHeads(((LEGACY, 120), ("", 3), ("lab", 12)), "ab" * 32)
    assert str(line) == f"all:120,-=3,lab=12:{'ab' * 32}"
    assert chain_name("two\nlines") == '"two\\nlines"'


@pytest.mark.parametrize(
    "text", ["", "lab", "lab=", "lab=7", "a b=7:" + "0" * 64, "=7:" + "0" * 64, "all:lab:" + "0" * 64, "all:7"]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    """It is not taken for another."""
    with pytest.raises(ValueError, match=r"before '='|a number, a colon and 64 hexadecimal digits"):
        parse_noted(text)


FIRST, SECOND = Head(1, "0" * 64), Head(2, "1" * 64)


@pytest.mark.parametrize(
    ("existing", "assigned"),
    [((LEGACY, "lab"), LEGACY), (("lab",), "lab"), (("lab", "teaching"), LEGACY), ((), LEGACY)],
)
def test_a_head_without_a_name_belongs_to_the_legacy_chain_or_to_the_only_one(existing: tuple[str, ...], assigned: str) -> None:
    """Of several chains none is guessed: the legacy chain, which is not there, does not have it."""
    noted = (ChainHead(None, FIRST), ChainHead("other", SECOND))
    assert heads_by_chain(noted, existing) == {assigned: [FIRST], "other": [SECOND]}
