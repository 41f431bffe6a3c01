"""Checks everything that a sweep of one target needs, without changing anything.

A failed check does not stop the checks that do not depend on it. Checks that depend on it are `not-tried`, with the reason.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.checks import (
    Check,
    failed,
    judge_clock,
    judge_lanes,
    judge_listing,
    judge_notebooks,
    judge_pages,
    judge_permission,
    judge_project,
    judge_quotas,
    judge_refusing,
    judge_rules,
    not_tried,
    passed,
)
from nbsweep.core.errors import CloudError, Rejected, Unauthorized, Unreachable, WrongAddress, is_of_workspace
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.model import Page, Scope
from nbsweep.core.notices.contacts import OwnerDirectory
from nbsweep.core.owner_checks import GET_USER_CHECK, OWNERS_CHECK
from nbsweep.core.permissions import DEFAULT_WORKSPACE, Action, Probe, ProbedCloud
from nbsweep.engine.inspection.owner_checks import check_owners, check_users, owners_of
from nbsweep.engine.listing.offsets import find_paging

FEATURES = ("NOTEBOOK", "DEFAULT")
MOST_WORKSPACES = 10
"""Number of workspaces that are listed: enough for a check, which is no survey."""

Found = TypeVar("Found")


class PreflightOptions(Struct, frozen=True):
    """The facts about one target that decide what is checked."""

    target: str
    address: str
    credentials: str
    """The kind of the credentials, and where they were found."""
    project_given: bool
    everybodys: bool
    """Whether the target covers everybody's notebooks, and not only the caller's own."""
    workspaces: tuple[str, ...] | None
    """None means all workspaces that the caller may see."""
    features: tuple[str, ...]
    stops: bool
    """Whether a policy says `running: stop`."""
    rules: Rules
    now: datetime
    patience: timedelta
    """The time limit of one call, including its retries and the wait for its lane."""
    finds_owners: bool = False
    """Whether `owners` has a part that finds owners."""
    asks_iam: bool = False
    """Whether `owners` asks IAM."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that this target needs permissions for; the configured listing comes first."""
        listings = (Action.LIST_ALL, Action.LIST_OWN) if self.everybodys else (Action.LIST_OWN,)
        stop = (Action.STOP,) if self.stops else ()
        workspaces = (Action.LIST_WORKSPACES,) if self.workspaces is None else ()
        return (*listings, Action.GET, Action.DELETE, *stop, *workspaces)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the checks, in order."""
        users = (GET_USER_CHECK,) if self.asks_iam else ()
        owners = (OWNERS_CHECK,) if self.finds_owners else ()
        seen = ("workspaces", "notebooks", "listing", "pages", "rules", *owners, "lanes", "quotas")
        return ("address", "clock", "credentials", "project", *self.actions, *users, *seen)


class BlockedError(Exception):
    """The remaining checks depend on something that does not work."""


@dataclass(slots=True)
class Preflight:
    """Checks one target."""

    options: PreflightOptions
    cloud: ProbedCloud
    directory: OwnerDirectory | None = None
    """None if `owners` has no part that finds owners."""
    _found: dict[str, Check] = field(default_factory=dict)

    async def inspect(self) -> tuple[Check, ...]:
        """Run all checks; errors of the cloud are part of the result and are not raised."""
        why = "what it depends on does not work"
        try:
            await self._reach()
            answers = await self._try_permissions(await self._find_project())
            await self._check_listings(answers)
        except BlockedError as blocked:
            why = str(blocked)
        lanes = self.cloud.lanes_state()
        self._add(judge_lanes(lanes))
        if "credentials" in self._found:
            self._add(judge_quotas(lanes))
        checks = (self._found.get(name) or not_tried(name, why) for name in self.options.names)
        return tuple(replace(check, target=self.options.target) for check in checks)

    def _add(self, check: Check) -> None:
        self._found[check.name] = check

    def _fail(self, name: str, error: CloudError, why: str, advice: str = "") -> BlockedError:
        """Record a failed check; return the error that ends all checks that depend on it."""
        self._add(failed(name, error, advice))
        return BlockedError(why)

    async def _ask(self, call: Awaitable[Found]) -> Found:
        try:
            with anyio.fail_after(self.options.patience.total_seconds()):
                return await call
        except TimeoutError:
            seconds = self.options.patience.total_seconds()
            raise Unreachable(
                f"{self.options.address} gave no answer within {seconds:g} s, its lane and retries included",
                advice="Check the endpoint, the network, limits and limits.request_timeout",
            ) from None

    async def _reach(self) -> None:
        """Call the address without credentials, and compare the clocks."""
        try:
            skew_s = await self._ask(self.cloud.reach())
        except CloudError as error:
            raise self._fail("address", error, "the address cannot be reached") from error
        self._add(passed("address", f"{self.options.address} answers"))
        self._add(judge_clock(skew_s))

    async def _find_project(self) -> str:
        try:
            return await self._ask(self.cloud.project())
        except Unauthorized as error:
            raise self._fail("credentials", error, "the credentials are not accepted") from error
        except CloudError as error:
            raise self._fail("project", error, "the project's id is not known, and no call can be made without it") from error

    async def _try_permissions(self, project_id: str) -> dict[Action, Probe]:
        """Try each action. The first answer also checks the credentials; all answers together check the project."""
        answers: dict[Action, Probe] = {}
        for action in self.options.actions:
            try:
                answers[action] = await self._ask(self.cloud.probe(action, self._first_workspace))
            except CloudError as error:
                if all(answer.missing for answer in answers.values()):
                    raise self._first_call_failed(error) from error
                self._add(failed(action, error))
        self._add(passed("credentials", f"accepted: {self.options.credentials}"))
        given = "as configured" if self.options.project_given else "looked up by the region"
        project = judge_project(answers, project_id, given)
        self._add(project)
        if project.not_allowed:
            raise BlockedError("the project is not open to these credentials")
        for action in answers:
            self._add(judge_permission(action, answers, project_id))
        return answers

    def _first_call_failed(self, error: CloudError) -> BlockedError:
        """Record what the error of the first signed call means."""
        if isinstance(error, WrongAddress):
            return self._fail("project", error, "the gateway knows no such address")
        why = (
            "the credentials are not accepted" if isinstance(error, Unauthorized) else "the first signed call was not answered"
        )
        return self._fail("credentials", error, why)

    @property
    def _first_workspace(self) -> str:
        return self.options.workspaces[0] if self.options.workspaces else DEFAULT_WORKSPACE

    async def _check_listings(self, answers: dict[Action, Probe]) -> None:
        """Check what a sweep would see, by the first page of each listing."""
        workspaces = await self._workspaces(answers)
        listings = (Action.LIST_ALL, Action.LIST_OWN)
        if not any(answers[listing].allowed is not False for listing in listings if listing in answers):
            raise BlockedError("nothing may be listed")
        looked = workspaces[:MOST_WORKSPACES]
        try:
            found = await self._pages([Scope(workspace, feature) for feature in FEATURES for workspace in looked])
        except CloudError as error:
            raise self._fail("notebooks", error, "the notebooks could not be listed", _about_workspaces(error)) from error
        totals = {feature: sum(page.total for scope, page in found.items() if scope.feature == feature) for feature in FEATURES}
        where = f"{len(looked)} of {len(workspaces)} workspaces" if len(looked) < len(workspaces) else _all_of(workspaces)
        self._add(judge_notebooks(totals, self.options.features, where))
        pages = [page for scope, page in found.items() if scope.feature in self.options.features]
        everybodys = Action.LIST_ALL in answers and answers[Action.LIST_ALL].allowed is not False
        self._add(judge_listing(pages, everybodys=everybodys))
        self._add(judge_rules(pages, self.options.rules, Moment(self.options.now)))
        await self._check_owners(pages)
        await self._find_paging(found)

    async def _check_owners(self, pages: Sequence[Page]) -> None:
        """Look for the owners of the notebooks on these pages, as the configuration says."""
        owners = owners_of(pages, self.options.target)
        if self.options.asks_iam:
            self._add(await check_users(owners, self._ask, self.cloud.user))
        if self.directory is not None:
            self._add(await check_owners(owners, self.directory))

    async def _find_paging(self, found: Mapping[Scope, Page]) -> None:
        """Find out what an offset means, by a listing of more than one page."""
        try:
            for scope, page in found.items():
                await self._ask(find_paging(self.cloud, scope, page))
        except CloudError as error:
            self._add(failed("pages", error))
        else:
            self._add(judge_pages(self.cloud.paging()))

    async def _workspaces(self, answers: dict[Action, Probe]) -> tuple[str, ...]:
        given = self.options.workspaces
        if given is not None:
            self._add(passed("workspaces", f"{len(given)} as configured"))
            return given
        if Action.LIST_WORKSPACES not in answers or answers[Action.LIST_WORKSPACES].allowed is False:
            raise BlockedError("the workspaces may not be listed")
        try:
            found = await self._ask(self.cloud.workspaces())
        except CloudError as error:
            raise self._fail("workspaces", error, "the workspaces could not be listed") from error
        self._add(passed("workspaces", f"{len(found)} seen"))
        return found

    async def _pages(self, scopes: Sequence[Scope]) -> dict[Scope, Page]:
        """Read the first page of each listing; a workspace that is not configured by id may refuse, which is a warning.

        Raises:
            CloudError: a configured workspace refuses, or all workspaces do.
        """
        pages: dict[Scope, Page] = {}
        refused: dict[Scope, CloudError] = {}
        for scope in scopes:
            try:
                pages[scope] = await self._ask(self.cloud.page(scope, 0))
            except CloudError as error:
                if self.options.workspaces is not None or not is_of_workspace(error):
                    raise
                refused[scope] = error
        if refused and not pages:
            raise next(iter(refused.values()))
        if refused:
            self._add(judge_refusing({scope.workspace_id: str(error) for scope, error in refused.items()}))
        return pages


def _all_of(workspaces: Sequence[str]) -> str:
    return "1 workspace" if len(workspaces) == 1 else f"{len(workspaces)} workspaces"


def _about_workspaces(error: CloudError) -> str:
    return "Check that each id under workspaces is one of this project's." if isinstance(error, Rejected) else ""
