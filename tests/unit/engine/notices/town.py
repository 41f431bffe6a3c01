"""A world with owners: sweeps of a policy with grace, a relay, a channel and a directory, in virtual time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from builders import over, policy
from nbsweep.core.errors import Gone
from nbsweep.core.judging.rules import Policy
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Notebook
from nbsweep.core.notices.channel import OpenChannels
from nbsweep.core.notices.outbox import Message
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.reasons.language import Language
from nbsweep.core.report import Report
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.relay import Relay
from nbsweep.engine.options import SweepOptions
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing.people import KnownOwners, PlainRenderer, ScriptedChannel
from unit.engine.world import AREA, World, approve, options, world

WEEK = Grace(timedelta(days=7), surveys=1)
FREE = Brakes(max_deletions=None, max_share=None, max_fleet_drop=None)


def graced(grace: Grace = WEEK, **changes: Any) -> Policy:
    """Return the policy `idle`, of 14 days, with a grace."""
    return replace(policy(over("idle", days=14), name="idle"), **{"grace": grace, "digest": "d1", **changes})


@dataclass
class Town:
    """The fakes of one test."""

    scene: World
    how: SweepOptions
    brakes: Brakes = FREE
    channels: list[ScriptedChannel] = field(default_factory=lambda: [ScriptedChannel()])
    owners: KnownOwners = field(default_factory=KnownOwners)
    clock_verified: bool = True
    runs: int = 0

    @property
    def mail(self) -> ScriptedChannel:
        """The first channel."""
        return self.channels[0]

    @property
    def texts(self) -> list[str]:
        """The texts of all letters that reached the first channel."""
        return [letter.text for letter in self.mail.letters]

    async def pass_time(self, **time: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(timedelta(**time).total_seconds())

    async def sweep(self, *, dry_run: bool = False) -> Report:
        """Sweep once."""
        self.runs += 1
        run = Run(f"run{self.runs}", "test", dry_run)
        return await Sweeper(AREA, self.scene.ports, self.how, self.brakes, self.scene.shutdown).sweep(run, approve)

    def relay(self, **changes: Any) -> Relay:
        """Return a new relay, as after a start of the program."""
        ports = RelayPorts(
            journal=self.scene.journal,
            clock=self.scene.clock,
            telemetry=self.scene.telemetry,
            directory=self.owners,
            channels=OpenChannels(self.channels),
            renderer=PlainRenderer(),
            is_clock_verified=lambda: self.clock_verified,
            read_tags=self._tags,
        )
        policies = {each.name: each for each in self.how.rules.policies}
        plain = RelayOptions(policies, ZoneInfo("Asia/Shanghai"), (Language.ENGLISH,), "test")
        return Relay(ports, replace(plain, **changes))

    async def _tags(self, mark: Mark) -> Mapping[str, str | None]:
        try:
            return (await self.scene.cloud.show(mark.notebook_id)).tags or {}
        except Gone:
            return {}

    async def marks(self) -> dict[str, Mark]:
        """Return the latest mark of each notebook."""
        return {mark.notebook_id: mark for mark in reversed(await self.scene.journal.marks.marks(1000))}

    async def messages(self) -> tuple[Message, ...]:
        """Return all messages, the newest first."""
        return await self.scene.journal.outbox.messages(1000)


def town(*notebooks: Notebook, grace: Grace = WEEK, **changes: Any) -> Town:
    """Return a town whose cloud has these notebooks."""
    return Town(world(*notebooks), options(graced(grace)), **changes)
