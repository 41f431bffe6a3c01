"""A saved plan as a document: what comes back is what went, and nothing else comes in."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from builders import NOON, SCOPE, ago, moment, notebook, over, plan, policy, refused_by, rules, searching, text
from nbsweep.core.errors import ConfigurationError
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.matching.conditions import CapacityOver, Not
from nbsweep.core.model import Image, Lease, LeaseType, Named, Status, Volume
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.plan import Candidate
from nbsweep.core.policy import judge
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.digest import sealed
from nbsweep.core.saved_plan.evidence import Evidence, SavedFinding, evidence_of
from nbsweep.core.saved_plan.model import SavedItem, SavedPlan, SavedTarget
from nbsweep.documents.saved_plan import plan_from_text, plan_to_document

IDENTITY = TargetIdentity("https://modelarts.example", "0123", ("0", "7"), ("NOTEBOOK",), "all")


def saved_plan(*ids: str, refusals: tuple[Refusal, ...] = ()) -> SavedPlan:
    """Return the saved plan of these notebooks."""
    rows = [notebook(id=notebook_id) for notebook_id in ids or ("nb1", "nb2")]
    items = [Candidate(row, SCOPE, judge(row, rules(), moment()), ago(days=100)) for row in rows]
    made = plan(*items, target="lab", kept={Reason.PROTECTED: 3}, refusals=refusals)
    return SavedPlan("p1", NOON, NOON + timedelta(days=1), {"policies": "sha256:1"}, (saved_target(made, IDENTITY),))


def text_of(document: object) -> bytes:
    """Write it, indented as in the file."""
    return json.dumps(document, indent=2).encode()


def refusal(text: bytes) -> str:
    """Return the error that a document ends in."""
    with pytest.raises(ConfigurationError) as caught:
        plan_from_text(text, "the plan p.json")
    assert str(caught.value).startswith("the plan p.json cannot be used:")
    assert "nbsweep plan --out" in str(caught.value)
    return str(caught.value)


def spoiled(spoil: Callable[[Any], object]) -> bytes:
    """Return a document that was changed before it was sealed: what only another program could have written."""
    document = plan_to_document(saved_plan())
    del document["digest"]
    spoil(document)
    return text_of(sealed(document))


def test_the_document_says_what_people_look_for() -> None:
    """By the words of `plan --format json`, with the evidence beside them."""
    document = plan_to_document(saved_plan("nb1"))
    assert (document["document"], document["version"], document["plan_id"]) == ("nbsweep-plan", 1, "p1")
    assert (document["created_at"], document["expires_at"]) == ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z")
    [target] = document["targets"]
    assert (target["target"], target["fleet"], target["kept"], target["refusal"]) == ("lab", 10, {"protected": 3}, None)
    [item] = target["items"]
    assert {key: item[key] for key in ("id", "name", "status", "owner", "workspace", "policy", "stop_first")} == {
        "id": "nb1",
        "name": "experiment-1",
        "status": "STOPPED",
        "owner": "alice",
        "workspace": "0",
        "policy": "old",
        "stop_first": False,
    }
    evidence = item["evidence"]
    assert (evidence["status"], evidence["tags"], evidence["owner"]) == (
        "STOPPED",
        {"team": "vision"},
        {"id": "u1", "name": "alice"},
    )
    assert (evidence["created_at"], evidence["updated_at"]) == ("2025-08-13T12:00:00Z", "2025-11-21T12:00:00Z")
    [finding] = evidence["findings"]
    assert (finding["condition"], finding["threshold"], finding["fact"]) == ("age_over", "over 1d", "200d")
    assert document["digest"].startswith("sha256:")


def test_the_findings_of_a_plan_become_those_of_the_verdict_again() -> None:
    """So that a page can say in its language why a notebook is in a plan."""
    rule = policy(
        text("status", "STOPPED"), over("idle", days=14), CapacityOver(10), Not(text("flavor", "*ascend*")), name="idle"
    )
    verdict = judge(notebook(), rules(rule), moment())
    [item] = saved_target(plan(Candidate(notebook(), SCOPE, verdict, ago(days=100))), IDENTITY).items
    assert tuple(each.finding() for each in item.evidence.findings) == verdict.findings


def test_a_refusal_goes_on_the_record() -> None:
    """With the brake that refused it."""
    [target] = plan_to_document(
        saved_plan(refusals=(refused_by("max_share", "2 of 10 would go"), refused_by("max_per_owner", "2 of b")))
    )["targets"]
    assert target["refusal"] == "max_share: 2 of 10 would go. max_per_owner: 2 of b"


# ---- there and back -------------------------------------------------------------------------------------------------------

WORDS = st.text(max_size=6)
MAYBE = st.none() | WORDS
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- aware by `timezones`
DATES = st.none() | MOMENTS
NAMED = st.builds(Named, MAYBE, MAYBE)
LEASES = st.builds(
    Lease,
    st.none() | st.booleans(),
    st.sampled_from(LeaseType),
    DATES,
    DATES,
    st.none() | st.timedeltas(timedelta(0), timedelta(days=4000)),
)
LEAVES = st.builds(
    SavedFinding,
    WORDS,
    WORDS,
    MAYBE,
    st.sampled_from(Truth),
    alternatives=st.just(UNSET) | st.lists(WORDS, min_size=1, max_size=2).map(tuple),
    age_s=st.just(UNSET) | st.integers(-(10**6), 10**9),
    limit_s=st.just(UNSET) | st.integers(0, 10**9),
    limit_gb=st.just(UNSET) | st.integers(0, 10**6),
)
FINDINGS = st.recursive(
    LEAVES,
    lambda inner: st.builds(SavedFinding, WORDS, WORDS, MAYBE, st.sampled_from(Truth), st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
EVIDENCE = st.builds(
    Evidence,
    status=st.sampled_from(Status),
    created_at=DATES,
    updated_at=DATES,
    idle_since=DATES,
    lease=st.none() | LEASES,
    owner=NAMED,
    tags=st.none() | st.dictionaries(WORDS, WORDS, max_size=2),
    flavor=MAYBE,
    image=st.builds(Image, MAYBE, MAYBE, MAYBE, MAYBE),
    pool=st.none() | NAMED,
    volume=st.none() | st.builds(Volume, MAYBE, MAYBE, st.none() | st.integers(0, 10**6), MAYBE, MAYBE),
    billing=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    fail_reason=MAYBE,
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
)
ITEMS = st.builds(SavedItem, WORDS, MAYBE, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, st.booleans(), EVIDENCE)
IDENTITIES = st.builds(
    TargetIdentity,
    WORDS,
    MAYBE,
    st.none() | st.lists(WORDS, max_size=2).map(tuple),
    st.lists(WORDS, max_size=2).map(tuple),
    WORDS,
)
TARGETS = st.builds(
    SavedTarget,
    WORDS,
    IDENTITIES,
    st.integers(0, 10**6),
    MAYBE,
    st.dictionaries(WORDS, st.integers(0, 10**6), max_size=2),
    st.lists(ITEMS, max_size=2, unique_by=lambda item: item.id).map(tuple),
)
PLANS = st.builds(
    SavedPlan,
    WORDS,
    MOMENTS,
    MOMENTS,
    st.dictionaries(WORDS, WORDS, max_size=2),
    st.lists(TARGETS, max_size=2, unique_by=lambda target: target.target).map(tuple),
)


@searching
@given(saved=PLANS)
def test_what_comes_back_is_what_went(saved: SavedPlan) -> None:
    """To the microsecond, with every gap still a gap, and in any script."""
    assert plan_from_text(text_of(plan_to_document(saved)), "it") == saved


# ---- what was altered -----------------------------------------------------------------------------------------------------


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """List the way to every value in a document, the inner ones and those that hold others."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*at, key)
        yield from places(inner, (*at, key))


def at(document: Any, way: tuple[str | int, ...]) -> Any:
    """Follow a way into a document."""
    for key in way:
        document = document[key]
    return document


def altered(value: object) -> list[object]:
    """Return what a value may be altered to."""
    match value:
        case bool():
            return [not value, None, int(value)]
        case int():
            return [value + 1, float(value), str(value)]
        case str():
            return [f"{value} ", value[1:] or "x", None]
        case None:
            return ["", 0, False]
        case list():
            return [[*value, "x"], value[1:] or {}]
        case _:
            return [{"more": 1, **value} if isinstance(value, dict) else {}, None]


WAYS = list(places(plan_to_document(saved_plan())))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: ".".join(map(str, way)))
def test_any_alteration_of_any_field_is_found(way: tuple[str | int, ...]) -> None:
    """Changed in three ways, or taken out: the plan is refused every time."""
    *outer, key = way
    for value in altered(at(plan_to_document(saved_plan()), way)):
        document = plan_to_document(saved_plan())
        at(document, tuple(outer))[key] = value
        refusal(text_of(document))
    document = plan_to_document(saved_plan())
    del at(document, tuple(outer))[key]
    refusal(text_of(document))


def test_there_are_fields_enough_for_that_to_mean_something() -> None:
    """Of the plan, its target, its two items and their evidence."""
    assert len(WAYS) > 80


@pytest.mark.parametrize(
    "alter",
    [
        lambda document: document["targets"][0]["items"].pop(),
        lambda document: document["targets"][0]["items"].reverse(),
        lambda document: document["targets"][0]["items"][0].update(id="nb7"),
        lambda document: document.update(expires_at="2099-01-01T00:00:00Z"),
        lambda document: document["configuration"].update(policies="sha256:2"),
        lambda document: document.pop("digest"),
        lambda document: document.update(note="looked at"),
    ],
)
def test_what_somebody_may_want_to_alter_is_told_as_an_alteration(alter: Callable[[Any], object]) -> None:
    """And he is told where such things are said."""
    document = plan_to_document(saved_plan())
    alter(document)
    said = refusal(text_of(document))
    assert "digest: it does not match: the plan was altered" in said
    assert "protect" in said


def test_another_layout_is_no_alteration() -> None:
    """Whoever looks at it with a tool that writes it anew has not changed it."""
    document = dict(reversed(plan_to_document(saved_plan()).items()))
    assert plan_from_text(json.dumps(document, separators=(",", ":"), sort_keys=True).encode(), "it") == saved_plan()


# ---- what is no plan ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe\xfd", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"null", "it is not a saved plan"),
        (b"[]", "it is not a saved plan"),
        (b"{}", "it is not a saved plan"),
        (b'{"plan_id": "1", "items": []}', "the output of `plan --format json` is not one"),
        (b'{"document": "nbsweep-plan"}', "version: it is None"),
        (b'{"document": "nbsweep-plan", "version": 2}', "version: it is 2, and this nbsweep reads 1"),
        (b'{"document": "nbsweep-plan", "version": true}', "version"),
        (b'{"document": "nbsweep-plan", "version": 1}', "digest"),
        (b'{"document": "nbsweep-plan", "version": NaN}', "NaN is not a number"),
        (b'{"document": "x", "document": "nbsweep-plan"}', "the key 'document' is repeated"),
    ],
)
def test_what_is_no_plan_is_told_apart(text: bytes, words: str) -> None:
    """Not JSON, not a plan, or not one of this version."""
    assert words in refusal(text)


def test_a_key_that_is_said_twice_is_refused_wherever_it_stands() -> None:
    """People would read the first and the program the last."""
    text = text_of(plan_to_document(saved_plan("nb1"))).replace(b'"id": "nb1"', b'"id": "nb9", "id": "nb1"')
    assert "the key 'id' is repeated" in refusal(text)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda document: document.pop("targets"), "targets"),
        (lambda document: document.update(plan_id=7), "plan_id"),
        (lambda document: document.update(expires_at="tomorrow"), "expires_at"),
        (lambda document: document.update(expires_at="2026-03-02T12:00:00"), "time zone"),
        (lambda document: document["targets"][0]["items"][0].pop("id"), "items"),
        (lambda document: document["targets"][0]["items"][0]["evidence"].update(status="ASLEEP"), "ASLEEP"),
        (lambda document: document["targets"][0]["items"][0]["evidence"].pop("created_at"), "created_at"),
        (lambda document: document["targets"][0]["items"][0].update(until="monday"), "does not know"),
        (lambda document: document["targets"].append(document["targets"][0]), "target lab is repeated"),
        (lambda document: document["targets"][0]["items"][1].update(id="nb1"), "notebook nb1 is repeated"),
    ],
)
def test_what_fits_its_digest_must_still_be_a_plan(spoil: Callable[[Any], object], words: str) -> None:
    """A digest can be made by anybody; a field that is missing, unknown or of another kind is refused, and named."""
    assert words in refusal(spoiled(spoil))


def test_nothing_but_the_plan_is_written() -> None:
    """The evidence has no place for a secret, and free text of the owner's stays out."""
    row = notebook(description="token=hunter2")
    evidence = evidence_of(row, judge(row, rules(), moment()), None)
    assert "hunter2" not in repr(evidence)
