"""The API token: required for changes, and for reads too if other machines can reach the API."""

import hmac
import math
import os
import re
import stat
from collections import OrderedDict, deque
from pathlib import Path

from aiohttp import web

from nbsweep.core.events.service import WebUnauthorized
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.service.web.address import mistaken
from nbsweep.service.web.errors import Code, Refused, logged_path

READING = frozenset({"GET", "HEAD"})
HEALTH = "/healthz"
MOST_FAILURES = 5
WITHIN_S = 60.0
MOST_PEERS = 1024
MOST_LINES = 100
"""Number of refusals that are logged within that time."""
LONGEST_TOKEN_BYTES = 4096
TOKEN = re.compile(rb"[!-~]+")
"""Characters that an HTTP header can carry."""
TOKEN_KEY = "api_token_file"  # noqa: S105 - the configuration's key, not a token
HOW_TO_CONFIGURE = (
    "changes are disabled, because service.api_token_file is not set: set it to a file that holds the token, "
    "and that only the user of nbsweep can read"
)


def read_token(path: Path) -> bytes:
    """Read the token from its file.

    Raises:
        ConfigurationError: the file cannot be read, other users can read it, or it holds no token.
    """
    try:
        # Non-blocking, because the file may be a pipe without a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise mistaken(TOKEN_KEY, f"{path} is not a file")
            if found.st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise mistaken(TOKEN_KEY, f"{path} can be read or written by others on this machine: chmod o-rw {path}")
            token = file.read(LONGEST_TOKEN_BYTES + 1).strip()
    except OSError as error:
        raise mistaken(TOKEN_KEY, f"{path} cannot be read: {error.strerror or error}") from error
    if not token:
        raise mistaken(TOKEN_KEY, f"{path} is empty; it must hold the token")
    if len(token) > LONGEST_TOKEN_BYTES or not TOKEN.fullmatch(token):
        raise mistaken(TOKEN_KEY, f"{path} must hold one word of ASCII letters, digits and signs, and nothing else")
    return token


class Failures:
    """Remembers recent failed attempts by client address, up to a fixed number of addresses."""

    def __init__(self) -> None:
        """Start without entries."""
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of remembered addresses."""
        return len(self._moments)

    def wait_s(self, peer: str, now_s: float) -> float:
        """Return the seconds until an address may try again; 0 if it may try now."""
        moments = self._moments.get(peer)
        if moments is None or len(moments) < MOST_FAILURES:
            return 0.0
        return max(0.0, moments[0] + WITHIN_S - now_s)

    def note(self, peer: str, now_s: float) -> None:
        """Record a failure. If there are too many addresses, the one with the oldest failure is forgotten."""
        self._moments.setdefault(peer, deque(maxlen=MOST_FAILURES)).append(now_s)
        self._moments.move_to_end(peer)
        if len(self._moments) > MOST_PEERS:
            self._moments.popitem(last=False)


class TokenAuth:
    """Checks the token of each request."""

    def __init__(self, token_file: Path | None, clock: Clock, telemetry: Telemetry, *, reading_is_free: bool) -> None:
        """Take the token file, and whether reads need no token."""
        self._token = read_token(token_file) if token_file else None
        self._clock = clock
        self._telemetry = telemetry
        self._reading_is_free = reading_is_free
        self._failures = Failures()
        self._logged_from_s = float("-inf")
        self._logged = 0

    def reload(self, token_file: Path | None) -> None:
        """Read the token again. If the new token cannot be used, the old one stays in force.

        Raises:
            ConfigurationError: as `read_token`, or a token is required and none is configured.
        """
        if token_file is None and not self._reading_is_free:
            raise mistaken(TOKEN_KEY, "must stay set as long as service.listen is not on loopback")
        self._token = read_token(token_file) if token_file else None

    def admit(self, request: web.Request) -> None:
        """Check that a request may pass.

        Raises:
            Refused: the request needs the token and does not carry it.
        """
        reads = request.method in READING
        if reads and (self._reading_is_free or request.path == HEALTH):
            return
        if self._token is None:
            raise Refused(Code.FORBIDDEN, HOW_TO_CONFIGURE)
        # Checked first: behind a proxy all callers share one address, and failures of others must not block a valid token.
        if not _shows(request, self._token):
            raise self._refusal(request)

    def _refusal(self, request: web.Request) -> Refused:
        """Return the refusal of a request. A wrong token is counted, logged and delayed; a missing one is not counted."""
        peer, now_s = request.remote or "", self._clock.steady_s()
        shown = request.headers.getall("Authorization", [])
        wait_s = self._failures.wait_s(peer, now_s) if shown else 0
        if wait_s > 0:
            message = "too many requests with a wrong token from this address; try again later"
            return Refused(Code.TOO_MANY_ATTEMPTS, message, {"Retry-After": str(math.ceil(wait_s))})
        if shown:
            self._failures.note(peer, now_s)
        if self._may_log(now_s):
            self._telemetry.emit(WebUnauthorized(peer, request.method, logged_path(request)))
        message = "this request needs the header Authorization: Bearer TOKEN, with the token of service.api_token_file"
        return Refused(Code.UNAUTHORIZED, message, {"WWW-Authenticate": 'Bearer realm="nbsweep"'})

    def _may_log(self, now_s: float) -> bool:
        """Return whether one more refusal may be logged now: unauthenticated callers must not fill the log."""
        if now_s - self._logged_from_s >= WITHIN_S:
            self._logged_from_s, self._logged = now_s, 0
        self._logged += 1
        return self._logged <= MOST_LINES


def _shows(request: web.Request, token: bytes) -> bool:
    shown = request.headers.getall("Authorization", [])
    scheme, _, rest = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    given = rest.strip().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, token) and scheme.lower() == "bearer"
