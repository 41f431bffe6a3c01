"""Another server that issues the tokens, such as a real OpenStack Keystone, and validates each of them."""

import time
import urllib.request
from http import HTTPStatus
from urllib.error import HTTPError

import msgspec
from msgspec import Struct

_PATH = "/v3/auth/tokens"
_PATIENCE_S = 20.0
#: Real gateways remember for much longer.
_REMEMBERED_S = 0.5


class _Named(Struct):
    id: str
    name: str


class Described(Struct):
    """The scope of a token."""

    user: _Named
    project: _Named


class _Body(Struct):
    token: Described


class ForeignIam:
    """Validates tokens with the token itself as proof. All other requests wait meanwhile: it is for tests on loopback."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._last = ""
        #: Token to what it was said to be for, and until when that is taken for true.
        self._known: tuple[str, Described, float] | None = None

    def describe(self, token: str) -> Described | None:
        """Return the scope of a token; None if it is not valid any more."""
        if self._known is not None and self._known[0] == token and time.monotonic() < self._known[2]:
            return self._known[1]
        try:
            body = self._call("GET", token)
        except HTTPError as error:
            error.close()
            if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
                return None
            raise
        self._last = token
        described = msgspec.json.decode(body, type=_Body).token
        self._known = (token, described, time.monotonic() + _REMEMBERED_S)
        return described

    def revoke_last(self) -> None:
        """Revoke the token that was valid last."""
        self._call("DELETE", self._last)

    def _call(self, method: str, token: str) -> bytes:
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        request = urllib.request.Request(self._url + _PATH, headers=headers, method=method)  # noqa: S310  # an option says where
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=_PATIENCE_S) as response:
            return bytes(response.read())
