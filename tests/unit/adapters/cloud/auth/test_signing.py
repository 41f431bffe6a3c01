"""Vectors #1 to #4 of the ModelArts API, section 5.2; the first is the vendor's own published example."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from urllib.parse import quote

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer as VendorsSigner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nbsweep.adapters.cloud.auth.signing import AccessKey, Request, Signer, canonical_request, encode_query, sign

KEY = AccessKey("QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc")
PROJECT = "0123456789abcdef0123456789abcdef"
HOST = "modelarts.cn-north-4.myhuaweicloud.com"
NOTEBOOK = f"/v1/{PROJECT}/notebooks/f9937afa-ca78-45b6-bc12-7ecf42553c48"
JSON = {"Content-Type": "application/json"}
OURS = {**JSON, "X-Project-Id": PROJECT}
MOMENT = datetime(2026, 11, 23, 6, 45, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Vector:
    """A request, and what must come of it."""

    request: Request
    moment: datetime
    names: str
    canonical_hash: str
    signature: str
    key: AccessKey = KEY


VECTORS = {
    "#1": Vector(
        Request(
            "GET",
            "service.region.example.com",
            "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
            (("limit", "2"), ("marker", "13551d6b-755d-4757-b956-536f674975c0")),
            JSON,
        ),
        datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC),
        "content-type;host;x-sdk-date",
        "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
    ),
    "#2": Vector(
        Request(
            "GET",
            HOST,
            f"/v1/{PROJECT}/notebooks/all",
            (("limit", "50"), ("offset", "0"), ("tags", "env|dev test,a|b")),
            OURS,
        ),
        MOMENT,
        "content-type;host;x-project-id;x-sdk-date",
        "1349109294767433144e1b7d5d7b4c3a94cc0ee91cbd96c16fc796c72deac488",
        "244e980c1b096d5a856f74963dd943de18486462cef82579f66f97436f203fd3",
    ),
    "#3": Vector(
        Request("DELETE", HOST, NOTEBOOK, (), OURS),
        MOMENT,
        "content-type;host;x-project-id;x-sdk-date",
        "1857929704308b537d7b7f6b840382e0da68ea590088932ded58e9d078e6e45b",
        "b99fee0f674684a66ee1ed8b7d31127f1f300f867c2dd71cfd0976ae15b92019",
    ),
    "#4": Vector(
        Request("PATCH", HOST, f"{NOTEBOOK}/lease", (), OURS, b'{"duration":3600000,"type":"TIMING"}'),
        MOMENT,
        "content-type;host;x-project-id;x-sdk-date;x-security-token",
        "18d7dbcabeed99a74f12e63cad94216aa3ff12a1006c77de8ce85c5a1cd36bf3",
        "e9cbe1b8647b50fa6772d8be7cd8c1747ffdc43d90cce67d78a8fed6f13e2595",
        dataclasses.replace(KEY, security_token="tok=="),
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_the_signature_is_the_one_of_the_vector(vector: Vector) -> None:
    """Access key, the names of what is signed, and the signature."""
    signed = sign(vector.request, vector.key, vector.moment)
    assert signed["Authorization"] == (
        f"SDK-HMAC-SHA256 Access={KEY.access_key}, SignedHeaders={vector.names}, Signature={vector.signature}"
    )
    assert signed["X-Sdk-Date"] == vector.moment.strftime("%Y%m%dT%H%M%SZ")


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_the_canonical_request_is_the_one_of_the_vector(vector: Vector) -> None:
    """By its hash, so that a difference is found where it is made."""
    headers = {name.lower(): value for name, value in vector.request.headers.items()}
    headers |= {"host": vector.request.host, "x-sdk-date": vector.moment.strftime("%Y%m%dT%H%M%SZ")}
    if vector.key.security_token:
        headers["x-security-token"] = vector.key.security_token
    text = canonical_request(vector.request, headers)
    assert sha256(text.encode()).hexdigest() == vector.canonical_hash


def test_the_canonical_request_can_be_read() -> None:
    """Vector #1, line by line; the path ends in a slash here, and only here."""
    vector = VECTORS["#1"]
    headers = {"content-type": "application/json", "host": "service.region.example.com", "x-sdk-date": "20191115T033655Z"}
    assert canonical_request(vector.request, headers).split("\n") == [
        "GET",
        "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/",
        "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        "content-type:application/json",
        "host:service.region.example.com",
        "x-sdk-date:20191115T033655Z",
        "",
        "content-type;host;x-sdk-date",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]


def test_the_token_is_sent_and_signed_and_only_when_there_is_one() -> None:
    """Temporary keys carry it."""
    vector = VECTORS["#4"]
    assert sign(vector.request, vector.key, MOMENT)["X-Security-Token"] == "tok=="
    assert "X-Security-Token" not in sign(vector.request, KEY, MOMENT)


def test_a_date_of_another_zone_is_written_in_utc() -> None:
    """The same moment, the same signature."""
    vector = VECTORS["#3"]
    shanghai = MOMENT.astimezone(timezone(timedelta(hours=8)))
    assert sign(vector.request, KEY, shanghai) == sign(vector.request, KEY, MOMENT)


def test_names_of_headers_may_be_in_any_case_and_values_padded() -> None:
    """They are signed in lower case, and trimmed."""
    vector = VECTORS["#3"]
    shouted = replace(vector.request, headers={"CONTENT-TYPE": " application/json ", "x-PROJECT-id": PROJECT})
    assert sign(shouted, KEY, MOMENT) == sign(vector.request, KEY, MOMENT)


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ([], ""),
        ([("b", "2"), ("a", "1")], "a=1&b=2"),
        ([("a", "2"), ("a", "1")], "a=1&a=2"),
        ([("tags", "env|dev test,a|b")], "tags=env%7Cdev%20test%2Ca%7Cb"),
        ([("name", "a+b&c=d/e")], "name=a%2Bb%26c%3Dd%2Fe"),
        ([("name", "-_.~")], "name=-_.~"),
        ([("name", "课程")], "name=%E8%AF%BE%E7%A8%8B"),
        ([("name", "")], "name="),
    ],
)
def test_a_query_is_written_in_one_way_only(query: list[tuple[str, str]], written: str) -> None:
    """Sorted, and everything encoded but what RFC 3986 calls unreserved."""
    assert encode_query(query) == written


def test_a_path_is_encoded_segment_by_segment() -> None:
    """A colon is encoded, and what is encoded already is not encoded twice."""
    plain = canonical_request(Request("GET", HOST, "/v2/urn:smn:x"), {})
    encoded = canonical_request(Request("GET", HOST, "/v2/urn%3Asmn%3Ax"), {})
    assert plain.split("\n")[1] == encoded.split("\n")[1] == "/v2/urn%3Asmn%3Ax/"


def test_keys_do_not_show() -> None:
    """Neither the secret key nor the token is in what is printed of them."""
    shown = repr(AccessKey("AK", "the-secret", "the-token"))
    assert "the-secret" not in shown
    assert "the-token" not in shown


def test_a_name_with_an_underscore_is_left_unsigned_and_a_declared_hash_is_taken() -> None:
    """Gateways drop the one; a body that is declared UNSIGNED-PAYLOAD is not hashed."""
    vector = VECTORS["#4"]
    more = {**OURS, "x_trace": "1", "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
    signed = sign(replace(vector.request, headers=more), vector.key, MOMENT)
    assert "x_trace" not in signed["Authorization"]
    declared = {"x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}
    assert canonical_request(vector.request, declared).endswith("\nUNSIGNED-PAYLOAD")
    assert canonical_request(replace(vector.request, body=b""), declared).endswith(f"\n{sha256(b'').hexdigest()}")


# ---- the vendor's own signer as a witness ----------------------------------------------------------------------------------

WORDS = st.text(min_size=1, max_size=12).filter(str.isprintable)
SEGMENTS = st.text("abz09-_.~:@+ %/课é", max_size=8).map(quote) | st.text("abz09-_.~:", max_size=8)
RESERVED = ("x-sdk-date", "x-security-token", "x-sdk-content-sha256")
NAMES = st.from_regex(r"X-[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name.lower() not in RESERVED)
VALUES = st.text("abzAZ09 ,;=-_/", max_size=12)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "DELETE", "POST", "PUT", "PATCH"]),
    host=st.just(HOST) | st.just("127.0.0.1:8080"),
    path=st.lists(SEGMENTS, max_size=5).map(lambda segments: "/" + "/".join(segments)),
    query=st.lists(st.tuples(WORDS, WORDS), max_size=5),
    headers=st.dictionaries(NAMES, VALUES, max_size=4).filter(
        lambda found: len({name.lower() for name in found}) == len(found)
    ),
    body=st.binary(max_size=64),
)
KEYS = st.builds(
    AccessKey,
    st.from_regex(r"[A-Z0-9]{20}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9]{40}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Za-z0-9+/]{8,40}==", fullmatch=True),
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds it


@given(request=REQUESTS, key=KEYS, moment=MOMENTS)
def test_the_vendors_signer_agrees(request: Request, key: AccessKey, moment: datetime) -> None:
    """On any request: same header, and the same query on the wire."""
    headers = dict(request.headers) | {"X-Sdk-Date": moment.strftime("%Y%m%dT%H%M%SZ")}
    if key.security_token:
        headers["X-Security-Token"] = key.security_token
    theirs = SdkRequest(
        method=request.method,
        schema="https",
        host=request.host,
        resource_path=request.path,
        query_params=list(request.query),
        header_params=headers,
        body=request.body,
    )
    signed = VendorsSigner(BasicCredentials(key.access_key, key.secret_key)).sign(theirs)
    ours = sign(request, key, moment)
    assert Signer(key).headers(request, moment) == ours
    assert ours["Authorization"] == signed.header_params["Authorization"]
    assert ours["X-Sdk-Date"] == signed.header_params["X-Sdk-Date"]
    assert signed.uri == (f"{request.path}?{encode_query(request.query)}" if request.query else request.path)
