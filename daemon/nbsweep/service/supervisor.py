"""The root of the service: every long-lived task is started here, has a name, and ends here. Stop is three steps: take no more,
finish what is accepted up to `service.drain`, cancel.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC

import anyio

from nbsweep.core.events.service import ServiceStopping, TargetScheduled
from nbsweep.core.plan import Plan
from nbsweep.core.ports import Telemetry
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.control import Phase, TargetState, UnknownTargetError
from nbsweep.service.scheduler import Schedule
from nbsweep.service.systemd import Systemd
from nbsweep.service.target_runner import TargetRunner
from nbsweep.settings import Settings
from nbsweep.settings.schedule import ScheduleSettings

LAST_S = 5.0
"""How much longer than the drain the end may take."""

Web = Callable[["Supervisor"], AbstractAsyncContextManager[str | None]]
"""Opens the web face for a supervisor, and says where it answers."""


@dataclass(slots=True)
class Supervisor:
    """Runs the service under one configuration, until it is told to stop or to make room for another."""

    settings: Settings
    keepers: Mapping[str, TargetRunner]
    schedule: Schedule
    telemetry: Telemetry
    shutdown: Shutdown
    systemd: Systemd
    ready: anyio.Event = field(default_factory=anyio.Event)
    _making_room: anyio.Event = field(default_factory=anyio.Event)

    # ---- what others see and ask for; the methods of `Control`

    def targets(self) -> tuple[TargetState, ...]:
        """Tell how things stand with every target."""
        return tuple(keeper.state() for keeper in self.keepers.values())

    def not_ready(self) -> tuple[str, ...]:
        """Say what keeps the service from doing its work."""
        if self.shutdown.begun.is_set():
            return ("it is stopping",)
        if not self.ready.is_set():
            return ("it is starting",)
        return tuple(
            f"{state.name}: {state.problem or 'what an earlier run left is being followed to its end'}"
            for state in self.targets()
            if state.phase is Phase.STARTING or state.failures
        )

    async def plan(self, name: str) -> Plan:
        """Survey a target, and judge what it shows."""
        return await self._keeper(name).plan()

    def trigger(self, name: str) -> bool:
        """Ask for a sweep of a target."""
        return self._keeper(name).ask()

    async def pause(self, name: str) -> None:
        """Begin no more sweeps of a target."""
        await self._keeper(name).pause()

    async def resume(self, name: str) -> None:
        """Take a pause back."""
        await self._keeper(name).resume()

    def make_room(self) -> None:
        """Begin no more sweeps, and end when those that are under way have ended."""
        self._making_room.set()

    # ---- its life

    async def run(self, web: Web, started: Callable[[str | None], None]) -> None:
        """Run until a shutdown, or until room was made; `started` is told where the web face answers once all is ready.

        Raises:
            ExceptionGroup: a task of the service's own has failed, and the service with it.
        """
        async with self.schedule.running(dict(self._schedules())), web(self) as listen, anyio.create_task_group() as root:
            root.start_soon(self._keep_all, root.cancel_scope, name="targets")
            root.start_soon(self._stop_when_told, root.cancel_scope, name="stop")
            root.start_soon(self._make_room_when_told, name="make-room")
            root.start_soon(self.systemd.keep_alive, name="watchdog")
            self.ready.set()
            started(listen)
            self._tell_schedules()

    async def _keep_all(self, root: anyio.CancelScope) -> None:
        """Let all keepers do their work; when each of them has ended, the service has."""
        async with anyio.create_task_group() as keeping:
            for keeper in self.keepers.values():
                keeping.start_soon(keeper.run, name=f"target-{keeper.name}")
        root.cancel()

    async def _stop_when_told(self, root: anyio.CancelScope) -> None:
        await self.shutdown.begun.wait()
        self.systemd.stopping()
        drain_s = self.settings.service.drain.total_seconds()
        sweeping = [state.name for state in self.targets() if state.phase is Phase.SWEEPING]
        self.telemetry.emit(ServiceStopping(sweeping, drain_s))
        self._end_keepers()
        # A sweep keeps to the drain by itself; whatever does not must not keep the service from ending.
        await anyio.sleep(drain_s + LAST_S)
        root.cancel()

    async def _make_room_when_told(self) -> None:
        await self._making_room.wait()
        self._end_keepers()

    def _end_keepers(self) -> None:
        for keeper in self.keepers.values():
            keeper.stop()

    def _tell_schedules(self) -> None:
        for name in self.keepers:
            next_run = self.schedule.next_run(name)
            if next_run is not None:
                with self.telemetry.bound(target=name):
                    self.telemetry.emit(TargetScheduled(next_run.astimezone(UTC).isoformat(timespec="seconds")))

    def _keeper(self, name: str) -> TargetRunner:
        if name not in self.keepers:
            raise UnknownTargetError(name)
        return self.keepers[name]

    def _schedules(self) -> Iterable[tuple[str, ScheduleSettings]]:
        for target in self.settings.targets:
            schedule = target.schedule or self.settings.schedule
            if schedule is not None:
                yield target.name, schedule
