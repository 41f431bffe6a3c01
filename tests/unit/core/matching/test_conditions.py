from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import ago, lease, moment, notebook, over, tag, text
from nbsweep.core.matching.conditions import (
    AllOf,
    AnyOf,
    CapacityOver,
    Condition,
    LeaseEnabled,
    LongerThan,
    Not,
    TagIs,
    TextIs,
    shorten,
)
from nbsweep.core.matching.globs import Glob
from nbsweep.core.model import Image, Named, Notebook, Status, Volume
from nbsweep.core.reasons.finding import Truth

TEXTS = [
    # key, a glob that fits, one that does not, and what makes the fact missing
    ("status", "STOPPED", "RUNNING", None),
    ("feature", "NOTEBOOK", "DEFAULT", {"feature": None}),
    ("name", "exp*", "prod-*", {"name": None}),
    ("owner", "alice", "bob", {"owner": Named()}),
    ("owner", "u1", "u2", {"owner": Named()}),
    ("workspace", "0", "1", {"workspace_id": None}),
    ("flavor", "*cpu*", "*ascend*", {"flavor": None}),
    ("pool", "shared", "private", {"pool": Named()}),
    ("pool", "p?", "q?", {"pool": Named()}),
    ("image", "pytorch", "mindspore", {"image": Image()}),
    ("image", "swr.example/*", "swr.other/*", {"image": Image()}),
    ("image", "i1", "i2", {"image": Image()}),
    ("fail_reason", "*quota*", "*memory*", {"fail_reason": None}),
    ("billing", "STORAGE", "COMPUTE", {"billing": None}),
    ("volume.category", "EVS", "OBS*", {"volume": None}),
    ("volume.category", "E?S", "OBS", {"volume": Volume()}),
    ("volume.ownership", "MANAGED", "DEDICATED", {"volume": None}),
    ("volume.ownership", "[M]*", "[!M]*", {"volume": Volume()}),
    ("lease.type", "TIMING", "IDLE", {"lease": None}),
]
MISSING = [(key, fits, changes) for key, fits, _, changes in TEXTS if changes is not None]


def truth(condition: Condition, **changes: Any) -> Truth:
    """Ask the example notebook, changed so."""
    return condition.check(notebook(**changes), moment()).truth


@pytest.mark.parametrize(("key", "fits"), [(key, fits) for key, fits, _, _ in TEXTS])
def test_a_text_that_fits_passes(key: str, fits: str) -> None:
    """A condition on a text passes when its glob fits the fact."""
    assert truth(text(key, fits)) is Truth.PASS


@pytest.mark.parametrize(("key", "misses"), [(key, misses) for key, _, misses, _ in TEXTS])
def test_a_text_that_does_not_fit_fails(key: str, misses: str) -> None:
    """A condition on a text fails when its glob does not fit the fact."""
    assert truth(text(key, misses)) is Truth.FAIL


@pytest.mark.parametrize(("key", "fits", "changes"), MISSING)
def test_a_text_that_is_missing_is_unknown(key: str, fits: str, changes: dict[str, Any]) -> None:
    """A missing fact neither fits nor fails, even for a glob that everything fits."""
    assert truth(text(key, fits), **changes) is Truth.UNKNOWN
    assert truth(text(key, "*"), **changes) is Truth.UNKNOWN


@pytest.mark.parametrize(("key", "fits", "misses"), [(key, fits, misses) for key, fits, misses, _ in TEXTS])
def test_a_list_of_globs_is_a_list_of_alternatives(key: str, fits: str, misses: str) -> None:
    """One fitting glob is enough, wherever in the list it stands."""
    assert truth(text(key, misses, fits)) is Truth.PASS
    assert truth(text(key, fits, misses)) is Truth.PASS
    assert truth(text(key, misses, misses)) is Truth.FAIL


def test_any_of_several_texts_may_fit() -> None:
    """A notebook that is billed for two things matches either."""
    both = {"billing": ("STORAGE", "COMPUTE")}
    assert truth(text("billing", "STORAGE"), **both) is Truth.PASS
    assert truth(text("billing", "COMPUTE"), **both) is Truth.PASS
    assert truth(text("billing", "ALL"), **both) is Truth.FAIL


def test_being_billed_for_nothing_is_a_fact() -> None:
    """An empty billing list is known, and matches nothing."""
    assert truth(text("billing", "*"), billing=()) is Truth.FAIL


def test_a_public_pool_is_a_fact_and_not_a_gap() -> None:
    """The API shows a pool for dedicated ones only, so none means public: known, and no dedicated pool's name."""
    assert truth(text("pool", "*"), pool=None) is Truth.FAIL
    assert truth(Not(text("pool", "shared")), pool=None) is Truth.PASS


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("owner", {"owner": Named("u1", None)}),
        ("owner", {"owner": Named(None, "u1")}),
        ("pool", {"pool": Named("u1", None)}),
        ("image", {"image": Image("u1", None, None)}),
        ("image", {"image": Image(None, "u1", None)}),
    ],
)
def test_half_a_name_passes_or_is_unknown_but_never_fails(key: str, known: dict[str, Any]) -> None:
    """When a thing's other name is missing, that one might have fitted."""
    assert truth(text(key, "u1"), **known) is Truth.PASS
    assert truth(text(key, "alice"), **known) is Truth.UNKNOWN


@pytest.mark.parametrize("key", ["name", "owner", "pool", "image", "flavor"])
def test_names_are_matched_without_regard_to_case(key: str) -> None:
    """`KEEP-*` protects `keep-me` as well."""
    named: dict[str, Any] = {
        "name": "Keep-Me",
        "owner": Named("x", "Keep-Me"),
        "pool": Named("x", "Keep-Me"),
        "image": Image("x", "Keep-Me", "x"),
        "flavor": "Keep-Me",
    }
    for glob in ("keep-*", "KEEP-*", "kEEP-mE", "[K]eep-me", "[k]EEP-ME"):
        assert truth(text(key, glob), **named) is Truth.PASS, glob


@pytest.mark.parametrize(
    "key", ["status", "feature", "workspace", "billing", "volume.category", "volume.ownership", "lease.type"]
)
def test_words_of_the_api_are_matched_exactly(key: str) -> None:
    """What is no name is matched with regard to case."""
    assert truth(text(key, "timing", "stopped", "notebook", "storage", "evs", "managed")) is Truth.FAIL


@pytest.mark.parametrize(
    ("glob", "fits", "misses"),
    [
        ("keep-*", ["keep-", "keep-me", "keep-\nme"], ["keep", "xkeep-me"]),
        ("*-prod", ["a-prod", "-prod"], ["a-prod-b", "prod"]),
        ("nb?", ["nb1", "nbx"], ["nb", "nb12"]),
        ("nb[0-9]", ["nb0", "nb9"], ["nba", "nb10"]),
        ("nb[!0-9]", ["nba"], ["nb1"]),
        ("[[]x]", ["[x]"], ["x", "[x"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a+", ["a+"], ["aa"]),
        ("(x|y)", ["(x|y)"], ["x"]),
        ("[]]", ["]"], ["["]),
        ("keep", ["keep"], ["keep-me", "to-keep", "Keep", "keep\n"]),
    ],
)
def test_a_glob_fits_a_whole_text_as_in_a_shell(glob: str, fits: list[str], misses: list[str]) -> None:
    """Wildcards work as in a shell, the whole text must fit, and nothing is a regular expression."""
    assert [value for value in fits + misses if Glob(glob).matches(value)] == fits


@pytest.mark.parametrize("glob", ["", "[", "keep-[", "keep-[a", "[!", "[[]keep["])
def test_a_bad_glob_is_refused(glob: str) -> None:
    """A glob that could only match by mistake is an error, for a protection that matches nothing protects nothing."""
    with pytest.raises(ValueError, match=r"empty|not closed"):
        Glob(glob)


@pytest.mark.parametrize("glob", ["[]", "[!]", "keep-[]", "[]keep"])
def test_a_bracket_that_holds_nothing_is_refused(glob: str) -> None:
    """In a shell the first `]` inside a bracket stands for itself, so these brackets are not closed either."""
    with pytest.raises(ValueError, match="not closed"):
        Glob(glob)


def test_globs_are_equal_when_they_match_alike() -> None:
    """The text and the regard to case make a glob."""
    assert Glob("a*") == Glob("a*")
    assert len({Glob("a*"), Glob("a*"), Glob("b*"), Glob("a*", ignore_case=True)}) == 3
    assert Glob("a*") != "a*"
    assert repr(Glob("a*")) == "Glob('a*')"


@pytest.mark.parametrize(
    ("tags", "wanted", "expected"),
    [
        ({"keep": "yes"}, ("*",), Truth.PASS),
        ({"keep": ""}, ("*",), Truth.PASS),
        ({"keep": "yes"}, ("no", "y*"), Truth.PASS),
        ({"keep": "yes"}, ("no",), Truth.FAIL),
        ({"keep": "yes"}, ("YES",), Truth.UNKNOWN),
        ({"Keep": "yes"}, ("*",), Truth.UNKNOWN),
        ({"Keep": "no"}, ("yes",), Truth.FAIL),
        ({"other": "yes"}, ("*",), Truth.FAIL),
        ({}, ("*",), Truth.FAIL),
        (None, ("*",), Truth.UNKNOWN),
    ],
)
def test_a_tag_is_looked_up_and_its_value_matched(
    tags: dict[str, str] | None, wanted: tuple[str, ...], expected: Truth
) -> None:
    """Having no such tag is a fact; an answer without any tags at all is a gap."""
    assert truth(tag("keep", *wanted), tags=tags) is expected


def in_protection(condition: TagIs | TextIs) -> TagIs | TextIs:
    """Return the condition as it stands in a protection, outside any `not`."""
    return replace(condition, alike=Truth.PASS)


DOUBTFUL_TAGS: list[tuple[dict[str, Any], tuple[str, ...], Truth, Truth]] = [
    # what the row shows, the values asked for, the answer in a protection, and elsewhere
    ({"tags": {"keep": None}}, ("yes",), Truth.UNKNOWN, Truth.UNKNOWN),
    ({"tags": {"keep": None}}, ("*",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"Keep": None}}, ("yes",), Truth.UNKNOWN, Truth.UNKNOWN),
    ({"tags": {"keep": "no"}, "repeated_tags": (("keep", "yes"),)}, ("yes",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"keep": "yes"}, "repeated_tags": (("keep", "no"),)}, ("yes",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"keep": "no"}, "repeated_tags": (("keep", None),)}, ("yes",), Truth.UNKNOWN, Truth.UNKNOWN),
    ({"tags": {"keep": "no"}, "repeated_tags": (("keep", "never"),)}, ("yes",), Truth.FAIL, Truth.FAIL),
    ({"tags": {"keep": "yes"}, "repeated_tags": (("keep", "yep"),)}, ("ye*",), Truth.PASS, Truth.PASS),
    ({"tags": {"keep": "no", "KEEP": "yes"}}, ("yes",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"keep": "Yes"}}, ("yes",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"keep": "yes "}}, ("yes",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {" Keep\u00a0": "\u200byes"}}, ("yes",), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"keep": "YES-until-May"}}, ("no", "yes-*-may"), Truth.PASS, Truth.UNKNOWN),
    ({"tags": {"keep": ""}}, ("yes",), Truth.FAIL, Truth.FAIL),
    ({"tags": {"caf\u00e9": "\u00e9"}}, ("\u00e9",), Truth.FAIL, Truth.FAIL),
]


@pytest.mark.parametrize(("row", "wanted", "protecting", "elsewhere"), DOUBTFUL_TAGS)
def test_a_doubtful_tag_protects_and_never_deletes(
    row: dict[str, Any], wanted: tuple[str, ...], protecting: Truth, elsewhere: Truth
) -> None:
    """A value that is not shown, a key that is there twice, or a tag of another case: protected or unknown, never deleted."""
    assert truth(in_protection(tag("keep", *wanted)), **row) is protecting
    assert truth(tag("keep", *wanted), **row) is elsewhere
    inside_not = {Truth.PASS: Truth.FAIL, Truth.FAIL: Truth.PASS, Truth.UNKNOWN: Truth.UNKNOWN}[elsewhere]
    assert truth(Not(tag("keep", *wanted)), **row) is inside_not


def test_composed_and_decomposed_text_is_the_same_everywhere() -> None:
    """On either side, in names, owners, tags and their keys, workspaces and the cloud's own sentences."""
    composed, decomposed = "r\u00e9vision", "re\u0301vision"
    for here, there in ((composed, decomposed), (decomposed, composed)):
        for key in ("name", "flavor", "fail_reason"):
            assert truth(text(key, f"{there}-*"), **{key: f"{here}-1"}) is Truth.PASS
        assert truth(text("workspace", there), workspace_id=here) is Truth.PASS
        assert truth(text("owner", there), owner=Named("u1", here)) is Truth.PASS
        assert truth(text("pool", there), pool=Named("p1", here)) is Truth.PASS
        assert truth(text("image", there), image=Image("i1", here, "x")) is Truth.PASS
        assert truth(tag(there, there), tags={here: here}) is Truth.PASS


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("keep-*", " keep-1"),
        ("keep-*", "\u00a0keep-1"),
        ("keep-*", "k\u200beep-1"),
        ("keep-*", "keep\u20111"),
        ("keep-*", "\uff4beep-1"),
        ("keep-*", "k\u0435ep-1"),
        ("k\u0435ep-*", "keep-1"),
        ("stra\u00dfe-*", "STRASSE-1"),
        ("print-*", "PR\u0130NT-1"),
        ("\ufb01nal", "final"),
        ("two  words", "two words"),
        ("[KP]eep-?", "\u200bKEEP-1"),
    ],
)
def test_a_name_that_only_looks_alike_protects_and_never_deletes(glob: str, name: str) -> None:
    """Blanks, invisible characters, other dashes, full-width letters, other scripts, letters without a capital of their own."""
    assert truth(in_protection(text("name", glob)), name=name) is Truth.PASS
    assert truth(text("name", glob), name=name) is Truth.UNKNOWN
    assert truth(Not(text("name", glob)), name=name) is Truth.UNKNOWN


def test_an_accent_is_seen_and_so_is_a_wildcard() -> None:
    """What can be told apart at a glance is another text; a full-width star is a star, and matches nothing else."""
    assert truth(in_protection(text("name", "r\u00e9vision-*")), name="revision-1") is Truth.FAIL
    assert truth(in_protection(text("name", "\uff0a")), name="experiment-1") is Truth.FAIL
    assert truth(in_protection(text("name", "keep-*")), name="to-keep-1") is Truth.FAIL


def test_a_workspace_or_a_sentence_of_another_case_is_in_doubt() -> None:
    """They are matched with regard to case, and a capital letter in an id must not take its protection away."""
    assert truth(in_protection(text("workspace", "5F1E")), workspace_id="5f1e") is Truth.PASS
    assert truth(text("workspace", "5F1E"), workspace_id="5f1e") is Truth.UNKNOWN
    assert truth(text("fail_reason", "*Quota*")) is Truth.UNKNOWN


@pytest.mark.parametrize(("capacity_gb", "expected"), [(49, Truth.FAIL), (50, Truth.FAIL), (51, Truth.PASS), (0, Truth.FAIL)])
def test_a_capacity_must_be_larger_than_the_threshold(capacity_gb: int, expected: Truth) -> None:
    """Exactly the threshold is not over it."""
    assert truth(CapacityOver(50), volume=Volume("EVS", "MANAGED", capacity_gb)) is expected


@pytest.mark.parametrize("volume", [None, Volume("EVS", "MANAGED", None)])
def test_a_missing_capacity_is_unknown(volume: Volume | None) -> None:
    """Without a volume or its size nothing can be said of it."""
    assert truth(CapacityOver(0), volume=volume) is Truth.UNKNOWN


@pytest.mark.parametrize("wanted", [True, False])
def test_a_lease_is_enabled_or_not_or_does_not_say(wanted: bool) -> None:  # noqa: FBT001 -- a parametrized value
    """Each of the two is matched by its own word, and a lease that is missing or silent by neither."""
    assert truth(LeaseEnabled(wanted), lease=lease(enabled=wanted)) is Truth.PASS
    assert truth(LeaseEnabled(wanted), lease=lease(enabled=not wanted)) is Truth.FAIL
    assert truth(LeaseEnabled(wanted), lease=lease(enabled=None)) is Truth.UNKNOWN
    assert truth(LeaseEnabled(wanted), lease=None) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("condition", "changes", "expected"),
    [
        (over("idle", days=14), {"lease": None, "updated_at": ago(days=21, hours=4)}, "idle 21d 4h (over 14d)"),
        (over("lease_expired", days=30), {"lease": None}, "lease expired is missing (wanted: over 30d)"),
        (over("lease_expired", days=30), {"lease": lease(enabled=False)}, "lease expired no lease is enabled (over 30d)"),
        (text("name", "exp*", "x*"), {}, "name experiment-1 (exp* or x*)"),
        (text("status", "STOPPED"), {}, "status STOPPED"),
        (text("owner", "al*"), {}, "owner alice / u1 (al*)"),
        (text("pool", "x"), {"pool": None}, "pool none (x)"),
        (tag("team", "vis*"), {}, "tags.team vision (vis*)"),
        (tag("keep", "*"), {}, "tags.keep not set (*)"),
        (tag("keep", "*"), {"tags": None}, "tags.keep is missing (wanted: *)"),
        (tag("keep", "yes"), {"tags": {"keep": None}}, "tags.keep (value not shown) (yes)"),
        (
            tag("keep", "yes"),
            {"tags": {"keep": "no"}, "repeated_tags": (("keep", "yes"),)},
            "tags.keep no / yes (yes)",
        ),
        (
            tag("keep", "yes"),
            {"tags": {"Keep": "yes"}},
            "tags.keep Keep=yes (looks like keep=yes, but differs: upper and lower case, or blanks) (yes)",
        ),
        (
            text("name", "keep-*"),
            {"name": "k\u0435ep\u20111"},
            (
                "name k\u0435ep\u20111 (looks like keep-*, but differs: "
                "U+0435 CYRILLIC SMALL LETTER IE here, U+2011 NON-BREAKING HYPHEN here) (keep-*)"
            ),
        ),
        (
            text("name", "k\u0435ep-1"),
            {"name": "keep-1"},
            "name keep-1 (looks like k\u0435ep-1, but differs: U+0435 CYRILLIC SMALL LETTER IE in the rule) (k\u0435ep-1)",
        ),
        (CapacityOver(20), {}, "volume.capacity 50 GB (over 20 GB)"),
        (LeaseEnabled(enabled=False), {}, "lease.enabled true (false)"),
        (Not(over("age", days=365)), {}, "age 200d (not over 365d)"),
        (Not(AllOf((over("age", days=365),))), {}, "age 200d (not over 365d)"),
        (Not(text("name", "exp-*", "old-*")), {}, "name experiment-1 (not exp-* or old-*)"),
        (Not(text("flavor", "*ascend*")), {"flavor": None}, "flavor is missing (wanted: not *ascend*)"),
        (
            Not(AnyOf((over("age", days=365), text("name", "x")))),
            {},
            "none of (age 200d (over 365d), name experiment-1 (x))",
        ),
        (
            Not(AllOf((over("age", days=365), text("name", "x")))),
            {},
            "not all of (age 200d (over 365d), name experiment-1 (x))",
        ),
        (Not(Not(over("age", days=365))), {}, "not (age 200d (not over 365d))"),
        (AnyOf((over("age", days=365), text("name", "x"))), {}, "any of (age 200d (over 365d), name experiment-1 (x))"),
    ],
)
def test_a_finding_says_the_fact_and_the_threshold(condition: Condition, changes: dict[str, Any], expected: str) -> None:
    """Whoever reads a finding sees what was asked for and what was there."""
    assert str(condition.check(notebook(**changes), moment())) == expected


@pytest.mark.parametrize(
    ("condition", "changes", "expected"),
    [
        (over("idle", days=14), {}, "idle 99d > 14d"),
        (over("age", days=200, hours=-1), {}, "age 200d > 199d 23h"),
        (over("age", hours=1), {"created_at": ago(hours=3, minutes=5)}, "age 3h 5m > 1h"),
        (over("age", days=2), {"created_at": ago(days=2, hours=5)}, "age 2d 5h > 2d"),
        (over("age", days=2), {"created_at": ago(days=3, hours=5)}, "age 3d > 2d"),
        (text("status", "STOPPED"), {}, "STOPPED"),
        (text("name", "exp*"), {}, "name experiment-1 (exp*)"),
        (CapacityOver(20), {}, "volume.capacity 50 GB (over 20 GB)"),
        (Not(over("age", days=365)), {}, "age 200d (not over 365d)"),
    ],
)
def test_a_finding_in_few_words_never_contradicts_itself(condition: Condition, changes: dict[str, Any], expected: str) -> None:
    """Hours are left out only where the days alone are over the threshold."""
    assert condition.check(notebook(**changes), moment()).brief == expected


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ("status STOPPED; idle 375d 12h (over 14d)", "STOPPED; idle 375d 12h > 14d"),
        ("idle 2d (over 1d 12h); status DELETE_FAILED", "idle 2d > 1d 12h; DELETE_FAILED"),
        ("volume.capacity 50 GB (over 20 GB)", "volume.capacity 50 GB > 20 GB"),
        ("not (age 200d (over 365d))", "not (age 200d > 365d)"),  # as older versions wrote it
        ("age 200d (not over 365d)", "age 200d (not over 365d)"),
        ("name status-1 (status*); owner alice", "name status-1 (status*); owner alice"),
    ],
)
def test_findings_of_the_journal_are_shortened(findings: str, expected: str) -> None:
    """Only thresholds and states; what other people have named stays."""
    assert shorten(findings) == expected


@pytest.mark.parametrize("key", ["owner", "pool"])
def test_a_finding_says_that_half_a_name_is_missing(key: str) -> None:
    """It is the missing half that makes it unknown, so that is what it says."""
    finding = text(key, "bob").check(notebook(owner=Named("u1", None), pool=Named("p1", None)), moment())
    assert finding.truth is Truth.UNKNOWN
    assert "missing" in str(finding)


def test_a_condition_changes_nothing_it_looks_at() -> None:
    """Asked twice, it answers twice the same."""
    row: Notebook = notebook(status=Status.RUNNING)
    before = replace(row)
    condition = LongerThan("age_over", timedelta(days=3))
    assert condition.check(row, moment()) == condition.check(row, moment())
    assert row == before


def test_a_finding_repeats_no_threshold_that_names_the_fact_and_only_then() -> None:
    """A glob may hold " or " itself: it is one text, and a part of it is another one."""
    row = notebook(fail_reason="quota or disk")
    assert str(text("fail_reason", "quota or disk", "x").check(row, moment())) == "fail reason quota or disk"
    assert str(text("fail_reason", "quota or*").check(row, moment())) == "fail reason quota or disk (quota or*)"
    part = text("fail_reason", "quota or memory").check(notebook(fail_reason="memory"), moment())
    assert str(part) == "fail reason memory (quota or memory)"
