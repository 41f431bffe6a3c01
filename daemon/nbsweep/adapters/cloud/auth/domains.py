"""Finds the IAM account of credentials: the domain of the projects that they may use (ModelArts API, section 5.5)."""

from http import HTTPStatus

import msgspec
from msgspec import Struct

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.iam import Iam, SignedIam
from nbsweep.adapters.cloud.auth.projects import OWN
from nbsweep.adapters.cloud.bodies import UNREADABLE
from nbsweep.adapters.cloud.session import AuthClient
from nbsweep.core.errors import WrongAddress

ADVICE = "Set account to a name for the account whose quota the target uses"


class _Project(msgspec.Struct):
    id: str
    name: str
    domain_id: str = ""


class _Projects(msgspec.Struct):
    projects: list[_Project]


class DomainLookup(Struct, frozen=True):
    """Finds the domain of a target's project."""

    project_id: str | None
    region: str | None
    credentials: Credentials
    iam: Iam

    async def find(self) -> str:
        """Return the id of the domain.

        Raises:
            NotSent: IAM did not answer; a later try may succeed.
            SweepEnding: the credentials are not accepted, or IAM does not say which domain it is.
        """
        return await self.iam.call(self._ask)

    async def _ask(self, iam: AuthClient) -> str:
        reply = await SignedIam(self.credentials, iam).get(OWN)
        if reply.status != HTTPStatus.OK:
            answer = reply.words()
            problem = f"{iam.url} does not say to which account these credentials belong: {answer}"
            raise WrongAddress(problem, advice=ADVICE, **answer.details)
        try:
            projects = msgspec.json.decode(reply.body, type=_Projects).projects
        except UNREADABLE:
            raise WrongAddress(f"{iam.url} answered with no list of projects", advice=ADVICE) from None
        return self._only(iam, projects)

    def _only(self, iam: AuthClient, projects: list[_Project]) -> str:
        """Return the domain of all projects; if there are several, that of the target's own project."""
        domains = {project.domain_id for project in projects}
        if len(domains) > 1:
            domains = {project.domain_id for project in projects if self._is_own(project)}
        match [*domains]:
            case [domain] if domain:
                return domain
            case _:
                problem = f"{iam.url} shows projects of {len(domains)} accounts, so that of the target is unknown"
                raise WrongAddress(problem, advice=ADVICE)

    def _is_own(self, project: _Project) -> bool:
        return project.id == self.project_id if self.project_id is not None else project.name == self.region
