import asyncio

import pytest

from nbsweep.core.errors import JournalError, NbsweepError, Unreachable
from nbsweep.documents.explain import explain_document
from nbsweep.service.web.access.call_limit import MOST_AT_ONCE
from unit.service.web.support import FakeControl, Scene, explained, state

EXPLAIN = "/api/v1/notebooks/nb1/explain"


async def test_a_notebook_is_explained_as_explain_does_it() -> None:
    """The keys are those of `explain --format json`; a notebook of several targets has the others under `also`."""
    control = FakeControl()
    control.contexts = (explained(), explained("training"))
    async with Scene(control).open() as face:
        status, document = await face.ask("GET", EXPLAIN)
        assert isinstance(document, dict)
        assert (status, document["target"], document["id"]) == (200, "research", "nb1")
        assert (document["verdict"], document["because"]) == ("delete", "policy")
        assert [other["target"] for other in document["also"]] == ["training"]
        assert list(document) == list(explain_document([explained()]).__struct_fields__)
        assert control.asked == [("explain nb1", "research"), ("explain nb1", "training")]


async def test_one_target_may_be_named() -> None:
    """Then the others are not asked; a name that no target has is not found, and one that none can have is refused."""
    async with Scene().open() as face:
        assert (await face.ask("GET", f"{EXPLAIN}?target=research"))[0] == 200
        assert face.control.asked == [("explain nb1", "research")]
        assert (await face.error("GET", f"{EXPLAIN}?target=nobody"))[:2] == (404, "not-found")
        assert (await face.error("GET", f"{EXPLAIN}?target=a%20b"))[:2] == (400, "bad-request")
        assert (await face.error("GET", f"{EXPLAIN}?name=research"))[:2] == (400, "bad-request")


async def test_a_notebook_that_no_target_has_is_not_found() -> None:
    """The sentence says where the journal is asked."""
    async with Scene().open() as face:
        status, code, message = await face.error("GET", "/api/v1/notebooks/nb9/explain")
        assert (status, code) == (404, "not-found")
        assert "GET /api/v1/removals/nb9" in message


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(Unreachable("the cloud is away"), 502, "cloud-failed"), (JournalError("it is locked"), 503, "journal-failed")],
)
async def test_a_target_that_cannot_be_asked_is_an_error_unless_another_has_it(
    error: NbsweepError, status: int, code: str
) -> None:
    """Not found is said only where every target was asked."""
    control = FakeControl()
    control.errors = {"training": error}
    async with Scene(control).open() as face:
        assert (await face.ask("GET", EXPLAIN))[0] == 200
        assert await face.error("GET", "/api/v1/notebooks/nb9/explain") == (status, code, f"training: {error}")


async def test_sixty_calls_a_minute_may_be_spent_on_explanations() -> None:
    """With two targets thirty requests; the next one says when to come back, and no call is made for it."""
    async with Scene().open() as face:
        for _ in range(30):
            assert (await face.ask("GET", EXPLAIN))[0] == 200
            face.clock.seconds += 1
        async with face.session.get(face.url + EXPLAIN) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "30")
            assert (await response.json())["error"]["code"] == "too-many-requests"
        assert len(face.control.asked) == 60
        assert (await face.ask("GET", "/api/v1/targets"))[0] == 200
        face.clock.seconds += 30
        assert (await face.ask("GET", EXPLAIN))[0] == 200
        assert (await face.ask("GET", EXPLAIN))[0] == 429


async def test_a_service_of_many_targets_still_explains() -> None:
    """A hundred calls are more than a minute has; the first request is answered all the same."""
    control = FakeControl(state(), *(state(f"target{number}") for number in range(99)))
    async with Scene(control).open() as face:
        assert [(await face.ask("GET", EXPLAIN))[0] for _ in range(2)] == [200, 429]


async def test_only_so_many_are_explained_at_a_time() -> None:
    """A slow cloud must not fill the API with requests that wait for it; afterwards there is room again."""
    async with Scene().open() as face:
        face.control.go_on.clear()
        waiting = [asyncio.create_task(face.ask("GET", EXPLAIN)) for _ in range(MOST_AT_ONCE)]
        for _ in waiting:
            await face.control.explaining.acquire()
        assert (await face.error("GET", EXPLAIN))[:2] == (429, "too-many-requests")
        face.control.go_on.set()
        assert [status for status, _ in await asyncio.gather(*waiting)] == [200] * MOST_AT_ONCE
        assert (await face.ask("GET", EXPLAIN))[0] == 200
