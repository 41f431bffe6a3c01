"""What the inventory keeps of a notebook: enough for every verdict, and no more."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from builders import NOON, ago, policy, protection
from generated import DATES, NOTEBOOKS, POLICIES, PROTECTIONS, Spec, build
from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.inventory.facts import KnownFacts, decode, digest_of, encode, fact_values, times_of
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.model import Image, Lease, LeaseType, Named, Notebook, Status, Volume, moment_of
from nbsweep.core.policy import judge

FULL_LEASE = Lease(
    enabled=True,
    type=LeaseType.IDLE,
    created_at=ago(days=3),
    updated_at=ago(days=2),
    duration=timedelta(hours=1, microseconds=7),
)
FULL = Notebook(
    "nb1",
    Status.STOPPED,
    name="bert",
    description="the key is hunter2",
    fail_reason="quota",
    feature="NOTEBOOK",
    flavor="cpu.2u",
    workspace_id="w1",
    owner=Named("u1", "wei"),
    pool=Named("p1", "pool"),
    image=Image("i1", "torch", "swr/torch", "BUILD_IN"),
    lease=FULL_LEASE,
    volume=Volume("EVS", "MANAGED", 50, "/home/ma-user/work", "MOUNTED"),
    billing=("STORAGE",),
    tags={"k": None, "l": ""},
    repeated_tags=(("k", "2"),),
    created_at=ago(days=9),
    updated_at=ago(days=1),
    listed=True,
)


def encoded(row: Notebook, seen: datetime | None = None) -> bytes:
    """Return the facts of a row as the journal stores them."""
    return encode(fact_values(row, seen))


def kept(notebook: Notebook, seen: datetime | None = None) -> KnownFacts:
    """Encode and decode a notebook, with the times of its row."""
    times = times_of(notebook)
    updated, lease = (None if each is None else moment_of(each) for each in (times.updated_us, times.lease_updated_us))
    return decode(notebook.id, encoded(notebook, seen), (updated, lease))


def seen_at(seen: datetime | None) -> Moment:
    """Return a moment at which the journal had seen the notebook in use."""
    return Moment(NOON, {"nb1": seen} if seen else {})


@given(row=st.builds(replace, NOTEBOOKS, listed=st.booleans()), policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_a_decoded_notebook_gets_the_verdict_of_the_row(
    row: Notebook,
    policies: list[tuple[list[Spec], Running]],
    protections: list[Spec],
    seen: datetime | None,
) -> None:
    """Bit for bit, whatever the rules ask."""
    rules = Rules(
        tuple(policy(*map(build, specs), running=running) for specs, running in policies),
        tuple(protection(build(spec)) for spec in protections),
    )
    found = kept(row, seen)
    assert judge(found.notebook, rules, seen_at(found.last_active)) == judge(row, rules, seen_at(seen))


@pytest.mark.parametrize("status", [Status.STOPPED, Status.RUNNING])
def test_every_fact_survives_and_nothing_else_is_kept(status: Status) -> None:
    """No description, no kind of image, no mount path: no policy can ask for them."""
    row = replace(FULL, status=status)
    expected = replace(
        row,
        description=None,
        image=replace(row.image, type=None),
        volume=Volume("EVS", "MANAGED", 50),
    )
    assert kept(row).notebook == expected
    assert b"hunter2" not in encoded(row, None)
    assert b"ma-user" not in encoded(row, None)


def test_a_notebook_that_shows_little_takes_little_room() -> None:
    """What is missing is left out."""
    assert encoded(Notebook("nb1", Status.RUNNING, listed=True), None) == b'{"status":"RUNNING"}'


def test_a_field_that_is_missing_is_an_unknown_fact() -> None:
    """Facts of another version: the new field is ignored, and the old one unknown, so that no pool is not a public pool."""
    facts = decode("nb1", b'{"status":"STOPPED","colour":"red"}').notebook
    assert facts == Notebook("nb1", Status.STOPPED, listed=True)
    assert idle_since(facts, Moment(NOON)) is None


def digest(row: Notebook, seen: datetime | None = None) -> int:
    """Return the digest of a row's facts."""
    return digest_of(fact_values(row, seen))


def test_the_digest_is_the_same_in_each_process_and_fits_a_database() -> None:
    """Stored ones are compared with it. The msgpack of no facts is 0x90: CRC-32 0x220d7cc9, Adler-32 0x00910091."""
    assert digest_of(()) == 0x220D7CC9 << 31 ^ 0x00910091 == 0x1106BE6480910091
    assert 0 <= digest(FULL) < 2**63


CHANGES: tuple[dict[str, object], ...] = (
    {"status": Status.ERROR},
    {"name": "bert2"},
    {"fail_reason": None},
    {"feature": "DEFAULT"},
    {"flavor": "cpu.4u"},
    {"workspace_id": "w2"},
    {"owner": Named("u1", "li")},
    {"owner": Named("u2", "wei")},
    {"pool": None},
    {"image": Image("i1", "torch", "swr/torch:2", "BUILD_IN")},
    {"lease": None},
    {"lease": replace(FULL_LEASE, enabled=False)},
    {"lease": replace(FULL_LEASE, type=LeaseType.TIMING)},
    {"lease": replace(FULL_LEASE, created_at=ago(days=4))},
    {"lease": replace(FULL_LEASE, updated_at=ago(days=1))},
    {"lease": replace(FULL_LEASE, duration=timedelta(hours=1, microseconds=8))},
    {"volume": Volume("EVS", "MANAGED", 51)},
    {"volume": Volume("EFS", "MANAGED", 50)},
    {"volume": Volume("EVS", "DEDICATED", 50)},
    {"billing": ("STORAGE", "INSTANCE")},
    {"tags": {"k": "", "l": ""}},
    {"repeated_tags": ()},
    {"created_at": ago(days=8)},
    {"updated_at": ago(days=1) + timedelta(microseconds=1)},
    {"listed": False},
)


@pytest.mark.parametrize("changed", CHANGES, ids=lambda changed: next(iter(changed)))
def test_every_change_of_a_fact_changes_the_digest_and_what_is_stored(changed: dict[str, object]) -> None:
    """Both are made of the same facts."""
    row = replace(FULL, **changed)
    assert digest(row) != digest(FULL)
    assert encoded(row) != encoded(FULL)


@pytest.mark.parametrize(
    "changed",
    [{"description": "bye"}, {"image": Image("i1", "torch", "swr/torch", "OTHER")}, {"volume": Volume("EVS", "MANAGED", 50)}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_change_that_is_no_fact_changes_neither(changed: dict[str, object]) -> None:
    """Nothing is written for it."""
    row = replace(FULL, **changed)
    assert digest(row) == digest(FULL)
    assert encoded(row) == encoded(FULL)


@given(one=NOTEBOOKS, other=NOTEBOOKS, seen=DATES)
def test_digests_differ_exactly_if_what_is_stored_differs(one: Notebook, other: Notebook, seen: datetime | None) -> None:
    """Whatever a row shows."""
    assert (digest(one, seen) == digest(other, seen)) == (encoded(one, seen) == encoded(other, seen))


def test_the_times_of_a_notebook_in_use_are_no_part_of_its_facts() -> None:
    """They move at each survey; those of a notebook at rest are, and so is when it was last seen in use."""
    running = replace(FULL, status=Status.RUNNING)
    later = replace(running, updated_at=NOON, lease=replace(FULL_LEASE, updated_at=NOON))
    assert encoded(running, NOON) == encoded(later, None)
    assert encoded(FULL, None) != encoded(replace(FULL, updated_at=NOON), None)
    assert encoded(FULL, None) != encoded(FULL, NOON)
    assert json.decode(encoded(FULL, NOON))["a"] == "2026-03-01T12:00:00Z"
