"""Fetches an IAM user's token for one project, which is sent with every request (ModelArts API, section 5.1)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from nbsweep.adapters.cloud.auth.credentials import KEY, AwareDatetime, life_s
from nbsweep.adapters.cloud.auth.iam import Iam
from nbsweep.adapters.cloud.auth.login_limit import LoginLimits, UserRefused
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.bodies import UNREADABLE
from nbsweep.adapters.cloud.responses import ErrorResponse, TransientError
from nbsweep.adapters.cloud.session import AuthClient, NotSent, Reply
from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, WrongAddress

PATH = "/v3/auth/tokens?nocatalog=true"
JSON = {"Content-Type": "application/json;charset=utf8"}
EARLY_S = 300.0
UNSPECIFIC = re.compile(r"requires authentication", re.IGNORECASE)
"""Keystone's message for a wrong password, for a disabled user, and for a project without a role."""
OF_PROJECT = re.compile(r"\b(projects?|scopes?|roles?|tenants?)\b", re.IGNORECASE)
OF_PASSWORD = re.compile(r"passwords?|user ?names?|credentials?", re.IGNORECASE)
OF_STATE = re.compile(r"lock|disabl|expir|suspend|frozen|arrear|chang", re.IGNORECASE)
"""IAM's messages about a user whose password may be right."""
Meaning = tuple[type[CloudError], str, str]
"""The meaning of a refusal: the error class, the problem, and the advice."""
ROLE = "Check {key}, and that the user has a role in that project"
WRONG = (
    UserRefused,
    "{url} does not accept the user name and password: {answer}",
    "Check username, password and domain, and that the user is not disabled",
)
BARRED = (UserRefused, "{url} does not let the user in: {answer}", "Check the user in IAM")
CLOSED = (Unauthorized, "{url} gives the user no token for {project}: {answer}", ROLE)
KNOWN = (Unauthorized, "{url} accepts the user name and password, but gives no token for {project}: {answer}", ROLE)
REFUSED: Mapping[int, Meaning] = {
    HTTPStatus.FORBIDDEN: (Forbidden, "{url} gives the user no token: {answer}", "Check that the user may use the API"),
    HTTPStatus.NOT_FOUND: (WrongAddress, "{url} is not IAM: {answer}", "Check iam_endpoint"),
}
ELSE = (Unauthorized, "{url} gives no token: {answer}", "Check username, domain, {key} and iam_endpoint")


@dataclass(frozen=True, slots=True)
class Login:
    """The user and the project of a login. Its repr shows no secret."""

    username: str
    password: str = field(repr=False)
    domain: str
    project_id: str | None
    region: str | None = None
    """Without an id, the project with the name of this region is used."""

    def document(self, *, scoped: bool = True) -> dict[str, Any]:
        """Return the body of the request for a token; the name of a project needs its domain."""
        user = {"name": self.username, "password": self.password, "domain": {"name": self.domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        named = {"name": self.region, "domain": {"name": self.domain}}
        project = {"id": self.project_id} if self.project_id is not None else named
        return {"auth": {"identity": identity, "scope": {"project": project} if scoped else "unscoped"}}

    @property
    def words(self) -> Mapping[str, str]:
        """Return texts for messages: the project, and the key of the configuration that selects it."""
        if self.project_id is not None:
            return {"project": f"project {self.project_id}", "key": "project_id"}
        return {"project": f"the project called {self.region}", "key": "region and domain"}


class _Project(msgspec.Struct):
    id: str
    name: str = ""


class _Token(msgspec.Struct):
    expires_at: AwareDatetime
    issued_at: AwareDatetime | None = None
    project: _Project | None = None


class _Body(msgspec.Struct):
    token: _Token


class TokenSource(Struct, frozen=True):
    """Signs in with a password."""

    read: Callable[[], Login]
    """Returns the present login; the file with the password may have been replaced."""
    account: str
    """The account of the calls."""
    iam: Iam
    login_limits: LoginLimits

    async def issue(self) -> IssuedCredentials:
        """Fetch a token; earlier tokens stay valid."""
        login = self.read()
        login_limit = self.login_limits.of(self.iam.url, login.domain, login.username, login.password)
        return await login_limit.sign_in(lambda: self.iam.call(lambda auth_client: _sign_in(login, auth_client)))


async def _sign_in(login: Login, iam: AuthClient) -> IssuedCredentials:
    reply = await _post(login.document(), iam)
    if reply.status != HTTPStatus.CREATED:
        raise await _refusal(login, iam, reply)
    token = reply.headers.get("X-Subject-Token", "")
    if not KEY.fullmatch(token):
        raise WrongAddress(f"{iam.url} answered without a token", advice="Check iam_endpoint")
    described = _read(iam, reply)
    lasts_s = life_s(described.issued_at or reply.sent_at, described.expires_at)
    project_id = _project_of(login, iam, described.project)
    return IssuedCredentials(lambda _request, _moment: {"X-Auth-Token": token}, lasts_s, min(lasts_s / 4, EARLY_S), project_id)


async def _post(document: Mapping[str, Any], iam: AuthClient) -> Reply:
    return await iam.ask("POST", PATH, JSON, json.dumps(document).encode())


def _read(iam: AuthClient, reply: Reply) -> _Token:
    try:
        return msgspec.json.decode(reply.body, type=_Body).token
    except UNREADABLE:
        raise WrongAddress(f"{iam.url} did not say when its token ends", advice="Check iam_endpoint") from None


def _project_of(login: Login, iam: AuthClient, project: _Project | None) -> str:
    """Return the id of a token's project; empty if the token does not name it.

    Raises:
        WrongAddress: the token is for another project than the requested one.
    """
    if project is None:
        return ""
    asked, given = (login.project_id, project.id) if login.project_id is not None else (login.region, project.name)
    if given and asked != given:
        problem = f"{iam.url} gave a token for another project than {login.words['project']}"
        raise WrongAddress(problem, advice="Check iam_endpoint")
    return project.id


async def _refusal(login: Login, iam: AuthClient, reply: Reply) -> CloudError:
    """Return the error for a refused login; if IAM does not say whether user or project is wrong, another login finds out."""
    answer = reply.words()
    if isinstance(answer.error(), TransientError):
        return NotSent(f"{iam.url} gave no token: {answer}", **answer.details)
    kind, problem, advice = _meaning(answer)
    if kind is UserRefused and UNSPECIFIC.search(answer.message) and await _can_log_in(login, iam):
        kind, problem, advice = KNOWN
    problem = problem.format(url=iam.url, answer=answer, **login.words)
    return kind(problem, advice=advice.format(**login.words), **answer.details)


def _meaning(answer: ErrorResponse) -> Meaning:
    """Return the error class, the problem and the advice for a refusal; only IAM's message shows which one applies."""
    about = answer.message
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and OF_STATE.search(about):
        return BARRED
    if OF_PROJECT.search(about) and not OF_PASSWORD.search(about):
        return CLOSED
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return REFUSED.get(answer.status, ELSE)
    unspecific = not about or UNSPECIFIC.search(about)
    return WRONG if unspecific or OF_PASSWORD.search(about) else BARRED


async def _can_log_in(login: Login, iam: AuthClient) -> bool:
    """Return whether an unscoped login succeeds, as Keystone allows: then the project is wrong."""
    reply = await _post(login.document(scoped=False), iam)
    return reply.status == HTTPStatus.CREATED
