"""Authentication by tokens and signatures, as at the API gateway; ModelArts API, section 5."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nbsweep.simulator.api import signature
from nbsweep.simulator.api.foreign_iam import ForeignIam
from nbsweep.simulator.api.signature import Authorization, SignedRequest
from nbsweep.simulator.clock import Clock
from nbsweep.simulator.options import AccessOptions, DialectOptions, Permissions
from nbsweep.simulator.refusals import not_authenticated, wrong_project
from nbsweep.simulator.state.model import Person, identity

_ALWAYS_SIGNED = frozenset({"host", "x-sdk-date"})
#: Real tokens are several KB long (ModelArts API, section 5.1), and programs must be able to send them back.
_TOKEN_PARTS = 140


@dataclass(frozen=True)
class Caller:
    """A user and their permissions."""

    person: Person
    permissions: Permissions


@dataclass(frozen=True)
class _Key:
    """The gateway's record of one access key."""

    secret_key: str
    caller: Caller
    security_token: str | None = None
    ends_at_s: float | None = None


@dataclass(frozen=True)
class TemporaryKey:
    """A key pair with its security token, as the metadata server issues it."""

    access: str
    secret: str
    security_token: str
    ends_at_s: float


class Authenticator:
    """Checks callers against all keys and all issued tokens."""

    def __init__(self, access: AccessOptions, dialect: DialectOptions, clock: Clock) -> None:
        self._access = access
        self._dialect = dialect
        self._clock = clock
        self.foreign = ForeignIam(access.iam_url) if access.iam_url is not None else None
        self._tokens: dict[str, tuple[Caller, float]] = {}
        self._handed_out = 0
        self._keys = {
            key.access_key: _Key(key.secret_key, Caller(Person(key.user), key.permissions), key.security_token)
            for key in access.access_keys
        }

    def identify(self, request: SignedRequest) -> Caller:
        """Return the caller, or refuse with 401."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        request = replace(request, headers=headers)
        if token := headers.get("x-auth-token"):
            return self._by_token(token)
        if text := headers.get("authorization"):
            return self._by_signature(request, text)
        raise not_authenticated("x-auth-token not found")

    def issue_token(self, caller: Caller) -> tuple[str, float]:
        """Return a new token and its end; earlier tokens stay valid."""
        serial = self._next_serial()
        token = "token-secret-iam-" + "".join(identity("iam", serial, part) for part in range(_TOKEN_PARTS))
        ends_at_s = self._clock.now_s() + self._access.token_lifetime_s
        self._tokens[token] = (caller, ends_at_s)
        return token, ends_at_s

    def issue_key(self, caller: Caller) -> TemporaryKey:
        """Return a new temporary key pair."""
        serial = self._next_serial()
        key = TemporaryKey(
            access=f"TEMP{identity('access', serial)[:16].upper()}",
            secret=identity("secret", serial),
            security_token="token-secret-sts-" + identity("sts", serial) * 8,
            ends_at_s=self._clock.now_s() + self._access.metadata_key_lifetime_s,
        )
        self._keys[key.access] = _Key(key.secret, caller, key.security_token, key.ends_at_s)
        return key

    def _next_serial(self) -> int:
        self._handed_out += 1
        return self._handed_out

    def _by_token(self, token: str) -> Caller:
        if self.foreign is not None:
            return self._by_foreign_token(token, self.foreign)
        if token not in self._tokens:
            raise not_authenticated("decrypt token fail")
        caller, ends_at_s = self._tokens[token]
        if self._clock.now_s() >= ends_at_s:
            raise not_authenticated("The token must be updated.", number="0307")
        return caller

    def _by_foreign_token(self, token: str, iam: ForeignIam) -> Caller:
        described = iam.describe(token)
        if described is None:
            raise not_authenticated("The token must be updated.", number="0307")
        if described.project.id != self._access.project_id:
            raise wrong_project()
        return Caller(Person(described.user.name), Permissions())

    def _by_signature(self, request: SignedRequest, text: str) -> Caller:
        authorization = signature.parse_authorization(text)
        if authorization is None:
            raise not_authenticated("Authorization format is incorrect")
        key = self._keys.get(authorization.access_key)
        if key is None:
            raise not_authenticated("verify aksk signature fail, access key not found")
        self._check_headers(request.headers, authorization, key)
        self._check_signature(request, authorization, key)
        return key.caller

    def _check_headers(self, headers: Mapping[str, str], authorization: Authorization, key: _Key) -> None:
        signed = set(authorization.signed_headers)
        if missing := (_ALWAYS_SIGNED - signed) | (signed - headers.keys()):
            raise not_authenticated(f"signed header {min(missing)} is missing")
        signed_at_s = signature.parse_date(headers["x-sdk-date"])
        if signed_at_s is None or abs(self._clock.now_s() - signed_at_s) > self._access.clock_skew_s:
            raise not_authenticated("X-Sdk-Date is not within 15 minutes of the server's time")
        if headers.get("x-security-token") != key.security_token:
            raise not_authenticated("verify aksk signature fail, the security token does not belong to the access key")
        if key.security_token is not None and "x-security-token" not in signed:
            raise not_authenticated("signed header x-security-token is missing")
        if key.ends_at_s is not None and self._clock.now_s() >= key.ends_at_s:
            raise not_authenticated("the temporary access key has expired")

    def _check_signature(self, request: SignedRequest, authorization: Authorization, key: _Key) -> None:
        declared = request.headers.get("x-sdk-content-sha256", signature.UNSIGNED_PAYLOAD)
        honest = declared in {signature.UNSIGNED_PAYLOAD, signature.payload_hash(request.body, None)}
        canonical = signature.canonical_request(request, authorization.signed_headers)
        expected = signature.sign(canonical, request.headers["x-sdk-date"], key.secret_key)
        if honest and signature.same(authorization.signature, expected):
            return
        # The real gateway shows its own canonical request, one line, so that callers can compare (notes, 3.1.3).
        shown = canonical.replace("\n", "|")
        if key.security_token and self._dialect.mask_security_token:
            shown = shown.replace(key.security_token, "***")
        raise not_authenticated(f"verify aksk signature fail, canonicalRequest:{shown}")
