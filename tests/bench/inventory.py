"""`python -m bench.inventory`, with `tests` on the path: what recording the fleet costs, in CPU time and in room.

CPU: dry runs of the real command against the simulator, with the inventory and without, in turn; the least of each counts,
because whatever else the machine does only adds to it. Room: a year of daily surveys of 1,000 notebooks in an SQLite journal,
of which 8 % change, 2 % are new and 2 % gone each day.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import yaml
from msgspec.structs import replace

from acceptance.support import cloud_options, idle, running_cloud, target
from nbsweep.adapters.journal import open_journal
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.model import Image, Lease, LeaseType, Named, Notebook, Scope, Status, Volume

FLEET = 1000
DAYS = 365
ROUNDS = 20
SURVEYED = 5000
SCOPE = Scope("0", "NOTEBOOK")
START = datetime(2026, 1, 1, tzinfo=UTC)
IDENTITY = TargetIdentity("https://modelarts.cn-north-4.myhuaweicloud.com", "0123456789abcdef" * 2, None, ("NOTEBOOK",), "all")


def created(dice: Random, now: datetime) -> Notebook:
    """Return a new notebook with every fact that a listing shows."""
    owner = dice.randrange(200)
    return Notebook(
        f"{dice.getrandbits(128):032x}",
        Status.RUNNING,
        name=f"bert-eval-{dice.randrange(10_000)}",
        feature="NOTEBOOK",
        flavor="modelarts.vm.cpu.2u",
        workspace_id="0",
        owner=Named(f"{owner:032x}", f"user-{owner}"),
        image=Image("278e88d1-5b71-4766-8502-b3ba72e824d9", "mindspore1.7", "swr.cn-north-4.example.com/atelier/mindspore:1.7"),
        lease=Lease(enabled=True, type=LeaseType.TIMING, created_at=now, updated_at=now, duration=timedelta(hours=1)),
        volume=Volume("EVS", "MANAGED", 50),
        billing=("STORAGE", "INSTANCE"),
        tags={"project": f"p{dice.randrange(20)}"},
        created_at=now,
        updated_at=now,
        listed=True,
    )


def a_day_later(fleet: list[Notebook], dice: Random, now: datetime) -> list[Notebook]:
    """Return the fleet of the next day."""
    stays = dice.sample(fleet, len(fleet) - FLEET * 2 // 100)
    changed = set(dice.sample(range(len(stays)), FLEET * 8 // 100))
    other = {Status.RUNNING: Status.STOPPED, Status.STOPPED: Status.RUNNING}
    rows = [replace(row, status=other[row.status], updated_at=now) if at in changed else row for at, row in enumerate(stays)]
    return rows + [created(dice, now) for _ in range(FLEET * 2 // 100)]


async def record_a_year(path: Path) -> None:
    """Record a year of daily surveys in a new journal."""
    dice, now = Random(7), START  # noqa: S311  # seeded dice, not cryptography
    fleet = [created(dice, now) for _ in range(FLEET)]
    async with open_journal(f"sqlite:///{path}") as journal:
        for day in range(DAYS):
            now = START + timedelta(days=day)
            known = await journal.inventory.open_states(IDENTITY)
            recorder = Recorder(known)
            for row in fleet:
                recorder.see(row, SCOPE, None)
            record = SurveyRecord(
                IDENTITY.project, "research", IDENTITY.extent, now, complete=True, fleet=FLEET, config="c0ffee"
            )
            listed = Listed(recorder, tuple(row.id for row in fleet))
            await journal.inventory.record(record, Changes((listed,), known, complete=True))
            fleet = a_day_later(fleet, dice, now + timedelta(hours=12))


def cpu_s(config: Path) -> float:
    """Return the CPU time of one dry run, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "nbsweep", "run", "--dry-run", "--config", str(config)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def configuration(folder: Path, url: str, name: str, **groups: object) -> Path:
    """Write a configuration with a journal of its own."""
    path = folder / f"{name}.yaml"
    policies = [{"name": "idle", "match": {"status": "STOPPED", "idle_over": "500d"}}]
    journal = f"sqlite:///{folder}/{name}.db"
    path.write_text(
        yaml.safe_dump({"targets": [target(url)], "policies": policies, "journal": journal, **groups}), encoding="utf-8"
    )
    return path


def main() -> None:
    """Measure both, and write the figures to stdout."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        year = Path(folder) / "year.db"
        asyncio.run(record_a_year(year))
        size = year.stat().st_size
        sys.stdout.write(f"room: {size / 1e6:.1f} MB for a year of {FLEET:,} notebooks ({time.monotonic() - began:.0f} s)\n")
        with running_cloud(cloud_options([idle(f"nb{number}", days=20) for number in range(SURVEYED)])) as cloud:
            ways = {
                "without": configuration(Path(folder), cloud.url, "without", inventory=None),
                "with": configuration(Path(folder), cloud.url, "with"),
            }
            first = {way: cpu_s(path) for way, path in ways.items()}
            rounds = [{way: cpu_s(path) for way, path in ways.items()} for _ in range(ROUNDS)]
            least = {way: min(each[way] for each in rounds) for way in ways}
    for title, found in (("first survey", first), ("unchanged", least)):
        more = found["with"] / found["without"] - 1
        sys.stdout.write(f"CPU, {title}: {found['without']:.3f} s without, {found['with']:.3f} s with: {more:+.1%}\n")


if __name__ == "__main__":
    main()
