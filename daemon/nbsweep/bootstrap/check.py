"""Opens each adapter that `check` inspects separately, so that a failure of one does not hide the results of the others.

`bootstrap.sweeps` opens all adapters or none, because a sweep needs all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import takewhile
from pathlib import Path

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.describe import exposed_files, source_of
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.address import parse_address
from nbsweep.bootstrap.accounts import TargetAccess, identify_accounts, open_accounts
from nbsweep.bootstrap.people.channels import check_channels
from nbsweep.bootstrap.people.links import check_links
from nbsweep.bootstrap.people.owners import check_owner_parts, make_directory
from nbsweep.core.checks import Check, Grade, failed, not_tried, passed, warned
from nbsweep.core.errors import CloudError, JournalError, NbsweepError
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Running
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.engine.inspection.preflight import Preflight, PreflightOptions
from nbsweep.engine.target_identity import describe_same
from nbsweep.settings import LimitSettings, Settings, TargetSettings
from nbsweep.settings.people.owners import FALLBACK

NAME_ACCOUNT = (
    "Other credentials of the same account count as another account then, and both use up its quota. Mend it, or set `account` "
    "for each of its targets."
)
MOST_RUNS = 1000
KIB, MIB = 2**10, 2**20
UPDATE_HOLIDAYS = (
    "Update the library once the arrangement is published, or add the days to calendar.extra_closed and extra_open."
)
NO_CREDENTIALS = (
    "Give the target credentials in the configuration that can be read, or leave them out and set HUAWEICLOUD_SDK_AK and "
    "HUAWEICLOUD_SDK_SK."
)


class ConfigurationCheck(Struct, frozen=True):
    """Checks a configuration, its journal and its targets."""

    settings: Settings
    source: str
    """The file or the environment variables that the configuration was read from."""
    environment: Mapping[str, str]
    telemetry: Telemetry
    clock: Clock
    identities: dict[str, TargetIdentity] = {}
    """By target name; only targets whose project ID is known."""

    async def check(self) -> tuple[Check, ...]:
        """Return the results of all checks. The targets are checked concurrently."""
        journal = await check_journal(self.settings.journal)
        async with open_accounts(self.settings.targets, self.environment, self.clock) as opened:
            accesses = await identify_accounts(opened, self.clock) if self.settings.service.fleet else opened
            owners = await check_owner_parts(self.settings, self.clock)
            channels = await check_channels(self.settings, self.clock)
            first = (self._configuration(), *self._calendar(), journal, *owners, *channels, *check_links(self.settings))
            return (*first, *await self._check_targets(accesses))

    def _configuration(self) -> Check:
        settings = self.settings
        counts = [
            _count(len(settings.targets), "target", "targets"),
            _count(len(settings.policies), "policy", "policies"),
            _count(len(settings.protect), "protection", "protections"),
        ]
        return passed("configuration", f"{self.source}: mode {settings.mode}, {', '.join(counts)}")

    def _calendar(self) -> Iterator[Check]:
        """Yield which years are known, if a policy counts business days."""
        if years := self.settings.calendar_years:
            words, known = years
            yield passed("calendar", words) if known else warned("calendar", words, UPDATE_HOLIDAYS)

    async def _check_targets(self, accesses: Sequence[TargetAccess]) -> list[Check]:
        checks: dict[str, tuple[Check, ...]] = {}

        async def check_one(access: TargetAccess) -> None:
            checks[access.target.name] = (
                without_credentials(self._question(access, "none"), access.problem)
                if access.problem
                else await self._check_target(access)
            )

        async with anyio.create_task_group() as group:
            for access in accesses:
                group.start_soon(check_one, access)
        by_name = {access.target.name: access for access in accesses}
        return [
            check
            for target in self.settings.targets
            for check in (
                *checks[target.name],
                *check_account(by_name[target.name]),
                *check_secret_files(target),
                *self._apart(target.name),
            )
        ]

    def _apart(self, name: str) -> Iterator[Check]:
        """Return a failed check for each earlier target that covers some of the same notebooks of the same project."""
        mine = self.identities.get(name)
        for other in takewhile(lambda other: other != name, (target.name for target in self.settings.targets)):
            theirs = self.identities.get(other)
            if mine and theirs and theirs.is_same(mine):
                yield replace(failed("identity", NbsweepError(describe_same(name, other, mine))), target=name)

    async def _check_target(self, access: TargetAccess) -> tuple[Check, ...]:
        target = access.target
        question = self._question(access, source_of(target, self.environment))
        with self.telemetry.bound(target=target.name):
            async with access.open_client(self.clock, self.telemetry) as cloud:
                lookups = {target.name: cloud.user}
                directory = make_directory(self.settings, lookups, self.clock) if question.finds_owners else None
                checks = await Preflight(question, cloud, directory).inspect()
                if any(check.name == "project" and check.grade is Grade.OK for check in checks):
                    known = await cloud.project()
                    self.identities[target.name] = replace(target.identity, project_id=known, caller=access.caller)
                return checks

    def _question(self, access: TargetAccess, credentials: str) -> PreflightOptions:
        target = access.target
        return PreflightOptions(
            target=target.name,
            address=target.base_url,
            credentials=credentials,
            project_given=target.project_id is not None,
            everybodys=target.scope == "all",
            workspaces=target.workspace_ids,
            features=target.features,
            stops=any(policy.running is Running.STOP for policy in self.settings.policies),
            rules=self.settings.rules,
            now=self.clock.now(),
            patience=target.limits.request_timeout + _longest_turn(access.limits),
            finds_owners=any(part.key != FALLBACK for part in self.settings.owners),
            asks_iam=any(part.iam for part in self.settings.owners),
        )


def without_credentials(question: PreflightOptions, error: CloudError) -> tuple[Check, ...]:
    """Return the checks of a target that has no usable credentials."""
    checks = [
        failed(name, error, NO_CREDENTIALS)
        if name == "credentials"
        else not_tried(name, "there are no credentials to call with")
        for name in question.names
    ]
    return tuple(replace(check, target=question.target) for check in checks)


def check_account(access: TargetAccess) -> Iterator[Check]:
    """Yield, in a fleet, the account of a target, on which its processes have to agree; nothing without credentials."""
    problem, name = access.account_problem, access.target.name
    if not access.account_id or access.problem:
        return
    if problem is None:
        yield replace(passed("account", access.account_id), target=name)
        return
    finding = f"IAM did not say whose the credentials are, so they stand for their account, {access.account_id}: {problem}"
    yield replace(warned("account", finding, NAME_ACCOUNT), target=name)


def check_secret_files(target: TargetSettings) -> Iterator[Check]:
    """Yield a warning if every user of this machine may read a secret file of the target."""
    if exposed := list(exposed_files(target)):
        finding = f"every user of this machine can read {', '.join(exposed)}"
        yield replace(warned("secret-files", finding, f"Run chmod o-r {' '.join(exposed)}."), target=target.name)


async def check_journal(url: str) -> Check:
    """Check that the journal can be opened and written to, and count its runs."""
    try:
        async with open_journal(url) as journal:
            runs = await journal.runs(MOST_RUNS)
    except JournalError as error:
        return failed("journal", error)
    address = parse_address(url)
    size = f", {_size(address.path)}" if address.path else ""
    counted = f"{MOST_RUNS} runs or more" if len(runs) == MOST_RUNS else _count(len(runs), "run", "runs")
    return passed("journal", f"{address.place}: opened and written to; {counted}{size}")


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{size / KIB:.0f} KiB"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _longest_turn(limits: Sequence[LimitSettings]) -> timedelta:
    """Return the longest time that a call waits for its lane when all targets of the account share that lane."""
    rates = [rate for each in limits for rate in (each.delete, each.list, each.show, each.total) if rate is not None]
    return timedelta(seconds=len(limits) * max((rate.spacing_s for rate in rates), default=0.0))


def make_configuration_check(
    settings: Settings, source: str, environment: Mapping[str, str], telemetry: Telemetry
) -> ConfigurationCheck:
    """Build a configuration check that uses the system clock."""
    return ConfigurationCheck(settings, source, environment, telemetry, SystemClock())
