"""`demo --serve`: the pages of the service on a simulated cloud with a past."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from msgspec import Struct
from rich.text import Text

from nbsweep.adapters.telemetry import Listener
from nbsweep.bootstrap.service import Service, ServiceInputs
from nbsweep.cli.exits import Exit
from nbsweep.cli.preload import load_for_sweeping
from nbsweep.cli.screen import live_screen
from nbsweep.cli.session import Session, make_session, make_telemetry, run
from nbsweep.core.events.base import Event
from nbsweep.core.events.service import ServiceStarted
from nbsweep.core.ports import Telemetry
from nbsweep.demo.configuration import ADMIN_TOKEN, NOWHERE, VIEWER_TOKEN, Files, demo_settings
from nbsweep.demo.owner_proxy import pages_as
from nbsweep.demo.plans import make_plans
from nbsweep.demo.stage import PROXY_SECRET, Stage, set_stage
from nbsweep.demo.story import DAYS, STARTED_BY
from nbsweep.documents.base import new_id
from nbsweep.engine.report import Run
from nbsweep.service.systemd import Systemd
from nbsweep.settings import Settings

PREPARING = f"A simulated cloud, and {DAYS} days of a made-up past: this takes a few seconds."
READY = """
{notebooks} simulated notebooks, {days} days of their past, and the service on them. Ctrl-C ends it; nothing stays behind.

  {url}/
      The pages. Anybody may look. To change things, sign in with the token {admin} ({viewer} only looks).
  {owner_url}/mine
      What happens to the notebooks of {owner}: the same pages, as if a reverse proxy had signed this owner in.
  {messages_url}/
      The messages that owners and operators get from now on.
"""


class ServedDemo(Struct, frozen=True):
    """The options of `demo --serve`."""

    seed: int
    port: int
    """The port of the pages; 0 for a free one."""
    owner: str | None
    """The owner as whom the second address shows the pages; None for one whose notebooks are announced."""


def demo_serve_command(demo: ServedDemo) -> None:
    """Serve the pages on a simulated cloud with a past, until a signal ends it."""
    with TemporaryDirectory(prefix="nbsweep-demo-") as folder:
        session = make_session(demo_settings(NOWHERE, Files(Path(folder)), "1"), live_screen())
        session.screen.progress = None
        # The service of the demo has nothing to do with the variables of another one, such as those of systemd or a proxy.
        session.environment = {}
        run(session, lambda session: _demo(session, demo, Path(folder)))


async def _demo(session: Session, demo: ServedDemo, folder: Path) -> Exit:
    load_for_sweeping(tables=False)
    session.screen.err.print(PREPARING)
    async with AsyncExitStack() as stack:
        stages: list[Stage] = []
        async with session.until_shutdown():
            stages.append(await stack.enter_async_context(set_stage(demo.seed, datetime.now(UTC), folder, demo.port)))
        if not stages:
            return Exit.INTERRUPTED
        session.settings = stages[0].settings
        await _serve(session, demo.owner or stages[0].owner, stages[0])
    return Exit.DONE


async def _serve(session: Session, owner: str, stage: Stage) -> None:
    """Run the service, and show its addresses when it has started."""
    started: list[str] = []
    listening = anyio.Event()

    def hear(event: Event, _context: Mapping[str, str]) -> None:
        if isinstance(event, ServiceStarted):
            started.append(f"http://{event.listen}")
            listening.set()

    def telemetry_of(settings: Settings, listener: Listener) -> Telemetry:
        return make_telemetry(settings.logging, session.screen, (listener, hear))

    async def show_addresses() -> None:
        await listening.wait()
        await make_plans(started[0])
        async with pages_as(owner, started[0], PROXY_SECRET) as owner_url:
            session.show_result(Text(_ready(stage, started[0], owner, owner_url)))
            await anyio.sleep_forever()

    inputs = ServiceInputs(session.environment, lambda: stage.settings, telemetry_of, _new_run, session.shutdown)
    async with anyio.create_task_group() as group:
        group.start_soon(show_addresses)
        await Service(inputs, Systemd.of({})).run(stage.settings)
        group.cancel_scope.cancel()


def _new_run(now: datetime, dry_run: bool) -> Run:  # noqa: FBT001  # a field of the run
    return Run(new_id(now), STARTED_BY, dry_run)


def _ready(stage: Stage, url: str, owner: str, owner_url: str) -> str:
    return READY.format(
        notebooks=stage.notebooks,
        days=DAYS,
        url=url,
        admin=ADMIN_TOKEN,
        viewer=VIEWER_TOKEN,
        owner=owner,
        owner_url=owner_url,
        messages_url=stage.messages_url,
    )
