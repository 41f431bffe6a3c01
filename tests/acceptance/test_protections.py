"""What protects: the real command on notebooks whose tags and names are doubtful, or are not written as the rules are."""

from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, idle


def tagged(notebook_id: str, *tags: Json) -> Json:
    """Describe an idle notebook whose answers hold these rows of tags."""
    return idle(notebook_id, raw={"tags": list(tags)})


def tag(key: str, value: str) -> Json:
    """Give one row of a notebook's tags."""
    return {"key": key, "value": value}


ROWS = [
    tagged("no-value", {"key": "keep"}),
    tagged("null-value", {"key": "keep", "value": None}),
    tagged("twice", tag("keep", "yes"), tag("keep", "no")),
    tagged("twice-the-other-way", tag("keep", "no"), tag("keep", "yes")),
    tagged("two-keys", tag("keep", "no"), tag("KEEP", "yes")),
    tagged("other-case-of-the-key", tag("Keep", "yes")),
    tagged("other-case-of-the-value", tag("keep", "Yes")),
    tagged("blanks", tag("keep", "yes "), tag("env", "dev")),
    tagged("blanks-in-the-key", tag(" keep ", "yes")),
    tagged("no-break-space", tag("keep", "yes\u00a0")),
    idle("decomposed", name="re\u0301vision-1"),
    idle("composed", name="r\u00e9vision-1"),
    idle("invisible", name="r\u00e9vis\u200bion-1"),
    idle("other-dash", name="r\u00e9vision\u20111"),
    idle("full-width", name="\uff32\u00e9vision-1"),
    idle("capital-workspace", workspace_id="0", owner="Zo\u00eb"),
]
PROTECT: Any = [{"tags": {"keep": "yes"}}, {"name": ["r\u00e9vision-*"]}, {"owner": "zoe\u0308"}]


def test_doubtful_tags_and_names_protect(simulate: Simulate, desk: Desk) -> None:
    """A sweep deletes the one that is plainly not protected, and keeps all those that may be."""
    cloud = simulate([*ROWS, tagged("plainly-not", tag("keep", "no"), tag("keep", "never"), tag("team", "yes"))])
    desk.write(cloud, protect=PROTECT)
    ended = desk.sweep()
    assert (ended.code, ended.outcomes()) == (0, {"plainly-not": "deleted"})
    assert cloud.gone() == {"plainly-not"}


def test_what_an_owner_tags_in_a_word_of_their_own_keeps_it_from_a_policy(simulate: Simulate, desk: Desk) -> None:
    """A condition inside the `not` of a policy protects as well, and what is doubtful never makes a policy match."""
    rows = [
        tagged("held", tag("HOLD", "1")),
        tagged("held-without-a-value", {"key": "hold"}),
        tagged("perhaps-scratch", tag("use", "Scratch")),
        tagged("scratch-twice", tag("use", "scratch"), tag("use", "thesis")),
        tagged("scratch", tag("use", "scratch")),
    ]
    match = {"status": "STOPPED", "idle_over": "14d", "tags": {"use": "scratch"}, "not": {"tags": {"hold": "*"}}}
    cloud = simulate([*rows, tagged("scratch-held", tag("use", "scratch"), tag(" Hold", "yes"))])
    desk.write(cloud, policies=[{"name": "scratch", "match": match}])
    assert desk.sweep().outcomes() == {"scratch": "deleted"}
    assert cloud.gone() == {"scratch"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (idle("nb", name="k\u0435ep-1"), "U+0435 CYRILLIC SMALL LETTER IE"),
        (idle("nb", name="keep\u20111"), "U+2011 NON-BREAKING HYPHEN"),
        (idle("nb", name="k\u200beep-1"), "U+200B ZERO WIDTH SPACE"),
        (tagged("nb", tag("Keep", "yes")), "Keep=yes (looks like keep=yes, but differs: upper and lower case, or blanks)"),
        (tagged("nb", {"key": "keep"}), "tags.keep: (value not shown) (wanted: yes)"),
        (tagged("nb", tag("keep", "no"), tag("keep", "yes")), "tags.keep: no / yes (wanted: yes)"),
    ],
    ids=["letter", "dash", "invisible", "case", "no-value", "twice"],
)
def test_explain_says_what_looks_alike_and_differs(simulate: Simulate, desk: Desk, row: Json, told: str) -> None:
    """In letters that a terminal shows, with the number and the name of each character that cannot be told apart there."""
    desk.write(simulate([row]), protect=[{"name": "keep-*"}, {"tags": {"keep": "yes"}}])
    ended = desk.run("explain", "nb")
    assert ended.code == 0
    assert "KEEP" in ended.out.splitlines()[0]
    assert told in " ".join(ended.out.replace("│", " ").split())
