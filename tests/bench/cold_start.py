"""How long the command takes to say its version or its help, beside an interpreter that does nothing."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from acceptance.support import minimal_environment, running_cloud
from bench.programs import configuration, environment
from bench.scenarios import SCENARIOS, fleet

ROUNDS = 9
PATIENCE_S = 60.0
HEAVY = ("aiohttp.web", "alembic", "apscheduler", "msgspec", "pydantic", "prometheus_client", "rich", "sqlalchemy", "stamina")
"""Libraries that are slow to import."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Medians in seconds."""

    bare_s: float
    version_s: float
    help_s: float
    plan_imports: tuple[str, ...]
    """Which of the heavy libraries `nbsweep plan` imports."""

    @property
    def over_bare_s(self) -> float:
        """By how much the slower of the two is behind the bare interpreter."""
        return max(self.version_s, self.help_s) - self.bare_s


def cold_start() -> ColdStart:
    """Measure all three in turn, so that a busy moment of the machine meets each alike."""
    commands = (["-c", "pass"], ["-m", "nbsweep", "--version"], ["-m", "nbsweep", "--help"])
    with tempfile.TemporaryDirectory(prefix="nbsweep-bench-") as name:
        folder = Path(name)
        for command in commands:
            _run_s(command, folder)
        rounds = [[_run_s(command, folder) for command in commands] for _ in range(ROUNDS)]
        bare_s, version_s, help_s = (median(times) for times in zip(*rounds, strict=True))
        return ColdStart(bare_s, version_s, help_s, _imports_of_plan(folder))


def heavy_among(modules: Iterable[str]) -> tuple[str, ...]:
    """Pick the heavy libraries from the names of modules."""
    loaded = set(modules)
    return tuple(name for name in HEAVY if name in loaded)


def _run_s(command: list[str], folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, *command], env=minimal_environment(folder), stdout=subprocess.DEVNULL, check=True, timeout=PATIENCE_S
    )
    return time.perf_counter() - begun


def _imports_of_plan(folder: Path) -> tuple[str, ...]:
    """Let the interpreter list what it imports for a plan over a handful of notebooks."""
    with running_cloud({"fleet": {"notebooks": 0, "instances": fleet(5), "workspaces": 1}}) as cloud:
        config = folder / "nbsweep.yaml"
        config.write_text(json.dumps(configuration(SCENARIOS[0], cloud.url, folder / "journal.db")), encoding="utf-8")
        command = [sys.executable, "-X", "importtime", "-m", "nbsweep", "--config", os.fspath(config), "plan"]
        ended = subprocess.run(
            command, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, timeout=PATIENCE_S
        )
    return heavy_among(re.findall(r"^import time:.*\| +(\S+)$", ended.stderr.decode(), re.MULTILINE))
