"""The composition root of a sweep: opens the journal and the clouds, and builds one sweeper for each target."""

import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import SqlJournal, Timeouts, open_journal
from nbsweep.adapters.process import allow_open_files, is_alive, this_process
from nbsweep.bootstrap.accounts import TargetAccess, identify_accounts, open_accounts
from nbsweep.bootstrap.turns import TargetTurns, turns_of
from nbsweep.core.errors import JournalError, NbsweepError
from nbsweep.core.events.fleet import AccountUnidentified
from nbsweep.core.events.http import ConnectionsBounded
from nbsweep.core.identity import is_same_place
from nbsweep.core.lease import GOOD_FOR, Holder
from nbsweep.core.listing.belonging import Coverage
from nbsweep.core.notices.contacts import UserLookup
from nbsweep.core.ports import Clock, Ports, Telemetry
from nbsweep.engine.coordination.fence import FenceOptions
from nbsweep.engine.coordination.shared_logins import FencedLogins
from nbsweep.engine.options import InventoryOptions, LeaseOptions, PollOptions, SweepOptions
from nbsweep.engine.recovery import report_left_alone
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.engine.target_identity import OverlappingTarget
from nbsweep.settings import Settings, TargetSettings
from nbsweep.settings.fingerprint import digest_of_all

STALLS = 6
"""A transaction may stall for this part of the time of a lease."""
OTHER_FILES = 40
"""Open files that a process needs beside its cloud connections: streams, event loop, journal, API, DNS, and a reserve."""


class OpenResources(Struct, frozen=True):
    """The open journal and the sweepers of a command."""

    journal: SqlJournal
    clock: Clock
    sweepers: tuple[Sweeper, ...]
    turns: TargetTurns
    """Bounds how many accounts are swept at the same time."""
    accesses: tuple[TargetAccess, ...] = ()
    """The credentials of the targets."""
    user_lookups: Mapping[str, UserLookup] = {}
    """Asks IAM for users, by the name of the target."""

    async def identify(self) -> None:
        """Look up the project IDs that are not known yet. A failed lookup affects only its own target."""

        async def ask(sweeper: Sweeper) -> None:
            with suppress(NbsweepError):
                await sweeper.identity()

        async with anyio.create_task_group() as group:
            for sweeper in self.sweepers:
                group.start_soon(ask, sweeper)

    async def report_left_alone(self) -> None:
        """Report unfinished removals that no target follows, as far as projects are known. Reads only the journal."""
        found = {one.area.target: one.known or one.area.identity(one.area.project_id) for one in self.sweepers}
        with suppress(JournalError):
            await report_left_alone(found, self.sweepers[0].ports, self.sweepers[0].options.lease)


@asynccontextmanager
async def open_all(
    settings: Settings, environment: Mapping[str, str], telemetry: Telemetry, shutdown: Shutdown
) -> AsyncIterator[OpenResources]:
    """Open the journal first, then each target's cloud; close both in the reverse order.

    Raises:
        JournalError: the journal cannot be used.
        NbsweepError: the limit of open files is too low.
    """
    clock = SystemClock()
    settings = within_open_files(settings, telemetry)
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(open_journal(settings.journal, patient(settings)))
        logins = FencedLogins(journal.fences, clock, telemetry, fence_options(settings)) if settings.service.fleet else None
        accesses = await stack.enter_async_context(open_accounts(settings.targets, environment, clock, logins))
        if settings.service.fleet:
            accesses = await identify_accounts(accesses, clock)
            _report_unidentified(accesses, telemetry)
        inventory, sweepers = inventory_options(settings), list[Sweeper]()
        lookups: dict[str, UserLookup] = {}
        for access in accesses:
            cloud = await stack.enter_async_context(access.open_client(clock, telemetry))
            lookups[access.target.name] = cloud.user
            sweeper = make_sweeper(settings, access.target, Ports(cloud, journal, clock, telemetry), shutdown, inventory)
            area = replace(sweeper.area, caller=access.caller)
            sweepers.append(dataclasses.replace(sweeper, area=area, overlapping=overlapping_targets(area, sweepers)))
        yield OpenResources(
            journal, clock, tuple(sweepers), turns_of(accesses, settings.service.accounts_at_once), accesses, lookups
        )


def _report_unidentified(accesses: Iterable[TargetAccess], telemetry: Telemetry) -> None:
    for access in accesses:
        if access.account_problem is not None:
            with telemetry.bound(target=access.target.name):
                telemetry.emit(AccountUnidentified(access.account_id, str(access.account_problem)))


def within_open_files(settings: Settings, telemetry: Telemetry) -> Settings:
    """Lower the concurrency of the targets if the process may not open enough connections.

    Raises:
        NbsweepError: the limit allows fewer than one connection for each target.
    """
    wanted = [target.limits.concurrency for target in settings.targets]
    open_files = allow_open_files(sum(wanted) + OTHER_FILES)
    allowed = open_files - OTHER_FILES
    if allowed >= sum(wanted):
        return settings
    if allowed < len(wanted):
        raise NbsweepError(
            f"this process may have {open_files} open files, and needs at least {OTHER_FILES + len(wanted)}: raise the "
            f"limit, for example with `ulimit -n {OTHER_FILES + sum(wanted)}`"
        )
    message = f"the concurrency is lowered; `ulimit -n {OTHER_FILES + sum(wanted)}` allows the configured one"
    telemetry.emit(ConnectionsBounded(sum(wanted), allowed, open_files, message))
    return settings.model_copy(update={"targets": tuple(_bounded(each, allowed / sum(wanted)) for each in settings.targets)})


def _bounded(target: TargetSettings, share: float) -> TargetSettings:
    limits = target.limits.model_copy(update={"concurrency": max(1, int(target.limits.concurrency * share))})
    return target.model_copy(update={"limits": limits})


def overlapping_targets(area: Area, before: Iterable[Sweeper]) -> tuple[OverlappingTarget, ...]:
    """Return the earlier targets that must not have the same project as this one."""
    identity = area.identity(None)
    near = (sweeper for sweeper in before if is_same_place(sweeper.area.endpoint, area.endpoint))
    return tuple(
        OverlappingTarget(sweeper.area.target, sweeper.ports.cloud.project)
        for sweeper in near
        if sweeper.area.identity(None).overlaps(identity)
    )


def make_sweeper(
    settings: Settings, target: TargetSettings, ports: Ports, shutdown: Shutdown, inventory: InventoryOptions | None
) -> Sweeper:
    """Build the sweeper of a target from the configuration; `inventory` is that of `inventory_options`."""
    removal, polling = settings.removal, settings.polling
    workspaces = target.workspace_ids
    return Sweeper(
        area=_area(target, workspaces),
        ports=ports,
        options=SweepOptions(
            rules=replace(settings.rules, coverage=Coverage(workspaces, target.features)),
            workers=target.limits.concurrency,
            deadline=removal.deadline,
            retries=removal.retries,
            fresh_for=removal.fresh_for,
            polling=PollOptions(polling.interval, polling.max_interval, removal.grace),
            drain=settings.service.drain,
            time_limit=settings.service.sweep_timeout,
            lease=LeaseOptions(this_process(), settings.service.lease, not_dead if settings.service.fleet else is_alive),
            max_failures=settings.brakes.max_failures,
            cool_down=removal.cool_down.to_core() if removal.cool_down else None,
            max_new_marks=settings.marks.max_new_per_sweep,
            inventory=inventory,
            keep=settings.retention.keep if settings.retention else None,
        ),
        brakes=settings.brakes.to_core(),
        shutdown=shutdown,
    )


def fence_options(settings: Settings) -> FenceOptions:
    """Return how this process holds fences; they last as long as the leases of targets."""
    return FenceOptions(this_process(), settings.service.lease)


def not_dead(holder: Holder) -> bool | None:
    """Return False if a process of this host is dead, and None otherwise, so that its beats decide.

    In a fleet, a process that lives but is stopped must not keep its targets from the other workers: it sends nothing without
    its fences when it goes on.
    """
    return False if is_alive(holder) is False else None


def inventory_options(settings: Settings) -> InventoryOptions | None:
    """Return how surveys are recorded; None if they are not.

    It is the same for all targets, and its digest reads all of them: computed for each, it takes most of the time of a start.
    """
    inventory = settings.inventory
    if inventory is None or not inventory.keep:
        return None
    return InventoryOptions(inventory.keep, digest_of_all(settings))


def patient(settings: Settings) -> Timeouts:
    """Return time limits by which the journal waits out an outage for as long as a lease lasts without a beat.

    A stalled transaction of another process ends well before, so that who waits for its locks does not lose a lease by it.
    """
    lease_s = settings.service.lease.total_seconds()
    return Timeouts(patience_s=lease_s * GOOD_FOR, stalled_after_s=lease_s / STALLS)


def _area(target: TargetSettings, workspaces: tuple[str, ...] | None) -> Area:
    identity = target.identity
    return Area(target.name, workspaces, target.features, identity.endpoint, target.scope, project_id=identity.project_id)
