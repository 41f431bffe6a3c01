"""The split of a digest: every line in exactly one part, and each part fits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import searching
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Status
from nbsweep.core.notices.digest import Audience, Detail, Digest, Line, in_order, split, to_line
from nbsweep.core.notices.outbox import Item, ItemKind, Listed
from nbsweep.core.reasons.language import Language

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def line(number: int, kind: ItemKind = ItemKind.ANNOUNCE, name: str = "exp", **changes: object) -> Line:
    """Return a line of alice's, due a week after `NOON`."""
    plain = Line(
        item_id=f"item-{number}",
        kind=kind,
        name=name,
        notebook_id=f"nb-{number}",
        owner="alice",
        target="research",
        workspace="0",
        status=Status.STOPPED,
        capacity_gb=5,
        policy="idle",
        reason="policy idle: idle 21d (14d)",
        cause="",
        marked_at=NOON,
        deadline=NOON + timedelta(days=7),
    )
    return replace(plain, **changes)


def digest(*lines: Line) -> Digest:
    """Return a digest for alice."""
    return Digest("key", Audience.OWNER, "alice", (Language.ENGLISH,), "UTC", lines)


def size(part: Digest) -> int:
    """Return a size that grows with each line, its texts, and the digits of the number of parts."""
    costs = {Detail.FULL: 300, Detail.SHORT: 120, Detail.BARE: 60}
    texts = sum(costs[each.detail] + len(each.name) + len(each.reason) for each in part.lines)
    return 50 + texts + len(f"part {part.part} of {part.parts}")


def test_a_digest_that_fits_is_one_part() -> None:
    """It does not say that it is a part of several."""
    whole = digest(line(1), line(2))
    assert split(whole, lambda _: True) == (whole,)


def test_without_lines_there_is_nothing_to_send() -> None:
    """An empty digest has no parts."""
    assert split(digest(), lambda _: True) == ()


def test_three_lines_of_which_two_fit_are_two_parts() -> None:
    """The parts are numbered, and the order of the lines stays."""
    parts = split(digest(line(1), line(2), line(3)), lambda part: len(part.lines) <= 2)
    assert [(part.part, part.parts, part.item_ids) for part in parts] == [
        (1, 2, ("item-1", "item-2")),
        (2, 2, ("item-3",)),
    ]


@pytest.mark.parametrize(("fitting", "shown"), [(set(Detail) - {Detail.FULL}, Detail.SHORT), (set(), Detail.BARE)])
def test_a_line_that_does_not_fit_is_shown_in_less_detail(fitting: set[Detail], shown: Detail) -> None:
    """It is never dropped, even if nothing fits; it says nothing else than before, in fewer words."""
    [part] = split(digest(line(1)), lambda part: part.lines[0].detail in fitting)
    assert part.lines == (line(1, detail=shown),)
    assert (part.part, part.parts) == (1, 1)


def test_a_long_line_between_short_ones_is_a_part_of_its_own() -> None:
    """The others keep their detail."""
    parts = split(
        digest(line(1), line(2, reason="long"), line(3)),
        lambda part: len(part.lines) <= 2 and all(each.reason != "long" or each.detail is Detail.BARE for each in part.lines),
    )
    assert [[(each.item_id, each.detail) for each in part.lines] for part in parts] == [
        [("item-1", Detail.FULL)],
        [("item-2", Detail.BARE)],
        [("item-3", Detail.FULL)],
    ]


def test_the_largest_part_is_found_that_fits() -> None:
    """Of 100 lines, parts of 37 leave a last one of 26."""
    parts = split(digest(*(line(number) for number in range(100))), lambda part: len(part.lines) <= 37)
    assert [len(part.lines) for part in parts] == [37, 37, 26]


def test_what_will_be_deleted_comes_first_and_soonest_first() -> None:
    """Announcements, reminders, cleared marks, deletions; in each kind by time, then by name."""
    late = line(1, name="a", deadline=NOON + timedelta(days=9))
    soon = line(2, name="z")
    also_soon = line(3, name="b")
    reminded = line(4, ItemKind.REMIND)
    cleared = line(5, ItemKind.CLEARED, deadline=None, ended_at=NOON)
    deleted = line(6, ItemKind.DELETED, deadline=None, ended_at=NOON)
    expected = (also_soon, soon, late, reminded, cleared, deleted)
    assert in_order(reversed(expected)) == expected


lines = st.lists(
    st.builds(
        line,
        st.integers(),
        st.sampled_from(ItemKind),
        st.text(max_size=40),
        reason=st.text(max_size=600),
        deadline=st.sampled_from([None, NOON, NOON + timedelta(days=1)]),
    ),
    max_size=200,
    unique_by=lambda each: each.item_id,
)


@searching
@given(lines, st.integers(min_value=1_000, max_value=30_000), st.randoms())
def test_every_line_is_in_exactly_one_part_that_fits(found: list[Line], limit: int, random: object) -> None:
    """Of any digest; the parts do not depend on the order in which the lines came, and none could hold the next line, too."""

    def fits(part: Digest) -> bool:
        return size(part) <= limit

    parts = split(digest(*found), fits)
    listed = [item for part in parts for item in part.item_ids]
    assert sorted(listed) == sorted(each.item_id for each in found)
    assert all(fits(part) or len(part.lines) == 1 for part in parts)
    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    assert {part.parts for part in parts} <= {len(parts)}
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert split(digest(*shuffled), fits) == parts


def test_a_line_tells_what_the_mark_says() -> None:
    """The deadline is the one that the message promises, not that of the item."""
    mark = Mark(
        id="m1",
        target="research",
        project="https://example.com/p",
        notebook_id="nb-1",
        notebook_created_at=NOON,
        name="exp",
        owner_id="u1",
        owner_name="alice",
        workspace_id="0",
        feature="NOTEBOOK",
        policy="idle",
        policy_digest="d",
        reason="policy idle: idle 21d (14d)",
        cause="{}",
        status=Status.STOPPED,
        updated_at=None,
        lease_updated_at=None,
        marked_at=NOON,
        remedies=("start it",),
        capacity_gb=5,
    )
    item = Item("item-1", ItemKind.ANNOUNCE, "m1", "owner", NOON)
    promised = NOON + timedelta(days=7)
    assert to_line(Listed(item, mark), promised) == line(1, cause="{}", remedies=("start it",))
