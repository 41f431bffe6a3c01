from unit.service.web.support import METRICS, FakeControl, Scene, state


async def test_it_lives_as_long_as_it_answers() -> None:
    """Also when it is not ready: to start it anew would not help."""
    control = FakeControl()
    control.problems = ("the journal cannot be written",)
    async with Scene(control).open() as face:
        assert await face.ask("GET", "/healthz") == (200, "ok")


async def test_a_ready_service_says_so_and_names_what_is_paused() -> None:
    """A pause does not make it unready, but whoever looks is told."""
    async with Scene(FakeControl(state())).open() as face:
        assert await face.ask("GET", "/readyz") == (200, "ready")
    async with Scene().open() as face:
        assert await face.ask("GET", "/readyz") == (
            200,
            "ready; training is paused by alice since 2026-02-28 03:00Z: moving house",
        )


async def test_a_service_that_is_not_ready_says_why() -> None:
    """With 503, and every sentence that the service has about it."""
    control = FakeControl()
    control.problems = ("the journal cannot be written", "research is held elsewhere")
    async with Scene(control).open() as face:
        assert await face.error("GET", "/readyz") == (
            503,
            "not-ready",
            "the journal cannot be written; research is held elsewhere",
        )


async def test_metrics_come_as_prometheus_wants_them() -> None:
    """Byte for byte what was written, under the content type of that text."""
    async with Scene().open() as face, face.session.get(f"{face.url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert await response.read() == METRICS


async def test_head_is_answered_like_get_without_a_body() -> None:
    """Some watchers ask no more than that."""
    async with Scene().open() as face:
        assert await face.ask("HEAD", "/healthz") == (200, "")
