"""The HTTP API on loopback, with a fake service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import aiohttp
from aiohttp import web
from msgspec.structs import replace

import builders
from builders import NOON, ago, candidate, moment, notebook, over, policy, removal, rules, run_record
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.errors import ConfigurationError, NbsweepError
from nbsweep.core.explain.context import Explained, JournalFacts, NotebookContext, TargetScope, brake_lines, cover_findings
from nbsweep.core.explain.explain import explain
from nbsweep.core.freshness import ClockReading
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.verdict import Reason, Verdict
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.grace import Grace
from nbsweep.core.model import Notebook
from nbsweep.core.notices.contacts import OwnerDirectory
from nbsweep.core.pacing import LaneState
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Journal
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.changes import PlanChanges
from nbsweep.core.saved_plan.model import SavedItem, SavedPlan
from nbsweep.service.control import Answer, FleetSource, Phase, TargetDetails, TargetState, UnknownTargetError
from nbsweep.service.web.access.proxies import ProxySettings
from nbsweep.service.web.access.tokens import Role, TokenFile
from nbsweep.service.web.app import WebSettings, make_app
from nbsweep.service.web.keep.pages import PageSettings
from nbsweep.service.web.server import serve_web
from nbsweep.service.web.trying.port import Backtester
from nbsweep.testing import InMemoryJournal, RecordingTelemetry

TOKEN = "the-token-of-the-api"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
VIEWER_TOKEN = "a-token-that-reads"
VIEWER_BEARER = {"Authorization": f"Bearer {VIEWER_TOKEN}"}
LOOPBACK = "127.0.0.1:0"
METRICS = b"# TYPE nbsweep_ready gauge\nnbsweep_ready 1.0\n"
EARLIER = datetime(2026, 2, 28, 3, 0, tzinfo=UTC)


PAUSE = Pause("training", EARLIER, "alice", "moving house")
LANES = (LaneState("delete", 5.0, 2.5, "150/m"), LaneState("total", None, 4.0, "4/s"))
LANES_DOCUMENT = {
    "delete": {"configured_calls_per_s": 5.0, "calls_per_s": 2.5, "learned_limit": "150/m"},
    "total": {"configured_calls_per_s": None, "calls_per_s": 4.0, "learned_limit": "4/s"},
}
"""The same, as the API tells it."""
DETAILS = TargetDetails(Brakes(), Fraction(1, 4), 0, None)


def state(name: str = "research", **changes: object) -> TargetState:
    """Return a target that waits for its schedule, and has been swept."""
    plain = TargetState(name, Phase.WAITING, False, None, NOON, EARLIER, 0, "", LANES)  # noqa: FBT003 - it deletes
    return replace(plain, **changes)


def plan() -> Plan:
    """Return a plan with one notebook in it."""
    return builders.plan(candidate(7), fleet=40, kept={Reason.NO_POLICY: 38, Reason.PROTECTED: 1})


def explained(target: str = "research", notebook_id: str = "nb1") -> NotebookContext:
    """Return what a target says of a notebook that its policy deletes."""
    row, policies = notebook(id=notebook_id, updated_at=ago(days=100)), rules(policy(over("idle", days=30)))
    cover = cover_findings(row, TargetScope(None, ("NOTEBOOK",)))
    memory = JournalFacts()
    explanation = explain(row, policies, moment())
    return NotebookContext(target, NOON, row, cover, explanation, memory, brake_lines(Brakes(), None, memory))


class FakeControl:
    """A service that does as it is told, and remembers what that was."""

    def __init__(self, *states: TargetState) -> None:
        """Have these targets."""
        self.states = {each.name: each for each in states or (state(), state("training", pause=PAUSE))}
        self.known = dict[str, TargetDetails]()
        """What is known about a target beyond its state; `DETAILS` of the others."""
        self.problems: tuple[str, ...] = ()
        self.asked: list[tuple[str, str]] = []
        self.by: list[str] = []
        """Who asked for a pause, its end, or a sweep."""
        self.willing = True
        self.held = dict[str, Holdout]()
        """The holdout of each policy that has one."""
        self.planned = plan()
        self.verdicts = dict[str, Verdict]()
        self.changes: PlanChanges | None = None
        self.refusing: ConfigurationError | None = None
        self.ordered: list[tuple[SavedPlan, str]] = []
        """The approved plans that were to be carried out, and by whom."""
        self.error: Exception | None = None
        self.contexts: tuple[NotebookContext, ...] = (explained(),)
        self.errors = dict[str, NbsweepError]()
        self.explaining = asyncio.Semaphore(0)
        """Released for each explanation that begins."""
        self.planning = asyncio.Event()
        """Set as soon as a plan is being made."""
        self.go_on = asyncio.Event()
        self.go_on.set()

    def targets(self) -> tuple[TargetState, ...]:
        """Return how things stand."""
        return tuple(self.states.values())

    def not_ready(self) -> tuple[str, ...]:
        """Return what is wrong."""
        return self.problems

    async def details(self) -> Mapping[str, TargetDetails]:
        """Return what is known."""
        return {name: self.known.get(name, DETAILS) for name in self.states}

    async def plan(self, name: str) -> Plan:
        """Return the plan, once it may go on."""
        self._note("plan", name)
        self.planning.set()
        await self.go_on.wait()
        if self.error:
            raise self.error
        return replace(self.planned, target=name)

    async def judge(self, name: str, notebooks: Sequence[Notebook]) -> Mapping[str, Verdict]:
        """Return the verdicts of those that have one."""
        if name not in self.states:
            raise UnknownTargetError(name)
        return {each.id: self.verdicts[each.id] for each in notebooks if each.id in self.verdicts}

    def plan_to_save(self, plan: Plan, plan_id: str) -> SavedPlan:
        """Return the plan, valid for a day under a configuration without any part."""
        target = saved_target(plan, builders.identity())
        return SavedPlan(plan_id, plan.created_at, plan.created_at + timedelta(days=1), {}, (target,))

    async def compare(self, name: str, items: Sequence[SavedItem]) -> PlanChanges:
        """Return what has changed."""
        self._note("compare", name)
        if self.error:
            raise self.error
        return self.changes or PlanChanges(replace(self.planned, target=name), (), len(items), ())

    def require_valid(self, plan: SavedPlan) -> None:  # noqa: ARG002 - as the port has it
        """Refuse the plan if it is to be refused."""
        if self.refusing:
            raise self.refusing

    async def carry_out(self, plan: SavedPlan, by: str) -> Answer:
        """Note it, if it is willing."""
        self.require_valid(plan)
        [target] = plan.targets
        self.ordered.append((plan, by))
        self._note("carry out", target.target)
        return Answer.ACCEPTED if self.willing else Answer.BUSY

    async def explain(self, notebook_id: str, names: Sequence[str]) -> Explained:
        """Return what each target says of the notebook, once it may go on."""
        for name in names:
            self._note(f"explain {notebook_id}", name)
        self.explaining.release()
        await self.go_on.wait()
        return Explained(
            tuple(context for context in self.contexts if context.target in names and context.notebook.id == notebook_id),
            {name: error for name, error in self.errors.items() if name in names},
        )

    def paused(self) -> tuple[str, ...]:
        """List the targets that are paused."""
        return tuple(f"{each.name} is {each.pause}" for each in self.states.values() if each.pause)

    def graces(self) -> Mapping[str, Grace]:
        """Return a week for the policy `old`."""
        return {"old": Grace(timedelta(days=7))}

    def holdouts(self) -> Mapping[str, Holdout]:
        """Return those that the test has set."""
        return self.held

    async def request_sweep(self, request: SweepRequest) -> Answer:
        """Note it, if it is willing."""
        name = request.target
        self._note("sweep", name)
        self.by.append(request.by)
        if self.states[name].paused:
            return Answer.PAUSED
        return Answer.ACCEPTED if self.willing else Answer.BUSY

    async def pause(self, pause: Pause) -> None:
        """Note it."""
        self._note("pause", pause.target)
        self.by.append(pause.by)
        self.states[pause.target] = replace(self.states[pause.target], pause=pause, next_run=None)

    async def resume(self, resumption: Resumption) -> None:
        """Note it."""
        name = resumption.target
        self._note("resume", name)
        self.by.append(resumption.by)
        self.states[name] = replace(self.states[name], pause=None, next_run=NOON)

    def _note(self, what: str, name: str) -> None:
        if name not in self.states:
            raise UnknownTargetError(name)
        self.asked.append((what, name))


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self, step_s: float = 0.0) -> None:
        """Begin at 1000 s, and go so far at every look."""
        self.wall = NOON
        self.seconds = 1000.0
        self._step_s = step_s

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return self.wall

    def steady_s(self) -> float:
        """Return the steady clock's seconds."""
        self.seconds += self._step_s
        return self.seconds

    def read(self) -> ClockReading:
        """Read all clocks."""
        return ClockReading(self.now(), self.steady_s(), self.seconds)


@dataclass
class Face:
    """A running HTTP API and its surroundings."""

    url: str
    session: aiohttp.ClientSession
    control: FakeControl
    telemetry: RecordingTelemetry
    clock: Hands
    app: web.Application
    bound: str

    async def ask(self, method: str, path: str, **how: object) -> tuple[int, object]:
        """Call, and give the status and the document that came back."""
        async with self.session.request(method, self.url + path, **how) as response:  # type: ignore[arg-type]
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()

    async def error(self, method: str, path: str, **how: object) -> tuple[int, str, str]:
        """Call, and give the status, the code and the sentence of the error that came back."""
        status, document = await self.ask(method, path, **how)
        assert isinstance(document, dict)
        assert document.keys() == {"error"}
        assert document["error"].keys() == {"code", "message"}
        return status, document["error"]["code"], document["error"]["message"]


def token_file(directory: Path, text: str = f"{TOKEN}\n", mode: int = 0o600) -> Path:
    """Write a token into a file that its owner alone may read."""
    path = directory / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def viewer_file(directory: Path) -> TokenFile:
    """Write a token with the role viewer into a file that its owner alone may read."""
    path = directory / "viewer-token"
    path.write_text(VIEWER_TOKEN)
    path.chmod(0o600)
    return TokenFile(path, Role.VIEWER, "api_tokens[0].file")


def role_file(directory: Path, role: Role) -> TokenFile:
    """Write a token `token-of-ROLE`, whose name is that of its role."""
    path = directory / f"{role}-token"
    path.write_text(f"token-of-{role}")
    path.chmod(0o600)
    return TokenFile(path, role, "api_tokens[0].file")


async def filled_journal() -> InMemoryJournal:
    """Return a journal with a run that deleted one notebook and spared another, and one that goes on."""
    journal = InMemoryJournal()
    first = run_record("20260228T030000Z-aaaaaa", started_at=EARLIER)
    await journal.open_run(first)
    await journal.close_run(
        replace(first, ended_at=NOON, outcome=Outcome.FINISHED, fleet=40, planned=2, kept={"no-policy": 38}, lanes=LANES)
    )
    await journal.open_run(run_record("20260301T030000Z-bbbbbb", started_by="service", dry_run=True))
    run_id = first.run_id
    await journal.write(
        [
            removal(
                run_id=run_id,
                state=State.DELETED,
                requests=1,
                requested_at=EARLIER,
                accepted_at=EARLIER,
                ended_at=NOON,
                request_id="req-1",
                end_reason="proven gone",
            ),
            removal(run_id=run_id, notebook_id="nb2", state=State.SPARED, ended_at=NOON, capacity_gb=None, category=None),
            removal(run_id=run_id, notebook_id="nb3", state=State.REQUESTED, requests=1, requested_at=NOON),
        ]
    )
    return journal


@asynccontextmanager
async def _on_loopback(app: web.Application) -> AsyncIterator[str]:
    """Serve what was put together for other addresses on this one: no test opens a port to others."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Scene:
    """The parts that an HTTP API is opened with."""

    control: FakeControl = field(default_factory=FakeControl)
    journal: Journal | None = None
    token_file: Path | None = None
    token_files: tuple[TokenFile, ...] = ()
    """Further ones, as `service.api_tokens`."""
    listen: str = LOOPBACK
    exposition: Callable[[], bytes] = lambda: METRICS
    clock: Hands = field(default_factory=Hands)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    pages: PageSettings | None = None
    proxies: ProxySettings = field(default_factory=ProxySettings)
    directory: OwnerDirectory | None = None
    backtester: Backtester | None = None
    fleet: FleetSource | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Face]:
        """Let it answer."""
        files = [TokenFile(self.token_file)] if self.token_file else []
        settings = WebSettings(
            self.listen,
            (*files, *self.token_files),
            pages=self.pages,
            proxies=self.proxies,
            directory=self.directory,
            backtester=self.backtester,
            fleet=self.fleet,
        )
        journal = self.journal or await filled_journal()
        app = make_app(self.control, journal, self.exposition, settings, self.telemetry, self.clock)
        opened = serve_web(app, self.listen) if self.listen == LOOPBACK else _on_loopback(app)
        async with opened as bound, aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{bound.rpartition(':')[2]}"
            yield Face(url, session, self.control, self.telemetry, self.clock, app, bound)
