"""Sets the stage of the served demo: the simulated cloud, the files, the messages' receiver, and a journal with a past."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio.to_thread
import msgspec
from msgspec import Struct

from nbsweep.adapters.journal import Timeouts, open_journal
from nbsweep.core.ports import Journal
from nbsweep.demo.configuration import ADMIN_TOKEN, UNKNOWN_OWNERS, VIEWER_TOKEN, Addresses, Files, demo_settings
from nbsweep.demo.lives import OWNERS
from nbsweep.demo.messages import receiving_messages
from nbsweep.demo.recording import repeat_all
from nbsweep.demo.story import play
from nbsweep.settings import Settings
from nbsweep.simulator import FleetOptions, RunningSimulator, SimulatorOptions, TimingOptions, running_simulator
from nbsweep.simulator.state import catalogue, specs
from nbsweep.simulator.state.fleet import workspace_ids

PROXY_SECRET = "demo-proxy"  # noqa: S105  # of a service on loopback that has nothing but the simulated cloud
AT_ONCE = Timeouts(commit_every_s=0.0)


class Stage(Struct, frozen=True):
    """What the service of the demo runs on."""

    settings: Settings
    notebooks: int
    messages_url: str
    owner: str
    """An owner whose notebooks are announced."""


@asynccontextmanager
async def set_stage(seed: int, now: datetime, folder: Path, port: int) -> AsyncIterator[Stage]:
    """Run the cloud and the receiver of messages, and fill the journal; `port` is that of the pages, 0 for a free one.

    Raises:
        JournalError: the folder cannot be written.
    """
    files, listen = Files(folder), f"127.0.0.1:{port}"
    await anyio.to_thread.run_sync(write_files, files)
    async with running_simulator(simulator_options(seed)) as simulator, receiving_messages() as messages_url:
        teaching = workspace_ids(simulator.options)[1]
        settings = demo_settings(Addresses(simulator.url, messages_url, listen), files, teaching)
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        # A thread has an event loop of its own, in virtual time.
        past = await anyio.to_thread.run_sync(partial(play, seed, today, settings), abandon_on_cancel=True)
        for spec in past.notebooks:
            specs.create(simulator.cloud, spec, at_s=now.timestamp(), cause="fleet")
        async with open_journal(settings.journal, AT_ONCE) as journal:
            await repeat_all(past.writes, journal)
            owner = await announced_owner(journal, now)
        yield Stage(settings, _size(simulator), messages_url, owner)


def simulator_options(seed: int) -> SimulatorOptions:
    """Return an empty cloud of two workspaces, whose deletions take a few seconds."""
    return SimulatorOptions(
        seed=seed,
        fleet=FleetOptions(notebooks=0, workspaces=2),
        timing=TimingOptions(latency_median_s=0.03, latency_spread=0.3, deletion_median_s=8, deletion_spread=0.5),
    )


def write_files(files: Files) -> None:
    """Write the files that the configuration names; only this user may read the tokens."""
    contents = {
        "owners.yaml": msgspec.yaml.encode(owners_document()).decode(),
        "admin": ADMIN_TOKEN,
        "viewer": VIEWER_TOKEN,
        "proxy-secret": PROXY_SECRET,
    }
    for name, content in contents.items():
        path = files.of(name)
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")


def owners_document() -> Mapping[str, Mapping[str, str]]:
    """Return the file of owners: all but those who cannot be told."""
    names = map(catalogue.owner_name, range(OWNERS))
    return {name: {"email": f"{name}@example.com"} for name in names if name not in UNKNOWN_OWNERS}


async def announced_owner(journal: Journal, now: datetime) -> str:
    """Return the owner who has been told of the most deletions.

    Raises:
        JournalError: the marks cannot be read.
    """
    owners = await journal.marks.owners(now)
    return max(owners, key=lambda one: one.told).owner_name if owners else catalogue.owner_name(0)


def _size(simulator: RunningSimulator) -> int:
    return len(simulator.cloud.instances)
