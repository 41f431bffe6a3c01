import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbsweep.adapters.cloud.responses import ErrorResponse, RateLimit, Throttled, TransientError
from nbsweep.core.errors import (
    AlreadyStopped,
    Busy,
    CloudError,
    Forbidden,
    Gone,
    MustStopFirst,
    Rejected,
    Unauthorized,
    Unsortable,
    WorkspaceRefused,
    WrongAddress,
)
from nbsweep.core.pacing import Rate

searching = settings(max_examples=60, deadline=None, database=None)
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def answer(status: int, code: str = "", message: str = "words", **headers: str) -> ErrorResponse:
    """Read an error in the service's own shape."""
    body = json.dumps({"error_code": code, "error_msg": message}).encode() if code else b""
    return ErrorResponse.read(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def body(document: Any, status: int = 400) -> ErrorResponse:
    """Read an error of another shape."""
    return ErrorResponse.read(status, {}, json.dumps(document).encode())


# ---- what each answer means -----------------------------------------------------------------------------------------------

# ModelArts API, section 3.2.
MODELARTS: list[tuple[int, str, type[CloudError]]] = [
    *[(400, code, Rejected) for code in ("0101", "0104", "0107", "0102", "7005", "0113", "6302", "6305", "6326", "6327")],
    *[(400, code, Rejected) for code in ("6346", "6347", "6348", "6349", "6361", "6400")],
    *[(status, code, WorkspaceRefused) for status, code in ((400, "7002"), (400, "7004"), (403, "0112"))],
    (400, "6303", Unsortable),
    (400, "6304", MustStopFirst),
    *[(400, code, Busy) for code in ("6306", "6308", "6333", "6355", "6357")],
    (400, "6307", AlreadyStopped),
    (400, "6309", Gone),
    (404, "6309", Gone),
    (400, "6404", Gone),
    (404, "6404", Gone),
    *[(401, code, Unauthorized) for code in ("0112", "6201", "6203", "6608", "6620", "6401")],
    (400, "6401", Unauthorized),
    *[(403, code, Forbidden) for code in ("0108", "6407")],
    (400, "6407", Forbidden),
    (403, "6653", Rejected),
    (408, "6100", TransientError),
    (429, "6101", Throttled),
    *[(500, code, TransientError) for code in ("0010", "6102", "6200", "7001", "7008", "7009")],
]
# ModelArts API, section 3.3.
GATEWAY: list[tuple[int, str, type[CloudError]]] = [
    *[(404, code, WrongAddress) for code in ("0101", "0103")],
    *[(400, code, Rejected) for code in ("0104", "0105", "0106", "0201", "0602", "0607")],
    *[(status, "0201", Rejected) for status in (413, 414, 494)],
    *[(status, "0201", TransientError) for status in (502, 504)],
    *[(401, code, Unauthorized) for code in ("0301", "0303", "0305", "0307", "0311")],
    *[(403, code, Forbidden) for code in ("0302", "0304", "0306", "0310", "0401", "0402", "0404", "0801", "0802")],
    (429, "0308", Throttled),
    *[(405, code, Rejected) for code in ("0501", "0502")],
    *[(500, code, TransientError) for code in ("0601", "0605", "0606", "0608", "0609", "0611", "0612", "0705")],
    (502, "0610", TransientError),
    (503, "0613", TransientError),
]


@pytest.mark.parametrize(("status", "number", "kind"), MODELARTS)
def test_the_services_own_codes_are_told_apart(status: int, number: str, kind: type[CloudError]) -> None:
    """By status and code together; what was said is kept."""
    error = answer(status, f"ModelArts.{number}").error()
    assert type(error) is kind
    assert (error.code, error.http_status) == (f"ModelArts.{number}", status)


@pytest.mark.parametrize("prefix", ["APIGW", "APIG"])
@pytest.mark.parametrize(("status", "number", "kind"), GATEWAY)
def test_the_gateways_codes_are_told_apart(status: int, number: str, kind: type[CloudError], prefix: str) -> None:
    """Under the name of today and under that of older stacks."""
    error = answer(status, f"{prefix}.{number}").error()
    assert type(error) is kind
    assert error.code == f"APIGW.{number}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Rejected),
        (400, Rejected),
        (401, Unauthorized),
        (403, Forbidden),
        (405, Rejected),
        (408, TransientError),
        (409, Rejected),
        (429, Throttled),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
    ],
)
@pytest.mark.parametrize("content", [b"", HTML, b"null", b"[]", b"5", b'"text"', b"{}", b'{"error":null}'])
def test_a_body_that_says_nothing_leaves_the_status(status: int, kind: type[CloudError], content: bytes) -> None:
    """HTML of a proxy, nothing at all, JSON that is no error."""
    read = ErrorResponse.read(status, {}, content)
    assert type(read.error()) is kind
    assert (read.code, read.message) == ("", "")


@pytest.mark.parametrize("content", [b"", HTML, b"{}", b'{"message":"no Route matched"}', b'{"error_code":"Foo.0001"}'])
def test_a_404_that_is_not_the_services_own_is_never_gone(content: bytes) -> None:
    """Any proxy, and any wrong path, says 404; only the service can say that a notebook does not exist."""
    error = ErrorResponse.read(404, {}, content).error()
    assert not isinstance(error, Gone)
    assert isinstance(error, WrongAddress)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("code", ["ModelArts.6309", "ModelArts.6404"])
def test_a_refusal_to_talk_to_us_is_never_gone(status: int, code: str) -> None:
    """403 is never success, whatever code comes with it (ModelArts API, section 2)."""
    assert not isinstance(answer(status, code).error(), Gone)


@pytest.mark.parametrize("code", ["ModelArts.0102", "ModelArts.7005", "ModelArts.0010"])
def test_a_404_about_something_else_is_never_gone(code: str) -> None:
    """The workspace does not exist, or something broke inside: that is not this notebook's end (ModelArts API, section 2)."""
    assert not isinstance(answer(404, code).error(), Gone)


@searching
@given(
    status=st.integers(300, 599), number=st.from_regex(r"[0-9]{4}", fullmatch=True), prefix=st.sampled_from(["APIGW", "APIG"])
)
def test_nothing_that_the_gateway_says_is_ever_gone(status: int, number: str, prefix: str) -> None:
    """It knows addresses, and no notebooks."""
    assert not isinstance(answer(status, f"{prefix}.{number}").error(), Gone)


# ---- shapes of bodies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        {"error_code": "ModelArts.6309", "error_msg": "not there"},
        {"error_code": "ModelArts.6309", "error_message": "not there"},
        {"errorCode": "ModelArts.6309", "errorMsg": "not there"},
        {"code": "ModelArts.6309", "message": "not there"},
        {"error": {"code": "ModelArts.6309", "message": "not there"}},
        {"error": {"error_code": "ModelArts.6309", "error_msg": "not there"}},
        {"response": {"error_code": "ModelArts.6309", "error_msg": "not there"}},
    ],
)
def test_every_shape_of_error_is_read(document: object) -> None:
    """Those of the ModelArts API, section 3.1, the last of them nested as the vendor's own SDK takes it."""
    read = body(document)
    assert (read.code, read.message) == ("ModelArts.6309", "not there")
    assert isinstance(read.error(), Gone)


def test_iams_shape_is_read() -> None:
    """Its code is a number."""
    read = body({"error": {"message": "The request you have made requires authentication.", "code": 401}}, 401)
    assert (read.code, read.message) == ("", "The request you have made requires authentication.")
    assert isinstance(read.error(), Unauthorized)


def test_the_request_id_is_kept() -> None:
    """From the header, else from the body."""
    document = json.dumps({"error_code": "APIGW.0301", "error_msg": "no", "request_id": "from-body"}).encode()
    assert ErrorResponse.read(401, {}, document).error().request_id == "from-body"
    assert ErrorResponse.read(401, {"X-Request-Id": "from-header"}, document).error().request_id == "from-header"


def test_a_message_is_a_sentence_for_people() -> None:
    """Status, code and the cloud's own words are in it, and what to check."""
    assert str(answer(400, "ModelArts.6326", "The instance is frozen.").error()) == (
        "the cloud refused: HTTP 400 ModelArts.6326 (The instance is frozen.)"
    )
    assert "endpoint" in str(answer(404, "APIGW.0101").error())
    assert "secret key" in str(answer(401, "APIGW.0301").error())
    assert "modelarts:notebook:listAllNotebooks" in str(answer(403, "ModelArts.0108").error())


def test_a_message_with_braces_is_taken_as_it_is() -> None:
    """It is text, and no template."""
    assert "{answer} {0} {x}" in str(answer(400, "X.1", "{answer} {0} {x}").error())


def test_a_long_message_is_cut() -> None:
    """256 characters of it are enough."""
    assert len(answer(400, "X.1", "no " * 10_000).message) == 256


@searching
@given(
    content=st.binary()
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_an_answer(content: bytes) -> None:
    """Nothing is raised while reading an error."""
    assert isinstance(ErrorResponse.read(400, {}, content).error(), CloudError)


def test_a_body_that_is_nested_beyond_all_reason_is_an_answer() -> None:
    """It says nothing, and is no bug of ours."""
    assert isinstance(ErrorResponse.read(400, {}, b"[" * 100_000).error(), Rejected)


def test_a_message_can_be_written_down() -> None:
    """JSON can hold half a character, which no file and no database takes."""
    read = ErrorResponse.read(400, {}, rb'{"error_code":"X.1","error_msg":"half: \ud800"}')
    str(read.error()).encode()


# ---- secrets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "verify aksk signature fail, canonicalRequest:GET|/v1/p/||host:h|x-sdk-date:20260101|x-security-token:S3CRET==|x",
        "Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=a;b, Signature=S3CRET",
        "bad header X-Auth-Token: S3CRET",
        "x-auth-token:S3CRET|next",
        '{"X-Security-Token": "S3CRET"}',
        "{'x-auth-token': 'S3CRET'}",
        "Authorization: Bearer S3CRET",
        '{"X-Security-Token": ["S3CRET"]}',
        '[("X-Auth-Token", "x"), ("signature" : "S3CRET")]',
        "headers: {X-Subject-Token=[S3CRET]}",
        "row {'id': 'nb', 'token': 'S3CRET', 'status': 'STOPPED'}",
        "it is at https://notebook.example.com/nb/lab?token=S3CRET",
        "it is at wss://S3CRET.example.com/lab",
        "/nb/lab?token=S3CRET&x=1",
        "secret_key=S3CRET",
        "password: S3CRET",
        "decrypt fail for " + "S3CRET" * 7,
        "decrypt fail for " + "S3CRET/x" * 20 + "==",
    ],
)
def test_what_a_message_repeats_of_a_request_or_a_row_is_taken_out(message: str) -> None:
    """The gateway quotes the request that it refuses (ModelArts API, section 3.1); a service in trouble may quote anything."""
    error = answer(401, "APIGW.0301", message).error()
    assert "S3CRET" not in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "x-auth-token not found",
        "verify aksk signature fail, access key not found",
        "policy user over ratelimit,limit:5,time:1 minute",
        "The API /v1/0123456789abcdef0123456789abcdef/notebooks/all does not exist",
        "Instance 6fa459ea-ee8a-3ca4-894e-db77e160355e is in image swr.cn-north-4.myhuaweicloud.com/atelier/pytorch_1_8:x86",
    ],
)
def test_what_is_no_secret_stays(message: str) -> None:
    """People need it to know what is wrong."""
    assert message in str(answer(400, "ModelArts.0104", message).error())


@pytest.mark.parametrize("status", [100, 301, 402, 405, 409, 410, 422, 999])
@pytest.mark.parametrize("code", ["ModelArts.6309", "ModelArts.6404"])
def test_gone_is_said_with_400_or_404_only(status: int, code: str) -> None:
    """Whoever is taken for gone counts as deleted; with any other status the code is not the documented answer."""
    assert type(answer(status, code, "no").error()) is Rejected
    assert type(answer(400, code, "no").error()) is type(answer(404, code, "no").error()) is Gone


@pytest.mark.parametrize("code", ["S3CRET" * 7, "S3CRET S3CRET", "https://S3CRET"])
def test_a_code_that_is_none_is_not_repeated(code: str) -> None:
    """Codes are written into log and metrics, so that only what looks like one counts."""
    error = answer(400, code, "no").error()
    assert "S3CRET" not in str(error)
    assert error.code == ""


def test_a_secret_at_the_cut_is_taken_out_first() -> None:
    """It must not survive as its own first half."""
    error = answer(401, "APIGW.0301", "x" * 230 + "|x-security-token:S3CRETS3CRETS3CRET|").error()
    assert "S3CRET" not in str(error)


# ---- throttling -----------------------------------------------------------------------------------------------------------


def throttled(message: str = "", headers: Mapping[str, str] | None = None) -> Throttled:
    """Read a 429."""
    error = ErrorResponse.read(
        429, headers or {}, json.dumps({"error_code": "APIG.0308", "error_msg": message}).encode()
    ).error()
    assert isinstance(error, Throttled)
    return error


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        (
            "The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:1 minute",
            RateLimit("limit:5,time:1 minute", Rate(5, 60.0), shared=True),
        ),
        ("policy user over ratelimit,limit:10,time:1 second", RateLimit("limit:10,time:1 second", Rate(10, 1.0), shared=True)),
        ("policy api over ratelimit, limit: 200, time: 2 seconds", RateLimit("limit: 200, time: 2 second", Rate(200, 2.0))),
        ("policy app over ratelimit,limit:100,time:1 hour", RateLimit("limit:100,time:1 hour", Rate(100, 3600.0), shared=True)),
        ("limit:3,time:30 day", RateLimit("limit:3,time:30 day", Rate(3, 30 * 86_400.0))),
        ("limit:0,time:1 second", RateLimit()),
        ("limit:5,time:0 second", RateLimit()),
        ("slow down", RateLimit()),
        ("", RateLimit()),
    ],
)
def test_the_limit_is_read_from_the_gateways_words(message: str, limit: RateLimit) -> None:
    """How many calls in which time, and whether all calls of the user count; a limit of nothing is none."""
    assert throttled(message).limit == limit


SENT = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("999999", 3600),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0),
        ("Thu, 22 Oct 2026 07:28:00 GMT", 3600),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("²", None),
        ("9" * 5000, 3600),
        ("Wed, 21 Oct 2026 07:28:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(retry_after: str, seconds: float | None) -> None:
    """An hour at most; what is neither counts for nothing, and is never a bug."""
    error = throttled("limit:5,time:1 minute", {"Retry-After": retry_after, "Date": SENT})
    assert error.retry_after_s == seconds


def test_a_429_is_throttling_whatever_its_code() -> None:
    """The call was not done; a code that would mean something else does not count."""
    for code in ("ModelArts.6309", "ModelArts.6357", "Foo.1"):
        assert isinstance(answer(HTTPStatus.TOO_MANY_REQUESTS, code).error(), Throttled)
