"""Finds a project's id: from the configuration, or from IAM by the name of its region (ModelArts API, section 5.5)."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from msgspec import Struct

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.iam import Iam, SignedIam
from nbsweep.adapters.cloud.auth.single_flight import SingleFlight
from nbsweep.adapters.cloud.bodies import UNREADABLE
from nbsweep.adapters.cloud.responses import TransientError, with_skew
from nbsweep.adapters.cloud.session import AuthClient, NotSent, Reply
from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, WrongAddress
from nbsweep.settings import TargetSettings

SEARCH = "/v3/projects"
"""Lists the projects of the account by name; an IAM user needs a permission for it."""
OWN = "/v3/auth/projects"
"""Lists the projects of all regions that the caller may use; needs no permission."""
SHOWN = 5
REFUSED: Mapping[int, tuple[type[CloudError], str, str]] = {
    HTTPStatus.UNAUTHORIZED: (
        Unauthorized,
        "{url} does not accept the credentials: {answer}",
        "Check the keys, their account, and this machine's clock",
    ),
    HTTPStatus.FORBIDDEN: (Forbidden, "{url} does not show these credentials any project: {answer}", "Set project_id"),
}
ELSE = (
    WrongAddress,
    "{url} does not answer as IAM does: {answer}",
    "Check region and iam_endpoint, or set project_id",
)
PROJECT_ID = re.compile(r"[0-9a-f]{32}")
"""The id becomes part of an address, so other texts are rejected."""


class _Project(msgspec.Struct):
    id: str
    name: str


class _Projects(msgspec.Struct):
    projects: list[_Project]


def project_finder(target: TargetSettings, credentials: Credentials, iam: Iam) -> Callable[[], Awaitable[str]]:
    """Return a function that returns the id of a target's project; concurrent callers share one lookup."""
    given = target.project_id
    if given is None:
        return SingleFlight(ProjectLookup(target.region or "", credentials, iam).find).get

    async def known() -> str:
        return given

    return known


class ProjectLookup(Struct, frozen=True):
    """Finds the project of a region, which has the region's name: from the token, or from IAM."""

    region: str
    credentials: Credentials
    iam: Iam

    async def find(self) -> str:
        """Return the project's id.

        Raises:
            NotSent: IAM did not answer; a later try may succeed.
            Unauthorized, Forbidden: the credentials are not accepted, or may not ask.
            WrongAddress: there is no such project, or more than one, or IAM is elsewhere.
        """
        if named := (await self.credentials.ready()).project_id:
            if PROJECT_ID.fullmatch(named) is None:
                raise WrongAddress("the project id of the credentials is invalid: it must be 32 hexadecimal digits")
            return named
        return await self.iam.call(lambda auth_client: _Catalogue(self.region, self.credentials, auth_client).find())


class _Catalogue(Struct, frozen=True):
    """IAM's list of projects, at one address."""

    region: str
    credentials: Credentials
    iam: AuthClient

    async def find(self) -> str:
        """Return the project's id, as `ProjectLookup.find` does."""
        try:
            found = await self._ask(SEARCH, (("name", self.region),))
        except Forbidden:
            found = await self._ask(OWN)
        return self._only([project.id for project in found if project.name == self.region])

    def _only(self, ids: Sequence[str]) -> str:
        if not all(map(PROJECT_ID.fullmatch, ids)):
            raise self._strange("an id that is not a project id")
        match ids:
            case [project_id]:
                return project_id
            case []:
                raise WrongAddress(
                    f"{self.iam.url} knows no project called {self.region} that these credentials may use",
                    advice="Check region, and whose credentials they are, or set project_id",
                )
            case _:
                named = ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")
                raise WrongAddress(
                    f"{self.iam.url} knows {len(ids)} projects called {self.region}: {named}",
                    advice="Set project_id to the one that is meant",
                )

    async def _ask(self, path: str, query: Sequence[tuple[str, str]] = ()) -> list[_Project]:
        """Request a list of projects; try once more if the credentials have expired."""
        reply = await SignedIam(self.credentials, self.iam).get(path, query)
        if reply.status != HTTPStatus.OK:
            raise self._refusal(reply)
        try:
            return msgspec.json.decode(reply.body, type=_Projects).projects
        except UNREADABLE:
            raise self._strange("its answer is not a list of projects") from None

    def _strange(self, problem: str) -> CloudError:
        kind, sentence, advice = ELSE
        return kind(sentence.format(url=self.iam.url, answer=problem), advice=advice)

    def _refusal(self, reply: Reply) -> CloudError:
        answer = reply.words()
        if isinstance(answer.error(), TransientError):
            return NotSent(f"{self.iam.url} did not return the project's id: {answer}", **answer.details)
        kind, sentence, advice = REFUSED.get(reply.status, ELSE)
        error = kind(sentence.format(url=self.iam.url, answer=answer), advice=advice, **answer.details)
        return with_skew(error, (self.iam.clock.now() - reply.sent_at).total_seconds())
