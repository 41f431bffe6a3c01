import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

import notice_builders
from builders import NOON, exemption, mark, notebook, removal
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.errors import Unreachable
from nbsweep.core.events.exemptions import ExemptionGranted, ExemptionRevoked
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.lifecycle import State
from nbsweep.service.web.access.call_limit import MOST_CALLS
from nbsweep.testing import InMemoryJournal
from trails import whole_trail
from unit.service.web.support import BEARER, VIEWER_BEARER, Scene, explained, token_file, viewer_file

PATH = "/api/v1/exemptions"
ASKED = {"owner": "alice", "until": "30d", "reason": "on leave"}
GRANTED = {
    "state": "in-force",
    "notebook_id": None,
    "notebook_created_at": None,
    "owner": "alice",
    "name": None,
    "target": None,
    "until": "2026-03-31T12:00:00.000Z",
    "reason": "on leave",
    "ticket": None,
    "granted_by": "admin token (api)",
    "granted_as": "administrator",
    "granted_at": "2026-03-01T12:00:00.000Z",
    "revoked_at": None,
    "revoked_by": None,
    "revoked_reason": None,
}


@pytest.fixture(name="journal")
def _journal() -> InMemoryJournal:
    return InMemoryJournal()


@pytest.fixture(name="scene")
def _scene(tmp_path: Path, journal: InMemoryJournal) -> Scene:
    return Scene(journal=journal, token_file=token_file(tmp_path), token_files=(viewer_file(tmp_path),))


async def only(journal: InMemoryJournal) -> Exemption:
    """Return the only exemption."""
    [found] = await journal.exemptions.all(10)
    return found


async def test_an_exemption_is_granted_and_on_the_trail(scene: Scene, journal: InMemoryJournal) -> None:
    """201, with what it keeps."""
    await journal.marks.write([replace(mark(), version=0)])
    async with scene.open() as face:
        status, document = await face.ask("POST", PATH, json=ASKED, headers=BEARER)
    assert isinstance(document, dict)
    granted = await only(journal)
    assert status == 201
    assert document == {"exemption": {"exemption": granted.id, **GRANTED}, "announced": 1, "too_late": []}
    assert granted.granted_as is GrantedBy.ADMINISTRATOR
    [event] = scene.telemetry.of(ExemptionGranted)
    assert (event.exemption, event.notebook_id, event.by, event.granted_as) == (
        granted.id,
        None,
        "admin token (api)",
        "administrator",
    )
    links = await whole_trail(journal)
    assert [link.entry.what for link in links if link.entry.what == AuditStep.EXEMPTED] == [AuditStep.EXEMPTED]


async def test_it_says_what_it_comes_too_late_for(scene: Scene, journal: InMemoryJournal) -> None:
    """The DELETE was requested before."""
    await journal.write([removal(state=State.REQUESTED, requests=1, requested_at=NOON, run_id="run1")])
    async with scene.open() as face:
        _, document = await face.ask("POST", PATH, json=ASKED, headers=BEARER)
    assert isinstance(document, dict)
    assert document["too_late"] == [
        {
            "id": "nb1",
            "name": "experiment-1",
            "target": "research",
            "run_id": "run1",
            "requested_at": "2026-03-01T12:00:00.000Z",
        }
    ]


async def test_an_announced_notebook_is_known_without_a_call(scene: Scene, journal: InMemoryJournal) -> None:
    """With the creation date of its mark."""
    await journal.marks.write([replace(mark(), version=0)])
    async with scene.open() as face:
        body = {"notebook_id": "nb1", "until": "2026-03-31", "reason": "x", "ticket": "OPS-1"}
        assert (await face.ask("POST", PATH, json=body, headers=BEARER))[0] == 201
        assert face.control.asked == []
    granted = await only(journal)
    assert granted.selector == Selector("nb1", mark().notebook_created_at)
    assert (granted.ticket, granted.until) == ("OPS-1", datetime(2026, 4, 1, tzinfo=UTC))


async def test_another_notebook_is_looked_up_in_the_cloud(scene: Scene, journal: InMemoryJournal) -> None:
    """On all targets, or on the one that is named; its creation date is kept."""
    async with scene.open() as face:
        body = {"notebook_id": "nb1", "until": "1d", "reason": "x"}
        assert (await face.ask("POST", PATH, json=body, headers=BEARER))[0] == 201
        assert face.control.asked == [("explain nb1", "research"), ("explain nb1", "training")]
        assert (await only(journal)).selector == Selector("nb1", notebook().created_at)
        face.control.asked.clear()
        assert (await face.ask("POST", PATH, json=body | {"target": "research"}, headers=BEARER))[0] == 201
        assert face.control.asked == [("explain nb1", "research")]


async def test_without_a_creation_date_only_the_id_can_be_exempted(scene: Scene, journal: InMemoryJournal) -> None:
    """Nothing is granted before; `id_only` makes no call."""
    context = explained()
    undated = replace(context, notebook=replace(context.notebook, created_at=None))
    body = {"notebook_id": "nb1", "until": "1d", "reason": "x"}
    async with scene.open() as face:
        face.control.contexts = (undated,)
        assert (await face.error("POST", PATH, json=body, headers=BEARER))[:2] == (409, "conflict")
        face.control.contexts = ()
        assert (await face.error("POST", PATH, json=body, headers=BEARER))[:2] == (404, "not-found")
        face.control.errors = {"training": Unreachable("no route")}
        assert (await face.error("POST", PATH, json=body, headers=BEARER))[:2] == (502, "cloud-failed")
        assert await journal.exemptions.all(10) == ()
        face.control.asked.clear()
        assert (await face.ask("POST", PATH, json=body | {"id_only": True}, headers=BEARER))[0] == 201
        assert face.control.asked == []
    assert (await only(journal)).selector == Selector("nb1")


async def test_lookups_of_notebooks_are_limited(scene: Scene) -> None:
    """Each costs a call for each of the two targets; exemptions that need none are granted."""
    body = {"notebook_id": "nb1", "until": "1d", "reason": "x"}
    async with scene.open() as face:
        for _ in range(MOST_CALLS // 2):
            assert (await face.ask("POST", PATH, json=body, headers=BEARER))[0] == 201
        assert (await face.error("POST", PATH, json=body, headers=BEARER))[:2] == (429, "too-many-requests")
        assert (await face.ask("POST", PATH, json=ASKED, headers=BEARER))[0] == 201


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"until": "91d"}, "until: .*exemptions.longest is 90d"),
        ({"until": "2020-01-01"}, "has passed"),
        ({"until": "soon"}, "neither a duration"),
        ({"reason": "  "}, "reason: must not be empty"),
        ({"reason": "a\u0007"}, "reason: must be text without control characters"),
        ({"reason": 7}, "Expected `str`, got `int`"),
        ({"owner": None}, "notebook: name a notebook"),
        ({"name": "a[b"}, "name: "),
        ({"notebook_id": "nb1"}, "leave out owner and name"),
        ({"owner": None, "notebook_id": "a b"}, "notebook_id consists of"),
        ({"id_only": True}, "id_only needs notebook_id"),
        ({"whole_fleet": True}, "unknown field `whole_fleet`"),
    ],
)
async def test_an_invalid_request_grants_nothing(
    scene: Scene, journal: InMemoryJournal, changes: dict[str, object], problem: str
) -> None:
    """400, with the field that is wrong."""
    async with scene.open() as face:
        status, code, message = await face.error("POST", PATH, json=ASKED | changes, headers=BEARER)
    assert (status, code) == (400, "bad-request")
    assert re.search(problem, message), message
    assert await journal.exemptions.all(10) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"owner": "alice", "until": "30d", "reason": "x", "reason": "y"}',
        b'{"owner": "alice", "until": "30d", "reason": NaN}',
        b'{"owner": "alice", "until": "30d", "reason": "\xff"}',
        b'{"owner": "alice", "until": "30d", "reason": "\\ud800"}',
        json.dumps(ASKED).encode("utf-16"),
        b'{"owner": "alice", "until": "30d", "reason": ' + b"[" * 8000 + b"]" * 8000 + b"}",
        b"[" * 16_000,
    ],
    ids=["empty", "cut", "list", "null", "twice", "nan", "not utf-8", "half a pair", "utf-16", "deep", "deepest"],
)
async def test_a_body_that_is_no_such_document_is_refused(scene: Scene, journal: InMemoryJournal, body: bytes) -> None:
    """400, and nothing is granted."""
    headers = BEARER | {"Content-Type": "application/json"}
    async with scene.open() as face:
        assert (await face.error("POST", PATH, data=body, headers=headers))[:2] == (400, "bad-request")
    assert await journal.exemptions.all(10) == ()


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=latin-1"],
)
async def test_a_body_must_say_that_it_is_json(scene: Scene, journal: InMemoryJournal, media_type: str) -> None:
    """415: a form of a web page cannot send this type to another origin without being asked."""
    headers = BEARER | {"Content-Type": media_type}
    async with scene.open() as face:
        assert (await face.error("POST", PATH, data=json.dumps(ASKED), headers=headers))[:2] == (415, "wrong-type")
    assert await journal.exemptions.all(10) == ()


async def test_a_large_body_is_refused(scene: Scene) -> None:
    """413, with a declared length and without one."""
    large = json.dumps(ASKED | {"ticket": "x" * 17_000}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield large

    headers = BEARER | {"Content-Type": "application/json"}
    async with scene.open() as face:
        assert (await face.error("POST", PATH, data=large, headers=headers))[:2] == (413, "too-large")
        assert (await face.error("POST", PATH, data=pieces(), headers=headers))[:2] == (413, "too-large")


async def test_a_revocation_is_logged_once(scene: Scene, journal: InMemoryJournal) -> None:
    """A second one changes nothing, and has no event."""
    await journal.exemptions.grant(exemption())
    async with scene.open() as face:
        for _ in range(2):
            assert (await face.ask("POST", f"{PATH}/e1/revoke", json={}, headers=BEARER))[0] == 200
            scene.clock.wall += timedelta(minutes=1)
    assert scene.telemetry.of(ExemptionRevoked) == [ExemptionRevoked("e1", "nb1", "admin token (api)")]


async def test_only_an_admin_grants_and_revokes(scene: Scene, journal: InMemoryJournal) -> None:
    """A viewer lists."""
    await journal.exemptions.grant(notice_builders.exemption())
    async with scene.open() as face:
        for path, body in ((PATH, ASKED), (f"{PATH}/e1/revoke", {})):
            assert (await face.error("POST", path, json=body))[0] == 401
            assert (await face.error("POST", path, json=body, headers=VIEWER_BEARER))[0] == 403
        assert (await face.ask("GET", PATH, headers=VIEWER_BEARER))[0] == 200
    assert (await only(journal)).revoked_at is None


async def test_an_unknown_target_is_not_found(scene: Scene) -> None:
    """No exemption could ever count on it."""
    async with scene.open() as face:
        assert (await face.error("POST", PATH, json=ASKED | {"target": "nowhere"}, headers=BEARER))[0] == 404


async def test_those_in_force_are_listed_and_all_of_them_if_asked(scene: Scene, journal: InMemoryJournal) -> None:
    """Those in force first."""
    await journal.exemptions.grant(exemption(id="old", until=NOON - timedelta(hours=1)))
    await journal.exemptions.grant(exemption(id="kept", granted_at=NOON))
    await journal.exemptions.grant(exemption(id="gone", granted_at=NOON - timedelta(hours=2)))
    await journal.exemptions.revoke("gone", NOON, "carol", "a mistake")

    async with scene.open() as face:

        async def listed(query: str) -> list[tuple[str, str]]:
            status, document = await face.ask("GET", f"{PATH}{query}")
            assert status == 200
            assert isinstance(document, dict)
            return [(row["exemption"], row["state"]) for row in document["exemptions"]]

        assert await listed("") == [("kept", "in-force")]
        assert await listed("?all=true") == [("kept", "in-force"), ("gone", "revoked"), ("old", "ended")]
        assert await listed("?all=true&limit=2") == [("kept", "in-force"), ("gone", "revoked")]
        assert (await face.error("GET", f"{PATH}?all=yes"))[0] == 400


async def test_an_exemption_is_revoked_once(scene: Scene, journal: InMemoryJournal) -> None:
    """The reason may be left out, with the body; a second revocation changes nothing."""
    await journal.exemptions.grant(notice_builders.exemption(1))
    await journal.exemptions.grant(notice_builders.exemption(2))
    async with scene.open() as face:
        status, document = await face.ask("POST", f"{PATH}/e1/revoke", json={"reason": "done"}, headers=BEARER)
        assert isinstance(document, dict)
        assert (status, document["state"], document["revoked_reason"]) == (200, "revoked", "done")
        again = await face.ask("POST", f"{PATH}/e1/revoke", json={"reason": "again"}, headers=BEARER)
        assert again == (200, document)
        assert (await face.ask("POST", f"{PATH}/e2/revoke", headers=BEARER))[0] == 200
        assert (await face.error("POST", f"{PATH}/e3/revoke", headers=BEARER))[:2] == (404, "not-found")
