from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import ago, lease, moment, notebook, over, searching, tag, text
from nbsweep.core.explain.requirements import AllRequired, AnyRequired, AnyRequirement, Requirement, requirement_of
from nbsweep.core.facts import IDLE_LEASE, TEXT_FACTS
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, Condition, LeaseEnabled, Not
from nbsweep.core.matching.missing_facts import FIELDS, missing_facts
from nbsweep.core.model import LeaseType, Named, Notebook, Status, Volume
from nbsweep.core.reasons.finding import Truth


def need(condition: Condition, wish: Truth = Truth.PASS, **changes: Any) -> AnyRequirement | None:
    """Ask what the example notebook, changed so, would need."""
    row = notebook(**changes)
    return requirement_of(condition, condition.check(row, moment()), wish, row, moment())


def words(found: AnyRequirement | None) -> str:
    """Return the words of a single requirement."""
    assert isinstance(found, Requirement)
    return found.words


@pytest.mark.parametrize(
    ("condition", "wish", "changes", "expected"),
    [
        (text("status", "ERROR", "FROZEN"), Truth.PASS, {}, "status would have to be ERROR or FROZEN"),
        (text("status", "STOPPED"), Truth.FAIL, {}, "status would have to be other than STOPPED"),
        (text("name", "keep-*"), Truth.PASS, {}, "name would have to fit keep-*"),
        (text("name", "exp*"), Truth.FAIL, {}, "name would have to not fit exp*"),
        (tag("keep", "*"), Truth.PASS, {}, "tag keep would have to be set"),
        (tag("team", "nlp"), Truth.PASS, {}, "tag team would have to be set, and be nlp"),
        (tag("team", "*"), Truth.FAIL, {}, "tag team would have to be removed"),
        (tag("team", "v*"), Truth.FAIL, {}, "tag team would have to be removed, or not fit v*"),
        (
            tag("team", "Vision"),
            Truth.PASS,
            {},
            "tag team would have to be set, and be Vision, and not only look similar",
        ),
        (tag("team", "Vision"), Truth.FAIL, {}, "tag team would have to be removed, or be other than Vision"),
        (
            tag("team", "vision"),
            Truth.PASS,
            {"tags": {"team": None}},
            "the cloud would have to show the value of tag team, and then: tag team would have to be set, and be vision",
        ),
        (CapacityOver(80), Truth.PASS, {}, "the volume would have to have more than 80 GB"),
        (CapacityOver(20), Truth.FAIL, {}, "the volume would have to have 20 GB or less"),
        (LeaseEnabled(enabled=False), Truth.PASS, {}, "the lease would have to be switched off"),
        (LeaseEnabled(enabled=True), Truth.FAIL, {}, "the lease would have to be switched off"),
        (over("age", days=1), Truth.FAIL, {}, "it would have to be no older than 1d"),
        (over("idle", days=14), Truth.FAIL, {}, "a user would have to have used it within the last 14d"),
        (
            over("idle", days=14),
            Truth.PASS,
            {"status": Status.RUNNING},
            "it would have to come to rest, and then: it would have to be idle for more than 14d",
        ),
        (
            over("lease_expired", days=30),
            Truth.PASS,
            {"lease": lease(enabled=False)},
            "its lease would have to be switched on, and then: its lease would have to have expired more than 30d ago",
        ),
        (
            over("age", days=1),
            Truth.PASS,
            {"created_at": None},
            "the cloud would have to show create_at, and then: it would have to be older than 1d",
        ),
        (
            text("owner", "bob"),
            Truth.PASS,
            {"owner": Named("u1")},
            "the cloud would have to show user.name, and then: owner would have to be bob",
        ),
    ],
)
def test_a_condition_says_what_it_needs(condition: Condition, wish: Truth, changes: dict[str, Any], expected: str) -> None:
    """Each kind of condition says in words what would have to be there, and none of these comes about by itself."""
    found = need(condition, wish, **changes)
    assert words(found) == expected
    assert isinstance(found, Requirement)
    assert found.at is None


@pytest.mark.parametrize("wish", [Truth.PASS, Truth.FAIL])
def test_what_is_so_already_needs_nothing(wish: Truth) -> None:
    """Neither a condition that is to pass and does, nor one that is to fail and does."""
    condition = text("name", "exp*" if wish is Truth.PASS else "prod-*")
    assert need(condition, wish) is None


def test_a_length_of_time_says_how_much_of_it_is_left() -> None:
    """Idle since 10 d 20 h, and more than 14 d are wanted: another 3 d 4 h, until noon of the 1st of March and 3 d 4 h."""
    found = need(over("idle", days=14), lease=None, updated_at=ago(days=10, hours=20))
    assert isinstance(found, Requirement)
    assert words(found) == "it would have to stay idle for another 3d 4h, until 2026-03-04 16:00:00Z"
    assert (found.condition, found.at) == ("idle_over", ago(days=10, hours=20) + timedelta(days=14))


def test_all_needs_every_part_and_any_needs_one() -> None:
    """What passes already is no part of it; a part that is left alone stands for itself."""
    parts = (text("status", "STOPPED"), text("name", "a*"), tag("keep", "*"))
    every, one = need(AllOf(parts)), need(AnyOf(parts[1:]))
    assert isinstance(every, AllRequired)
    assert isinstance(one, AnyRequired)
    assert every.parts == one.parts == (need(parts[1]), need(parts[2]))
    assert need(AllOf(parts[:2])) == need(parts[1])


def test_a_not_needs_the_opposite_of_its_part() -> None:
    """And `all` fails already when one of its parts does."""
    both = AllOf((text("name", "exp*"), tag("team", "*")))
    found = need(Not(both))
    assert isinstance(found, AnyRequired)
    assert [words(part) for part in found.parts] == ["name would have to not fit exp*", "tag team would have to be removed"]


# ---- any nesting ----------------------------------------------------------------------------------------------------------


def shaped(spec: Any, names: list[str]) -> Condition:
    """Make a condition of tags, each of which is asked for once."""
    match spec:
        case ("all" | "any" as group, parts):
            inner = tuple(shaped(part, names) for part in parts)
            return AllOf(inner) if group == "all" else AnyOf(inner)
        case ("not", part):
            return Not(shaped(part, names))
        case _:
            names.append(f"t{len(names)}")
            return tag(names[-1], "*")


SHAPES: st.SearchStrategy[Any] = st.recursive(
    st.just("leaf"),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=4)), st.tuples(st.just("not"), inner)
    ),
    max_leaves=12,
)


def obeyed(found: AnyRequirement, tags: dict[str, str], choose: Callable[[int], int]) -> dict[str, str]:
    """Do what the words say: everything of what is all wanted, and one of what is one wanted."""
    match found:
        case AllRequired(parts=parts):
            for part in parts:
                tags = obeyed(part, tags, choose)
            return tags
        case AnyRequired(parts=parts):
            return obeyed(parts[choose(len(parts))], tags, choose)
    name = words(found).split()[1]
    if words(found).endswith("would have to be set"):
        return {**tags, name: "x"}
    assert words(found).endswith("would have to be removed")
    return {key: value for key, value in tags.items() if key != name}


@searching
@given(spec=SHAPES, present=st.sets(st.integers(0, 11)), wish=st.sampled_from([Truth.PASS, Truth.FAIL]), data=st.data())
def test_whoever_does_what_is_needed_gets_what_is_wanted(
    spec: Any, present: set[int], wish: Truth, data: st.DataObject
) -> None:
    """However conditions are nested, and whichever of several ways is taken."""
    condition = shaped(spec, [])
    before = {f"t{number}": "x" for number in present}
    row = notebook(tags=before)
    finding = condition.check(row, moment())
    assume(finding.truth is not wish)
    found = requirement_of(condition, finding, wish, row, moment())
    assert found is not None
    tags = obeyed(found, before, lambda count: data.draw(st.integers(0, count - 1)))
    assert condition.check(replace(row, tags=tags), moment()).truth is wish


# ---- missing facts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "changes", "expected"),
    [
        (text("owner", "bob"), {"owner": Named()}, ("user.name", "user.id")),
        (text("billing", "ALL"), {"billing": None}, ("billing_items",)),
        (text("volume.category", "EVS"), {"volume": None}, ("volume.category",)),
        (text("pool", "x"), {"pool": None}, ()),
        (tag("keep", "*"), {"tags": None}, ("tags",)),
        (tag("keep", "yes"), {"tags": {"keep": None}}, ("the value of tag keep",)),
        (tag("keep", "yes"), {"tags": {"Keep": None, "team": None}}, ("the value of tag Keep",)),
        (tag("keep", "yes"), {"tags": {"keep": "Yes"}}, ()),
        (over("age", days=1), {"created_at": None}, ("create_at",)),
        (over("idle", days=1), {"updated_at": None, "lease": None}, ("update_at",)),
        (over("idle", days=1), {"lease": lease(enabled=None)}, ("lease.enable",)),
        (over("idle", days=1), {"lease": lease(duration=None)}, ("lease.duration",)),
        (over("idle", days=1), {"lease": lease(created_at=None, duration=None)}, ("lease.create_at", "lease.duration")),
        (over("idle", days=1), {"lease": lease(type=LeaseType.IDLE)}, ()),
        (over("lease_expired", days=1), {"lease": None}, ("lease",)),
        (over("lease_expired", days=1), {"lease": lease(type=LeaseType.IDLE)}, (IDLE_LEASE,)),
        (over("lease_expired", days=1), {"lease": lease(duration=timedelta(days=3_000_000))}, ("lease.duration",)),
        (CapacityOver(1), {"volume": Volume("EVS")}, ("volume.capacity",)),
        (LeaseEnabled(enabled=True), {"lease": None}, ("lease.enable",)),
    ],
)
def test_the_facts_that_are_missing_are_named_as_the_api_names_them(
    condition: Condition, changes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """Whoever looks into the cloud's answer finds there what is not in it."""
    assert missing_facts(condition, notebook(**changes)) == expected


BARE = Notebook("nb1", Status.STOPPED)


@pytest.mark.parametrize("key", TEXT_FACTS)
def test_every_text_has_a_name_for_each_place_that_it_is_looked_for(key: str) -> None:
    """A text that a later version looks for in another place must be given that place's name here."""
    assert len(FIELDS[key]) >= len(TEXT_FACTS[key](BARE))
    assert len(FIELDS[key]) == len(TEXT_FACTS[key](notebook()))


@pytest.mark.parametrize(
    "condition",
    [
        *(text(key, "no-such") for key in TEXT_FACTS if key not in {"status", "pool"}),
        *(over(key, days=1) for key in ("age", "idle", "lease_expired")),
        tag("k", "*"),
        CapacityOver(1),
        LeaseEnabled(enabled=True),
    ],
)
def test_what_is_unknown_always_says_what_is_missing(condition: Condition) -> None:
    """A notebook of which nothing is known but that it exists, and rests."""
    assert condition.check(BARE, moment()).truth is Truth.UNKNOWN
    assert missing_facts(condition, BARE) != ()
