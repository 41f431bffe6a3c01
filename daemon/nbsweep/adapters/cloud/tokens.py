"""An IAM user's token for one project, which every request then carries (API notes, section 5.1)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from nbsweep.adapters.cloud.answers import Passing
from nbsweep.adapters.cloud.credentials import KEY, Moment, life_s
from nbsweep.adapters.cloud.renewal import Issued
from nbsweep.adapters.cloud.session import Asker, NotSent, Reply
from nbsweep.adapters.cloud.wire import UNREADABLE
from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, WrongAddress

PATH = "/v3/auth/tokens?nocatalog=true"
EARLY_S = 300.0
ADVICE: Mapping[int, tuple[type[CloudError], str]] = {
    HTTPStatus.UNAUTHORIZED: (
        Unauthorized,
        "{url} does not accept the user name and password: {answer}. Check username, password, domain and {project}",
    ),
    HTTPStatus.FORBIDDEN: (Forbidden, "{url} gives the user no token: {answer}. Check that the user may use the API"),
    HTTPStatus.NOT_FOUND: (WrongAddress, "{url} is not IAM: {answer}. Check iam_endpoint"),
}


@dataclass(frozen=True, slots=True)
class Login:
    """Who signs in, and for which project. Its repr shows no secret."""

    username: str
    password: str = field(repr=False)
    domain: str
    project_id: str | None
    region: str | None = None
    """Where there is no id, it is the project that is called like this region."""

    def document(self) -> dict[str, Any]:
        """Write it down the way IAM wants to read it."""
        user = {"name": self.username, "password": self.password, "domain": {"name": self.domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        project = {"id": self.project_id} if self.project_id is not None else {"name": self.region}
        return {"auth": {"identity": identity, "scope": {"project": project}}}


class _Token(msgspec.Struct):
    expires_at: Moment
    issued_at: Moment | None = None


class _Body(msgspec.Struct):
    token: _Token


class TokenSource(Struct, frozen=True):
    """Signs in with a password."""

    login: Login
    iam: Asker

    @property
    def account(self) -> str:
        """Tell whose calls the tokens are for."""
        return f"{self.login.domain}/{self.login.username}"

    async def issue(self) -> Issued:
        """Get a token; the ones before it stay good."""
        headers = {"Content-Type": "application/json;charset=utf8"}
        reply = await self.iam.ask("POST", PATH, headers, json.dumps(self.login.document()).encode())
        if reply.status != HTTPStatus.CREATED:
            raise self._refusal(reply)
        token = reply.headers.get("X-Subject-Token", "")
        if not KEY.fullmatch(token):
            raise WrongAddress(f"{self.iam.url} answered without a token. Check iam_endpoint")
        lasts_s = self._life_s(reply)
        return Issued(lambda _request, _moment: {"X-Auth-Token": token}, lasts_s, min(lasts_s / 4, EARLY_S))

    def _life_s(self, reply: Reply) -> float:
        try:
            token = msgspec.json.decode(reply.body, type=_Body).token
        except UNREADABLE:
            raise WrongAddress(f"{self.iam.url} did not say when its token ends. Check iam_endpoint") from None
        return life_s(token.issued_at or reply.sent_at, token.expires_at)

    def _refusal(self, reply: Reply) -> CloudError:
        answer = reply.words()
        facts: dict[str, Any] = {"code": answer.code, "http_status": answer.status, "request_id": answer.request_id}
        if isinstance(answer.error(), Passing):
            return NotSent(f"{self.iam.url} gave no token: {answer}", **facts)
        kind, sentence = ADVICE.get(reply.status, ADVICE[HTTPStatus.UNAUTHORIZED])
        project = "region" if self.login.project_id is None else "project_id"
        return kind(sentence.format(url=self.iam.url, answer=answer, project=project), **facts)
