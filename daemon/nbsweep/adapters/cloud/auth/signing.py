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

from msgspec import Struct

from nbsweep.core.errors import CloudError

ALGORITHM = "SDK-HMAC-SHA256"
UNRESERVED = "-_.~"
MOST_FORMS = 64
"""One for each target that the same keys are for; more come of headers that nobody sends twice."""
EMPTY_HASH = sha256(b"").hexdigest()
"""Of a body that is not there, as that of nearly every call."""


class Request(Struct, frozen=True):
    """What a signature covers."""

    method: str
    host: str
    path: str
    """As on the wire, without a query."""
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = {}
    """Headers to be signed besides `host` and `x-sdk-date`; their names in any case. One with a `_` is left unsigned."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Proof:
    """What makes requests acceptable, for a while."""

    headers: Callable[[Request, datetime], Mapping[str, str]] = field(repr=False)
    """Gives the headers that a request needs at a moment; never waits."""
    ends_s: float = float("inf")
    """When it ends, on the steady clock."""
    project_id: str = ""
    """The project that it is for, where it is for one and says so."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A pair of keys, with a security token when they are temporary. Its repr shows no secret."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    project_id: str = ""
    """The project that was named beside them; empty where none was."""
    _proof: Proof = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Get ready to sign, once for all requests."""
        object.__setattr__(self, "_proof", Proof(Signer(self).headers, project_id=self.project_id))

    @property
    def account(self) -> str:
        """Tell whose calls these are."""
        return self.access_key

    async def ready(self) -> Proof:
        """Sign with these keys, whatever comes."""
        return self._proof

    async def refused(self, _error: CloudError, _used: Proof) -> bool:
        """Give up: fixed keys do not get better by trying again."""
        return False


class _Form(Struct, frozen=True):
    """What the canonical requests of one caller have in common that go to one place and have no body, around the date."""

    host: str
    headers: Mapping[str, str]
    before: str
    after: str
    names: str

    def fits(self, request: Request) -> bool:
        """Tell whether it is that of a request; headers are compared as objects, for nobody changes them."""
        return request.headers is self.headers and request.host == self.host and not request.body


class Signer:
    """Signs with one pair of keys, as `sign` does, and remembers what requests have in common that carry the same headers."""

    def __init__(self, key: AccessKey) -> None:
        """Take the keys."""
        self._key = key
        self._mac = hmac.new(key.secret_key.encode(), None, "sha256")
        self._forms: dict[int, _Form] = {}
        """By the identity of the headers, which each form keeps alive."""
        self._date = (0, "")

    def headers(self, request: Request, moment: datetime) -> dict[str, str]:
        """Give the headers that make a request acceptable at that moment."""
        form = self._forms.get(id(request.headers))
        if form is None or not form.fits(request):
            self._remember(request)
            return sign(request, self._key, moment)
        date = self._date_at(moment)
        head = f"{request.method.upper()}\n{_canonical_path(request.path)}\n{encode_query(request.query)}\n"
        hashed = sha256(f"{head}{form.before}{date}{form.after}".encode()).hexdigest()
        mac = self._mac.copy()
        mac.update(f"{ALGORITHM}\n{date}\n{hashed}".encode())
        return _signed(self._key, date, form.names, mac.hexdigest())

    def _remember(self, request: Request) -> None:
        if request.body:
            return
        if len(self._forms) >= MOST_FORMS:
            self._forms.clear()
        self._forms[id(request.headers)] = _form(request, self._key)

    def _date_at(self, moment: datetime) -> str:
        second = int(moment.timestamp())
        if second != self._date[0]:
            self._date = (second, _date(moment))
        return self._date[1]


def encode_query(query: Sequence[tuple[str, str]]) -> str:
    """Encode a query in the one way in which it is both signed and sent: sorted, RFC 3986, a space as ``%20``."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(query))


def sign(request: Request, key: AccessKey, moment: datetime) -> dict[str, str]:
    """Give the headers that make a request acceptable at that moment: the date, the token if there is one, the signature."""
    date = _date(moment)
    headers = _covered(request, key, date)
    names = ";".join(sorted(headers))
    to_sign = f"{ALGORITHM}\n{date}\n{sha256(canonical_request(request, headers).encode()).hexdigest()}"
    signature = hmac.new(key.secret_key.encode(), to_sign.encode(), "sha256").hexdigest()
    return _signed(key, date, names, signature)


def canonical_request(request: Request, headers: Mapping[str, str]) -> str:
    """Write a request down in the one form that both sides hash; `headers` has all signed ones, their names in lower case."""
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


def _covered(request: Request, key: AccessKey, date: str) -> dict[str, str]:
    """Give all headers that a signature covers, their names in lower case."""
    headers = {name.lower(): value.strip() for name, value in request.headers.items() if "_" not in name}
    headers |= {"host": request.host, "x-sdk-date": date}
    if key.security_token is not None:
        headers["x-security-token"] = key.security_token
    return headers


def _form(request: Request, key: AccessKey) -> _Form:
    """Work out what the next request may have in common with this one."""
    mark = "\0"
    headers = _covered(request, key, mark)
    canonical = canonical_request(Request("", "", ""), headers)
    before, after = canonical.removeprefix("\n/\n\n").split(mark)
    return _Form(request.host, request.headers, before, after, ";".join(sorted(headers)))


def _signed(key: AccessKey, date: str, names: str, signature: str) -> dict[str, str]:
    signed = {
        "X-Sdk-Date": date,
        "Authorization": f"{ALGORITHM} Access={key.access_key}, SignedHeaders={names}, Signature={signature}",
    }
    if key.security_token is not None:
        signed["X-Security-Token"] = key.security_token
    return signed


def _canonical_path(path: str) -> str:
    encoded = quote(unquote(path), safe=f"/{UNRESERVED}")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _date(moment: datetime) -> str:
    """Write a date as signatures have it; not by `strftime`, which takes longer than the signature itself."""
    text = moment.astimezone(UTC).isoformat(timespec="seconds")
    return f"{text.removesuffix('+00:00').replace('-', '').replace(':', '')}Z"


def _encode(text: str) -> str:
    return quote(text, safe=UNRESERVED)
