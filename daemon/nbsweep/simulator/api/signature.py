"""The signature SDK-HMAC-SHA256 as the gateway recomputes it; ModelArts API, section 5.2."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Access=(?P<access>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+), *Signature=(?P<signature>\w+)"
)
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_UNRESERVED = "-_.~"


@dataclass(frozen=True)
class Authorization:
    """The content of an Authorization header."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


@dataclass(frozen=True)
class SignedRequest:
    """The parts of a request that a signature covers."""

    method: str
    #: Path and query exactly as they came over the wire.
    target: str
    #: Names in any case.
    headers: Mapping[str, str]
    body: bytes


def parse_authorization(text: str) -> Authorization | None:
    """Read the header; return None if it lacks a part that this algorithm needs."""
    match = _AUTHORIZATION.fullmatch(text.strip())
    if match is None:
        return None
    return Authorization(match["access"], tuple(match["headers"].lower().split(";")), match["signature"])


def proof_in(headers: Mapping[str, str]) -> str | None:
    """Return the secret of a request: its token or its signature; the header names are those of aiohttp."""
    authorization = parse_authorization(headers.get("Authorization", ""))
    return headers.get("X-Auth-Token") or (authorization.signature if authorization else None)


def parse_date(text: str) -> float | None:
    """Read X-Sdk-Date into epoch seconds; return None if it is invalid."""
    try:
        return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def canonical_request(request: SignedRequest, signed_headers: tuple[str, ...]) -> str:
    """Return the text whose hash is signed."""
    path, _, query = request.target.partition("?")
    values = {name.lower(): value.strip() for name, value in request.headers.items()}
    lines = "".join(f"{name}:{values.get(name, '')}\n" for name in sorted(signed_headers))
    return "\n".join(
        (
            request.method,
            _canonical_path(path),
            _canonical_query(query),
            lines,
            ";".join(sorted(signed_headers)),
            payload_hash(request.body, values.get("x-sdk-content-sha256")),
        )
    )


def payload_hash(body: bytes, declared: str | None) -> str:
    """Return the hash of the body, or the one that the request declares."""
    return declared if declared and body else sha256(body).hexdigest()


def sign(canonical: str, date: str, secret_key: str) -> str:
    """Return the signature of a canonical request."""
    text = f"{ALGORITHM}\n{date}\n{sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret_key.encode(), text.encode(), sha256).hexdigest()


def same(signature: str, expected: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(signature.encode(), expected.encode())


def _canonical_path(path: str) -> str:
    encoded = "/".join(_encoded(unquote(segment)) for segment in path.split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs)


def _encoded(text: str) -> str:
    return quote(text, safe=_UNRESERVED)
