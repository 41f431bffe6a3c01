"""Signs requests: computes the headers of a request; pure.

The algorithm is SDK-HMAC-SHA256 (ModelArts API, section 5.2). The query must be sent exactly as it was signed, so it is encoded
once, in this module, for both.

A fixed pair of keys is also the simplest kind of `Credentials`.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote

from msgspec import Struct

from nbsweep.core.errors import CloudError

ALGORITHM = "SDK-HMAC-SHA256"
UNRESERVED = "-_.~"
EMPTY_HASH = sha256(b"").hexdigest()
"""The hash of an empty body."""


class Request(Struct, frozen=True):
    """The parts of a request that a signature covers."""

    method: str
    host: str
    path: str
    """The path as it is sent, without a query."""
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = {}
    """Headers to sign besides `host` and `x-sdk-date`, with names in any case. A header with a `_` is not signed."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Proof:
    """Proof of identity for requests, for a limited time."""

    headers: Callable[[Request, datetime], Mapping[str, str]] = field(repr=False)
    """Returns the headers that a request needs at a given time, without waiting."""
    ends_s: float = float("inf")
    """The end of the proof, on the steady clock."""
    project_id: str = ""
    """The project of the proof, if it names one."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A pair of keys, with a security token if they are temporary. Its repr shows no secret."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    project_id: str = ""
    """The project that was configured with the keys; empty if none was."""
    _proof: Proof = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the proof once for all requests."""
        object.__setattr__(self, "_proof", Proof(Signer(self).headers, project_id=self.project_id))

    @property
    def account(self) -> str:
        """Return the account of the calls."""
        return self.access_key

    async def ready(self) -> Proof:
        """Return proof that signs with these keys."""
        return self._proof

    async def refused(self, _error: CloudError, _used: Proof) -> bool:
        """Return False: another attempt with fixed keys fails too."""
        return False


class Signer:
    """Signs requests with one pair of keys."""

    def __init__(self, key: AccessKey) -> None:
        """Store the keys."""
        self._key = key

    def headers(self, request: Request, moment: datetime) -> dict[str, str]:
        """Return the headers that authenticate a request at a given time, see `sign`."""
        return sign(request, self._key, moment)


def encode_query(query: Sequence[tuple[str, str]]) -> str:
    """Encode a query as it is both signed and sent: sorted, by RFC 3986, with a space as ``%20``."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(query))


def sign(request: Request, key: AccessKey, moment: datetime) -> dict[str, str]:
    """Return the headers that authenticate a request at a given time: date, signature, and security token if any."""
    date = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = _signed_headers(request, key, date)
    to_sign = f"{ALGORITHM}\n{date}\n{sha256(canonical_request(request, headers).encode()).hexdigest()}"
    signature = hmac.new(key.secret_key.encode(), to_sign.encode(), "sha256").hexdigest()
    names = ";".join(sorted(headers))
    proof = {
        "X-Sdk-Date": date,
        "Authorization": f"{ALGORITHM} Access={key.access_key}, SignedHeaders={names}, Signature={signature}",
    }
    return proof if key.security_token is None else proof | {"X-Security-Token": key.security_token}


def canonical_request(request: Request, headers: Mapping[str, str]) -> str:
    """Return the canonical form of a request, which both sides hash; `headers` has all signed headers, in lower case."""
    names = sorted(headers)
    declared = headers.get("x-sdk-content-sha256") if request.body else None
    return "\n".join(
        [
            request.method.upper(),
            _canonical_path(request.path),
            encode_query(request.query),
            "".join([f"{name}:{headers[name]}\n" for name in names]),
            ";".join(names),
            declared or (sha256(request.body).hexdigest() if request.body else EMPTY_HASH),
        ]
    )


def _signed_headers(request: Request, key: AccessKey, date: str) -> dict[str, str]:
    """Return all headers that the signature covers, with their names in lower case."""
    headers = {name.lower(): value.strip() for name, value in request.headers.items() if "_" not in name}
    headers |= {"host": request.host, "x-sdk-date": date}
    return headers if key.security_token is None else headers | {"x-security-token": key.security_token}


def _canonical_path(path: str) -> str:
    encoded = quote(unquote(path), safe=f"/{UNRESERVED}")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _encode(text: str) -> str:
    return quote(text, safe=UNRESERVED)
