"""The verification of the audit trail: whatever is done to the record is found, and where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.audit.chain import LEGACY, START, Flaw, Head, Link, join
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry, AuditQuery
from nbsweep.core.audit.heads import ChainHead, NotedHead, in_order
from nbsweep.core.audit.verification import VerifiedTrail, anchor_of
from nbsweep.service.trail_verifier import TrailVerifier


@dataclass
class Record:
    """A trail whose entries and heads can be changed at will."""

    links: list[Link] = field(default_factory=list)
    ends: dict[str, Head] = field(default_factory=dict)
    uncovered: tuple[AuditCoverage, ...] = ()

    def write(self, chain: str, reason: str = "") -> None:
        """Append an entry as nbsweep does; the legacy chain has entries of all targets."""
        head = self.ends.get(chain) or (START if chain == LEGACY else anchor_of(self.ends.get(LEGACY)))
        [link] = join([entry(head.sequence + 1, "lab" if chain == LEGACY else chain, reason)], head, chain)
        self.links.append(link._replace(position=len(self.links) + 1))
        self.ends[chain] = Head(link.entry.sequence, link.digest)

    def rewrite(self) -> None:
        """Number all entries anew, and compute all digests and heads anew, as a forger with skill does."""
        old, self.links, self.ends = self.links, [], {}
        for link in sorted(old, key=lambda link: link.chain != LEGACY):
            self.write(link.chain, link.entry.reason)

    def of(self, chain: str) -> list[Link]:
        """Return the entries of a chain, in its order."""
        return sorted((link for link in self.links if link.chain == chain), key=lambda link: link.entry.sequence)

    def put(self, old: Link, new: Link) -> None:
        """Put an entry in the place of another."""
        self.links[self.links.index(old)] = new

    async def heads(self) -> Mapping[str, Head]:
        """Return the recorded heads."""
        return dict(self.ends)

    async def chains(self) -> tuple[str, ...]:
        """Return the chains of entries and heads."""
        return tuple(in_order({*self.ends, *(link.chain for link in self.links)}))

    async def head(self, chain: str) -> Head | None:
        """Return a recorded head."""
        return self.ends.get(chain)

    async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        """Return entries of a chain."""
        return tuple(link for link in self.of(chain) if link.entry.sequence > sequence)[:limit]

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """Fail, because a verification does not read backwards."""
        raise NotImplementedError(query, limit)

    async def coverage(self) -> tuple[AuditCoverage, ...]:
        """Return what the test says."""
        return self.uncovered


def entry(sequence: int, target: str, reason: str) -> AuditEntry:
    """Return an entry of a target."""
    return AuditEntry(
        sequence, 0, "decided", target, "r", "cron", "n", "n", "o", "p", reason, 0, "", None, None, None, None, None
    )


async def verified(record: Record, *noted: NotedHead, chunk: int = 2) -> VerifiedTrail:
    """Verify a record in small parts."""
    return await TrailVerifier(record, noted, chunk).verify()


def flaws(found: VerifiedTrail) -> list[tuple[str, Flaw, int]]:
    """Return what is wrong, by chain."""
    return [(each.chain, each.broken.flaw, each.broken.sequence) for each in found.chains if each.broken]


def record_of(*chains: str) -> Record:
    """Return a record with an entry for each mention of a chain, in this order."""
    record = Record()
    for number, chain in enumerate(chains):
        record.write(chain, f"reason {number}")
    return record


chain_names = st.sampled_from(["", "lab", "teaching"])
written = st.builds(
    lambda legacy, later: record_of(*[LEGACY] * legacy, *later),
    st.integers(0, 4),
    st.lists(chain_names, min_size=1, max_size=12),
)


# ---- what is as it was written --------------------------------------------------------------------------------------------


@searching
@given(written, st.integers(1, 5))
async def test_an_untouched_record_is_unbroken(record: Record, chunk: int) -> None:
    """Whatever the interleaving, and the size of the parts; each head and the line for all are found again, later too."""
    first = await verified(record, chunk=chunk)
    assert first.is_unbroken
    assert {each.chain: each.head for each in first.chains} == record.ends
    assert first.together
    single = [ChainHead(chain, head) for chain, head in record.ends.items()]
    record.write("lab")
    record.write("new")
    again = await verified(record, *single, first.together, chunk=chunk)
    assert again.is_unbroken
    assert sum(len(each.noted) for each in again.chains) == len(single)


async def test_what_is_written_during_the_verification_is_no_break() -> None:
    """An entry that comes between the last part and the recorded head is verified too."""
    record = record_of("lab", "lab")
    read, grown = record.after, False

    async def after(chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        nonlocal grown
        links = await read(chain, sequence, limit)
        if len(links) < limit and not grown:
            grown = True
            record.write("lab")
            record.write("lab")
        return links

    record.after = after  # type: ignore[method-assign]
    found = await verified(record)
    assert found.is_unbroken
    assert found.chains[0].head.sequence == 4


async def test_a_chain_that_was_only_locked_is_none() -> None:
    """A transaction that found nothing to append leaves a head with number 0."""
    record = record_of(LEGACY)
    record.ends["lab"] = anchor_of(record.ends[LEGACY])
    found = await verified(record)
    assert found.is_unbroken
    assert [each.chain for each in found.chains] == [LEGACY]


async def test_an_empty_record_has_nothing_to_note() -> None:
    """There is no chain at all."""
    assert await verified(Record()) == VerifiedTrail()


# ---- what was done to it by hand ------------------------------------------------------------------------------------------


def change(record: Record, data: st.DataObject) -> None:
    """An entry says something else."""
    link = data.draw(st.sampled_from(record.links))
    record.put(link, link._replace(entry=link.entry._replace(reason="another")))


def change_with_digest(record: Record, data: st.DataObject) -> None:
    """The digest follows on the one before it; the next entry or the recorded head does not."""
    link = data.draw(st.sampled_from(record.links))
    before = record.of(link.chain)[: link.entry.sequence - 1]
    start = START if link.chain == LEGACY else anchor_of(record.ends.get(LEGACY))
    [new] = join([link.entry._replace(reason="another")], Head(0, before[-1].digest) if before else start, link.chain)
    record.put(link, new._replace(position=link.position))


def remove(record: Record, data: st.DataObject) -> None:
    """An entry is gone."""
    record.links.remove(data.draw(st.sampled_from(record.links)))


def insert(record: Record, data: st.DataObject) -> None:
    """It follows on the entry before it, in the middle or behind the end."""
    link = data.draw(st.sampled_from(record.links))
    head = Head(link.entry.sequence, link.digest)
    record.links += join([entry(head.sequence + 1, link.entry.target, "inserted")], head, link.chain)


def swap(record: Record, data: st.DataObject) -> None:
    """Two entries of any chains change their contents."""
    one, other = data.draw(st.sampled_from(record.links)), data.draw(st.sampled_from(record.links))
    if one.entry.reason != other.entry.reason:
        first, second = one.entry.reason, other.entry.reason
        record.put(one, one._replace(entry=one.entry._replace(reason=second)))
        record.put(other, other._replace(entry=other.entry._replace(reason=first)))
    else:
        record.links.remove(one)


def move(record: Record, data: st.DataObject) -> None:
    """An entry goes to the end of another chain, with the number and digest that it needs there."""
    link = data.draw(st.sampled_from(record.links))
    chain = data.draw(chain_names.filter(lambda name: name not in (link.chain, link.entry.target)))
    record.links.remove(link)
    head = record.ends.get(chain) or anchor_of(record.ends.get(LEGACY))
    [moved] = join([link.entry._replace(sequence=head.sequence + 1)], head, chain)
    record.links.append(moved._replace(position=link.position))
    record.ends[chain] = Head(moved.entry.sequence, moved.digest)


def rename(record: Record, data: st.DataObject) -> None:
    """A whole chain is called like another target."""
    chain = data.draw(st.sampled_from([link.chain for link in record.links]))
    record.links = [link._replace(chain="renamed") if link.chain == chain else link for link in record.links]
    record.ends["renamed"] = record.ends.pop(chain)


def cut(record: Record, data: st.DataObject) -> None:
    """A chain ends earlier."""
    link = data.draw(st.sampled_from(record.links))
    gone = [each for each in record.of(link.chain) if each.entry.sequence >= link.entry.sequence]
    record.links = [each for each in record.links if each not in gone]


def forget_head(record: Record, data: st.DataObject) -> None:
    """The record of a chain's last entry is gone."""
    chain = data.draw(st.sampled_from(sorted(record.ends)))
    del record.ends[chain]


def alter_head(record: Record, data: st.DataObject) -> None:
    """The record of a chain's last entry says something else."""
    chain = data.draw(st.sampled_from(sorted(record.ends)))
    head = record.ends[chain]
    record.ends[chain] = data.draw(
        st.sampled_from(
            [Head(head.sequence, "f" * 64), Head(head.sequence + 1, head.digest), Head(head.sequence - 1, head.digest)]
        )
    )


Tampering = Callable[[Record, st.DataObject], None]
BY_HAND: list[Tampering] = [
    change, change_with_digest, remove, insert, swap, move, rename, cut, forget_head, alter_head
]  # fmt: skip


@pytest.mark.parametrize("tamper", BY_HAND)
@searching
@given(record=written, data=st.data())
async def test_what_is_done_to_the_record_is_found(tamper: Tampering, record: Record, data: st.DataObject) -> None:
    """Without any note, as long as not every later digest and the recorded head are computed anew."""
    tamper(record, data)
    assert not (await verified(record)).is_unbroken


@searching
@given(written, st.data())
async def test_the_end_of_the_legacy_chain_is_held_by_every_later_chain(record: Record, data: st.DataObject) -> None:
    """Though its recorded head was changed with it, and there is no note."""
    record = record_of(LEGACY, LEGACY, LEGACY, *(link.chain for link in record.links if link.chain != LEGACY))
    last = data.draw(st.integers(0, 2))
    kept = record.of(LEGACY)[:last]
    record.links = [*kept, *(link for link in record.links if link.chain != LEGACY)]
    record.ends[LEGACY] = Head(last, kept[-1].digest) if kept else START
    found = await verified(record)
    assert {(flaw, number) for _, flaw, number in flaws(found)} == {(Flaw.ALTERED, 1)}
    assert len(flaws(found)) == len(found.chains) - bool(kept)


# ---- what was done with skill ---------------------------------------------------------------------------------------------


def change_all(record: Record, data: st.DataObject) -> None:
    """An entry says something else."""
    change(record, data)
    record.rewrite()


def remove_all(record: Record, data: st.DataObject) -> None:
    """An entry is gone, and the later ones are numbered anew."""
    remove(record, data)
    record.rewrite()


def cut_all(record: Record, data: st.DataObject) -> None:
    """A chain ends earlier."""
    cut(record, data)
    record.rewrite()


def remove_chain(record: Record, data: st.DataObject) -> None:
    """A chain is gone."""
    chain = data.draw(st.sampled_from([link.chain for link in record.links]))
    record.links = [link for link in record.links if link.chain != chain]
    record.rewrite()


BY_SKILL: list[Tampering] = [change_all, remove_all, cut_all, remove_chain]


@pytest.mark.parametrize("tamper", BY_SKILL)
@searching
@given(record=written, data=st.data())
async def test_a_record_that_was_made_anew_is_found_by_the_noted_heads(
    tamper: Tampering, record: Record, data: st.DataObject
) -> None:
    """By those of the single chains, and by the one line for all; by itself, it is unbroken."""
    line = (await verified(record)).together
    single = [ChainHead(chain, head) for chain, head in record.ends.items()]
    assert line
    tamper(record, data)
    assert (await verified(record)).is_unbroken
    assert not (await verified(record, line)).is_unbroken
    assert not (await verified(record, *single)).is_unbroken
    record.write("lab")
    assert not (await verified(record, line)).is_unbroken


async def test_a_chain_that_was_removed_whole_is_named() -> None:
    """By a noted head of it, by the line for all, and by the removals that are still in the journal."""
    record = record_of("lab", "teaching", "lab", "teaching")
    line, head = (await verified(record)).together, record.ends["teaching"]
    assert line
    record.links = record.of("lab")
    del record.ends["teaching"]
    for noted in (ChainHead("teaching", head), line):
        assert flaws(await verified(record, noted)) == [("teaching", Flaw.CUT, 1)]
    record.uncovered = (AuditCoverage("teaching", older=1, missing=2),)
    found = await verified(record)
    assert flaws(found) == [("teaching", Flaw.CUT, 1)]
    assert [each.broken for each in found.chains if each.chain == "lab"] == [None]


# ---- notes ----------------------------------------------------------------------------------------------------------------


async def test_a_head_of_an_older_version_is_found_in_the_legacy_chain() -> None:
    """It is written without a name; its digest is compared."""
    record = record_of(LEGACY, LEGACY, "lab")
    head = Head(1, record.of(LEGACY)[0].digest)
    found = await verified(record, ChainHead(None, head))
    assert found.is_unbroken
    assert [each.noted for each in found.chains] == [(head,), ()]
    assert flaws(await verified(record, ChainHead(None, Head(1, "0" * 64)))) == [(LEGACY, Flaw.REPLACED, 1)]
    assert flaws(await verified(record, ChainHead(None, Head(3, "0" * 64)))) == [(LEGACY, Flaw.CUT, 3)]


async def test_a_head_without_a_name_of_one_of_several_chains_is_asked_for_its_name() -> None:
    """It is not taken for that of a chain that happens to have it."""
    record = record_of("lab", "teaching")
    found = await verified(record, ChainHead(None, record.ends["lab"]))
    [broken] = [each.broken for each in found.chains if each.broken]
    assert "name it: TARGET=NUMBER:DIGEST" in broken.problem
    assert (await verified(record_of("lab"), ChainHead(None, record.ends["lab"]))).is_unbroken


# ---- parts ----------------------------------------------------------------------------------------------------------------


@searching
@given(written, st.integers(1, 3))
async def test_a_verification_goes_on_where_it_stopped(record: Record, chunk: int) -> None:
    """Each part says where the next begins; together they are the whole, with the same line for all chains."""
    whole = await verified(record)
    assert whole.together
    after, entries = None, 0
    while True:
        part = await TrailVerifier(record, (whole.together,), chunk, lambda: True).verify(after)
        assert part.is_unbroken
        entries += sum(each.head.sequence - each.after.sequence for each in part.chains)
        after = part.following
        if after is None:
            break
    assert entries == len(record.links)
    assert part.together == whole.together
