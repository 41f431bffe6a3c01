"""Any notebook, marks, graces and exemptions at any moment: what docs/reference/marks.md promises holds.

The oracle says again, as plainly as possible, what must be true before a notebook of a policy with grace may go.
"""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from builders import NOON, ago, announcing, exemption, lease, mark, notebook, policy, searching, tag, text
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.matching.conditions import Condition
from nbsweep.core.model import Named, Notebook, Status
from nbsweep.core.policy import judge

CHANGES_OF_NOTEBOOK: list[tuple[str, Any]] = [
    *[("status", status) for status in Status],
    *[("name", name) for name in ("b", None)],
    *[("tags", tags) for tags in ({"k": "v"}, {}, None)],
    *[("owner", Named(*owner)) for owner in product([None, "u1", "u2"], [None, "alice", "bob", "Alice"])],
    *[("created_at", date) for date in (None, ago(days=11))],
    *[("updated_at", date) for date in (None, ago(days=13), ago(days=9), ago(days=3))],
    *[("lease", shown) for shown in (lease(updated_at=date) for date in (None, ago(days=9), ago(days=3)))],
    ("lease", None),
    ("listed", True),
]
CHANGES_OF_MARK: list[tuple[str, Any]] = [
    ("policy", "two"),
    ("policy_digest", "d2"),
    ("notebook_created_at", ago(days=11)),
    *[("status", status) for status in (Status.RUNNING, Status.ERROR)],
    *[("state", state) for state in MarkState],
    *[("marked_at", date) for date in (ago(days=2), ago(days=1))],
    *[("told_at", date) for date in (None, ago(days=6), ago(days=5), ago(days=60))],
    ("clock_verified", False),
    *[("deadline", NOON + timedelta(days=days)) for days in (-90, -1, 0, 1, 9)],
    *[("updated_at", date) for date in (None, ago(days=8))],
    *[("lease_updated_at", date) for date in (None, ago(days=8))],
    *[("owner_id", owner) for owner in ("u2", "")],
    ("notices", 1),
]


often = settings(searching, max_examples=300)


def some(changes: list[tuple[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return up to three changes of an example that goes: most often it is just not told, just used, or just another one."""
    return st.lists(st.sampled_from(changes), max_size=3).map(dict)


DATED = {"created_at": ago(days=12), "updated_at": ago(days=12), "lease": lease(updated_at=ago(days=12)), "name": "a"}
DUE = {
    "policy": "one",
    "notebook_created_at": ago(days=12),
    "updated_at": ago(days=12),
    "lease_updated_at": ago(days=12),
    "marked_at": ago(days=10),
    "state": MarkState.TOLD,
    "told_at": ago(days=8),
    "clock_verified": True,
}
NOTEBOOKS = some(CHANGES_OF_NOTEBOOK).map(lambda changes: notebook(**{**DATED, **changes}))
MARKS = some(CHANGES_OF_MARK).map(lambda changes: mark(**{**DUE, **changes}))
MATCHES: st.SearchStrategy[tuple[Condition, ...]] = st.sampled_from(
    [(), (), (), (text("name", "a*"),), (tag("k", "*"),), (text("status", "STOPPED", "RUNNING"),)]
)
GRACES = st.one_of(st.none(), st.builds(Grace, st.integers(1, 9).map(lambda days: timedelta(days=days))))


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, ...]:
    """Return one or two policies, with and without grace."""
    made = [
        policy(*draw(MATCHES), name=name, running=draw(st.sampled_from(Running)), grace=draw(GRACES), digest="d1")
        for name in ("one", "two")
    ]
    return tuple(made[: draw(st.integers(1, 2))])


EXEMPTIONS = st.builds(
    exemption,
    notebook_id=st.sampled_from(["nb1", "nb2", None]),
    owner=st.sampled_from(["u1", "alice", "BOB", None]),
    name=st.sampled_from(["a*", "B", "*", None]),
    until=st.sampled_from([ago(days=1), NOON, NOON + timedelta(seconds=1), NOON + timedelta(days=9)]),
    revoked_at=st.sampled_from([None, None, None, ago(days=2)]),
)
ACTIVE = st.sampled_from([{}, {}, {"nb1": ago(days=11)}, {"nb1": ago(days=9)}, {"nb2": NOON}])


def touched(seen: Notebook, one: Mark, active: dict[str, datetime]) -> bool:
    """Anything that anybody may have done to the notebook since it was marked.

    A deletion that failed, which may be our own, leaves its own state and date, and nobody can use the notebook afterwards; if
    somebody had used it before, the date of its lease shows that.
    """
    lease_date = seen.lease.updated_at if seen.lease else None
    renewed = lease_date is not None and lease_date > (one.lease_updated_at or one.marked_at)
    passed_on = bool(one.owner_id) and seen.owner.id not in {None, one.owner_id}
    if seen.status is Status.DELETE_FAILED and one.lease_updated_at is not None:
        return renewed or passed_on
    later = [
        renewed,
        passed_on,
        seen.updated_at is not None and seen.updated_at > (one.updated_at or one.marked_at),
        one.status is not Status.RUNNING and active.get(seen.id, one.marked_at) > one.marked_at,
        seen.status is not one.status,
    ]
    return any(later)


def may_hide_a_use(seen: Notebook, one: Mark) -> bool:
    """Whether the facts leave open which notebook it is, or whether it was used."""
    if seen.created_at is None or seen.updated_at is None:
        return True
    shows_lease = seen.lease is not None and seen.lease.updated_at is not None
    return one.lease_updated_at is not None and not shows_lease


@often
@given(
    NOTEBOOKS,
    MARKS,
    policies(),
    ACTIVE,
    st.lists(EXEMPTIONS, max_size=1),
)
def test_nothing_goes_under_a_policy_with_grace_that_its_owner_was_not_told_of_in_time(
    seen: Notebook, one: Mark, rules: tuple[Policy, ...], active: dict[str, datetime], given_exemptions: list[Exemption]
) -> None:
    """Told, of this very instance and this policy, the grace and the deadline over, and nothing changed since."""
    every = Rules(rules, exemptions=tuple(given_exemptions), marks={"nb1": one})
    verdict = judge(seen, every, Moment(NOON, active))
    event(verdict.reason.value)
    if verdict.decision is Decision.KEEP:
        return
    winner = next(each for each in rules if each.name == verdict.rule)
    assert not any(covered(seen, each) for each in given_exemptions)
    if winner.grace is None:
        promised = one.state in {MarkState.MARKED, MarkState.TOLD} and one.notebook_created_at == seen.created_at
        assert not (promised and one.deadline and one.deadline > NOON)
        return
    assert one.state is MarkState.TOLD
    assert one.told_at is not None
    assert one.clock_verified
    assert (one.policy, one.policy_digest) == (winner.name, winner.digest)
    assert (one.notebook_id, one.notebook_created_at) == (seen.id, seen.created_at)
    assert one.told_at + winner.grace.about <= NOON
    assert one.deadline is None or one.deadline <= NOON
    assert not touched(seen, one, active)
    assert not may_hide_a_use(seen, one)


def covered(seen: Notebook, given_one: Exemption) -> bool:
    """Whether an exemption in force covers the notebook: everything that it names is the same, but for upper and lower case."""
    selector = given_one.selector
    if given_one.until <= NOON or given_one.revoked_at is not None:
        return False
    named = {
        "id": selector.notebook_id is None or selector.notebook_id == seen.id,
        "owner": selector.owner is None
        or selector.owner.lower() in [(seen.owner.id or "").lower(), (seen.owner.name or "").lower()],
        "name": selector.name is None or (seen.name or "") == selector.name.lower() or _begins(seen.name, selector.name),
    }
    given_any = any((selector.notebook_id, selector.owner, selector.name))
    return given_any and all(named.values())


def _begins(name: str | None, glob: str) -> bool:
    return name is not None and glob.endswith("*") and name.startswith(glob[:-1])


@often
@given(NOTEBOOKS, MARKS, policies(), EXEMPTIONS)
def test_an_exemption_in_force_always_keeps(seen: Notebook, one: Mark, rules: tuple[Policy, ...], granted: Exemption) -> None:
    """Whatever is due, and whatever else the rules say."""
    verdict = judge(seen, Rules(rules, exemptions=(granted,), marks={"nb1": one}), Moment(NOON))
    if covered(seen, granted):
        assert verdict.decision is Decision.KEEP


@often
@given(NOTEBOOKS, MARKS, policies())
def test_a_mark_never_deletes_what_the_policies_would_keep(seen: Notebook, one: Mark, rules: tuple[Policy, ...]) -> None:
    """With marks, at most what would go without any grace; and the same policy decides."""
    every = Rules(rules, marks={"nb1": one})
    verdict, plain = judge(seen, every, Moment(NOON)), judge(seen, every.unannounced, Moment(NOON))
    if verdict.decision is Decision.DELETE:
        assert verdict == plain
    if plain.decision is Decision.KEEP:
        assert verdict == plain


def test_the_example_that_everything_here_starts_from_goes() -> None:
    """Otherwise the properties would hold for nothing."""
    rules = Rules((announcing(name="one"),), marks={"nb1": mark(**DUE)})
    assert judge(notebook(**DATED), rules, Moment(NOON)).decision is Decision.DELETE
