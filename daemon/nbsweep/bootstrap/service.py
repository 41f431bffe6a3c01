"""Composes the service and runs it: each accepted reload starts a new supervisor with the new configuration.

Separate from `bootstrap.sweeps`, because only the service needs the web server and the scheduler.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import anyio
from aiohttp.web import Application
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.responses import KNOWN_CODES
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.metrics import Metrics
from nbsweep.adapters.process import this_process
from nbsweep.adapters.telemetry import Listener
from nbsweep.bootstrap.people.notices import Notices, open_notices
from nbsweep.bootstrap.runners import make_work
from nbsweep.bootstrap.sweeps import OpenResources, open_all
from nbsweep.bootstrap.web import make_web_settings
from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.base import Event
from nbsweep.core.events.service import ServiceDoubt, ServiceReloaded, ServiceReloadRefused, ServiceStarted, ServiceStopped
from nbsweep.core.ports import Telemetry
from nbsweep.engine.report import Run, leading_error
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.fleet.watching import keep_showing
from nbsweep.service.journal_watch import JournalWatch
from nbsweep.service.presence import Presence
from nbsweep.service.reload import answer_reload, runtime_directory
from nbsweep.service.scheduler import Schedule
from nbsweep.service.supervisor import Supervisor
from nbsweep.service.systemd import Systemd
from nbsweep.service.targets.runner import RunnerState
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.service.web.app import make_app
from nbsweep.service.web.server import require_listenable, serve_web
from nbsweep.settings import Settings
from nbsweep.settings.doubts import doubts_of
from nbsweep.settings.fingerprint import changed_keys


class ServiceInputs(Struct, frozen=True):
    """The inputs of the service, which the command line supplies."""

    environment: Mapping[str, str]
    read_settings: Callable[[], Settings]
    """Reads the configuration again; raises ConfigurationError."""
    make_telemetry: Callable[[Settings, Listener], Telemetry]
    """Builds the log of a configuration, with a listener that receives every event."""
    new_run: Callable[[datetime, bool], Run]
    shutdown: Shutdown


async def try_out(following: Settings, current: Settings) -> None:
    """Check that the address and the journal of a new configuration can be used, while the current one stays in force.

    Raises:
        NbsweepError: the new configuration cannot be put in force.
    """
    listen = following.service.listen
    # This process may hold the same port on another address: the new address can be tried only after that one is closed.
    if listen and listen.rpartition(":")[2] != (current.service.listen or "").rpartition(":")[2]:
        await require_listenable(listen)
    if following.journal != current.journal:
        async with open_journal(following.journal):
            pass


@dataclass(slots=True)
class Service:
    """Runs until a shutdown begins. On SIGHUP it reads the configuration again and puts it in force between sweeps."""

    inputs: ServiceInputs
    systemd: Systemd
    metrics: Metrics = field(default_factory=lambda: Metrics(SystemClock(), KNOWN_CODES))
    """The counters continue across reloads."""
    _presence: Presence = field(init=False)
    _hangup: anyio.Event = field(default_factory=anyio.Event)
    _next: Settings | None = None
    _carried: Mapping[str, RunnerState] = field(default_factory=dict)

    async def run(self, settings: Settings) -> None:
        """Run the service until a shutdown begins.

        Raises:
            NbsweepError: the service cannot start.
        """
        self._presence = Presence(this_process(), settings, SystemClock().now())
        async with self._hearing_hangups():
            names = [target.name for target in settings.targets]
            telemetry = await self._serve(settings, lambda listen: (ServiceStarted(settings.mode, names, listen),))
            in_force = settings
            while self._next is not None:
                following, self._next = self._next, None
                try:
                    telemetry = await self._serve_after_reload(following, in_force)
                    in_force = following
                except (NbsweepError, ExceptionGroup) as error:
                    # Not every failure is detected in advance: the earlier configuration is put in force again.
                    refusal = str(leading_error(error))
                    telemetry.emit(ServiceReloadRefused(refusal))
                    self._presence.put_in_force(in_force, SystemClock().now())
                    self._presence.reload_problem = refusal
                    telemetry = await self._serve(in_force, lambda _: ())
            telemetry.emit(ServiceStopped())

    async def _serve_after_reload(self, following: Settings, before: Settings) -> Telemetry:
        """Run under a new configuration, and report which keys differ from the one before.

        Raises:
            NbsweepError, ExceptionGroup: the service could not start, or failed later.
        """
        self._presence.put_in_force(following, SystemClock().now())
        reloaded = ServiceReloaded(changed_keys(before, following))
        return await self._serve(following, lambda _: (reloaded,))

    async def _serve(self, settings: Settings, begun: Callable[[str | None], Iterable[Event]]) -> Telemetry:
        """Run under one configuration, emit the events of `begun` after the start, and return the telemetry.

        Raises:
            NbsweepError, ExceptionGroup: the service could not start, or failed later.
        """
        telemetry = self.inputs.make_telemetry(settings, self.metrics)
        shutdown = self.inputs.shutdown
        async with (
            open_all(settings, self.inputs.environment, telemetry, shutdown) as opened,
            open_notices(settings, opened, telemetry) as notices,
        ):
            supervisor = await self._supervisor(settings, opened, telemetry, notices)

            def started(listen: str | None) -> None:
                for event in begun(listen):
                    telemetry.emit(event)
                for doubt in doubts_of(settings):
                    telemetry.emit(ServiceDoubt(doubt.kind, doubt.place, doubt.name, doubt.sentence))
                self.systemd.ready()

            async def check(following: Settings) -> None:
                self._make_api(following, opened, supervisor, telemetry)
                await try_out(following, settings)

            async with anyio.create_task_group() as group:
                group.start_soon(self._reload_on_hangup, supervisor, telemetry, check, name="reload")
                group.start_soon(_report_left_alone, opened, name="left-alone")
                if settings.channels and settings.mode == "enforce":
                    group.start_soon(notices.relay.run, name="relay")
                await supervisor.run(lambda supervisor: self._web(settings, opened, supervisor, telemetry), started)
                group.cancel_scope.cancel()
            if self._next is None:
                await supervisor.watch.say_stopped()
            self._carry(supervisor)
        return telemetry

    @asynccontextmanager
    async def _web(
        self, settings: Settings, opened: OpenResources, supervisor: Supervisor, telemetry: Telemetry
    ) -> AsyncIterator[str | None]:
        """Serve the HTTP API if the configuration has an address for it, and yield the bound address."""
        self.metrics.watch(supervisor)
        app = self._make_api(settings, opened, supervisor, telemetry)
        if app is None or settings.service.listen is None:
            yield None
            return
        async with serve_web(app, settings.service.listen) as bound:
            yield bound

    def _make_api(
        self, settings: Settings, opened: OpenResources, supervisor: Supervisor, telemetry: Telemetry
    ) -> Application | None:
        """Build the HTTP API if the configuration has an address for it.

        Raises:
            ConfigurationError: the address or a token file cannot be used.
        """
        listen = settings.service.listen
        if listen is None:
            return None
        web_settings = make_web_settings(settings, listen, opened, supervisor.work.fleet)
        return make_app(supervisor, opened.journal, self.metrics.exposition, web_settings, telemetry, opened.clock)

    async def _supervisor(
        self, settings: Settings, opened: OpenResources, telemetry: Telemetry, notices: Notices
    ) -> Supervisor:
        schedule = Schedule(lambda name: work.runners[name].due(), lambda name: work.runners[name].missed())
        options = RunnerOptions(
            dry_run=settings.mode == "dry-run",
            new_run=lambda dry_run: self.inputs.new_run(opened.clock.now(), dry_run),
            next_run=schedule.next_run,
            on_report=notices.operators.tell_of_sweep,
            held_for_s=settings.service.lease.total_seconds() / 3,
        )
        work = await make_work(settings, opened, options, self.inputs.shutdown)
        if work.fleet is not None:
            fleet = work.fleet
            showing = {"fleet-metrics": lambda: keep_showing(fleet, self.metrics.fleet, this_process().owner)}
            work = replace(work, tasks={**work.tasks, **showing})
        for name in work.runners.keys() & self._carried.keys():
            work.runners[name].continue_from(self._carried[name])
        watch = JournalWatch(work.runners, self._presence, opened.journal, opened.clock, telemetry)
        return Supervisor(settings, work, schedule, telemetry, self.inputs.shutdown, self.systemd, watch)

    def _carry(self, supervisor: Supervisor) -> None:
        self._carried = {name: runner.left() for name, runner in supervisor.work.runners.items()}

    async def _reload_on_hangup(
        self, supervisor: Supervisor, telemetry: Telemetry, check: Callable[[Settings], Awaitable[None]]
    ) -> None:
        """Read the configuration at each SIGHUP. A usable configuration makes the supervisor end between sweeps."""
        while self._next is None:
            await self._hangup.wait()
            self._hangup = anyio.Event()
            self.systemd.reloading()
            try:
                settings = self.inputs.read_settings()
                await check(settings)
                self._next = settings
                self._answer_reload("")
            except NbsweepError as error:
                self._answer_reload(str(error))
                telemetry.emit(ServiceReloadRefused(str(error)))
                self._presence.reload_problem = str(error)
                await supervisor.watch.beat_now()
                self.systemd.ready()
        supervisor.make_room()

    def _answer_reload(self, problem: str) -> None:
        answer_reload(runtime_directory(self.inputs.environment), problem)

    @asynccontextmanager
    async def _hearing_hangups(self) -> AsyncIterator[None]:
        async def listen() -> None:
            with anyio.open_signal_receiver(signal.SIGHUP) as signals:
                heard.set()
                async for _ in signals:
                    self._hangup.set()

        heard = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(listen, name="hangups")
            await heard.wait()
            yield
            group.cancel_scope.cancel()


async def _report_left_alone(opened: OpenResources) -> None:
    await opened.identify()
    await opened.report_left_alone()
