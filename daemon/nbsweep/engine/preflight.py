"""Tries everything that a sweep of one target needs, harmlessly, and says how each came out.

Whatever fails, all is tried that does not depend on it; what does is `not-tried`, and says why.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.checks import (
    Check,
    failed,
    judge_clock,
    judge_listing,
    judge_notebooks,
    judge_pages,
    judge_permission,
    judge_project,
    judge_quotas,
    judge_refusing,
    not_tried,
    passed,
    tell_lanes,
)
from nbsweep.core.errors import CloudError, Rejected, Unauthorized, Unreachable, WrongAddress, is_of_workspace
from nbsweep.core.model import Page, Scope
from nbsweep.core.permissions import DEFAULT_WORKSPACE, Action, Probe, ProbedCloud
from nbsweep.engine.listing.offsets import find_paging

FEATURES = ("NOTEBOOK", "DEFAULT")
MOST_WORKSPACES = 10
"""So many are looked into: this is to see whether it works, not a survey."""

Found = TypeVar("Found")


class PreflightOptions(Struct, frozen=True):
    """What is asked about one target."""

    target: str
    address: str
    credentials: str
    """Of what kind they are, and where they were found."""
    project_given: bool
    everybodys: bool
    """Whether everybody's notebooks are wanted, and not only the caller's own."""
    workspaces: tuple[str, ...] | None
    """None: all that the caller may see."""
    features: tuple[str, ...]
    stops: bool
    """Whether a policy says `running: stop`."""
    patience: timedelta
    """How long one call may take, its retries and the wait for its lane included."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What this target needs a permission for; the listing that is wanted comes first."""
        listings = (Action.LIST_ALL, Action.LIST_OWN) if self.everybodys else (Action.LIST_OWN,)
        stop = (Action.STOP,) if self.stops else ()
        workspaces = (Action.LIST_WORKSPACES,) if self.workspaces is None else ()
        return (*listings, Action.GET, Action.DELETE, *stop, *workspaces)

    @property
    def names(self) -> tuple[str, ...]:
        """What is looked at, in order."""
        seen = ("workspaces", "notebooks", "listing", "pages", "lanes", "quotas")
        return ("address", "clock", "credentials", "project", *self.actions, *seen)


class BlockedError(Exception):
    """What follows depends on something that does not work."""


@dataclass(slots=True)
class Preflight:
    """Checks one target."""

    options: PreflightOptions
    cloud: ProbedCloud
    _found: dict[str, Check] = field(default_factory=dict)

    async def inspect(self) -> tuple[Check, ...]:
        """Try everything; what the cloud says to it is in the checks, and raises nothing."""
        why = "what it depends on does not work"
        try:
            await self._arrive()
            answers = await self._try_permissions(await self._know_project())
            await self._look(answers)
        except BlockedError as blocked:
            why = str(blocked)
        lanes = self.cloud.lanes_state()
        self._tell(tell_lanes(lanes))
        if "credentials" in self._found:
            self._tell(judge_quotas(lanes))
        checks = (self._found.get(name) or not_tried(name, why) for name in self.options.names)
        return tuple(replace(check, target=self.options.target) for check in checks)

    def _tell(self, check: Check) -> None:
        self._found[check.name] = check

    def _fail(self, name: str, error: CloudError, why: str, advice: str = "") -> BlockedError:
        """Record what does not work; gives what ends all that depends on it."""
        self._tell(failed(name, error, advice))
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

    async def _arrive(self) -> None:
        """Reach the address, without saying who calls, and read the clock there."""
        try:
            skew_s = await self._ask(self.cloud.reach())
        except CloudError as error:
            raise self._fail("address", error, "the address cannot be reached") from error
        self._tell(passed("address", f"{self.options.address} answers"))
        self._tell(judge_clock(skew_s))

    async def _know_project(self) -> str:
        try:
            return await self._ask(self.cloud.project())
        except Unauthorized as error:
            raise self._fail("credentials", error, "the credentials are not accepted") from error
        except CloudError as error:
            raise self._fail("project", error, "the project's id is not known, and no call can be made without it") from error

    async def _try_permissions(self, project_id: str) -> dict[Action, Probe]:
        """Try each action; the first answer also tells of the credentials, all of them about the project."""
        answers: dict[Action, Probe] = {}
        for action in self.options.actions:
            try:
                answers[action] = await self._ask(self.cloud.probe(action, self._first_workspace))
            except CloudError as error:
                if all(answer.missing for answer in answers.values()):
                    raise self._not_presented(error) from error
                self._tell(failed(action, error))
        self._tell(passed("credentials", f"accepted: {self.options.credentials}"))
        given = "as configured" if self.options.project_given else "looked up by the region"
        project = judge_project(answers, project_id, given)
        self._tell(project)
        if project.not_allowed:
            raise BlockedError("the project is not open to these credentials")
        for action in answers:
            self._tell(judge_permission(action, answers, project_id))
        return answers

    def _not_presented(self, error: CloudError) -> BlockedError:
        """Describe what it means that the very first signed call was not answered."""
        if isinstance(error, WrongAddress):
            return self._fail("project", error, "the gateway knows no such address")
        why = (
            "the credentials are not accepted" if isinstance(error, Unauthorized) else "the first signed call was not answered"
        )
        return self._fail("credentials", error, why)

    @property
    def _first_workspace(self) -> str:
        return self.options.workspaces[0] if self.options.workspaces else DEFAULT_WORKSPACE

    async def _look(self, answers: dict[Action, Probe]) -> None:
        """See what a sweep would see, from the first page of each listing."""
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
        self._tell(judge_notebooks(totals, self.options.features, where))
        pages = [page for scope, page in found.items() if scope.feature in self.options.features]
        everybodys = Action.LIST_ALL in answers and answers[Action.LIST_ALL].allowed is not False
        self._tell(judge_listing(pages, everybodys=everybodys))
        await self._find_paging(found)

    async def _find_paging(self, found: Mapping[Scope, Page]) -> None:
        """Find out what an offset means, from a listing of more than one page."""
        try:
            for scope, page in found.items():
                await self._ask(find_paging(self.cloud, scope, page))
        except CloudError as error:
            self._tell(failed("pages", error))
        else:
            self._tell(judge_pages(self.cloud.paging()))

    async def _workspaces(self, answers: dict[Action, Probe]) -> tuple[str, ...]:
        given = self.options.workspaces
        if given is not None:
            self._tell(passed("workspaces", f"{len(given)} as configured"))
            return given
        if Action.LIST_WORKSPACES not in answers or answers[Action.LIST_WORKSPACES].allowed is False:
            raise BlockedError("the workspaces may not be listed")
        try:
            found = await self._ask(self.cloud.workspaces())
        except CloudError as error:
            raise self._fail("workspaces", error, "the workspaces could not be listed") from error
        self._tell(passed("workspaces", f"{len(found)} seen"))
        return found

    async def _pages(self, scopes: Sequence[Scope]) -> dict[Scope, Page]:
        """Read the first page of each listing; a workspace that nobody has named may refuse, and is told.

        Raises:
            CloudError: a workspace that was named refuses, or all do.
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
            self._tell(judge_refusing({scope.workspace_id: str(error) for scope, error in refused.items()}))
        return pages


def _all_of(workspaces: Sequence[str]) -> str:
    return "1 workspace" if len(workspaces) == 1 else f"{len(workspaces)} workspaces"


def _about_workspaces(error: CloudError) -> str:
    return "Check that each id under workspaces is one of this project's." if isinstance(error, Rejected) else ""
