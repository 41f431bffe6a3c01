"""Composes a worker of a fleet and runs it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta

import anyio
from msgspec import Struct

from nbsweep import __version__
from nbsweep.adapters.process import this_process
from nbsweep.bootstrap.accounts import TargetAccess, identify_accounts
from nbsweep.bootstrap.fleet import make_account_sweeps, open_fleet_queue
from nbsweep.bootstrap.people.notices import open_notices
from nbsweep.bootstrap.probes import Probes, serving_probes
from nbsweep.bootstrap.sweeps import open_all
from nbsweep.core.errors import NbsweepError
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.core.workers.model import WorkerRecord
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown, begun_by
from nbsweep.service.fleet.presence import WorkerPresence
from nbsweep.service.fleet.worker import Worker
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_sweeps


class WorkerInputs(Struct, frozen=True):
    """The inputs of a worker, which the command line supplies."""

    environment: Mapping[str, str]
    telemetry: Telemetry
    new_run: Callable[[datetime, bool], Run]
    shutdown: Shutdown
    probes: Probes | None = None
    """Where the health and the metrics are served; None if they are not."""


async def run_worker(settings: Settings, inputs: WorkerInputs) -> None:
    """Run a worker until a shutdown begins.

    Raises:
        NbsweepError: the worker cannot start.
    """
    if not settings.service.fleet:
        raise NbsweepError("a worker takes the sweeps of a fleet: set service.fleet to true, for `serve` and for the workers")
    while await _run_as_known(settings, inputs):
        pass


async def _run_as_known(settings: Settings, inputs: WorkerInputs) -> bool:
    """Run a worker with the accounts as they can be looked up now.

    Return whether it has ended because an account was looked up that could not be before: its fence has another name then, so
    that the worker begins anew.
    """
    telemetry, known = inputs.telemetry, anyio.Event()
    async with (
        begun_by(inputs.shutdown, known) as shutdown,
        open_all(settings, inputs.environment, telemetry, shutdown) as opened,
        open_notices(settings, opened, telemetry) as notices,
    ):
        options = RunnerOptions(
            dry_run=settings.mode == "dry-run",
            new_run=lambda dry_run: inputs.new_run(opened.clock.now(), dry_run),
            next_run=lambda _target: None,
            on_report=notices.operators.tell_of_sweep,
            held_for_s=settings.service.lease.total_seconds() / 3,
        )
        accounts = make_account_sweeps(settings, opened, options, shutdown)
        now = await opened.journal.now()
        record = WorkerRecord(
            holder=this_process(),
            version=__version__,
            started_at=now,
            beat_at=now,
            config=digest_of_sweeps(settings),
            can_sweep=len(accounts),
            accounts_at_once=settings.service.accounts_at_once,
        )
        worker = Worker(
            accounts,
            await open_fleet_queue(settings, opened.journal),
            telemetry,
            shutdown,
            WorkerPresence(opened.journal, record),
            settings.service.accounts_at_once,
            settings.service.drain.total_seconds(),
            settings.service.lease,
        )
        async with (
            serving_probes(settings, inputs.probes, opened, worker) if inputs.probes else nullcontext(),
            anyio.create_task_group() as group,
        ):
            group.start_soon(look_up_again, opened.accesses, opened.clock, settings.service.lease, known, name="look-up-again")
            await worker.run()
            group.cancel_scope.cancel()
    return known.is_set() and not inputs.shutdown.begun.is_set()


async def look_up_again(accesses: Sequence[TargetAccess], clock: Clock, every: timedelta, known: anyio.Event) -> None:
    """Set `known` when an account can be looked up that could not be before; return at once if there is none."""
    uncertain = [access for access in accesses if access.account_problem is not None]
    while uncertain and not known.is_set():
        await anyio.sleep(every.total_seconds())
        if any(access.account_problem is None for access in await identify_accounts(uncertain, clock)):
            known.set()
