"""The branches of the mark and of the exemptions in the tree of `explain`, and their documents."""

import json
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from builders import NOON, ago, announcing, exemption, mark, moment, notebook, policy, rules, told_mark
from nbsweep.cli.text import json_text
from nbsweep.cli.views.explain import explain_view
from nbsweep.core.explain.context import JournalFacts, NotebookContext
from nbsweep.core.explain.explain import explain
from nbsweep.core.judging.rules import Policy
from nbsweep.core.marks.model import ClearCause, Mark, clear, remove
from nbsweep.documents.explain import explain_document
from rendering import rendered

CLEARED_BY = (
    "cleared by any use of it, by a change of its lease, owner or status, by tags or a name that the policy does not match, by "
    "a protection or an exemption, and by an edit of the policy"
)
TOLD = told_mark(told_at=ago(days=1), deadline=NOON + timedelta(days=6))


def context(*marks: Mark, asked: Policy | None = None, **changes: Any) -> NotebookContext:
    """Return the context of the first notebook, for a policy that gives a week's notice; ended marks are only on record."""
    in_force = {each.notebook_id: each for each in marks if each.open}
    known = replace(rules(asked or announcing()), marks=in_force, **changes)
    memory = JournalFacts(marks=marks)
    return NotebookContext("research", NOON, notebook(), (), explain(notebook(), known, moment()), memory, (), known)


def branch(told: NotebookContext, title: str) -> list[str]:
    """Return the lines below a title."""
    lines = rendered(explain_view([told])).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(("├── " + title, "└── " + title)))
    found = []
    for line in lines[start + 1 :]:
        if not line.startswith(("│   ", "    ")):
            break
        found.append(line[4:].strip())
    return found


def document(told: NotebookContext) -> Any:
    """Return the document as programs read it."""
    return json.loads(json_text(explain_document([told])))


def test_a_told_mark_says_by_what_when_and_until_when() -> None:
    """And what clears it."""
    assert branch(context(TOLD), "mark") == [
        "├── marked on 2026-02-19 12:00:00Z by policy old: age 200d (over 1d)",
        "├── 1 of 1 complete survey agrees",
        "├── told on 2026-02-28 12:00:00Z by mail: 250 ok",
        "├── due on 2026-03-07 12:00:00Z, in 6d",
        f"└── {CLEARED_BY}",
    ]


def test_a_mark_of_which_nobody_was_told_says_why() -> None:
    """Two of one surveys agree already."""
    told = context(mark(surveys=2, untold="no address is known"))
    assert branch(told, "mark")[1:3] == ["├── 2 of 1 complete surveys agree", "├── not told: no address is known"]
    assert branch(context(mark()), "mark")[2] == "├── not told yet"


def test_a_due_mark_says_that_the_next_sweep_may_delete_it() -> None:
    """In the branch, and in the headline."""
    told = context(told_mark())
    assert "├── due on 2026-02-28 16:00:00Z: the next sweep deletes it if all rules still agree" in branch(told, "mark")
    assert ": DELETE, " in rendered(explain_view([told])).splitlines()[0]


def test_a_mark_that_has_ended_says_how() -> None:
    """The latest one; that a policy matches again is another line."""
    cleared = clear(TOLD, ago(hours=3), ClearCause.RENEWED)
    assert branch(context(cleared), "mark")[-1] == "└── ended on 2026-03-01 09:00:00Z, cleared: renewed"
    removed = remove(TOLD, ago(hours=3), "run7")
    assert branch(context(removed), "mark")[-1] == "└── ended on 2026-03-01 09:00:00Z, deleted by run run7"
    assert branch(context(), "mark") == ["└── not marked"]


def test_without_notice_and_without_marks_there_is_no_branch() -> None:
    """Most configurations have no grace, and no exemptions."""
    shown = rendered(explain_view([context(asked=policy())]))
    assert "mark, which" not in shown
    assert "exemptions" not in shown


def test_an_exemption_is_shown_with_its_end_and_its_giver() -> None:
    """Also one that may cover it; not one of another notebook."""
    covering = exemption(ticket="OPS-7")
    other = exemption(id="e2", notebook_id="nb2")
    assert branch(context(exemptions=(covering, other)), "exemptions") == [
        "└── pass    exemption e1 (notebook nb1) until 2026-03-10 12:00Z: a paper is due (OPS-7), granted by carol"
    ]
    assert branch(context(exemptions=(other,)), "exemptions") == ["└── none covers it"]


def test_an_announced_notebook_says_when_it_goes_and_what_keeps_it() -> None:
    """Both branches; nothing would keep it that its owner can do alone."""
    told = context(TOLD)
    assert branch(told, "what its owner can do to keep it") == [
        "└── nothing alone: an operator of nbsweep would have to protect it"
    ]
    assert branch(told, "what would have to change")[0] == (
        "├── nothing but time: it would be deleted by a sweep after 2026-03-07 12:00:00Z"
    )
    assert branch(context(), "what would have to change")[0] == (
        "├── at the earliest by a sweep after 2026-03-08 12:00:00Z, if its owner is told at once"
    )


def test_the_document_has_the_mark_and_the_exemptions() -> None:
    """The times of the announcement, and what may keep the notebook: then its mark is exempt, up to the end of that."""
    announced = document(context(TOLD))
    assert (announced["mark"]["state"], announced["mark"]["due_at"], announced["mark"]["told_by"]) == (
        "told",
        "2026-03-07T12:00:00.000Z",
        "mail: 250 ok",
    )
    told = document(context(TOLD, exemptions=(exemption(owner="ALICE"),)))
    assert (told["mark"]["state"], told["mark"]["due_at"], told["mark"]["exempt_until"]) == (
        "exempt",
        "2026-03-10T12:00:00.000Z",
        "2026-03-10T12:00:00.000Z",
    )
    assert told["exemptions"] == [
        {
            "id": "e1",
            "covers": "owner ALICE",
            "result": "pass",
            "until": "2026-03-10T12:00:00.000Z",
            "reason": "a paper is due",
            "granted_by": "carol",
            "ticket": None,
        }
    ]
    assert document(context())["mark"] is None
    assert document(context())["change"]["earliest_deletion_at"] == "2026-03-08T12:00:00.000Z"
    assert document(context())["policies"][0]["grace"] == "7d"
