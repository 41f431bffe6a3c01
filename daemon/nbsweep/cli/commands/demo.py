"""`demo`: a sweep of a simulated cloud."""

import io
import re
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import anyio
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from nbsweep.cli.commands.run import RunOptions, run_command
from nbsweep.cli.exits import Exit
from nbsweep.cli.screen import Screen, live_screen
from nbsweep.cli.session import Session, make_session, run
from nbsweep.cli.views.progress import LiveProgress
from nbsweep.core.events.sweep import PlanBuilt
from nbsweep.settings import Settings
from nbsweep.simulator import (
    FaultOptions,
    FleetOptions,
    SimulatorOptions,
    TimingOptions,
    running_simulator,
)

INTRODUCTION = (
    "A simulated cloud of {options.notebooks} notebooks (seed {options.seed}), and one sweep of it, with at most "
    "30 DELETEs per second. While it runs, five people use their notebooks again."
)
ROWS_SHOWN = 12
PICTURE_WIDTH = 132
COMEBACKS: tuple[dict[str, Any], ...] = (
    {"action": "use"},
    {"action": "start"},
    {"tags": {"keep": "thesis"}},
    {"action": "use"},
    {"name": "keep-for-the-paper"},
)
"""What owners do with notebooks that are planned."""


class StillProgress(LiveProgress):
    """Progress for a picture: drawn once, in its last state."""

    def start(self) -> None:
        """Draw nothing yet."""

    def pause(self) -> None:
        """Nothing is drawn yet."""

    def stop(self) -> None:
        """Draw the last state."""
        self._progress.console.print(self.view())


def recording_screen() -> Screen:
    """Build a screen that records its output for a picture."""
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=PICTURE_WIDTH, highlight=False)
    screen = Screen(on_terminal=True, progress=StillProgress(console))
    screen.out = screen.err = console
    return screen


class DemoOptions(Struct, frozen=True):
    """The options of `demo`."""

    notebooks: int
    seed: int
    svg: Path | None


def demo_command(notebooks: int, seed: int, svg: Path | None) -> None:
    """Sweep a simulated fleet, and show it."""
    options = DemoOptions(notebooks, seed, svg)
    with TemporaryDirectory(prefix="nbsweep-demo-") as folder:
        planned = anyio.Event()
        settings = demo_settings("http://127.0.0.1:1", Path(folder))
        listeners = (lambda event, _context: planned.set() if isinstance(event, PlanBuilt) else None,)
        session = make_session(settings, recording_screen() if svg else live_screen(), listeners)
        run(session, lambda session: _demo(session, options, Path(folder), planned))


def simulator_options(options: DemoOptions) -> SimulatorOptions:
    """Return a simulated cloud with mixed states, some failures, and deletions that take a few seconds."""
    return SimulatorOptions(
        seed=options.seed,
        fleet=FleetOptions(notebooks=options.notebooks, codelab_share=0.1),
        timing=TimingOptions(latency_median_s=0.03, latency_spread=0.3, deletion_median_s=3.0, deletion_spread=0.4, stop_s=2.0),
        faults=FaultOptions(
            rates={
                "all": {"error_500_before": 0.01},
                "delete": {"error_500_after": 0.02, "reset_after": 0.02, "no_content": 0.3},
            }
        ),
    )


def demo_settings(url: str, folder: Path) -> Settings:
    """Return the configuration of the demo."""
    document: dict[str, Any] = {
        "mode": "enforce",
        "journal": f"sqlite:///{folder}/journal.db",
        "targets": [
            {
                "name": "demo",
                "endpoint": url,
                "project_id": "0123456789abcdef0123456789abcdef",
                "credentials": {"access_key": "SIMULATEDACCESSKEY01", "secret_key": "simulatedSecretKeySimulatedSecretKey0001"},
                "workspaces": "all",
                "features": ["NOTEBOOK", "DEFAULT"],
                "limits": {"delete": "30/s", "list": "20/s", "show": "90/s"},
            }
        ],
        "policies": [
            {
                "name": "failed",
                "match": {"status": ["CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"], "idle_over": "1d"},
            },
            {"name": "idle-lease", "match": {"status": ["STOPPED"], "idle_over": "14d"}},
            {"name": "forgotten", "match": {"age_over": "300d", "idle_over": "7d", "not": {"flavor": ["*ascend*"]}}},
        ],
        "protect": [{"name": ["keep-*", "prod-*"]}, {"tags": {"keep": "*"}}],
        "brakes": {"max_deletions": None, "max_share": "80%"},
        "removal": {"grace": "2s"},
        "polling": {"interval": "1s", "max_interval": "2s"},
        # Without a terminal, hundreds of log lines would hide the result.
        "logging": {"level": "info" if sys.stderr.isatty() else "error"},
    }
    return Settings.model_validate(document)


async def _demo(session: Session, options: DemoOptions, folder: Path, planned: anyio.Event) -> Exit:
    async with running_simulator(simulator_options(options)) as simulator, anyio.create_task_group() as group:
        session.settings = demo_settings(simulator.url, folder)
        session.show_result(Text(INTRODUCTION.format(options=options)))
        group.start_soon(_people_come_back, simulator.url, planned)
        code = await run_command(session, RunOptions(yes=True, most_rows=ROWS_SHOWN))
        group.cancel_scope.cancel()
    if options.svg:
        await anyio.Path(options.svg).write_text(picture(session.screen.out), encoding="utf-8")
    return code


def picture(console: Console) -> str:
    """Return the recorded output as SVG, without the fonts that rich would load from another host."""
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="nbsweep demo"), flags=re.DOTALL)


async def _people_come_back(url: str, planned: anyio.Event) -> None:
    """Use some planned notebooks again just before their deletion: the second look has to spare them."""
    await planned.wait()
    await anyio.sleep(1)
    async with aiohttp.ClientSession(url) as session:
        async with session.get("/_simulator/instances") as answer:
            planned_to_go = [row for row in await answer.json() if _is_idle(row)]
        # The walk goes from the last page to the first, so the oldest notebooks come last.
        oldest = sorted(planned_to_go, key=lambda row: row["create_at"])
        for row, change in zip(oldest, COMEBACKS, strict=False):
            async with session.patch(f"/_simulator/instances/{row['id']}", json=change):
                pass


def _is_idle(row: dict[str, Any]) -> bool:
    """Return whether the demo's policy `idle-lease` covers this notebook."""
    idle_before_ms = (time.time() - 14.5 * 86_400) * 1000
    protected = row["name"].startswith(("keep-", "prod-")) or "keep" in row["tags"]
    return row["status"] == "STOPPED" and row["update_at"] < idle_before_ms and not protected
