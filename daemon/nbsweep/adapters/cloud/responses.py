"""Maps error answers to errors by (HTTP status, error code), never by the status alone.

Sources: ModelArts API, sections 3.1 to 3.4. The gateway's codes begin with APIGW, or with APIG on older stacks; the numbers are
the same.
"""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from nbsweep.adapters.cloud.bodies import RECEIPT, UNREADABLE
from nbsweep.core.errors import (
    AlreadyStopped,
    AnswerLost,
    Busy,
    CloudError,
    Forbidden,
    Gone,
    MustStopFirst,
    Rejected,
    ResponseDetails,
    Unauthorized,
    Unsortable,
    WorkspaceRefused,
    WrongAddress,
)
from nbsweep.core.pacing import Rate
from nbsweep.core.redaction import redact

GONE = frozenset({"ModelArts.6309", "ModelArts.6404"})
BUSY = frozenset({"ModelArts.6306", "ModelArts.6308", "ModelArts.6333", "ModelArts.6355", "ModelArts.6357"})
"""Another operation on the notebook is in progress; the notebook has to be read again before anything else."""
DESPITE_403: Mapping[str, type[CloudError]] = {"ModelArts.6653": Rejected, "ModelArts.0112": WorkspaceRefused}
"""Codes that come with 403 but concern one notebook or workspace, not the caller's permissions."""
BY_CODE: Mapping[str, type[CloudError]] = {
    "ModelArts.6303": Unsortable,
    "ModelArts.6304": MustStopFirst,
    "ModelArts.6307": AlreadyStopped,
    "ModelArts.6401": Unauthorized,
    "ModelArts.6407": Forbidden,
    "ModelArts.7002": WorkspaceRefused,
    "ModelArts.7004": WorkspaceRefused,
    **dict.fromkeys(GONE, Gone),
    **dict.fromkeys(BUSY, Busy),
}
ENDED = frozenset({"ModelArts.6401", "ModelArts.6620", "APIGW.0307"})
"""The token has expired, with any status (ModelArts API, section 12, E2): the call had no effect, and a new token helps."""
PASSING_CODES = frozenset({"0010", "6100", "6101", "6102", "6200", "7008", "7009"})
"""ModelArts codes of temporary errors (ModelArts API, section 3.4)."""
GATEWAY_CODES = frozenset({"APIGW.0101", "APIGW.0201", "APIGW.0301", "APIGW.0307", "APIGW.0308"})
"""Wrong address, backend timeout, wrong signature, expired token, too many calls (ModelArts API, section 3.3)."""
KNOWN_CODES = frozenset({*BY_CODE, *ENDED, *DESPITE_403, *GATEWAY_CODES, *(f"ModelArts.{code}" for code in PASSING_CODES)})
"""Every code that nbsweep knows. Metrics count calls by these codes only, because a server may send any text."""
PASSING_STATUSES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
MESSAGE_LIMIT = 256
LONGEST_REFUSAL = 2**18
"""The size in bytes from which a body is not parsed for an error."""
LONGEST_PAUSE_S = 3600.0
SKEW_MENTIONED_S = 60.0
"""The skew from which an error names this machine's clock as a reason."""
DEEPEST = 3
CODE = re.compile(r"[\w.-]{1,40}")
"""The longest known code has 19 letters; anything else is not a code."""
LIMIT = re.compile(
    r"(?:policy (?P<policy>\w+) over ratelimit,\s*)?"
    r"(?P<limit>limit:\s*(?P<calls>\d{1,9})\s*,\s*time:\s*(?P<periods>\d{1,6})\s*(?P<unit>second|minute|hour|day))"
)
SHARED_POLICIES = frozenset({"user", "app", "ip"})
"""Policies that count all calls of a user together, for all APIs (ModelArts API, section 4)."""
UNITS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


class TransientError(CloudError):
    """A failure that may be temporary. The client retries, so this error never leaves the client."""


class RateLimit(Struct, frozen=True):
    """The limit that a 429 names."""

    words: str = ""
    """The gateway's own text; empty if it names no limit."""
    rate: Rate | None = None
    shared: bool = False
    """Whether the limit counts all calls of the user together."""


class Throttled(TransientError):
    """429: the call had no effect, and the lane has to slow down."""

    def __init__(self, message: str, limit: RateLimit, answer: "ErrorResponse") -> None:
        """Store the limit, as far as the gateway names it."""
        super().__init__(message, **answer.details)
        self.limit = limit
        self.retry_after_s = answer.retry_after_s


class ErrorResponse(Struct, frozen=True):
    """An error answer. Its message is shortened, and contains no secret."""

    status: int
    code: str
    message: str
    request_id: str
    retry_after_s: float | None

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], body: bytes) -> "ErrorResponse":
        """Parse an error answer in any of its forms; of HTML and plain text only the status is known."""
        code, message, request_id = _words(body)
        return cls(
            status=status,
            # IAM repeats its status in place of a code.
            code=re.sub(r"^APIG\.", "APIGW.", code) if CODE.fullmatch(code) and code != str(status) else "",
            message=redact(message)[:MESSAGE_LIMIT],
            request_id=headers.get("X-Request-Id", request_id),
            retry_after_s=_retry_after_s(headers),
        )

    def __str__(self) -> str:
        """Return the status, the code and the message."""
        code = f" {self.code}" if self.code else ""
        words = f" ({self.message})" if self.message else ""
        return f"HTTP {self.status}{code}{words}"

    def error(self) -> CloudError:
        """Return the error that this answer means."""
        if self.status == HTTPStatus.TOO_MANY_REQUESTS and self.code not in ENDED:
            return Throttled(f"the gateway throttles: {self}", _limit(self.message), self)
        kind = self._kind()
        meaning, advice = _MEANINGS.get(kind, ("the cloud said ", ""))
        return kind(f"{meaning}{self}", advice=advice, **self.details)

    def _kind(self) -> type[CloudError]:
        number = self.code.rpartition(".")[2]
        match self.status:
            case status if status == HTTPStatus.UNAUTHORIZED or self.code in ENDED:
                return Unauthorized
            case HTTPStatus.FORBIDDEN:
                return DESPITE_403.get(self.code, Forbidden)
            case status if status in PASSING_STATUSES or number in PASSING_CODES:
                return TransientError
            case HTTPStatus.NOT_FOUND if not self.code.startswith("ModelArts."):
                # The gateway does not know the address; only the service itself can say that a notebook is gone.
                return WrongAddress
            case status if self.code in GONE and status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                # A notebook that is gone counts as deleted, so only the documented answer is accepted.
                return Rejected
            case _:
                return BY_CODE.get(self.code, Rejected)

    @property
    def details(self) -> ResponseDetails:
        """Return the details for an error about this response."""
        return ResponseDetails(code=self.code, http_status=self.status, request_id=self.request_id, answer=str(self))


_MEANINGS: Mapping[type[CloudError], tuple[str, str]] = {
    Unauthorized: (
        "the cloud does not accept the credentials: ",
        (
            "Check access key, secret key and security token, that they are of this region's account, and that this machine's "
            "clock is right"
        ),
    ),
    Forbidden: (
        "the credentials are accepted, but not for this call: ",
        (
            "Check project_id, and that the user may list, get and delete notebooks (modelarts:notebook:listAllNotebooks, "
            "list, get, delete; modelarts:workspace:list)"
        ),
    ),
    WrongAddress: ("the gateway knows no such address: ", "Check the target's endpoint, region and project_id"),
    Gone: ("the notebook does not exist: ", ""),
    Busy: ("something else is going on with the notebook: ", ""),
    MustStopFirst: ("the notebook must be stopped first: ", ""),
    Rejected: ("the cloud refused: ", ""),
    WorkspaceRefused: ("the workspace is not open to this user: ", ""),
}
"""The meaning of each error, as the beginning of its message, and the advice."""


def _limit(message: str) -> RateLimit:
    """Parse the limit that a 429 names; a limit of 0 is ignored."""
    found = LIMIT.search(message)
    if found is None or not int(found["calls"]) or not int(found["periods"]):
        return RateLimit()
    rate = Rate(int(found["calls"]), int(found["periods"]) * UNITS_S[found["unit"]])
    return RateLimit(found["limit"], rate, found["policy"] in SHARED_POLICIES)


def with_skew(error: CloudError, skew_s: float) -> CloudError:
    """Add the clock skew to an error about refused keys, because it is the most likely reason."""
    if not isinstance(error, Unauthorized) or abs(skew_s) <= SKEW_MENTIONED_S:
        return error
    far = f"{abs(skew_s) / 60:.0f} minutes" if abs(skew_s) >= 2 * SKEW_MENTIONED_S else f"{abs(skew_s):.0f} seconds"
    clock = f"it is {far} {'ahead of' if skew_s > 0 else 'behind'} the cloud's"
    problem, advice = (error.problem, f"{error.advice}; {clock}") if error.advice else (f"{error.problem}; {clock}", "")
    return Unauthorized(problem, advice=advice, **error.details)


def lost(error: CloudError, method: str) -> AnswerLost:
    """Return the error for a call that was sent and whose result is unknown."""
    return AnswerLost(f"whether the {method} did its work is unknown: {error.problem}", advice=error.advice, **error.details)


def _words(body: bytes) -> tuple[str, str, str]:
    """Find (code, message, request id) in an error body; the shapes are those of the ModelArts API, section 3.1."""
    if len(body) > LONGEST_REFUSAL:
        return "", "", ""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "", "", ""
    found = _find_words(document, DEEPEST)
    return found or ("", "", "")


def _find_words(document: object, depth: int) -> tuple[str, str, str] | None:
    """Return code, message and request id of an object, or else of an object inside it."""
    if not isinstance(document, dict) or depth == 0:
        return None
    code = _first(document, "error_code", "errorCode", "code")
    message = _first(document, "error_msg", "error_message", "errorMsg", "errorMessage", "message")
    if code or message:
        return code, message, _first(document, "request_id")
    inner = (_find_words(value, depth - 1) for value in document.values())
    return next((words for words in inner if words), None)


def _first(document: dict[str, Any], *names: str) -> str:
    """Return the first field that is text or a number, as text that UTF-8 can encode."""
    value = next((document[name] for name in names if isinstance(document.get(name), str | int)), "")
    return str(value)[:4096].encode("utf-8", "replace").decode()


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Parse Retry-After, which is a number of seconds or a date; return None for anything else."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE_S)
    try:
        moment = parsedate_to_datetime(text)
        sent = parsedate_to_datetime(headers.get("Date", ""))
        return min(max(0.0, (moment - sent).total_seconds()), LONGEST_PAUSE_S)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def has_error_code(body: bytes) -> bool:
    """Return whether the body of a success contains an error code; some servers send errors with status 200."""
    if b'"error_code"' not in body:
        return False
    try:
        return bool(RECEIPT.decode(body).error_code)
    except UNREADABLE:
        return False


def objection(body: bytes, notebook_id: str) -> str:
    """Return why the body of a successful answer does not confirm an order about a notebook; empty if it does."""
    try:
        receipt = RECEIPT.decode(body)
    except UNREADABLE:
        return "its body is not a notebook"
    if receipt.id != notebook_id:
        return "its body is not a notebook" if receipt.id is None else "its body is about another notebook"
    return ""
