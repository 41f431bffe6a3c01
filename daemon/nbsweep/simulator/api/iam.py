"""IAM and the metadata server, as far as a client needs them for credentials; ModelArts API, section 5."""

from http import HTTPStatus
from typing import Any, Literal

import msgspec
from msgspec import Struct

from nbsweep.simulator.api.auth import Authenticator, Caller
from nbsweep.simulator.api.exchange import Answer, Call, Route, json_answer
from nbsweep.simulator.clock import iso_date
from nbsweep.simulator.options import AccessOptions, IamUser
from nbsweep.simulator.state.model import Person, identity

_TRACE = "X-IAM-Trace-Id"


class _Domain(Struct):
    name: str | None = None
    id: str | None = None


class _User(Struct):
    name: str
    password: str
    domain: _Domain


class _Password(Struct):
    user: _User


class _Identity(Struct):
    methods: list[str]
    password: _Password


class _Project(Struct):
    name: str | None = None
    id: str | None = None
    domain: _Domain | None = None


class _Scope(Struct):
    project: _Project | None = None
    domain: _Domain | None = None


class _Auth(Struct):
    identity: _Identity
    scope: _Scope | Literal["unscoped"] | None = None


class _TokenRequest(Struct):
    auth: _Auth


class IamApi:
    """Issues tokens and answers queries for project ids."""

    def __init__(self, access: AccessOptions, auth: Authenticator) -> None:
        self._access = access
        self._auth = auth

    def routes(self) -> tuple[Route, ...]:
        """Return every route."""
        return (
            Route("POST", "/v3/auth/tokens", "iam", self.create_token, authenticated=False),
            Route("GET", "/v3/projects", "iam", self.find_projects),
            Route("GET", "/v3/auth/projects", "iam", self.own_projects),
        )

    def create_token(self, call: Call) -> Answer:
        """Answer a password with a token."""
        try:
            auth = msgspec.json.decode(call.body, type=_TokenRequest).auth
        except msgspec.DecodeError:
            invalid = {"error_msg": "Request body is invalid.", "error_code": "IAM.0011"}
            return json_answer(400, invalid, self._trace(call))
        scope = auth.scope if isinstance(auth.scope, _Scope) else None
        if scope and scope.project and scope.project.name and scope.project.domain is None:
            return self._keystone(call, 400, "Expecting to find domain in project.")
        user = self._user_of(auth.identity.password.user)
        if user is None or "password" not in auth.identity.methods:
            return self._keystone(call, 401, "The username or password is wrong.")
        if not self._knows(scope):
            return self._keystone(call, 401, "The scope does not exist.")
        caller = Caller(Person(user.name), user.permissions)
        token, ends_at_s = self._auth.issue_token(caller)
        content = self._token_body(user, iso_date(ends_at_s), iso_date(call.at_s))
        if not call.parameters.get("nocatalog"):
            content["catalog"] = []
        return json_answer(201, {"token": content}, {"X-Subject-Token": token} | self._trace(call))

    def find_projects(self, call: Call) -> Answer:
        """Answer the projects of a name: as many as the options say."""
        if call.caller and not call.caller.permissions.projects:
            return self._keystone(call, 403, "You are not authorized to perform the requested action.")
        name = call.parameters.get("name", self._access.region)
        found = self._projects()[: self._access.projects_found] if name == self._access.region else []
        return json_answer(200, {"projects": found, "links": {"self": "/v3/projects"}}, self._trace(call))

    def own_projects(self, call: Call) -> Answer:
        """Answer the projects that the caller may use, of all regions."""
        other = self._project(identity("project", "elsewhere"), "eu-west-101")
        projects = [other, *self._projects()[: max(self._access.projects_found, 1)]]
        return json_answer(200, {"projects": projects, "links": {"self": "/v3/auth/projects"}}, self._trace(call))

    def _user_of(self, wanted: _User) -> IamUser | None:
        domain = wanted.domain.name
        given = (wanted.name, wanted.password, domain)
        return next((user for user in self._access.users if (user.name, user.password, user.domain) == given), None)

    def _knows(self, scope: _Scope | None) -> bool:
        if scope is None or scope.project is None:
            return True
        project = scope.project
        domain = project.domain.name if project.domain else None
        return project.id == self._access.project_id or (project.name, domain) == (self._access.region, self._access.account)

    def _token_body(self, user: IamUser, expires_at: str, issued_at: str) -> dict[str, Any]:
        domain = {"id": identity("domain", user.domain), "name": user.domain}
        return {
            "expires_at": expires_at,
            "issued_at": issued_at,
            "methods": ["password"],
            "project": {"id": self._access.project_id, "name": self._access.region, "domain": domain},
            "user": {"id": Person(user.name).id, "name": user.name, "domain": domain},
            "roles": [],
        }

    def _projects(self) -> list[dict[str, Any]]:
        second = identity("project", "second")
        return [self._project(id_, self._access.region) for id_ in (self._access.project_id, second)]

    def _project(self, project_id: str, name: str) -> dict[str, Any]:
        domain_id = identity("domain", self._access.account)
        return {
            "id": project_id,
            "name": name,
            "domain_id": domain_id,
            "parent_id": domain_id,
            "enabled": True,
            "is_domain": False,
            "description": "",
            "links": {"self": f"/v3/projects/{project_id}"},
        }

    def _keystone(self, call: Call, status: int, message: str) -> Answer:
        content = {"error": {"message": message, "code": status, "title": HTTPStatus(status).phrase}}
        return json_answer(status, content, self._trace(call))

    def _trace(self, call: Call) -> dict[str, str]:
        return {_TRACE: f"token_{identity('trace', call.subject.target, call.subject.nth)}"}
