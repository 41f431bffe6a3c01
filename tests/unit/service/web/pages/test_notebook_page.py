"""The page of one notebook, and the search that finds it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders import (
    NOON,
    ago,
    announcing,
    exemption,
    mark,
    moment,
    notebook,
    over,
    policy,
    protection,
    removal,
    rules,
    tag,
    told_mark,
)
from contract.test_inventory import identity, survey
from contract.test_inventory import notebook as listed_notebook
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import AnswerLost
from nbsweep.core.explain.context import JournalFacts, NotebookContext, TargetScope, brake_lines, cover_findings
from nbsweep.core.explain.explain import explain
from nbsweep.core.judging.rules import Rules
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.model import ClearCause, clear
from nbsweep.core.model import MalformedRow, Named, Notebook, Status, Volume
from nbsweep.core.notices.outbox import MARK_CLEARED
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.runs import History
from nbsweep.service.control import TargetState
from nbsweep.service.web.access.call_limit import MOST_CALLS, CallLimit
from nbsweep.service.web.pages.handlers.notebook import NotebookPage
from nbsweep.service.web.pages.views.notebook.explained import Node, explained_tree
from nbsweep.service.web.pages.views.notebook.outlook import outlook
from nbsweep.testing import InMemoryJournal
from notice_builders import item
from unit.service.web.pages.reading import Seen, facts, rows, see
from unit.service.web.support import BEARER, FakeControl, Scene, state, token_file

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
EVIL = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n<img src=x>'
LONG = "長" * 3000
WHOLE_ID = "0d3f9c2e-0000-4000-8000-00000000abcd"


def context(row: Notebook, judged: Rules, memory: JournalFacts = JournalFacts(), **scope: object) -> NotebookContext:  # noqa: B008 - a frozen value
    """Return what a target says about a notebook."""
    cover = cover_findings(row, replace(TargetScope(None, ("NOTEBOOK",)), **scope))
    explanation = explain(row, judged, moment())
    return NotebookContext("research", NOON, row, cover, explanation, memory, brake_lines(Brakes(), None, memory), judged)


def saying(*contexts: NotebookContext) -> FakeControl:
    """Return a service whose targets say this."""
    control = FakeControl()
    control.contexts = contexts
    return control


def region(seen: Seen, label: str) -> list[list[str]]:
    """Return the cells of the table in the region with this label."""
    [found] = [each for each in seen.content.all("div") if each.attributes.get("aria-label") == label]
    return rows(found.only("table"))


# ---- what happens to it ---------------------------------------------------------------------------------------------------

OLD = rules(policy(over("idle", days=30)))
PROTECTED = rules(policy(over("idle", days=30)), protect=(protection(tag("keep", "*")),))


def said(about: NotebookContext, target: TargetState | None) -> str:
    """Return the first sentence in English, with its values in place."""
    says = outlook(about, target).says
    return says.text % says.values


@pytest.mark.parametrize(
    ("about", "target", "sentence"),
    [
        (context(notebook(), OLD), state(), "The next sweep, due at"),
        (context(notebook(), OLD), state(pause=Pause("research", NOON)), "It would be deleted, but its target is paused."),
        (context(notebook(), OLD), state(dry_run=True), "It would be deleted, but this service makes dry runs only."),
        (context(notebook(), OLD), state(next_run=None), "The next sweep deletes it. Sweeps begin only when somebody asks"),
        (context(notebook(), OLD), None, "The next sweep deletes it. Sweeps begin only when somebody asks"),
        (context(notebook(), OLD, workspaces=("w9",)), state(), "It is kept: this target does not cover it."),
        (context(notebook(tags={"keep": "x"}), PROTECTED), state(), "It is kept, and time alone does not change that."),
        (context(notebook(updated_at=ago(days=20)), OLD), state(), "It is kept. By itself that changes after"),
        (
            context(notebook(), OLD, JournalFacts(removals=(removal(state=State.ACCEPTED),))),
            state(),
            "It is being deleted now, by run run1.",
        ),
        (context(notebook(), rules(announcing())), state(), "It is kept. A sweep after"),
    ],
)
def test_the_first_sentence_says_what_happens_and_when(
    about: NotebookContext, target: TargetState | None, sentence: str
) -> None:
    """By the verdict, the target's state, and what the journal knows."""
    assert said(about, target).startswith(sentence)


@pytest.mark.parametrize(
    ("its_mark", "sentence"),
    [
        (mark(), "It is going to be deleted, but not before its owner has been told"),
        (told_mark(deadline=NOON + timedelta(days=3)), "It is announced, and may be deleted from"),
    ],
)
def test_an_announced_notebook_says_from_when_on_it_may_go(its_mark: object, sentence: str) -> None:
    """Or that its owner has to be told first."""
    judged = replace(rules(announcing()), marks={"nb1": its_mark})
    about = context(notebook(), judged, JournalFacts(marks=(its_mark,)))  # type: ignore[arg-type]
    assert said(about, state()).startswith(sentence)


async def test_the_page_begins_with_what_happens_and_why() -> None:
    """In the language of the reader, with the reason."""
    async with Scene(saying(context(notebook(), OLD))).open() as face:
        seen = await see(face, "/notebooks/nb1")
        assert (seen.status, seen.heading) == (200, "Notebook experiment-1")
        section = seen.content.all("section")[0]
        assert section.only("strong").words == "The next sweep, due at 1 Mar 2026 12:00 UTC, deletes it."
        assert "policy old: idle 99d 23h (over 30d)" in section.words
        told = facts(seen.content)
        assert (told["Owner"], told["Status"], told["Disk"]) == ("alice", "STOPPED quota exceeded", "50 GB")
        chinese = await see(face, "/notebooks/nb1", headers=CHINESE)
        assert chinese.content.only("strong").words.startswith("下次清理会删除它")
        assert "闲置时长" in chinese.content.all("section")[0].words


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (Volume("EFS", "DEDICATED", 500), "500 GB, the user's own storage"),
        (Volume("OBS", "DEDICATED"), "the user's own storage"),
        (Volume("EVS", "MANAGED"), "size not shown by the cloud"),
        (None, "not shown by the cloud"),
    ],
)
async def test_the_facts_say_whose_disk_it_is_or_why_there_is_no_size(volume: Volume | None, words: str) -> None:
    """The size of a disk of the user's own is shown, too."""
    async with Scene(saying(context(notebook(volume=volume), OLD))).open() as face:
        assert facts((await see(face, "/notebooks/nb1")).content)["Disk"] == words


async def test_targets_that_do_not_cover_it_stand_folded_below_those_that_do() -> None:
    """Targets of one project, each with its workspaces, all show it, and only one decides."""
    covering = context(notebook(), OLD)
    other = replace(context(notebook(), OLD, workspaces=("w9",)), target="training")
    control = saying(covering)
    control.contexts = (other, covering)
    async with Scene(control).open() as face:
        content = (await see(face, "/notebooks/nb1")).content
        assert [each.words for each in content.all("h2")[:2]] == ["research", "training"]
        [folded] = [each for each in content.all("details") if each.all("summary")[0].words.startswith("Targets")]
        assert folded.all("summary")[0].words == "Targets that do not cover it: training"
        assert folded.only("strong").words == "It is kept: this target does not cover it."
    control.contexts = (other,)
    async with Scene(control).open() as face:
        content = (await see(face, "/notebooks/nb1")).content
        assert content.all("section")[0].only("h2").words == "training"
        assert "Targets that do not cover it" not in content.words


# ---- the tree -------------------------------------------------------------------------------------------------------------


def flat(nodes: Sequence[Node]) -> list[Node]:
    """Return all lines of a tree."""
    return [found for node in nodes for found in (node, *flat(node.parts))]


def test_every_rule_is_in_the_tree_with_its_result() -> None:
    """Protections and policies by name, conditions with what they saw; the rule that decides is open and says so."""
    judged = rules(
        policy(over("age", days=999), name="ancient"), policy(over("idle", days=30)), protect=(protection(tag("keep", "*")),)
    )
    lines = flat(explained_tree(context(notebook(), judged)))
    assert [(line.name, line.truth) for line in lines if line.name] == [
        ("kept", Truth.FAIL),
        ("ancient", Truth.FAIL),
        ("old", Truth.PASS),
    ]
    [decides] = [line for line in lines if any(note.text == "this decides" for note in line.notes)]
    assert (decides.name, decides.is_open) == ("old", True)
    assert [line.finding.condition for line in lines if line.finding] == [
        "workspaces",
        "features",
        "tags.keep",
        "age_over",
        "idle_over",
    ]
    assert [line.action.code.value for line in lines if line.action] != []


async def test_the_tree_folds_without_a_script() -> None:
    """It is made of lists and details; what decides is open, and what has nothing to say is closed."""
    about = context(notebook(), replace(PROTECTED, exemptions=(exemption(),)))
    async with Scene(saying(about)).open() as face:
        seen = await see(face, "/notebooks/nb1")
        [tree] = [each for each in seen.content.all("ul") if each.attributes.get("class") == "tree"]
        titles = {each.all("summary")[0].words: "open" in each.attributes for each in tree.all("details")}
        assert titles["Policies: the first that matches decides"] is True
        assert titles["Built-in protections: any that holds keeps it"] is False
        assert "granted by carol: a paper is due" in tree.words
        assert "Deletions in one sweep: at most 100 max_deletions" in tree.words
        assert "A plan that is too large: is refused on_excess" in tree.words


def tree_of(seen: Seen) -> str:
    """Return the words of the tree."""
    [tree] = [each for each in seen.content.all("ul") if each.attributes.get("class") == "tree"]
    return tree.words


async def test_what_would_have_to_change_is_in_the_language_of_the_reader() -> None:
    """Idle for 10 days of 30: 20 more, until noon of the 21st of March. The tag would have to go; brakes say their figures."""
    row = notebook(lease=None, updated_at=ago(days=10), tags={"keep": "x"})
    about = context(row, PROTECTED, JournalFacts(history=History(requested=3)))
    async with Scene(saying(about)).open() as face:
        english, chinese = await see(face, "/notebooks/nb1"), await see(face, "/notebooks/nb1", headers=CHINESE)
        assert "protection kept would have to stop matching tag keep would have to be removed" in tree_of(english)
        assert "it would have to stay idle for another 20d, until 21 Mar 2026 12:00 UTC" in tree_of(english)
        assert "3 within the last day" in tree_of(english)
        assert "保护规则 kept 需不再匹配 需移除标签 keep" in tree_of(chinese)
        assert "还需继续闲置 20 天，直到 2026年3月21日 12:00 UTC" in tree_of(chinese)
        assert "最近一天内已请求删除 3 个" in tree_of(chinese)
        assert "would" not in tree_of(chinese)
        assert "within the last day" not in tree_of(chinese)


# ---- the journal's knowledge ----------------------------------------------------------------------------------------------


async def journal_of_nb1() -> InMemoryJournal:
    """Return a journal that knows the states, the mark, the messages and the removal of a notebook."""
    journal = InMemoryJournal()
    for hours, status in enumerate((Status.RUNNING, Status.STOPPED)):
        row = listed_notebook("nb1", status, name="bert", owner=Named("u1", "alice"))
        await survey(journal, [row], NOON - timedelta(hours=9 - hours))
    told = told_mark(1, version=0)
    await journal.marks.write([told], [replace(item(1), mark_id=told.id, accepted_at=ago(days=8))])
    await journal.write([removal(1, name="bert", state=State.FAILED, ended_at=ago(days=1), end_reason="quota exceeded")])
    return journal


async def test_all_that_the_journal_knows_is_on_the_page() -> None:
    """States, marks, messages, removals and audit entries, each with the newest first."""
    async with Scene(saying(context(notebook(), OLD)), journal=await journal_of_nb1()).open() as face:
        seen = await see(face, "/notebooks/nb1")
        states = region(seen, "Its states over time")
        assert [row[:4] for row in states[1:]] == [
            ["STOPPED", "1 Mar 2026 04:00 UTC", "now", "–"],
            ["RUNNING", "1 Mar 2026 03:00 UTC", "1 Mar 2026 04:00 UTC", "1 hr"],
        ]
        assert region(seen, "Marks")[1][:2] == ["19 Feb 2026 12:00 UTC", "Due"]
        assert region(seen, "Messages about it")[1][0] == "announcement"
        assert region(seen, "Removals")[1][0] == "Failed to be deleted"
        assert [row[2] for row in region(seen, "Entries of the audit trail")[1:]] == [
            "Failed to be deleted",
            "Deletion decided",
            "Owner told",
            "Marked",
        ]
        links = [each.attributes["href"] for each in seen.content.all("a")]
        assert "/history/run1" in links
        assert "/audit?notebook=nb1" in links


async def test_why_a_mark_and_a_message_were_given_up_is_in_the_language_of_the_reader() -> None:
    """In the entries of the audit trail on this page, and in the messages."""
    journal = InMemoryJournal()
    told = told_mark(1, version=0)
    await journal.marks.write([told], [replace(item(1), mark_id=told.id)])
    await journal.marks.write([clear(replace(told, version=1), NOON, ClearCause.USED)], [], dropped=MARK_CLEARED)
    async with Scene(saying(context(notebook(), OLD)), journal=journal).open() as face:
        seen = await see(face, "/notebooks/nb1", headers=CHINESE)
        assert [row[3] for row in region(seen, "关于它的消息")[1:]] == ["已放弃 其标记已撤销"]
        [cleared] = [row for row in region(seen, "审计记录的条目")[1:] if row[2] == "标记已撤销"]
        assert cleared[-1] == "已被使用"


async def test_what_the_cloud_does_not_say_the_journal_does() -> None:
    """An error of a target is told, and the rest of the page is there."""
    control = saying()
    control.errors = {"research": AnswerLost("the cloud cannot be reached")}
    async with Scene(control, journal=await journal_of_nb1()).open() as face:
        seen = await see(face, "/notebooks/nb1")
        assert (seen.status, seen.heading) == (200, "Notebook bert")
        assert "research: the cloud cannot be reached" in seen.content.words
        assert "The latest survey showed it. What happens to it is known when the cloud answers." in seen.content.words
        assert facts(seen.content)["Status"] == "STOPPED"
        assert "As surveys have shown it since 1 Mar 2026 04:00 UTC." in seen.content.words


async def test_a_state_without_facts_is_shown_and_the_facts_before_it_too() -> None:
    """The latest survey could not read the row of the notebook."""
    journal = await journal_of_nb1()
    await survey(journal, [MalformedRow("nb1", "bert", "status HIBERNATING is not documented")], NOON)
    async with Scene(saying(), journal=journal).open() as face:
        seen = await see(face, "/notebooks/nb1")
        assert [row[0] for row in region(seen, "Its states over time")[1:]] == ["-", "STOPPED", "RUNNING"]
        assert facts(seen.content)["Status"] == "STOPPED"
        assert "As surveys have shown it since 1 Mar 2026 04:00 UTC." in seen.content.words


async def test_a_cloud_that_does_not_answer_is_not_waited_for() -> None:
    """The page comes after its patience, with what the journal knows; the call is given up."""
    control = saying(context(notebook(), OLD))
    control.go_on.clear()
    async with Scene(control, journal=await journal_of_nb1()).open() as face:
        page = NotebookPage(control, await journal_of_nb1(), face.clock, CallLimit(face.clock), patience_s=0.01)
        asked = await page._asked("nb1")  # noqa: SLF001 - the page waits ten seconds
        assert asked.contexts == ()
        assert asked.not_asked is not None
        assert asked.not_asked.text.startswith("The cloud has not answered in time.")


async def test_calls_of_pages_count_with_those_of_the_api() -> None:
    """Two targets cost two calls; above the limit the page shows what the journal knows, and says why it did not ask."""
    async with Scene(saying(context(notebook(), OLD)), journal=await journal_of_nb1()).open() as face:
        for _ in range(MOST_CALLS // 2):
            assert (await face.ask("GET", "/api/v1/notebooks/nb1/explain"))[0] == 200
        asked = len(face.control.asked)
        seen = await see(face, "/notebooks/nb1")
        assert seen.status == 200
        assert "The cloud was not asked: there were many requests within a minute" in seen.content.words
        assert region(seen, "Removals")[1][0] == "Failed to be deleted"
        assert len(face.control.asked) == asked
        assert (await see(face, "/notebooks/nb9")).status == 200


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ([removal(state=State.DELETED, ended_at=ago(days=2))], "It was deleted on 27 Feb 2026 12:00 UTC, by run run1."),
        ([removal(state=State.ACCEPTED)], "A removal is in progress, by run run1."),
        ([removal(state=State.SPARED, ended_at=NOON)], "No target shows it any more."),
    ],
)
async def test_a_notebook_that_is_gone_says_what_became_of_it(written: list[object], sentence: str) -> None:
    """From the journal alone."""
    journal = InMemoryJournal()
    await journal.write(written)  # type: ignore[arg-type]
    async with Scene(saying(), journal=journal).open() as face:
        seen = await see(face, "/notebooks/nb1")
        assert (seen.status, seen.heading) == (200, "Notebook experiment-1")
        assert seen.content.all("strong")[0].words.startswith(sentence)


async def test_a_notebook_that_somebody_else_deleted_says_so() -> None:
    """A complete survey no longer showed it, and no removal of it is on record."""
    journal = InMemoryJournal()
    await survey(journal, [listed_notebook("nb1")], NOON - timedelta(hours=2))
    await survey(journal, [], NOON - timedelta(hours=1))
    async with Scene(saying(), journal=journal).open() as face:
        words = (await see(face, "/notebooks/nb1")).content.words
        assert "No survey has shown it since 1 Mar 2026 11:00 UTC, and nbsweep did not delete it." in words
        assert "No sweep has tried to delete it." in words


async def test_the_last_state_of_a_notebook_ends_with_its_removal() -> None:
    """Also before the next survey no longer shows it: a deleted notebook is not STOPPED now."""
    journal = InMemoryJournal()
    await survey(journal, [listed_notebook("nb1")], NOON - timedelta(hours=26))
    await journal.write([removal(state=State.DELETED, ended_at=NOON - timedelta(hours=2))])
    async with Scene(saying(), journal=journal).open() as face:
        [_, last] = region(await see(face, "/notebooks/nb1"), "Its states over time")
        assert last[2:4] == ["1 Mar 2026 10:00 UTC", "1 day"]


async def test_a_target_that_does_not_cover_it_says_only_that(tmp_path: Path) -> None:
    """Its rules decide nothing, so that they are no reason, and there is nothing to keep it from."""
    elsewhere = context(notebook(), OLD, workspaces=("w9",))
    assert outlook(elsewhere, state()).cause is None
    async with Scene(saying(elsewhere), journal=InMemoryJournal(), token_file=token_file(tmp_path)).open() as face:
        words = (seen := await see(face, "/notebooks/nb1", headers=BEARER)).content.words
        assert "It is kept: this target does not cover it." in words
        assert "What the target covers" in words
        assert "Policies" not in words
        assert not [each for each in seen.content.all("a") if "/exemptions/new" in each.attributes["href"]]


async def test_an_exemption_does_not_change_whether_a_target_covers_it() -> None:
    """An exempted notebook of another target is not announced to change when the exemption ends."""
    exempt = replace(OLD, exemptions=(exemption(),))
    assert said(context(notebook(), exempt, workspaces=("w9",)), state()).startswith(
        "It is kept: this target does not cover it."
    )


async def test_what_nobody_knows_is_not_found() -> None:
    """Neither the cloud nor the journal; an ID that cannot be one is no request to the cloud."""
    async with Scene(saying(), journal=InMemoryJournal()).open() as face:
        missing = await see(face, "/notebooks/nb1")
        assert (missing.status, missing.heading) == (404, "There is nothing here")
        asked = len(face.control.asked)
        assert (await see(face, "/notebooks/a%20b")).status == 400
        assert len(face.control.asked) == asked


# ---- search ---------------------------------------------------------------------------------------------------------------


async def journal_with_names() -> InMemoryJournal:
    """Return a journal that knows notebooks by surveys, marks and removals."""
    journal = InMemoryJournal()
    names = {"nb1": "bert", "nb2": "bert-base", "nb3": "gpt"}
    await survey(journal, [listed_notebook(each, name=name) for each, name in names.items()])
    await journal.write([removal(7, name="llm")])
    await journal.marks.write([mark(8, name="whisper", version=0)])
    return journal


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("gpt", "/notebooks/nb3"),
        ("BERT-b", "/notebooks/nb2"),
        ("nb1", "/notebooks/nb1"),
        ("llm", "/notebooks/nb7"),
        ("Whisper", "/notebooks/nb8"),
        (" nb8 ", "/notebooks/nb8"),
        (WHOLE_ID, f"/notebooks/{WHOLE_ID}"),
    ],
)
async def test_one_hit_leads_to_its_page(text: str, place: str) -> None:
    """By name, id, or the beginning of one; a whole id that only the cloud may know too. The search makes no calls."""
    async with Scene(journal=await journal_with_names()).open() as face:
        seen = await see(face, "/notebooks", params={"q": text})
        assert (seen.status, seen.headers["Location"]) == (303, place)
        assert face.control.asked == []


async def test_several_hits_are_a_list_with_the_best_first() -> None:
    """A whole name before the names that begin with it; each notebook once."""
    async with Scene(journal=await journal_with_names()).open() as face:
        seen = await see(face, "/notebooks?q=bert")
        assert [row[:2] for row in region(seen, "Notebooks that fit")[1:]] == [["bert", "nb1"], ["bert-base", "nb2"]]
        assert len(region(await see(face, "/notebooks?q=nb"), "Notebooks that fit")) == 6


async def test_notebooks_of_the_same_name_are_told_apart_by_their_latest_states() -> None:
    """Those that are still there come first; a removal may know one that no survey has shown. Other names need no state."""
    journal = InMemoryJournal()
    before = [listed_notebook(each, name="bert") for each in ("nb1", "nb2")] + [listed_notebook("nb3", name="bert-base")]
    await survey(journal, before, ago(days=9))
    await survey(journal, before[1:], ago(days=2))
    await journal.write([removal(7, name="bert")])
    async with Scene(journal=journal).open() as face:
        assert region(await see(face, "/notebooks?q=bert"), "Notebooks that fit") == [
            ["Notebook", "ID", "Owner", "Target", "State"],
            ["bert", "nb2", "unknown", "p1", "STOPPED since 20 Feb 2026 12:00 UTC"],
            ["bert", "nb1", "unknown", "p1", "gone since 27 Feb 2026 12:00 UTC"],
            ["bert", "nb7", "alice", "research", "in no survey on record"],
            ["bert-base", "nb3", "unknown", "p1", "–"],
        ]


async def test_a_notebook_that_two_targets_have_shown_is_one_hit_with_both() -> None:
    """As two targets of one project show it."""
    journal = InMemoryJournal()
    both = [listed_notebook("nb1", name="bert"), listed_notebook("nb2", name="bert-base")]
    await survey(journal, both)
    await survey(journal, both, mine=identity("training"))
    async with Scene(journal=journal).open() as face:
        found = region(await see(face, "/notebooks?q=ber"), "Notebooks that fit")
    assert [(row[1], sorted(row[3].split(", "))) for row in found[1:]] == [
        ("nb1", ["p1", "training"]),
        ("nb2", ["p1", "training"]),
    ]


async def test_no_hit_says_why_and_offers_to_ask_the_cloud() -> None:
    """Only for what may be an id."""
    async with Scene(journal=await journal_with_names()).open() as face:
        seen = await see(face, "/notebooks?q=nothing")
        assert "whose name or ID begins with “nothing”, and no mark or removal has this name." in seen.content.words
        assert [each.attributes["href"] for each in seen.content.all("a")] == ["/notebooks/nothing"]
        assert (await see(face, "/notebooks", params={"q": "no id/at all"})).content.all("a") == []
        assert "Type a name, an ID" in (await see(face, "/notebooks?q=")).content.words


async def test_more_hits_than_fit_are_told() -> None:
    """Fifty are shown."""
    journal = InMemoryJournal()
    await survey(journal, [listed_notebook(f"nb{each}", name=f"same-{each}") for each in range(60)])
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/notebooks?q=same")
        assert len(region(seen, "Notebooks that fit")) == 51
        assert "There are more." in seen.content.words


# ---- other people's texts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [EVIL, LONG])
async def test_what_others_wrote_is_text(text: str) -> None:
    """On the page of the notebook, in its tree, and among the hits: nothing turns the direction, and the pages stay small."""
    row = notebook(name=text, owner=Named(text, text), flavor=text, tags={"keep": text}, fail_reason=text, workspace_id=text)
    judged = replace(
        rules(policy(over("idle", days=30), name=text), protect=(protection(tag("keep", f"{text}*"), name=text),)),
        exemptions=(exemption(reason=text, granted_by=text),),
    )
    journal = InMemoryJournal()
    seen_rows = [listed_notebook(f"nb{each}", name=text, owner=Named(text, text)) for each in range(1, 52)]
    await survey(journal, seen_rows)
    await journal.marks.write([mark(name=text, owner_name=text, reason=text, policy=text, untold=text, version=0)])
    await journal.write([removal(name=text, owner=text, policy=text, reason=text)])
    async with Scene(saying(context(row, judged)), journal=journal).open() as face:
        for path in ("/notebooks/nb1", "/notebooks?q=nb"):
            seen = await see(face, path)
            assert seen.status == 200
            assert len(seen.source.encode()) < 300_000
            assert len(seen.page.all("script")) == 1
            assert seen.content.all("img") == []
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.source


async def test_an_administrator_can_keep_it_from_here(tmp_path: object) -> None:
    """Whoever may not exempt does not see the button."""
    async with Scene(saying(context(notebook(), OLD)), token_file=token_file(tmp_path)).open() as face:  # type: ignore[arg-type]
        mine = await see(face, "/notebooks/nb1", headers=BEARER)
        assert "/exemptions/new?notebook=nb1&target=research&next=%2Fnotebooks%2Fnb1" in [
            each.attributes["href"] for each in mine.content.all("a")
        ]
        others = await see(face, "/notebooks/nb1")
        assert not [each for each in others.content.all("a") if "/exemptions/new" in each.attributes["href"]]
