"""Finds IAM: at the address of its region, or at the global address if the regional name does not exist."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import aiohttp
from msgspec import Struct
from yarl import URL

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.signing import Proof, Request, encode_query
from nbsweep.adapters.cloud.route import Route
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient, NoSuchName, Reply
from nbsweep.core.ports import Clock
from nbsweep.settings import TargetSettings
from nbsweep.settings.regions import GLOBAL_IAM

Result = TypeVar("Result")
HEADERS = {"Content-Type": "application/json;charset=utf8"}


@dataclass(slots=True)
class Iam:
    """IAM at its regional address, with the global one as a fallback."""

    first: AuthClient
    other: AuthClient | None = None
    """The fallback if the first name does not resolve; None if the configuration sets the address."""
    _moved: bool = False
    """Whether the first name did not resolve; it is not tried again."""

    @property
    def url(self) -> str:
        """The address at which IAM is expected."""
        return self.first.url

    async def call(self, ask: Callable[[AuthClient], Awaitable[Result]]) -> Result:
        """Run `ask` against IAM; it may make several calls.

        Raises:
            NotSent: neither name resolves, or as `ask` raises it.
            CloudError: as `ask` raises it.
        """
        if self._moved and self.other is not None:
            return await ask(self.other)
        try:
            return await ask(self.first)
        except NoSuchName as error:
            if self.other is None:
                raise NoSuchName(error.problem, advice=f"{error.advice}, and iam_endpoint") from error
            unknown = error
        try:
            found = await ask(self.other)
        except NoSuchName:
            raise NoSuchName(
                f"neither {self.first.url} nor {self.other.url} can be reached: the names do not resolve",
                advice="Check the network, or set iam_endpoint where IAM has another address",
            ) from unknown
        self._moved = True
        return found


class SignedIam(Struct, frozen=True):
    """Makes signed calls to IAM at one address."""

    credentials: Credentials
    iam: AuthClient

    async def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Reply:
        """Make a call, and return its answer with any status; try once more if the credentials have expired.

        Raises:
            NotSent: there was no answer, or the credentials could not be renewed.
            SweepEnding: the credentials cannot be renewed, or the server is not trusted.
        """
        proof = await self.credentials.ready()
        reply = await self._get(proof, path, query)
        if reply.status != HTTPStatus.OK and await self.credentials.refused(reply.words().error(), proof):
            reply = await self._get(await self.credentials.ready(), path, query)
        return reply

    async def _get(self, proof: Proof, path: str, query: Sequence[tuple[str, str]]) -> Reply:
        host = URL(self.iam.url).raw_authority
        proven = proof.headers(Request("GET", host, path, query, HEADERS), self.iam.clock.now())
        target = f"{path}?{encode_query(query)}" if query else path
        return await self.iam.ask("GET", target, {**HEADERS, **proven, "Host": host})


def iam_of(target: TargetSettings, session: aiohttp.ClientSession, clock: Clock) -> Iam:
    """Return the IAM of a target. The global IAM is a fallback only if the address follows from the region."""
    route = Route.of(target)

    def at(url: str) -> AuthClient:
        return AuthClient(session, url, IAM_TIMEOUT, clock, route.to(url))

    return Iam(at(target.iam_url), None if target.names_iam else at(GLOBAL_IAM))
