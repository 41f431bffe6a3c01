"""Builds what does the work of the service: runners that sweep in this process, or the parts by which a fleet sweeps."""

from collections.abc import Mapping

from nbsweep.bootstrap.fleet import accounts_of, make_fleet_reader, open_fleet_queue
from nbsweep.bootstrap.sweeps import OpenResources, fence_options
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.fleet.dispatched_target import DispatchedTarget
from nbsweep.service.fleet.dispatcher import Dispatcher
from nbsweep.service.fleet.reaper import keep_reaping
from nbsweep.service.targets.due_times import DueTimes
from nbsweep.service.targets.runner import Work
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.service.targets.target_runner import TargetRunner
from nbsweep.settings import Settings


async def make_work(settings: Settings, opened: OpenResources, options: RunnerOptions, shutdown: Shutdown) -> Work:
    """Build the runners of all targets, and the tasks beside them.

    Raises:
        NbsweepError: there can be no fleet.
    """
    due_times = {sweeper.area.target: _due_times(settings, sweeper) for sweeper in opened.sweepers}
    if settings.service.fleet:
        return await _make_fleet_work(settings, opened, options, due_times, shutdown)
    return Work(
        {
            sweeper.area.target: TargetRunner(sweeper, options, due_times[sweeper.area.target], opened.turns.ask)
            for sweeper in opened.sweepers
        }
    )


async def _make_fleet_work(
    settings: Settings,
    opened: OpenResources,
    options: RunnerOptions,
    due_times: Mapping[str, DueTimes | None],
    shutdown: Shutdown,
) -> Work:
    queue, accounts = await open_fleet_queue(settings, opened.journal), accounts_of(opened)
    telemetry = opened.sweepers[0].ports.telemetry
    targets = {
        (name := sweeper.area.target): DispatchedTarget(sweeper, options, accounts[name], queue, due_times[name])
        for sweeper in opened.sweepers
    }
    dispatcher = Dispatcher(targets, opened.journal, opened.clock, telemetry, fence_options(settings), queue)
    return Work(
        targets,
        {
            "leader": lambda: dispatcher.lead(shutdown.begun),
            "open-sweeps": dispatcher.watch,
            "reaper": lambda: keep_reaping(queue, telemetry, settings.service.lease),
        },
        make_fleet_reader(settings, opened.journal, queue),
    )


def _due_times(settings: Settings, sweeper: Sweeper) -> DueTimes | None:
    target = next(target for target in settings.targets if target.name == sweeper.area.target)
    schedule = target.schedule or settings.schedule
    return DueTimes(target.name, schedule, sweeper.ports.journal, sweeper.ports.clock) if schedule else None
