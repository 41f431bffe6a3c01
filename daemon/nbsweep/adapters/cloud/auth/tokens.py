"""An IAM user's token for one project, which every request then carries (ModelArts API, section 5.1)."""

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
SAYS_NOTHING = re.compile(r"requires authentication", re.IGNORECASE)
"""Keystone's words for a wrong password, a user who is disabled, and a project without a role alike."""
OF_PROJECT = re.compile(r"\b(projects?|scopes?|roles?|tenants?)\b", re.IGNORECASE)
OF_PASSWORD = re.compile(r"passwords?|user ?names?|credentials?", re.IGNORECASE)
OF_STATE = re.compile(r"lock|disabl|expir|suspend|frozen|arrear|chang", re.IGNORECASE)
"""What IAM says of a user whose password may be right."""
Meaning = tuple[type[CloudError], str, str]
"""What a refusal means: the error, its problem, and the advice."""
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
    """Who signs in, and for which project. Its repr shows no secret."""

    username: str
    password: str = field(repr=False)
    domain: str
    project_id: str | None
    region: str | None = None
    """Where there is no id, it is the project that is called like this region."""

    def document(self, *, scoped: bool = True) -> dict[str, Any]:
        """Write it down the way IAM wants to read it; the name of a project means nothing without its domain."""
        user = {"name": self.username, "password": self.password, "domain": {"name": self.domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        named = {"name": self.region, "domain": {"name": self.domain}}
        project = {"id": self.project_id} if self.project_id is not None else named
        return {"auth": {"identity": identity, "scope": {"project": project} if scoped else "unscoped"}}

    @property
    def words(self) -> Mapping[str, str]:
        """Name the project, and the key of the configuration by which it is chosen."""
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
    """Gives the login as it is now: a file that holds a password may have been replaced."""
    account: str
    """Whose calls the tokens are for."""
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
    """Return the id of the project that a token is for; nothing where the token does not say.

    Raises:
        WrongAddress: it is for another project than the one that was asked for.
    """
    if project is None:
        return ""
    asked, given = (login.project_id, project.id) if login.project_id is not None else (login.region, project.name)
    if given and asked != given:
        problem = f"{iam.url} gave a token for another project than {login.words['project']}"
        raise WrongAddress(problem, advice="Check iam_endpoint")
    return project.id


async def _refusal(login: Login, iam: AuthClient, reply: Reply) -> CloudError:
    """Return the error for a refused token; where IAM does not say whether it is the user or the project, find out."""
    answer = reply.words()
    if isinstance(answer.error(), TransientError):
        return NotSent(f"{iam.url} gave no token: {answer}", **answer.details)
    kind, problem, advice = _meaning(answer)
    if kind is UserRefused and SAYS_NOTHING.search(answer.message) and await _is_let_in(login, iam):
        kind, problem, advice = KNOWN
    problem = problem.format(url=iam.url, answer=answer, **login.words)
    return kind(problem, advice=advice.format(**login.words), **answer.details)


def _meaning(answer: ErrorResponse) -> Meaning:
    """Return the error, the problem and the advice for a refusal; IAM's words show what it is about."""
    about = answer.message
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and OF_STATE.search(about):
        return BARRED
    if OF_PROJECT.search(about) and not OF_PASSWORD.search(about):
        return CLOSED
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return REFUSED.get(answer.status, ELSE)
    says_nothing = not about or SAYS_NOTHING.search(about)
    return WRONG if says_nothing or OF_PASSWORD.search(about) else BARRED


async def _is_let_in(login: Login, iam: AuthClient) -> bool:
    """Return whether an unscoped login succeeds, as Keystone allows: then the project is wrong."""
    reply = await _post(login.document(scoped=False), iam)
    return reply.status == HTTPStatus.CREATED
