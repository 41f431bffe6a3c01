from pathlib import Path

import builders
from builders import candidate
from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.core.reasons.model import recorded
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.changes import PlanChanges
from nbsweep.core.saved_plan.model import Spared
from nbsweep.service.web.access.tokens import Role
from nbsweep.testing import InMemoryJournal
from unit.service.web.support import Face, FakeControl, Scene, role_file, state

LAST = "/api/v1/targets/research/plan"
ADMIN = {"Authorization": f"Bearer token-of-{Role.ADMIN}"}
APPROVER = {"Authorization": f"Bearer token-of-{Role.APPROVER}"}
THREE = builders.plan(candidate(1, name="zeta"), candidate(2, name="alpha"), candidate(3, name="beta"), fleet=40)


def scene(tmp_path: Path) -> Scene:
    """Return a service with one target and a token for each role."""
    control = FakeControl(state())
    control.planned = THREE
    files = tuple(role_file(tmp_path, role) for role in Role)
    return Scene(control, journal=InMemoryJournal(), token_files=files)


async def ask(face: Face, method: str, path: str, **how: object) -> tuple[int, dict[str, object]]:
    """Call as an approver, and give the status and the document."""
    status, document = await face.ask(method, path, headers=APPROVER, **how)
    assert isinstance(document, dict)
    return status, document


async def approved(face: Face) -> str:
    """Make a plan and approve it; return its ID."""
    await face.ask("POST", LAST, headers=ADMIN)
    _, last = await ask(face, "GET", LAST)
    status, plan = await ask(face, "POST", f"{LAST}/approve", json={"digest": last["digest"]})
    assert status == 201
    return str(plan["plan_id"])


async def test_the_last_plan_is_shown_with_its_digest(tmp_path: Path) -> None:
    """In parts; before the first one there is none."""
    async with scene(tmp_path).open() as face:
        assert (await ask(face, "GET", LAST))[0] == 404
        _, made = await face.ask("POST", LAST, headers=ADMIN)
        assert isinstance(made, dict)
        status, last = await ask(face, "GET", f"{LAST}?limit=2")
        assert (status, last["plan_id"], last["planned"], last["fleet"]) == (200, made["plan_id"], 3, 40)
        assert last["made_by"] == "admin token (api)"
        assert last["expires_at"] == "2026-03-02T12:00:00.000Z"
        items, following = last["items"], last["next_offset"]
        assert isinstance(items, list)
        assert ([each["id"] for each in items], following) == (["nb1", "nb2"], 2)
        _, rest = await ask(face, "GET", f"{LAST}?limit=2&offset=2")
        assert rest["items"] == [
            {
                "id": "nb3",
                "name": "beta",
                "owner": "alice",
                "status": "STOPPED",
                "policy": "old",
                "reason": "age 200d (over 1d)",
            }
        ]
        assert rest["next_offset"] is None


async def test_exactly_the_plan_of_a_digest_is_approved(tmp_path: Path) -> None:
    """Once; another digest is refused, and so is that of an earlier plan."""
    async with scene(tmp_path).open() as face:
        plan_id = await approved(face)
        _, last = await ask(face, "GET", LAST)
        assert (await ask(face, "POST", f"{LAST}/approve", json={"digest": last["digest"]}))[0] == 409
        assert (await ask(face, "POST", f"{LAST}/approve", json={"digest": "sha256:0"}))[0] == 409
        await face.ask("POST", LAST, headers=ADMIN)
        assert (await ask(face, "POST", f"{LAST}/approve", json={"digest": last["digest"]}))[0] == 409
        status, plans = await ask(face, "GET", "/api/v1/plans")
        expected = {
            "plan_id": plan_id,
            "target": "research",
            "digest": last["digest"],
            "made_at": "2026-03-01T12:00:00.000Z",
            "expires_at": "2026-03-02T12:00:00.000Z",
            "notebooks": 3,
            "approved_at": "2026-03-01T12:00:00.000Z",
            "approved_by": "approver token (api)",
            "carried_out_at": None,
            "carried_out_by": None,
            "run_id": None,
        }
        assert (status, plans) == (200, {"plans": [expected]})
        assert await ask(face, "GET", f"/api/v1/plans/{plan_id}") == (200, expected)
        assert (await ask(face, "GET", "/api/v1/plans/unknown"))[0] == 404


async def test_notebooks_are_excluded_from_the_last_plan(tmp_path: Path) -> None:
    """The digest is another one then; a notebook that it does not have is an error."""
    async with scene(tmp_path).open() as face:
        await face.ask("POST", LAST, headers=ADMIN)
        _, last = await ask(face, "GET", LAST)
        asked = {"digest": last["digest"], "notebook_ids": ["nb1", "nb3"]}
        status, changed = await ask(face, "POST", f"{LAST}/exclude", json=asked)
        assert (status, changed["planned"], changed["excluded"]) == (200, 1, ["nb1", "nb3"])
        assert changed["digest"] != last["digest"]
        assert (await ask(face, "POST", f"{LAST}/exclude", json=asked))[0] == 409
        missing = {"digest": changed["digest"], "notebook_ids": ["nb9"]}
        assert (await ask(face, "POST", f"{LAST}/exclude", json=missing))[0] == 404


async def test_after_a_restart_the_refusal_says_that_the_plan_has_to_be_made_again(tmp_path: Path) -> None:
    """Whether one approves or excludes; nothing that was not approved is kept over it."""
    async with scene(tmp_path).open() as face:
        for what, more in (("approve", {}), ("exclude", {"notebook_ids": ["nb1"]})):
            status, refused = await ask(face, "POST", f"{LAST}/{what}", json={"digest": "sha256:0", **more})
            assert status == 409
            assert "the service was restarted or has read its configuration again: POST makes a new one" in str(refused)


async def test_what_has_changed_since_the_approval(tmp_path: Path) -> None:
    """With the reasons in English."""
    async with scene(tmp_path).open() as face:
        plan_id = await approved(face)
        spared = (Spared(saved_target(THREE, builders.identity()).items[0], recorded("started again")),)
        face.control.changes = PlanChanges(THREE, (candidate(9, name="new"),), 2, spared)
        status, found = await ask(face, "POST", f"/api/v1/plans/{plan_id}/compare")
        assert (status, found["still"], found["refusals"]) == (200, 2, [])
        assert found["kept"] == [{"id": "nb1", "name": "zeta", "owner": "alice", "reason": "started again"}]
        assert found["new"] == [{"id": "nb9", "name": "new", "owner": "alice", "reason": "age 200d (over 1d)"}]


async def test_an_approved_plan_is_carried_out(tmp_path: Path) -> None:
    """The service gets the plan and who ordered it; what is not valid now is refused with the reasons."""
    async with scene(tmp_path).open() as face:
        plan_id = await approved(face)
        path = f"/api/v1/plans/{plan_id}/carry-out"
        face.control.refusing = ConfigurationError("the plan", (Mistake("configuration", None, "policies is not as it was"),))
        status, refused = await ask(face, "POST", path)
        assert (status, "policies is not as it was" in str(refused)) == (409, True)
        face.control.refusing = None
        status, plan = await ask(face, "POST", path)
        assert (status, plan["plan_id"]) == (202, plan_id)
        [(ordered, by)] = face.control.ordered
        assert ([each.id for each in ordered.targets[0].items], by) == (["nb1", "nb2", "nb3"], "approver token (api)")
        face.control.willing = False
        assert (await ask(face, "POST", path))[0] == 409


async def test_a_viewer_neither_approves_nor_carries_out(tmp_path: Path) -> None:
    """It reads."""
    viewer = {"Authorization": f"Bearer token-of-{Role.VIEWER}"}
    async with scene(tmp_path).open() as face:
        plan_id = await approved(face)
        one = f"/api/v1/plans/{plan_id}"
        for path in (f"{LAST}/approve", f"{LAST}/exclude", f"{one}/compare", f"{one}/carry-out"):
            assert (await face.ask("POST", path, headers=viewer))[0] == 403
        assert (await face.ask("GET", one, headers=viewer))[0] == 200
        assert face.control.ordered == []
