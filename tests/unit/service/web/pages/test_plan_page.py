import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.structs import replace

import builders
from builders import (
    NOON,
    SCOPE,
    candidate,
    exemption,
    moment,
    notebook,
    over,
    policy,
    refused_by,
    removal,
    rules,
    text,
)
from nbsweep.core.errors import ConfigurationError, Mistake, Unreachable
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Volume
from nbsweep.core.planning.brakes import Brakes, judge_count
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.policy import judge
from nbsweep.core.reasons.model import recorded
from nbsweep.core.reasons.sentences.brakes import BrakeCode
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.changes import PlanChanges
from nbsweep.core.saved_plan.model import Spared
from nbsweep.service.plans.saved_plans import open_plan
from nbsweep.service.web.access.tokens import Role, TokenFile
from nbsweep.service.web.planning.drafts import SavedRow
from nbsweep.testing import InMemoryJournal
from trails import whole_trail
from unit.service.web.pages.reading import Element, Seen, facts, follow, rows, see
from unit.service.web.support import BEARER, VIEWER_BEARER, Face, FakeControl, Scene, state, token_file, viewer_file

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
APPROVER = {"Authorization": "Bearer a-token-that-approves"}
THREE = builders.plan(
    candidate(1, name="zeta", owner=builders.notebook(1).owner),
    candidate(2, name="alpha", flavor="big"),
    candidate(3, name="Beta"),
    fleet=40,
)


def approver_file(directory: Path) -> TokenFile:
    """Write a token with the role approver, whose name is carol."""
    path = directory / "approver-token"
    path.write_text("a-token-that-approves")
    path.chmod(0o600)
    return TokenFile(path, Role.APPROVER, "api_tokens[1].file", "carol")


@asynccontextmanager
async def opened_face(
    tmp_path: Path, planned: Plan = THREE, *, dry_run: bool = False, journal: InMemoryJournal | None = None
) -> AsyncIterator[Face]:
    """Open the pages of one target with this plan, and with tokens of all roles."""
    control = FakeControl(state(dry_run=dry_run))
    control.planned = planned
    files = (viewer_file(tmp_path), approver_file(tmp_path))
    scene = Scene(control, journal=journal or InMemoryJournal(), token_file=token_file(tmp_path), token_files=files)
    async with scene.open() as face:
        yield face


async def post(face: Face, path: str, fields: dict[str, str] | None = None, headers: dict[str, str] = APPROVER) -> Seen:
    """Send a form as a page of this service does."""
    return await see(face, path, "POST", data=fields or {}, headers={**headers, "Origin": face.url})


def names(seen: Seen) -> list[str]:
    """Return the names of the notebooks in the table of a plan."""
    tables = seen.content.all("table")
    return [row[0].split()[0] for row in rows(tables[-1])[1:]] if tables else []


def digest(seen: Seen) -> str:
    """Return the digest that the forms of a page carry."""
    return next(each.attributes["value"] for each in seen.content.all("input") if each.attributes["name"] == "digest")


async def approve(face: Face) -> str:
    """Make a plan and approve it; return the path of its page."""
    await post(face, "/plan/research")
    seen = await see(face, "/plan/research", headers=APPROVER)
    done = await post(face, "/plan/research/approve", {"digest": digest(seen)})
    assert done.status == 303
    return done.headers["Location"]


# ---- the last plan ---------------------------------------------------------------------------------------------------------


async def test_looking_at_a_plan_costs_no_call(tmp_path: Path) -> None:
    """A GET shows the last plan that was made, with its age; without one it says what to do."""
    async with opened_face(tmp_path) as face:
        assert (
            "No plan has been made here since the service was started or its configuration was read."
            in (await see(face, "/plan")).content.words
        )
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert [each.words for each in seen.content.all("button")] == ["Make a plan"]
        assert face.control.asked == []
        done = await post(face, "/plan/research")
        assert (done.status, done.headers["Location"]) == (303, "/plan/research")
        assert "The plan has 3 notebooks." in (await follow(face, done)).content.words
        face.clock.wall += timedelta(hours=2)
        told = facts((await see(face, "/plan/research")).content)
        assert told["Made"] == "1 Mar 2026 12:00 UTC 2 hrs ago by carol (page)"
        assert told["Would be deleted"].startswith("3 of 40 notebooks")
        assert told["Can be approved until"] == "2 Mar 2026 12:00 UTC"
        assert "3 of 40 notebooks, made 2 hrs ago by carol (page)" in (await see(face, "/plan")).content.words
        assert face.control.asked == [("plan", "research")]


DISKS = builders.plan(
    candidate(1, name="managed", volume=Volume("EVS", "MANAGED", 200)),
    candidate(2, name="dedicated", volume=Volume("EFS", "DEDICATED", 500)),
    candidate(3, name="bucket", volume=Volume("OBS", "DEDICATED")),
    candidate(4, name="unsaid", volume=Volume("EVS", "MANAGED")),
    candidate(5, name="bare", volume=None),
    fleet=40,
)
"""All that a listing may show of a disk."""


async def test_a_disk_without_a_size_says_why(tmp_path: Path) -> None:
    """A disk of the user's own is not freed, so neither the total nor the order by size counts it."""
    async with opened_face(tmp_path, DISKS) as face:
        await post(face, "/plan/research")
        seen = await see(face, "/plan/research?sort=size", headers=APPROVER)
        assert {row[0].split()[0]: row[4] for row in rows(seen.content.all("table")[-1])[1:]} == {
            "managed": "200 GB",
            "dedicated": "the user's own storage",
            "bucket": "the user's own storage",
            "unsaid": "size not shown by the cloud",
            "bare": "not shown by the cloud",
        }
        assert names(seen)[0] == "managed"
        assert facts(seen.content)["Would be deleted"] == "5 of 40 notebooks, 200 GB"
        chinese = await see(face, "/plan/research", headers=APPROVER | CHINESE)
        assert [row[4] for row in rows(chinese.content.all("table")[-1])[1:]][1:4] == [
            "用户自有存储",
            "用户自有存储",
            "云端未显示大小",
        ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["zeta", "alpha", "Beta"]),
        ("sort=name", ["alpha", "Beta", "zeta"]),
        ("text=BET", ["Beta"]),
        ("text=nb2", ["alpha"]),
        ("owner=ali&sort=name", ["alpha", "Beta", "zeta"]),
        ("owner=bob", []),
        ("status=RUNNING", []),
        ("policy=old&status=STOPPED", ["zeta", "alpha", "Beta"]),
    ],
)
async def test_a_plan_is_sorted_and_filtered_by_its_address(tmp_path: Path, query: str, found: list[str]) -> None:
    """By owner, policy, status, and a part of the name or ID; the order of the plan is the usual one."""
    async with opened_face(tmp_path) as face:
        await post(face, "/plan/research")
        seen = await see(face, f"/plan/research?{query}")
        assert names(seen) == found
        assert found or "No notebook of this plan matches these filters." in seen.content.words


async def test_an_empty_plan_says_why(tmp_path: Path) -> None:
    """And nothing can be approved."""
    async with opened_face(tmp_path, builders.plan(fleet=40)) as face:
        await post(face, "/plan/research")
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert "A sweep would delete nothing now" in seen.content.words
        assert [each.words for each in seen.content.all("button")] == ["Make a new plan"]


async def test_a_plan_that_a_brake_refuses_cannot_be_approved(tmp_path: Path) -> None:
    """It says which brake, and a request for it is refused too."""
    refused = replace(THREE, refusals=(refused_by("max_deletions", "3 of 2 notebooks"),))
    async with opened_face(tmp_path, refused) as face:
        await post(face, "/plan/research")
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert "A brake refuses this plan: Deletions in one sweep: 3 of 2 notebooks" in seen.content.words
        assert "Approve" not in " ".join(each.words for each in seen.content.all("button"))
        assert (await post(face, "/plan/research/approve", {"digest": digest(seen)})).status == 409
        assert await face_plans(face) == []


async def test_a_brake_says_its_figures_and_what_to_do_in_the_language_of_the_reader(tmp_path: Path) -> None:
    """On the page of the plan, and on that of all targets; what was cut from a plan, too."""
    refused = replace(THREE, refusals=judge_count(3, Brakes(2, None), 10))
    chinese = (
        "将删除 3 个 Notebook，而 brakes.max_deletions 最多允许 2 个。请缩小策略范围、提高此上限，或设置 brakes.on_excess: trim"
    )
    async with opened_face(tmp_path, refused) as face:
        await post(face, "/plan/research")
        english = (await see(face, "/plan/research")).content.words
        assert "Deletions in one sweep: 3 notebooks would go, and brakes.max_deletions allows 2. Narrow the policies" in english
        for path in ("/plan/research", "/plan"):
            seen = (await see(face, path, headers=CHINESE)).content.words
            assert f"单次清理的删除数：{chinese}" in seen
            assert "would go" not in seen
    clause = Statement(BrakeCode.CUT_BY_DELETIONS, {"count": 1, "allowed": 3})
    cut = Statement(BrakeCode.TRIMMED, {"count": 1, "total": 4}, (clause,))
    async with opened_face(tmp_path, replace(THREE, cut=cut)) as face:
        await post(face, "/plan/research")
        trimmed = "4 个中有 1 个被移出计划，闲置最久的优先删除：1 个因 brakes.max_deletions，最多允许 3 个"
        assert trimmed in (await see(face, "/plan/research", headers=CHINESE)).content.words


async def test_a_target_that_cannot_be_surveyed_says_why(tmp_path: Path) -> None:
    """The last plan stays."""
    async with opened_face(tmp_path) as face:
        await post(face, "/plan/research")
        face.control.error = Unreachable("the cloud cannot be reached")
        seen = await post(face, "/plan/research")
        assert seen.status == 502
        assert "the cloud cannot be reached" in seen.content.words
        assert names(await see(face, "/plan/research")) == ["zeta", "alpha", "Beta"]
        assert (await see(face, "/plan/nowhere")).status == 404


# ---- approval --------------------------------------------------------------------------------------------------------------


async def face_plans(face: Face) -> list[Element]:
    """Return the links to approved plans."""
    seen = await see(face, "/plan")
    return [each for each in seen.content.all("a") if each.attributes["href"].startswith("/plan/approved/")]


async def test_what_was_shown_is_what_is_approved(tmp_path: Path) -> None:
    """The document in the journal has exactly these notebooks and the digest of the page; who approved it is on record."""
    journal = InMemoryJournal()
    async with opened_face(tmp_path, journal=journal) as face:
        path = await approve(face)
        [plan] = await journal.plans.plans(10)
        assert path == f"/plan/approved/{plan.plan_id}"
        assert (plan.approved_by, plan.notebooks, plan.expires_at) == ("carol (page)", 3, NOON + timedelta(days=1))
        document = await journal.plans.document(plan.plan_id)
        assert document is not None
        [target] = open_plan(document, plan.plan_id).targets
        assert [item.name for item in target.items] == ["zeta", "alpha", "Beta"]
        seen = await see(face, path, headers=APPROVER)
        assert names(seen) == ["zeta", "alpha", "Beta"]
        assert plan.digest in seen.content.words
        told = facts(seen.content)
        assert told["Approved"] == "1 Mar 2026 12:00 UTC carol (page)"
        assert told["Valid until"] == "2 Mar 2026 12:00 UTC 1 day left"
        assert [each.words for each in await face_plans(face)] == [plan.plan_id]
        [entry] = [link.entry for link in await whole_trail(journal)]
        assert (entry.what, entry.started_by) == ("approved", "carol (page)")


async def test_what_has_changed_since_the_look_is_refused_and_shown(tmp_path: Path) -> None:
    """Somebody else has made a new plan meanwhile: the new and the missing notebooks are named, and nothing is approved."""
    async with opened_face(tmp_path) as face:
        await post(face, "/plan/research")
        seen = await see(face, "/plan/research", headers=APPROVER)
        face.control.planned = builders.plan(*THREE.items[:2], candidate(4, name="delta"), fleet=40)
        await post(face, "/plan/research", headers=BEARER)
        refused = await post(face, "/plan/research/approve", {"digest": digest(seen)})
        assert refused.status == 409
        [note] = [each for each in refused.content.all("div") if each.attributes.get("role") == "alert"]
        assert "Nothing was done" in note.words
        assert [each.words for each in note.all("li")] == ["delta", "Beta"]
        assert digest(refused) != digest(seen)
        assert await face_plans(face) == []
        assert (await post(face, "/plan/research/approve", {"digest": digest(refused)})).status == 303


async def test_a_plan_that_is_not_known_any_more_is_refused(tmp_path: Path) -> None:
    """With a made-up digest, say; the present plan is shown."""
    async with opened_face(tmp_path) as face:
        await post(face, "/plan/research")
        refused = await post(face, "/plan/research/approve", {"digest": "sha256:0"})
        assert refused.status == 409
        assert "That plan is not known any more." in refused.content.words
        assert await face_plans(face) == []


async def test_after_a_restart_a_plan_that_nobody_has_approved_has_to_be_made_again(tmp_path: Path) -> None:
    """The page that was open before says so, and offers it, whether one approves or excludes."""
    async with opened_face(tmp_path) as face:
        await post(face, "/plan/research")
        shown = digest(await see(face, "/plan/research", headers=APPROVER))
    async with opened_face(tmp_path) as face:
        for path, more in (("approve", {}), ("exclude", {"notebook": "nb1"})):
            refused = await post(face, f"/plan/research/{path}", {"digest": shown, **more})
            assert refused.status == 409
            [note] = [each for each in refused.content.all("div") if each.attributes.get("role") == "alert"]
            assert "until the service is restarted" in note.words
            assert "Make the plan again" in note.words
            assert [each.words for each in refused.content.all("button")] == ["Make a plan"]
        assert await face_plans(face) == []


async def test_a_notebook_that_was_exempted_since_the_plan_was_made_says_so(tmp_path: Path) -> None:
    """Only what the plan could not know: an earlier one, and one for another target or notebook, say nothing."""
    journal = InMemoryJournal()
    for each in (
        exemption(id="e1", granted_at=NOON + timedelta(minutes=1), until=NOON + timedelta(days=9)),
        exemption(id="e2", notebook_id="nb2", target="training", granted_at=NOON + timedelta(minutes=1)),
        exemption(id="e3", notebook_id="nb3", granted_at=NOON - timedelta(days=1)),
        exemption(id="e4", notebook_id="nb9", granted_at=NOON + timedelta(minutes=1)),
    ):
        await journal.exemptions.grant(each)
    async with opened_face(tmp_path, journal=journal) as face:
        await post(face, "/plan/research")
        face.clock.wall += timedelta(minutes=5)
        zeta, alpha, beta = rows((await see(face, "/plan/research")).content.only("table"))[1:]
        assert "It is exempt until 10 Mar 2026 12:00 UTC by now: it is not deleted, approved or not." in zeta[0]
        assert "exempt" not in alpha[0] + beta[0]


async def test_a_notebook_is_excluded_from_this_plan_only(tmp_path: Path) -> None:
    """The plan is another one then; the page goes back to where it was, and the next plan has the notebook again."""
    journal = InMemoryJournal()
    async with opened_face(tmp_path, journal=journal) as face:
        await post(face, "/plan/research")
        before = await see(face, "/plan/research?sort=name", headers=APPROVER)
        [form] = [each for each in before.content.all("form") if "alpha" in each.words]
        fields = {each.attributes["name"]: each.attributes["value"] for each in form.all("input")}
        done = await post(face, form.attributes["action"], fields)
        assert (done.status, done.headers["Location"]) == (303, "/plan/research?sort=name")
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert names(seen) == ["zeta", "Beta"]
        assert "1 notebook is excluded from this plan alpha" in seen.content.words
        assert (await post(face, "/plan/research/approve", {"digest": digest(before)})).status == 409
        await post(face, "/plan/research/approve", {"digest": digest(seen)})
        [plan] = await journal.plans.plans(10)
        document = await journal.plans.document(plan.plan_id)
        [target] = open_plan(document or b"", plan.plan_id).targets
        assert [item.id for item in target.items] == ["nb1", "nb3"]
        assert [(each.id, each.by) for each in target.excluded] == [("nb2", "carol (page)")]
        await post(face, "/plan/research")
        assert names(await see(face, "/plan/research")) == ["zeta", "alpha", "Beta"]


async def test_a_plan_is_approved_once_and_not_after_its_end(tmp_path: Path) -> None:
    """The second click says so; so does one a day later."""
    async with opened_face(tmp_path) as face:
        await approve(face)
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert (await post(face, "/plan/research/approve", {"digest": digest(seen)})).status == 409
        await post(face, "/plan/research")
        seen = await see(face, "/plan/research", headers=APPROVER)
        face.clock.wall += timedelta(days=1)
        assert (await post(face, "/plan/research/approve", {"digest": digest(seen)})).status == 409
        assert len(await face_plans(face)) == 1


async def test_an_approved_plan_is_not_offered_for_approval_again(tmp_path: Path) -> None:
    """The page of its target leads to the approved plan instead, and says what became of it."""
    journal = InMemoryJournal()
    async with opened_face(tmp_path, journal=journal) as face:
        path = await approve(face)
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert not [each for each in seen.content.all("button") if each.words.startswith("Approve")]
        [link] = [each for each in seen.content.all("a") if each.attributes["href"] == path]
        assert link.words == "Look at the approved plan, and carry it out there"
        await journal.plans.begin(path.rpartition("/")[2], NOON, "dave (page)", "run7")
        assert "Carried out by dave (page)" in (await see(face, "/plan/research")).content.words
        await post(face, "/plan/research")
        again = await see(face, "/plan/research", headers=APPROVER)
        assert "Approve the deletion of all 3 notebooks" in [each.words for each in again.content.all("button")]


async def test_a_plan_is_not_carried_out_while_its_target_is_swept(tmp_path: Path) -> None:
    """The page says so instead of offering what would be refused."""
    async with opened_face(tmp_path) as face:
        path = await approve(face)
        face.control.states["research"] = state(phase="sweeping")
        seen = await see(face, path, headers=APPROVER)
        assert "A sweep of this target is in progress" in seen.content.words
        assert not [each for each in seen.content.all("button") if each.words.startswith("Delete")]


async def test_an_approved_plan_survives_a_restart(tmp_path: Path) -> None:
    """The journal keeps it; only what was not approved has to be made again."""
    journal = InMemoryJournal()
    async with opened_face(tmp_path, journal=journal) as face:
        path = await approve(face)
    async with opened_face(tmp_path, journal=journal) as face:
        assert names(await see(face, path)) == ["zeta", "alpha", "Beta"]
        assert (await post(face, f"{path}/carry-out")).status == 303
        assert "No plan has been made here" in (await see(face, "/plan")).content.words


# ---- what has changed, and carrying it out -----------------------------------------------------------------------------------


async def test_what_has_changed_since_the_approval_is_shown(tmp_path: Path) -> None:
    """What is new, what would be kept and why; nobody has compared it at first."""
    async with opened_face(tmp_path) as face:
        path = await approve(face)
        assert "Nobody has compared it" in (await see(face, path)).content.words
        saved = saved_target(THREE, builders.identity())
        spared = (Spared(saved.items[0], recorded("started again since")),)
        face.control.changes = PlanChanges(THREE, (candidate(9, name="brand-new"),), 2, spared)
        done = await post(face, f"{path}/compare")
        assert (done.status, done.headers["Location"]) == (303, path)
        face.clock.wall += timedelta(minutes=5)
        seen = await see(face, path)
        told = facts(seen.content)
        assert (told["Would be deleted"], told["Would be kept now"], told["New, and not part of this plan"]) == ("2", "1", "1")
        kept, new, _ = (rows(table)[1:] for table in seen.content.all("table"))
        assert kept == [["zeta nb1", "alice", "started again since"]]
        assert new[0][0] == "brand-new nb9"
        assert "As of 1 Mar 2026 12:00 UTC, 5 mins ago." in seen.content.words


async def test_an_approver_carries_a_plan_out(tmp_path: Path) -> None:
    """The service gets exactly the approved plan, and who ordered it."""
    async with opened_face(tmp_path) as face:
        path = await approve(face)
        seen = await see(face, path, headers=APPROVER)
        assert "Delete up to 3 notebooks" in [each.words for each in seen.content.all("button")]
        done = await post(face, f"{path}/carry-out")
        assert "The sweep begins." in (await follow(face, done)).content.words
        [(plan, by)] = face.control.ordered
        assert ([item.id for item in plan.targets[0].items], by) == (["nb1", "nb2", "nb3"], "carol (page)")


async def test_in_dry_run_mode_it_says_that_nothing_is_deleted(tmp_path: Path) -> None:
    """Before and after the click."""
    async with opened_face(tmp_path, dry_run=True) as face:
        path = await approve(face)
        seen = await see(face, path, headers=APPROVER)
        assert "this makes a dry run, and nothing is deleted" in seen.content.words
        assert "Make a dry run" in [each.words for each in seen.content.all("button")]
        done = await post(face, f"{path}/carry-out")
        assert "A dry run by this plan begins" in (await follow(face, done)).content.words


async def test_a_plan_that_was_carried_out_shows_by_whom_and_its_run(tmp_path: Path) -> None:
    """And what became of each notebook; it cannot be carried out again."""
    journal = InMemoryJournal()
    ended = {"run_id": "run7", "ended_at": NOON}
    await journal.write([removal(1, state=State.DELETED, **ended), removal(2, state=State.FAILED, end_reason="quota", **ended)])
    await journal.write([removal(3, state=State.DELETED, run_id="another", ended_at=NOON)])
    async with opened_face(tmp_path, journal=journal) as face:
        path = await approve(face)
        await journal.plans.begin(path.rpartition("/")[2], NOON, "dave (page)", "run7")
        seen = await see(face, path, headers=APPROVER)
        assert facts(seen.content)["Carried out"] == "1 Mar 2026 12:00 UTC dave (page) run7"
        assert seen.content.all("button") == []
        table = rows(seen.content.all("table")[-1])
        assert table[0] == ["Notebook", "Owner", "Status", "What became of it", "Why"]
        assert [row[3] for row in table[1:]] == ["Deleted", "Failed to be deleted quota", "Kept: it did not match any more"]
        refused = await post(face, f"{path}/carry-out")
        assert refused.status == 409
        assert "carried out by dave (page) in the run run7" in refused.content.words
        assert face.control.ordered == []


async def test_why_a_notebook_is_in_an_approved_plan_is_said_in_the_language_of_the_page(tmp_path: Path) -> None:
    """A plan of an older version lacks what that needs, and so does an unusual reason: those stay in English."""
    rule = policy(text("status", "STOPPED"), over("idle", days=14), name="idle")
    row = notebook(1, name="zeta")
    usual = Candidate(row, SCOPE, judge(row, rules(rule), moment()), None)
    async with opened_face(tmp_path, builders.plan(usual, candidate(2, name="alpha"), fleet=40)) as face:
        path = await approve(face)
        one, other = rows((await see(face, path, headers=CHINESE)).content.all("table")[-1])[1:]
        assert one[-1] == "符合策略 idle：状态 STOPPED；闲置时长 99 天 23 小时（超过 14 天）"
        assert other[-1] == "age 200d (over 1d)"
        one, _ = rows((await see(face, path)).content.all("table")[-1])[1:]
        assert one[-1] == "policy idle: status STOPPED; idle 99d 23h (over 14d)"


def test_the_reason_in_a_plan_of_an_older_version_stays_as_it_was_written() -> None:
    """Its findings have no alternatives and lengths, from which the same sentence could be made."""
    finding = b'{"condition":"status","threshold":"STOPPED","fact":"STOPPED","truth":"pass","parts":[]}'
    row = SavedRow("nb1", "a", "b", "STOPPED", "idle", "policy idle: status STOPPED", Raw(b'{"findings":[' + finding + b"]}"))
    assert row.cause == recorded("policy idle: status STOPPED")


async def test_what_is_not_valid_now_is_not_carried_out(tmp_path: Path) -> None:
    """An edited configuration, a busy or paused target, an expired plan, an unknown one."""
    async with opened_face(tmp_path) as face:
        path = await approve(face)
        face.control.refusing = ConfigurationError("the plan", (Mistake("configuration", None, "policies is not as it was"),))
        refused = await post(face, f"{path}/carry-out")
        assert (refused.status, "policies is not as it was" in refused.content.words) == (409, True)
        face.control.refusing, face.control.willing = None, False
        assert "in progress or requested" in (await post(face, f"{path}/carry-out")).content.words
        face.clock.wall += timedelta(days=1)
        assert "the plan has expired" in (await post(face, f"{path}/carry-out")).content.words
        assert (await post(face, "/plan/approved/unknown/carry-out")).status == 404
        assert (await see(face, "/plan/approved/unknown")).status == 404


@pytest.mark.parametrize("path", ["/plan/research", "/plan/research/approve", "/plan/research/exclude"])
async def test_a_viewer_only_looks(tmp_path: Path, path: str) -> None:
    """Neither buttons nor changes."""
    async with opened_face(tmp_path) as face:
        approved = await approve(face)
        for page in ("/plan", "/plan/research", approved):
            forms = (await see(face, page, headers=VIEWER_BEARER)).content.all("form")
            assert [each.attributes["method"] for each in forms if each.attributes["method"] != "get"] == []
        assert (await post(face, path, {"digest": "x"}, VIEWER_BEARER)).status == 403
        assert (await post(face, f"{approved}/carry-out", {}, VIEWER_BEARER)).status == 403
        assert (await post(face, f"{approved}/compare", {}, VIEWER_BEARER)).status == 403
        assert face.control.ordered == []


async def test_only_an_administrator_gets_links_to_exempt(tmp_path: Path) -> None:
    """The form knows the notebook, the target and the way back."""
    async with opened_face(tmp_path) as face:
        await post(face, "/plan/research")
        seen = await see(face, "/plan/research?sort=name", headers=BEARER)
        links = [each.attributes["href"] for each in seen.content.all("a")]
        assert "/exemptions/new?notebook=nb2&target=research&next=%2Fplan%2Fresearch%3Fsort%3Dname" in links
        seen = await see(face, "/plan/research", headers=APPROVER)
        assert not [each for each in seen.content.all("a") if "/exemptions" in each.attributes["href"]]


async def test_it_speaks_chinese(tmp_path: Path) -> None:
    """All three pages."""
    async with opened_face(tmp_path) as face:
        path = await approve(face)
        assert (await see(face, "/plan", headers=CHINESE)).heading == "计划"
        assert facts((await see(face, "/plan/research", headers=CHINESE)).content)["将被删除"].startswith(
            "40 个 Notebook 中的 3 个"
        )
        assert (await see(face, path, headers=CHINESE)).heading == "已批准的计划"


EVIL = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n<img src=x onerror=alert(1)>'


async def test_names_of_others_are_text_however_long(tmp_path: Path) -> None:
    """On each of the pages."""
    long = "x" * 3000
    planned = builders.plan(candidate(1, name=EVIL, owner=builders.notebook(1).owner), candidate(2, name=long), fleet=40)
    async with opened_face(tmp_path, planned) as face:
        path = await approve(face)
        spared = tuple(Spared(item, recorded(EVIL)) for item in saved_target(planned, builders.identity()).items)
        face.control.changes = PlanChanges(planned, planned.items, 0, spared)
        await post(face, f"{path}/compare")
        for page in ("/plan", "/plan/research", path):
            seen = await see(face, page, headers=BEARER)
            assert len(seen.page.all("script")) == 1
            assert seen.content.all("img") == []
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.content.text
            assert len(seen.source) < 30_000


async def test_a_plan_of_twenty_thousand_is_shown_in_parts(tmp_path: Path) -> None:
    """Each page has a hundred rows and less than 300 kB."""
    many = builders.plan(*(candidate(number) for number in range(1, 20_001)), fleet=40_000)
    async with opened_face(tmp_path, many) as face:
        path = await approve(face)
        for page in ("/plan/research?sort=name&page=3", f"{path}?page=3"):
            seen = await see(face, page, headers=BEARER)
            assert len(names(seen)) == 100
            assert len(seen.source) < 300_000
            assert re.search(r"201 to 300 of 20,000", seen.content.words)
