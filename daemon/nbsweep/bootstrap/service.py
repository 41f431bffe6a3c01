"""The service from its configuration to its end: one supervisor after another, each under the configuration of its time.

A composition root like `bootstrap`, apart from it because what it imports is not needed by anything else.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
from aiohttp.web import Application
from msgspec import Struct

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.responses import KNOWN_CODES
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.metrics import Metrics
from nbsweep.adapters.telemetry import Listener
from nbsweep.bootstrap.sweeps import Opened, open_all
from nbsweep.core.errors import NbsweepError
from nbsweep.core.events.base import Event
from nbsweep.core.events.service import ServiceReloaded, ServiceReloadRefused, ServiceStarted, ServiceStopped
from nbsweep.core.ports import Telemetry
from nbsweep.engine.report import Run, leading_error
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Control
from nbsweep.service.due_times import DueTimes
from nbsweep.service.reload import answer_reload, runtime_directory
from nbsweep.service.scheduler import Schedule
from nbsweep.service.supervisor import Supervisor
from nbsweep.service.systemd import Systemd
from nbsweep.service.target_runner import RunnerOptions, TargetRunner
from nbsweep.service.web.app import WebSettings, make_app
from nbsweep.service.web.server import require_listenable, serve_web
from nbsweep.settings import Settings
from nbsweep.settings.schedule import ScheduleSettings


class Surroundings(Struct, frozen=True):
    """What the service is given by whoever starts it."""

    environment: Mapping[str, str]
    read_settings: Callable[[], Settings]
    """Reads the configuration anew; raises ConfigurationError."""
    make_telemetry: Callable[[Settings, Listener], Telemetry]
    """Makes the log that a configuration asks for, with somebody who listens."""
    new_run: Callable[[datetime, bool], Run]
    shutdown: Shutdown


async def try_out(following: Settings, current: Settings) -> None:
    """Try what another configuration needs and the one in force does not, while that one goes on.

    Raises:
        NbsweepError: it could not be put in force.
    """
    listen = following.service.listen
    # The same port of another address may be ours now; whether it can be had shows when it is free.
    if listen and listen.rpartition(":")[2] != (current.service.listen or "").rpartition(":")[2]:
        await require_listenable(listen)
    if following.journal != current.journal:
        async with open_journal(following.journal):
            pass


class Carried(Struct, frozen=True):
    """What a target takes along from one configuration to the next."""

    paused: bool
    wanted: bool
    last_success: datetime | None
    failures: int


@dataclass(slots=True)
class Service:
    """Serves until a shutdown begins; SIGHUP has the configuration read anew, and put in force between sweeps."""

    surroundings: Surroundings
    systemd: Systemd
    metrics: Metrics = field(default_factory=lambda: Metrics(SystemClock(), KNOWN_CODES))
    """Goes on counting from one configuration to the next."""
    _told: anyio.Event = field(default_factory=anyio.Event)
    _next: Settings | None = None
    _carried: Mapping[str, Carried] = field(default_factory=dict)

    async def run(self, settings: Settings) -> None:
        """Serve.

        Raises:
            NbsweepError: it cannot begin.
        """
        async with self._hearing_hangups():
            names = [target.name for target in settings.targets]
            telemetry = await self._serve(settings, lambda listen: (ServiceStarted(settings.mode, names, listen),))
            in_force = settings
            while self._next is not None:
                following, self._next = self._next, None
                try:
                    telemetry = await self._serve(following, lambda _: (ServiceReloaded(),))
                    in_force = following
                except (NbsweepError, ExceptionGroup) as error:
                    # It could not be tried beforehand; what is in force now is what was before it.
                    telemetry.emit(ServiceReloadRefused(str(leading_error(error))))
                    telemetry = await self._serve(in_force, lambda _: ())
            telemetry.emit(ServiceStopped())

    async def _serve(self, settings: Settings, begun: Callable[[str | None], Iterable[Event]]) -> Telemetry:
        """Serve under one configuration, and tell that it has begun; gives the telemetry that it came with.

        Raises:
            NbsweepError, ExceptionGroup: it could not begin, or has failed.
        """
        telemetry = self.surroundings.make_telemetry(settings, self.metrics)
        shutdown = self.surroundings.shutdown
        async with open_all(settings, self.surroundings.environment, telemetry, shutdown) as opened:
            supervisor = self._supervisor(settings, opened, telemetry)

            def started(listen: str | None) -> None:
                for event in begun(listen):
                    telemetry.emit(event)
                self.systemd.ready()

            async def check(following: Settings) -> None:
                self._face(following, opened, supervisor, telemetry)
                await try_out(following, settings)

            async with anyio.create_task_group() as group:
                group.start_soon(self._reload_when_told, supervisor, telemetry, check, name="reload")
                group.start_soon(_tell_left_alone, opened, name="left-alone")
                await supervisor.run(lambda control: self._web(settings, opened, control, telemetry), started)
                group.cancel_scope.cancel()
            self._carry(supervisor)
        return telemetry

    @asynccontextmanager
    async def _web(
        self, settings: Settings, opened: Opened, control: Control, telemetry: Telemetry
    ) -> AsyncIterator[str | None]:
        """Open the web face, where the configuration wants one."""
        self.metrics.watch(control)
        app = self._face(settings, opened, control, telemetry)
        if app is None or settings.service.listen is None:
            yield None
            return
        async with serve_web(app, settings.service.listen) as bound:
            yield bound

    def _face(self, settings: Settings, opened: Opened, control: Control, telemetry: Telemetry) -> Application | None:
        """Put the web face together, where the configuration wants one.

        Raises:
            ConfigurationError: it cannot be had as the configuration wants it.
        """
        listen, token = settings.service.listen, settings.service.api_token_file
        if listen is None:
            return None
        face = WebSettings(listen, Path(token) if token else None)
        return make_app(control, opened.journal, self.metrics.exposition, face, telemetry, opened.clock)

    def _supervisor(self, settings: Settings, opened: Opened, telemetry: Telemetry) -> Supervisor:
        schedule = Schedule(lambda name: keepers[name].due(), lambda name: keepers[name].missed())
        habits = RunnerOptions(
            dry_run=settings.mode == "dry-run",
            new_run=lambda dry_run: self.surroundings.new_run(opened.clock.now(), dry_run),
            next_run=schedule.next_run,
            held_for_s=settings.service.lease.total_seconds() / 3,
        )
        schedules = {target.name: target.schedule or settings.schedule for target in settings.targets}
        keepers = {
            sweeper.area.target: TargetRunner(sweeper, habits, _due_times(sweeper, schedules[sweeper.area.target]))
            for sweeper in opened.sweepers
        }
        for name in keepers.keys() & self._carried.keys():
            carried, keeper = self._carried[name], keepers[name]
            keeper.paused, keeper.wanted = carried.paused, carried.wanted
            keeper.last_success, keeper.failures = carried.last_success, carried.failures
        return Supervisor(settings, keepers, schedule, telemetry, self.surroundings.shutdown, self.systemd)

    def _carry(self, supervisor: Supervisor) -> None:
        self._carried = {
            name: Carried(keeper.paused, keeper.wanted, keeper.last_success, keeper.failures)
            for name, keeper in supervisor.keepers.items()
        }

    async def _reload_when_told(
        self, supervisor: Supervisor, telemetry: Telemetry, check: Callable[[Settings], Awaitable[None]]
    ) -> None:
        """Read the configuration at each hangup; one that can be used makes the supervisor end between sweeps."""
        while self._next is None:
            await self._told.wait()
            self._told = anyio.Event()
            self.systemd.reloading()
            try:
                settings = self.surroundings.read_settings()
                await check(settings)
                self._next = settings
                self._answer_reload("")
            except NbsweepError as error:
                self._answer_reload(str(error))
                telemetry.emit(ServiceReloadRefused(str(error)))
                self.systemd.ready()
        supervisor.make_room()

    def _answer_reload(self, problem: str) -> None:
        answer_reload(runtime_directory(self.surroundings.environment), problem)

    @asynccontextmanager
    async def _hearing_hangups(self) -> AsyncIterator[None]:
        async def listen() -> None:
            with anyio.open_signal_receiver(signal.SIGHUP) as signals:
                heard.set()
                async for _ in signals:
                    self._told.set()

        heard = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(listen, name="hangups")
            await heard.wait()
            yield
            group.cancel_scope.cancel()


def _due_times(sweeper: Sweeper, schedule: ScheduleSettings | None) -> DueTimes | None:
    return DueTimes(sweeper.area.target, schedule, sweeper.ports.journal, sweeper.ports.clock) if schedule else None


async def _tell_left_alone(opened: Opened) -> None:
    await opened.identify()
    await opened.tell_left_alone()
