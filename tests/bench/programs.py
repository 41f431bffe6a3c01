"""The two programs that are compared: how each is started against a cloud, and how its result is read."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from acceptance.support import ACCESS_KEY, PROJECT, SECRET_KEY, Json, minimal_environment
from bench.figures import Told
from bench.scenarios import Scenario

TEXTBOOK = Path(__file__).with_name("textbook.py")


@dataclass(frozen=True, slots=True)
class Program:
    """One of the two."""

    name: str
    command: Callable[[Scenario, str, Path], list[str]]
    """From the scenario, the cloud's address and a folder to work in."""
    read: Callable[[bytes], Told]
    """From its standard output; nothing when it has written none."""
    has_listed: bytes
    """What it writes to stderr once it has seen the whole fleet."""


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of either: an empty home, and the keys."""
    return minimal_environment(folder) | {"ACCESS_KEY": ACCESS_KEY, "SECRET_KEY": SECRET_KEY}


def configuration(scenario: Scenario, url: str, journal: Path) -> Json:
    """Return nbsweep's configuration: what the scenario asks for, and everything else as it comes."""
    rates = {lane: f"{rate}/s" for lane, rate in scenario.ceilings.items()}
    credentials = {"access_key": "${ACCESS_KEY}", "secret_key": "${SECRET_KEY}"}
    if scenario.by_token:
        credentials = {"username": "sweeper", "password": "simulated-password-1", "domain": "acct", "iam_endpoint": url}
    return {
        "journal": f"sqlite:///{journal}",
        "targets": [
            {
                "name": "bench",
                "endpoint": url,
                "project_id": PROJECT,
                "credentials": credentials,
                "limits": rates | {"concurrency": scenario.concurrency},
            }
        ],
        "mode": "enforce",
        "policies": [{"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}],
        "brakes": {"max_deletions": None, "max_share": None},
        # The comeback has to know when the survey is over, and only the log says so.
        "logging": {"level": "info" if scenario.used_again else "error", "format": "json"},
    }


def _nbsweep_command(scenario: Scenario, url: str, folder: Path) -> list[str]:
    config = folder / "nbsweep.yaml"
    config.write_text(json.dumps(configuration(scenario, url, folder / "journal.db")), encoding="utf-8")
    return [sys.executable, "-m", "nbsweep", "--config", str(config), "run", "--yes", "--format", "json"]


def _read_nbsweep(out: bytes) -> Told:
    results = json.loads(out)["results"] if out else []
    deleted = {row["id"]: row["ended_at"] for row in results if row["outcome"] == "deleted" and row["ended_at"]}
    spared = {row["id"]: row["reason"] for row in results if row["outcome"] == "spared"}
    return Told({notebook_id: datetime.fromisoformat(at).timestamp() for notebook_id, at in deleted.items()}, spared)


def _textbook_command(scenario: Scenario, url: str, _folder: Path) -> list[str]:
    rates = (f"--rate={lane}={rate}" for lane, rate in scenario.ceilings.items())
    return [sys.executable, str(TEXTBOOK), "--endpoint", url, "--project", PROJECT, *rates]


def _read_textbook(out: bytes) -> Told:
    return Told(json.loads(out)["noticed"] if out else {}, {})


NBSWEEP = Program("nbsweep", _nbsweep_command, _read_nbsweep, b'"event": "plan.built"')
THE_TEXTBOOK = Program("textbook", _textbook_command, _read_textbook, b"listed ")
