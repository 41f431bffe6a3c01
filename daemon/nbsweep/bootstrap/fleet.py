"""What the processes of a fleet share: the queue, the fences, and the accounts with their targets."""

from collections.abc import Mapping
from importlib.util import find_spec

from nbsweep.adapters.cloud.limiter import learned_rates
from nbsweep.adapters.journal import SqlJournal
from nbsweep.bootstrap.sweeps import OpenResources, fence_options
from nbsweep.core.errors import NbsweepError
from nbsweep.engine.shutdown import Shutdown
from nbsweep.service.fleet.account_sweeps import AccountSweeps
from nbsweep.service.fleet.queue import SweepQueue
from nbsweep.service.fleet.reading import FleetReader
from nbsweep.service.plans.saved_plans import require_valid_now
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_sweeps


async def open_fleet_queue(settings: Settings, journal: SqlJournal) -> SweepQueue:
    """Open the queue for this configuration.

    Raises:
        NbsweepError: a package is missing.
        JournalError: the journal cannot have a queue.
    """
    try:
        # A service without a fleet needs no queue, and may be installed without it.
        from nbsweep.adapters.journal.queue.opening import open_queue  # noqa: PLC0415
    except ImportError as error:
        raise NbsweepError(
            "service.fleet needs the package procrastinate, which is not installed: pip install 'nbsweep[fleet]'"
        ) from error
    return await open_queue(journal, digest_of_sweeps(settings), settings.service.lease.total_seconds())


def make_fleet_reader(settings: Settings, journal: SqlJournal, queue: SweepQueue | None) -> FleetReader:
    """Return what reads the status of the fleet; without a queue it knows no jobs."""
    return FleetReader(journal, digest_of_sweeps(settings), settings.service.lease, queue, learned_rates)


async def open_fleet_reader(settings: Settings, journal: SqlJournal) -> FleetReader:
    """Return what reads the status of the fleet, with its jobs if the extra `fleet` is installed here.

    Raises:
        JournalError: the journal cannot have a queue.
    """
    queue = await open_fleet_queue(settings, journal) if find_spec("procrastinate") else None
    return make_fleet_reader(settings, journal, queue)


def accounts_of(opened: OpenResources) -> Mapping[str, str]:
    """Return the account of each target, by the name of the target."""
    return {access.target.name: access.account_id for access in opened.accesses}


def make_account_sweeps(
    settings: Settings, opened: OpenResources, options: RunnerOptions, shutdown: Shutdown
) -> Mapping[str, AccountSweeps]:
    """Build the sweeps of each account, by the name of the account."""
    accounts = accounts_of(opened)
    lanes = {access.account_id: access.lanes for access in opened.accesses}
    certain = {access.account_id for access in opened.accesses if access.account_problem is None}
    sweepers = {
        account: {each.area.target: each for each in opened.sweepers if accounts[each.area.target] == account}
        for account in lanes
    }
    return {
        account: AccountSweeps(
            account,
            sweepers[account],
            account in certain,
            lanes[account],
            options,
            fence_options(settings),
            shutdown,
            lambda plan: require_valid_now(plan, f"the plan {plan.plan_id}", settings, opened.clock.now()),
        )
        for account in lanes
    }
