"""A request in, its signed headers out; pure.

The algorithm is SDK-HMAC-SHA256 (API notes, section 5.2). The query must be on the wire exactly as it was signed, so it is
encoded here, once, for both.

A fixed pair of keys is all that its owner needs to sign, so it is also the simplest kind of `Credentials`.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote

from nbsweep.core.errors import CloudError

ALGORITHM = "SDK-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Request:
    """What a signature covers."""

    method: str
    host: str
    path: str
    """As on the wire, without a query."""
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to be signed besides `host` and `x-sdk-date`; their names in any case. One with a `_` is left unsigned."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Proof:
    """What makes requests acceptable, for a while."""

    headers: Callable[[Request, datetime], Mapping[str, str]] = field(repr=False)
    """Gives the headers that a request needs at a moment; never waits."""
    ends_s: float = float("inf")
    """When it ends, on the steady clock."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A pair of keys, with a security token when they are temporary. Its repr shows no secret."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)

    @property
    def account(self) -> str:
        """Tell whose calls these are."""
        return self.access_key

    async def ready(self) -> Proof:
        """Sign with these keys, whatever comes."""
        return Proof(lambda request, moment: sign(request, self, moment))

    async def refused(self, _error: CloudError, _used: Proof) -> bool:
        """Give up: fixed keys do not get better by trying again."""
        return False


def encode_query(query: Sequence[tuple[str, str]]) -> str:
    """Encode a query in the one way in which it is both signed and sent: sorted, RFC 3986, a space as ``%20``."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(query))


def sign(request: Request, key: AccessKey, moment: datetime) -> dict[str, str]:
    """Give the headers that make a request acceptable at that moment: the date, the token if there is one, the signature."""
    date = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {name.lower(): value.strip() for name, value in request.headers.items() if "_" not in name}
    headers |= {"host": request.host, "x-sdk-date": date}
    if key.security_token is not None:
        headers["x-security-token"] = key.security_token
    names = ";".join(sorted(headers))
    to_sign = f"{ALGORITHM}\n{date}\n{sha256(canonical_request(request, headers).encode()).hexdigest()}"
    signature = hmac.new(key.secret_key.encode(), to_sign.encode(), sha256).hexdigest()
    signed = {
        "X-Sdk-Date": date,
        "Authorization": f"{ALGORITHM} Access={key.access_key}, SignedHeaders={names}, Signature={signature}",
    }
    if key.security_token is not None:
        signed["X-Security-Token"] = key.security_token
    return signed


def canonical_request(request: Request, headers: Mapping[str, str]) -> str:
    """Write a request down in the one form that both sides hash; `headers` has all signed ones, their names in lower case."""
    path = "/".join(_encode(segment) for segment in unquote(request.path).split("/"))
    declared = headers.get("x-sdk-content-sha256") if request.body else None
    return "\n".join(
        [
            request.method.upper(),
            path if path.endswith("/") else f"{path}/",
            encode_query(request.query),
            "".join(f"{name}:{headers[name]}\n" for name in sorted(headers)),
            ";".join(sorted(headers)),
            declared or sha256(request.body).hexdigest(),
        ]
    )


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")
