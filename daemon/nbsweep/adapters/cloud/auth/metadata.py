"""Temporary keys of the agency of this ECS, from its metadata server (ModelArts API, section 5.3)."""

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import aiohttp
import msgspec

from nbsweep.adapters.cloud.auth.credentials import KEY, AwareDatetime, key_pair, life_s
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.auth.signing import Signer
from nbsweep.adapters.cloud.bodies import UNREADABLE
from nbsweep.adapters.cloud.responses import TransientError
from nbsweep.adapters.cloud.session import AuthClient, NotSent, Reply
from nbsweep.core.errors import CloudError, Unauthorized

ENDPOINT = "http://169.254.169.254"
TIMEOUT = aiohttp.ClientTimeout(total=6, sock_connect=3, sock_read=3, ceil_threshold=float("inf"))
"""Short, because the server is local or does not exist."""
TOKEN_PATH = "/meta-data/latest/api/token"  # noqa: S105  # a path is no token
KEYS_PATH = "/openstack/latest/securitykey"
TOKEN_TTL = {"X-Metadata-Token-Ttl-Seconds": "21600"}
WITHOUT_TOKENS = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.SERVICE_UNAVAILABLE)
"""Older servers do not support tokens, and return keys without them."""
ASKED_AGAIN_AFTER_S = timedelta(days=1).total_seconds()
NO_AGENCY = b"Please configure Cloud Service Agency first"
EARLY_S = timedelta(minutes=40).total_seconds()


class _Keys(msgspec.Struct):
    access: str
    secret: str
    securitytoken: str
    expires_at: AwareDatetime


class _Body(msgspec.Struct):
    credential: _Keys


@dataclass(slots=True)
class MetadataSource:
    """Asks the metadata server, in either of its forms."""

    server: AuthClient
    _token: str | None = field(default=None, repr=False)
    _asked_s: float = float("-inf")

    @property
    def account(self) -> str:
        """Return the account of the calls: this machine's, independent of its current keys."""
        return f"the agency behind {self.server.url}"

    async def issue(self) -> IssuedCredentials:
        """Fetch a pair of keys; earlier pairs stay valid until they expire."""
        if self._token is None and self.server.clock.steady_s() - self._asked_s >= ASKED_AGAIN_AFTER_S:
            await self._renew_token()
        reply = await self._keys()
        if reply.status == HTTPStatus.UNAUTHORIZED and NO_AGENCY not in reply.body:
            await self._renew_token()
            reply = await self._keys()
        if reply.status != HTTPStatus.OK:
            raise self._refusal(reply)
        return self._issued(reply)

    async def _keys(self) -> Reply:
        return await self.server.ask("GET", KEYS_PATH, {"X-Metadata-Token": self._token} if self._token else {})

    async def _renew_token(self) -> None:
        reply = await self.server.ask("PUT", TOKEN_PATH, TOKEN_TTL)
        token = reply.body.decode("ascii", "replace").strip()
        if reply.status == HTTPStatus.OK and KEY.fullmatch(token):
            self._token = token
        elif reply.status in WITHOUT_TOKENS:
            self._token = None
        else:
            raise self._refusal(reply)
        self._asked_s = self.server.clock.steady_s()

    def _issued(self, reply: Reply) -> IssuedCredentials:
        try:
            found = msgspec.json.decode(reply.body, type=_Body).credential
        except UNREADABLE:
            raise Unauthorized(f"{self.server.url} answered with no keys; it is not the metadata server of an ECS") from None
        key = key_pair(self.server.url, found.access, found.secret, found.securitytoken)
        lasts_s = life_s(reply.sent_at, found.expires_at)
        return IssuedCredentials(Signer(key).headers, lasts_s, min(lasts_s / 2, EARLY_S))

    def _refusal(self, reply: Reply) -> CloudError:
        answer = reply.words()
        if NO_AGENCY in reply.body:
            return Unauthorized(f"{self.server.url} has no keys: this ECS has no agency; choose one in the console")
        message = f"{self.server.url}, the metadata server of an ECS, gives no keys: {answer}"
        return (
            NotSent(message) if isinstance(answer.error(), TransientError) else Unauthorized(message, http_status=answer.status)
        )
