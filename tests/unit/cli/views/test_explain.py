"""`explain` as a tree and as a document."""

import io
import json
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
import typer
from msgspec.structs import replace
from rich.console import Console

from builders import NOON, ago, moment, notebook, over, policy, protection, removal, rules, run_record, tag, text
from nbsweep.cli.commands.explain import only_targets
from nbsweep.cli.text import json_text
from nbsweep.cli.views.explain import explain_view
from nbsweep.cli.views.results import plain_text
from nbsweep.core.explain.context import JournalFacts, NotebookContext, TargetScope, brake_lines, cover_findings
from nbsweep.core.explain.explain import explain
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.judging.verdict import Reason, keep
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.matching.conditions import AnyOf, Not
from nbsweep.core.model import Status
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.reasons.model import recorded
from nbsweep.core.runs import History, Outcome
from nbsweep.documents.explain import explain_document
from nbsweep.settings import Settings

HOSTILE = "a\x1b[31m\n\r\x07[bold red]x[/] \u202eb"
IDLE = policy(text("status", "STOPPED"), over("idle", days=14), name="idle")
KEEP_TAG = protection(tag("keep", "*"), name="tags.keep *")


def account(
    asked: Rules | None = None, memory: JournalFacts | None = None, features: tuple[str, ...] = ("NOTEBOOK",), **changes: Any
) -> NotebookContext:
    """Return the context of the example notebook with changes, by default under an idle policy and a protection by tag."""
    row, memory = notebook(**changes), memory or JournalFacts()
    explanation = explain(row, asked or rules(IDLE, protect=(KEEP_TAG,)), moment())
    cover = cover_findings(row, TargetScope(None, features))
    return NotebookContext("research", NOON, row, cover, explanation, memory, brake_lines(Brakes(), Fraction(1, 4), memory))


def document_of(accounts: Sequence[NotebookContext]) -> Any:
    """Return the document as programs read it."""
    return json.loads(json_text(explain_document(accounts)))


def shown(*accounts: NotebookContext, width: int = 200) -> str:
    """Render as off a terminal, so wide."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    return plain_text(console, explain_view(accounts))


def lines_of(*accounts: NotebookContext) -> list[str]:
    """Return the lines without what draws the tree."""
    return [line.lstrip("│├└─ ") for line in shown(*accounts).splitlines()]


def section(told: NotebookContext, title: str) -> list[str]:
    """Return the lines below a heading, with their indentation."""
    lines = shown(told).splitlines()
    start = next(place for place, line in enumerate(lines) if line[4:].startswith(title))
    found = []
    for line in lines[start + 1 :]:
        if line[0] in "├└":
            break
        found.append(line[4:])
    return found


def test_the_tree_of_one_that_goes() -> None:
    """Every rule, each condition with what it saw and wanted, and what its owner can do."""
    told = account()
    assert shown(told).splitlines()[0] == (
        "experiment-1 (nb1, STOPPED, of alice): DELETE, policy idle: status STOPPED; idle 99d 23h (over 14d)"
    )
    assert section(told, "protections") == ["└── fail    tags.keep *", "    └── fail    tags.keep: not set (wanted: *)"]
    assert section(told, "policies") == [
        "└── pass    idle  <- this decides",
        "    ├── pass    status: STOPPED (wanted: STOPPED)",
        "    └── pass    idle_over: 99d 23h, since 2025-11-21 13:00:00Z (wanted: over 14d)",
    ]
    assert section(told, "what its owner can do to keep it") == [
        "├── use it again: start it, and its idle time begins again; this keeps it until 2026-03-15 13:00:00Z",
        "└── give it the tag keep, with any value",
    ]


def test_the_tree_of_one_that_is_not_idle_for_long_enough() -> None:
    """When the verdict changes by itself, and what each policy lacks."""
    told = account(lease=None, updated_at=ago(days=4))
    assert "idle_over: 4d, since 2026-02-25 12:00:00Z (wanted: over 14d); passes after 2026-03-11 12:00:00Z" in shown(told)
    assert section(told, "what would have to change for it to be deleted") == [
        "├── nothing but time: it would be deleted by a sweep after 2026-03-11 12:00:00Z",
        "└── policy idle would have to match",
        "    └── it would have to stay idle for another 10d, until 2026-03-11 12:00:00Z",
    ]


def test_the_tree_of_one_whose_facts_are_missing() -> None:
    """Which, in the API's own words."""
    told = account(lease=None, updated_at=None, tags=None)
    assert section(told, "protections")[1] == "    └── unknown tags.keep: missing (wanted: *); not told by the cloud: tags"
    assert section(told, "policies")[2] == (
        "    └── unknown idle_over: missing (wanted: over 14d); not told by the cloud: update_at"
    )


def test_groups_are_nested_and_what_stands_alone_needs_no_group() -> None:
    """`any` with two alternatives, one of them a `not` with one condition."""
    asked = rules(policy(AnyOf((policy(over("age", days=300)).match, Not(policy(tag("team", "*")).match)))))
    assert section(account(asked), "policies")[1:] == [
        "    └── fail    any: one of these",
        "        ├── fail    age_over: 200d, since 2025-08-13 12:00:00Z (wanted: over 300d); passes after 2026-06-09 12:00:00Z",
        "        └── fail    not: none of this",
        "            └── pass    tags.team: vision (wanted: *)",
    ]


def test_what_the_program_itself_protects_is_shown() -> None:
    """With a remark at the policy that matches and does not act."""
    told = account(rules(policy(name="old")), status=Status.RUNNING)
    assert section(told, "built-in protections") == [
        "├── fail    deleted: RUNNING (wanted: DELETED)",
        "├── fail    in-transition: RUNNING (wanted: INIT, CREATING, STARTING, STOPPING, DELETING, SNAPSHOTTING)",
        "├── pass    running: RUNNING (wanted: RUNNING, unless the policy that matches says running: stop)",
        "└── fail    frozen: RUNNING (wanted: FROZEN, unless the policy that matches names it in status)",
    ]
    assert section(told, "policies")[-1] == "    └── policy old matches, but it runs, and the policy says running: skip"
    assert section(told, "protections") == ["└── none is configured"]


def test_one_that_is_stopped_first_says_so() -> None:
    """In the first line."""
    told = account(rules(policy(running=Running.STOP)), status=Status.RUNNING)
    assert shown(told).splitlines()[0].endswith("age 200d (over 1d); it is stopped first")


def test_one_that_nobody_looks_at_says_so() -> None:
    """Whatever the verdict: a sweep of this target never sees a CodeLab notebook."""
    goes = account(feature="DEFAULT")
    assert shown(goes).splitlines()[0].endswith("; but target research does not cover it")
    assert section(goes, "coverage of research")[1] == "└── fail    features: DEFAULT (wanted: NOTEBOOK)"
    stays = account(feature="DEFAULT", tags={"keep": "x"})
    assert section(stays, "what would have to change")[-1] == "└── and target research would have to cover it"


def test_who_can_do_nothing_is_told_whom_to_ask() -> None:
    """A policy on age alone, and no protection that could be had."""
    told = account(rules(policy()))
    assert section(told, "what its owner can do") == ["└── nothing alone: an operator of nbsweep would have to protect it"]


def ended(run_id: str, **changes: Any) -> Removal:
    """Return the removal of an earlier run that failed two days ago."""
    failed = removal(run_id=run_id, state=State.FAILED, ended_at=ago(days=2), end_reason="DELETE_FAILED: disk busy")
    return replace(failed, **changes)


def test_the_journal_tells_of_earlier_removals() -> None:
    """When it was last seen in use, what is under way, and the last five ends."""
    going = removal(run_id="now", state=State.ACCEPTED)
    memory = JournalFacts(ago(days=9), (going, *(ended(f"run{number}") for number in range(7))))
    assert section(account(memory=memory), "journal") == [
        "├── last seen active: 2026-02-20 12:00:00Z",
        "├── a removal is in progress: ACCEPTED by run now, policy old",
        *(
            f"├── failed at 2026-02-27 12:00:00Z by run run{number}, policy old: DELETE_FAILED: disk busy"
            for number in range(5)
        ),
        "└── ... and 2 earlier removals",
    ]
    assert section(account(), "journal") == [
        "├── last seen active: never by this journal",
        "└── no removal of it is known",
    ]


def test_the_brakes_are_shown_with_their_limits() -> None:
    """Those that are off as well, with what the last sweep came to, and what was requested within a day."""
    latest = run_record(started_at=ago(hours=4), ended_at=ago(hours=3), outcome=Outcome.REFUSED, fleet=400, planned=137)
    told = account(memory=JournalFacts(latest=latest, history=History(requested=12)))
    assert section(told, "brakes") == [
        "├── max_deletions: 100 (how many notebooks a sweep of this target would delete); 137 at the last sweep",
        "├── max_share: 25% (how much of the fleet a sweep of this target would delete); 137 of 400 at the last sweep",
        "├── max_per_owner: off (how many notebooks of one owner a sweep would delete)",
        "├── max_per_day: off (how many deletions of a day were requested on this target); 12 within the last day",
        "├── max_fleet_drop: 50% (by how much the fleet is smaller than at the last survey)",
        "├── max_failures: 25% (the share of begun removals that may fail before a sweep stops)",
        "├── on_excess: refuse (what happens to a plan that is too large)",
        "└── last sweep of research: run1, refused, 2026-03-01 09:00:00Z",
    ]
    last_sweep = document_of([told])["journal"]["last_sweep"]
    assert (last_sweep["run_id"], last_sweep["outcome"], last_sweep["planned"]) == ("run1", "refused", 137)


def test_one_that_would_go_and_cools_down_is_said_to_be_left_alone() -> None:
    """The rules' verdict stays what it is; the headline and the document say until when no sweep will act on it."""
    left_alone = keep(Reason.COOLING_DOWN, recorded("it is left alone until 2026-03-01 13:00Z"))
    told = account(rules(policy(name="old")), JournalFacts(left_alone=left_alone))
    assert ": DELETE, " in shown(told).splitlines()[0]
    assert shown(told).splitlines()[0].endswith("; but it is left alone until 2026-03-01 13:00Z")
    assert document_of([told])["journal"]["left_alone"] == "it is left alone until 2026-03-01 13:00Z"


@pytest.mark.parametrize("width", [80, 200])
def test_nothing_is_cut_at_any_width(width: int) -> None:
    """What does not fit goes on in the next line, and no line is wider than the screen."""
    told = account(rules(policy(name="old")), status=Status.RUNNING)
    seen = shown(told, width=width)
    assert max(map(len, seen.splitlines())) <= width
    joined = " ".join(line.lstrip("│├└─ ") for line in seen.splitlines())
    assert "INIT, CREATING, STARTING, STOPPING, DELETING, SNAPSHOTTING" in " ".join(joined.split())
    assert "…" not in seen


def test_names_cannot_act_on_the_terminal() -> None:
    """Nor can the words of a tag, of an owner or of the journal."""
    memory = JournalFacts(removals=(ended("run1", end_reason=HOSTILE, policy=HOSTILE),))
    told = account(
        rules(policy(text("name", "x")), protect=(protection(tag("team", "x")),)), memory, name=HOSTILE, tags={"team": HOSTILE}
    )
    seen = shown(told)
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(seen)
    assert "[bold red]x[/]" in seen
    assert seen.count("a\ufffd[31m") >= 3


def test_colours_are_for_a_terminal_alone() -> None:
    """On one the verdict stands out; off one there is no escape sequence at all."""
    terminal = Console(file=io.StringIO(), width=100, highlight=False, force_terminal=True, color_system="standard")
    assert "\x1b[" in plain_text(terminal, explain_view([account()]))
    assert "\x1b" not in shown(account())


def test_each_target_has_a_tree_of_its_own() -> None:
    """One below the other."""
    heads = [
        line for line in shown(account(), replace(account(), target="lab")).splitlines() if line.startswith("experiment-1")
    ]
    assert len(heads) == 2


# ---- the document ---------------------------------------------------------------------------------------------------------


def test_the_document_has_the_keys_of_the_contract() -> None:
    """Programs of other people read these; those of the first version are all there."""
    document = document_of([account()])
    assert list(document) == [
        "target", "id", "name", "status", "owner", "workspace", "asked_at", "verdict", "because", "rule", "reason",
        "stop_first", "covered", "cover", "built_in", "protections", "policies", "change", "brakes", "journal",
        "mark", "exemptions", "also",
    ]  # fmt: skip
    assert (document["verdict"], document["because"], document["rule"]) == ("delete", "policy", "idle")
    (rule,) = document["policies"]
    assert list(rule) == ["name", "result", "decides", "conditions", "running", "grace", "remark"]
    assert rule["conditions"][1] == {
        "condition": "idle_over",
        "fact": "99d 23h",
        "threshold": "over 14d",
        "result": "pass",
        "since": "2025-11-21T13:00:00.000Z",
        "turns_at": None,
    }
    assert document["change"] == {
        "to": "keep",
        "by_itself_at": None,
        "earliest_deletion_at": "2026-03-01T12:00:00.000Z",
        "needs": None,
        "remedies": [
            {
                "words": "use it again: start it, and its idle time begins again",
                "until": "2026-03-15T13:00:00.000Z",
            },
            {"words": "give it the tag keep, with any value", "until": None},
        ],
    }
    assert document["journal"] == {
        "last_active": None,
        "under_way": None,
        "removals": [],
        "last_sweep": None,
        "requested_within_a_day": 0,
        "left_alone": None,
    }
    assert document["brakes"][1] == {
        "brake": "max_share",
        "limit": "25%",
        "looks_at": "how much of the fleet a sweep of this target would delete",
        "known": None,
    }


def test_the_document_of_one_that_stays_says_what_it_needs() -> None:
    """As a tree: `every_one`, `one_of`, and what a rule needs."""
    asked = rules(IDLE, policy(text("status", "ERROR"), text("name", "x*"), name="bad"))
    document = document_of([account(asked, lease=None, updated_at=ago(days=4))])
    assert document["change"]["to"] == "delete"
    assert document["change"]["by_itself_at"] == "2026-03-11T12:00:00.000Z"
    idle, bad = document["change"]["needs"]["one_of"]
    assert idle == {
        "words": "policy idle would have to match",
        "needs": {
            "condition": "idle_over",
            "words": "it would have to stay idle for another 10d, until 2026-03-11 12:00:00Z",
            "at": "2026-03-11T12:00:00.000Z",
        },
    }
    assert [part["condition"] for part in bad["needs"]["every_one"]] == ["status", "name"]
    unknown = document_of([account(updated_at=None, lease=None)])["policies"][0]["conditions"][1]
    assert (unknown["fact"], unknown["result"], unknown["missing"]) == (None, "unknown", ["update_at"])


def test_the_document_tells_of_removals_with_their_runs() -> None:
    """All of them, and the one that is under way."""
    going = removal(run_id="now", state=State.ACCEPTED, accepted_at=NOON - timedelta(seconds=3))
    journal = document_of([account(memory=JournalFacts(ago(days=9), (going, ended("before"))))])["journal"]
    assert journal["last_active"] == "2026-02-20T12:00:00.000Z"
    assert [(each["run_id"], each["outcome"], each["reason"]) for each in journal["removals"]] == [
        ("now", "unfinished", "age 200d (over 1d)"),
        ("before", "failed", "DELETE_FAILED: disk busy"),
    ]
    assert journal["under_way"]["run_id"] == "now"


def test_further_targets_follow_in_the_same_shape() -> None:
    """The document itself is about the first."""
    document = document_of([account(), replace(account(), target="lab")])
    (other,) = document["also"]
    assert (document["target"], other["target"]) == ("research", "lab")
    assert other.keys() == document.keys() - {"also"}


def test_the_document_can_be_read_back() -> None:
    """Whatever the names hold."""
    written = json_text(explain_document([account(name=HOSTILE)]))
    assert json.loads(written)["name"] == HOSTILE
    assert "\x1b" not in written


# ---- which targets --------------------------------------------------------------------------------------------------------


def settings() -> Settings:
    """Return a configuration of two targets."""
    target = {"endpoint": "https://cloud.test", "project_id": "0" * 32}
    other = {**target, "project_id": "1" * 32}
    return Settings.model_validate(
        {
            "targets": [{"name": "lab", **target}, {"name": "research", **other}],
            "policies": [{"name": "old", "match": {"age_over": "1d"}}],
        }
    )


def test_targets_can_be_chosen() -> None:
    """In the order of the configuration; all when none is named."""
    assert [target.name for target in only_targets(settings(), ["research"]).targets] == ["research"]
    assert [target.name for target in only_targets(settings(), ["research", "lab"]).targets] == ["lab", "research"]
    assert only_targets(settings(), []) == settings()


def test_a_target_that_is_not_configured_is_bad_usage() -> None:
    """The error says which there are."""
    with pytest.raises(typer.BadParameter, match=r"no target nope; known: lab, research"):
        only_targets(settings(), ["lab", "nope"])
