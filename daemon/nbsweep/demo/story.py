"""Plays the past of the demo: three months of sweeps, notices and exemptions in virtual time, by nbsweep's own engine."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from random import Random

from msgspec import Struct

from nbsweep.bootstrap.sweeps import inventory_options, make_sweeper
from nbsweep.core.errors import Unauthorized
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.notices.channel import Acceptance, Letter, OpenChannels, Receipt
from nbsweep.core.notices.contacts import NoContact
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Journal, Ports
from nbsweep.core.reasons.sentences.untold import UntoldSentence
from nbsweep.core.saved_plan.model import Spared
from nbsweep.demo.account import Account
from nbsweep.demo.configuration import UNKNOWN_OWNERS
from nbsweep.demo.lives import lives
from nbsweep.demo.recording import Write, record_journal
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.operators import OperatorNotices
from nbsweep.engine.notices.relay import Relay
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.sweep import Sweeper
from nbsweep.settings import Settings
from nbsweep.simulator import NotebookSpec
from nbsweep.testing import FakeClock, Fault, RecordingTelemetry
from nbsweep.testing.loop import VirtualLoop
from nbsweep.testing.people import ACCEPTED, KnownOwners, PlainRenderer, ScriptedChannel

DAYS = 90
DRY_DAYS = 4
"""How many days the first sweeps only said what they would delete."""
SWEPT_AT = timedelta(hours=19)
MAILS_AT = timedelta(hours=25)
"""When what became due in the night is sent, counted from the day of the sweep."""
BROKEN_POOL = (46, 50)
"""The days between which the notebooks of one pool show ERROR, so that a brake refuses."""
BROKEN_FLAVOR = "modelarts."
LOST_KEY = 63
"""The day on which the cloud does not accept the access key."""
SENDS_FOR_S = 600.0
FULL_MAILBOX, FULL_SINCE = "sofia.rossi", 80
"""The owner whose mail server refuses messages, and the day since when."""
NOT_KNOWN = NoContact(f"file: {UntoldSentence.NOT_NAMED.format(file='owners.yaml')}")
STARTED_BY = "nbsweep (service)"


class Grant(Struct, frozen=True):
    """An exemption of the story, by days of it."""

    day: int
    until: int
    selector: Selector
    reason: str
    by: str
    ticket: str = ""
    revoked: int | None = None


GRANTS = (
    Grant(12, 40, Selector(name="vit-*"), "benchmark of the quarter", "mei.wang (cli)"),
    Grant(25, 80, Selector(owner="omar.haddad"), "on parental leave", "mei.wang (page)", "HR-2214", revoked=58),
    Grant(58, 94, Selector(name="whisper-*"), "model release, frozen until it is reviewed", "mei.wang (page)", "ML-871"),
    Grant(66, 128, Selector(owner="ines.costa"), "sabbatical: back in spring", "mei.wang (page)", "HR-2302"),
    Grant(79, 102, Selector(name="*-distill-*"), "the paper's reviewers may ask for reruns", "jonas.berg (api)"),
)
"""The third ends within a week after the story."""
KEEPERS = {
    30: "camera-ready deadline",
    52: "I still need the labels",
    71: "course project, marks are due",
    87: "back next Monday",
}
"""The days on which an owner keeps a marked notebook by the link of a notice, and the reasons."""
KEPT_FOR_DAYS = 21


class Past(Struct, frozen=True):
    """The result of the story."""

    writes: tuple[Write, ...]
    """All changes of the journal, in their order."""
    notebooks: tuple[NotebookSpec, ...]
    """The fleet at the end."""


def play(seed: int, today: datetime, settings: Settings, days: int = DAYS) -> Past:
    """Play the story up to the beginning of a day in UTC; the same arguments give the same past."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_play(seed, today, settings, days))


async def _play(seed: int, today: datetime, settings: Settings, days: int) -> Past:
    clock = FakeClock(today.astimezone(UTC) - timedelta(days=days))
    writes: list[Write] = []
    workspaces = [target.workspaces[0] for target in settings.targets]
    account = Account(clock, lives(seed, clock.now(), days, workspaces[1]), (workspaces[0], workspaces[1]), seed)
    journal = record_journal(writes)
    ports = Ports(account.cloud, journal, clock, RecordingTelemetry())
    inventory = inventory_options(settings)
    sweepers = tuple(make_sweeper(settings, target, ports, Shutdown(), inventory) for target in settings.targets)
    story = Story(seed, clock, account, journal, sweepers, _relay(seed, ports, settings), _operators(ports))
    await story.play(days)
    return Past(tuple(writes), account.notebooks())


@dataclass(slots=True)
class Story:
    """The days of the past, one after the other."""

    seed: int
    clock: FakeClock
    account: Account
    journal: Journal
    sweepers: Sequence[Sweeper]
    relay: Relay
    operators: OperatorNotices
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Note the first day."""
        self.began = self.clock.now()

    async def play(self, days: int) -> None:
        """Live through the first days of the story."""
        broken, mended = (self._on(day) for day in BROKEN_POOL)
        self.account.break_pool(broken, mended, BROKEN_FLAVOR)
        for day in range(days):
            await self._give_exemptions(day)
            await self._wait_until(self._on(day) + SWEPT_AT)
            for place, sweeper in enumerate(self.sweepers):
                await self._sweep(sweeper, day, place)
            await self.relay.finish(SENDS_FOR_S)
            if day < days - 1:
                await self._wait_until(self._on(day) + MAILS_AT)
                await self.relay.finish(SENDS_FOR_S)
        await self._wait_until(self._on(days))

    async def _sweep(self, sweeper: Sweeper, day: int, place: int) -> None:
        await self._wait_until(self._on(day) + SWEPT_AT + timedelta(minutes=4 * place))
        if day == LOST_KEY:
            self.account.cloud.inject("page", Fault(Unauthorized("the cloud does not accept the access key: HTTP 401")))
        run_id = f"{self.clock.now():%Y%m%dT%H%M%SZ}-{_digits(self.seed, day, place)}"
        report = await sweeper.sweep(Run(run_id, STARTED_BY, dry_run=day < DRY_DAYS), _approve)
        if day >= DRY_DAYS:
            await self.operators.tell_of_sweep(report, run_id)

    async def _give_exemptions(self, day: int) -> None:
        """Grant and revoke what is due on a day, at noon in Shanghai."""
        await self._wait_until(self._on(day) + timedelta(hours=4))
        for place, grant in enumerate(GRANTS):
            if grant.day == day:
                await self.journal.exemptions.grant(self._exemption(grant, _typed(self.seed, place)))
            if grant.revoked == day:
                await self.journal.exemptions.revoke(_typed(self.seed, place), self.clock.now(), grant.by, "back at work")
        if day in KEEPERS:
            await self._keep(day)

    async def _keep(self, day: int) -> None:
        """Let the owner of the latest mark that was told keep the notebook."""
        told = [mark for mark in await self.journal.marks.marks(100) if mark.told_at and mark.open]
        if told:
            mark = told[0]
            selector = Selector(notebook_id=mark.notebook_id, notebook_created_at=mark.notebook_created_at)
            grant = Grant(day, day + KEPT_FOR_DAYS, selector, KEEPERS[day], mark.owner_name)
            await self.journal.exemptions.grant(self._exemption(grant, _typed(self.seed, 100 + day)))

    def _exemption(self, grant: Grant, exemption_id: str) -> Exemption:
        by_owner = grant.selector.notebook_id is not None
        return Exemption(
            id=exemption_id,
            selector=grant.selector,
            reason=grant.reason,
            granted_by=grant.by,
            granted_as=GrantedBy.OWNER if by_owner else GrantedBy.ADMINISTRATOR,
            granted_at=self.clock.now(),
            until=self._on(grant.until) + timedelta(hours=16),
            ticket=grant.ticket,
        )

    def _on(self, day: int) -> datetime:
        return self.began + timedelta(days=day)

    async def _wait_until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.clock.now()).total_seconds()))


def _relay(seed: int, ports: Ports, settings: Settings) -> Relay:
    full_since = ports.clock.now() + timedelta(days=FULL_SINCE)

    def mail_server(letter: Letter) -> Receipt:
        refuses = letter.to.startswith(FULL_MAILBOX) and ports.clock.now() > full_since
        return Receipt(Acceptance.REFUSED, "552 mailbox full") if refuses else ACCEPTED

    channels = [ScriptedChannel("mail", answer=mail_server), ScriptedChannel("ops", addressed=False)]
    directory = KnownOwners(dict.fromkeys(UNKNOWN_OWNERS, NOT_KNOWN))
    relay_ports = RelayPorts(
        ports.journal,
        ports.clock,
        ports.telemetry,
        directory,
        OpenChannels(channels),
        PlainRenderer(),
        is_clock_verified=lambda: True,
    )
    policies = {policy.name: policy for policy in settings.rules.policies}
    options = RelayOptions(policies, settings.calendar.zone, settings.messages.languages, "demo")
    return Relay(relay_ports, options, Random(f"relay {seed}").random)


def _operators(ports: Ports) -> OperatorNotices:
    events = (
        OperatorEvent.SWEEP_REFUSED,
        OperatorEvent.SWEEP_FAILED,
        OperatorEvent.MARKS_UNTOLD,
        OperatorEvent.AUTHENTICATION_FAILED,
    )
    return OperatorNotices(ports.journal, ports.clock, dict.fromkeys(events, ("channel:ops",)))


async def _approve(_plan: Plan, _spared: Sequence[Spared]) -> bool:
    return True


def _digits(*parts: object) -> str:
    """Return six hexadecimal digits that follow from the parts."""
    return blake2b(repr(parts).encode(), digest_size=3).hexdigest()


def _typed(seed: int, place: int) -> str:
    """Return the id of an exemption, in the letters of such ids."""
    return _digits(seed, "exemption", place).replace("0", "x").replace("1", "y")
