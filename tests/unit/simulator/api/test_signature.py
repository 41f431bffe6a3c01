from hashlib import sha256

import pytest

from nbsweep.simulator import AccessKey, AccessOptions, DialectOptions
from nbsweep.simulator.api.auth import Authenticator
from nbsweep.simulator.api.signature import (
    SignedRequest,
    canonical_request,
    parse_authorization,
    parse_date,
    payload_hash,
    sign,
)
from nbsweep.simulator.clock import Clock

ACCESS = "QTWAOYTTINDUT2QVKYUC"
SECRET = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
PROJECT = "0123456789abcdef0123456789abcdef"
NOTEBOOK = "f9937afa-ca78-45b6-bc12-7ecf42553c48"
COMMON = {
    "Host": "modelarts.cn-north-4.myhuaweicloud.com",
    "X-Sdk-Date": "20261123T064500Z",
    "Content-Type": "application/json",
    "X-Project-Id": PROJECT,
}
PUBLISHED = SignedRequest(
    "GET",
    "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
    {
        "Host": "service.region.example.com",
        "X-Sdk-Date": "20191115T033655Z",
        "Content-Type": "application/json",
    },
    b"",
)
LISTING = SignedRequest("GET", f"/v1/{PROJECT}/notebooks/all?limit=50&offset=0&tags=env%7Cdev%20test%2Ca%7Cb", COMMON, b"")
DELETION = SignedRequest("DELETE", f"/v1/{PROJECT}/notebooks/{NOTEBOOK}", COMMON, b"")
RENEWAL = SignedRequest(
    "PATCH",
    f"/v1/{PROJECT}/notebooks/{NOTEBOOK}/lease",
    COMMON | {"X-Security-Token": "tok=="},
    b'{"duration":3600000,"type":"TIMING"}',
)
# ModelArts API, section 5.2; the first is Huawei's own published example.
VECTORS = [
    pytest.param(
        PUBLISHED,
        "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
        id="published",
    ),
    pytest.param(
        LISTING,
        "1349109294767433144e1b7d5d7b4c3a94cc0ee91cbd96c16fc796c72deac488",
        "244e980c1b096d5a856f74963dd943de18486462cef82579f66f97436f203fd3",
        id="listing",
    ),
    pytest.param(
        DELETION,
        "1857929704308b537d7b7f6b840382e0da68ea590088932ded58e9d078e6e45b",
        "b99fee0f674684a66ee1ed8b7d31127f1f300f867c2dd71cfd0976ae15b92019",
        id="deletion",
    ),
    pytest.param(
        RENEWAL,
        "18d7dbcabeed99a74f12e63cad94216aa3ff12a1006c77de8ce85c5a1cd36bf3",
        "e9cbe1b8647b50fa6772d8be7cd8c1747ffdc43d90cce67d78a8fed6f13e2595",
        id="renewal",
    ),
]


def signed_names(request: SignedRequest) -> tuple[str, ...]:
    """Sign all headers."""
    return tuple(sorted(name.lower() for name in request.headers))


@pytest.mark.parametrize(("request_", "canonical_hash", "signature"), VECTORS)
def test_the_vectors_are_reproduced(request_: SignedRequest, canonical_hash: str, signature: str) -> None:
    """Both the canonical request's hash and the signature are those that are known to be right."""
    canonical = canonical_request(request_, signed_names(request_))
    assert sha256(canonical.encode()).hexdigest() == canonical_hash
    assert sign(canonical, request_.headers["X-Sdk-Date"], SECRET) == signature


@pytest.mark.parametrize(("request_", "canonical_hash", "signature"), VECTORS)
def test_the_gate_lets_the_vectors_in(request_: SignedRequest, canonical_hash: str, signature: str) -> None:
    """A request signed as in the vectors passes at the time that it is dated."""
    assert canonical_hash
    token = request_.headers.get("X-Security-Token")
    access = AccessOptions(access_keys=(AccessKey(access_key=ACCESS, secret_key=SECRET, security_token=token),))
    dated_s = parse_date(request_.headers["X-Sdk-Date"])
    assert dated_s is not None
    authenticator = Authenticator(access, DialectOptions(), Clock(lambda: dated_s))
    names = ";".join(signed_names(request_))
    authorization = f"SDK-HMAC-SHA256 Access={ACCESS}, SignedHeaders={names}, Signature={signature}"
    headers = {**request_.headers, "Authorization": authorization}
    caller = authenticator.identify(SignedRequest(request_.method, request_.target, headers, request_.body))
    assert caller.person.name == "sweeper"


def test_paths_and_queries_are_encoded_anew() -> None:
    """However a path or query came over the wire, its canonical form is sorted and strictly encoded."""
    request = SignedRequest("GET", "/v2/urn:smn:a/b%7Ec?b=2&a=x%2Cy&a=+&c", {}, b"")
    method, path, query = canonical_request(request, ()).split("\n")[:3]
    assert (method, path) == ("GET", "/v2/urn%3Asmn%3Aa/b~c/")
    assert query == "a=%20&a=x%2Cy&b=2&c="


def test_a_declared_payload_hash_stands_in_for_the_body() -> None:
    """X-Sdk-Content-Sha256 counts only where there is a body."""
    assert payload_hash(b"x", "UNSIGNED-PAYLOAD") == "UNSIGNED-PAYLOAD"
    assert payload_hash(b"", "UNSIGNED-PAYLOAD").startswith("e3b0c442")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SDK-HMAC-SHA1 Access=a, SignedHeaders=b, Signature=c",
        "SDK-HMAC-SHA256 Access=a, Signature=c",
        "SDK-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
    ],
)
def test_other_authorizations_are_not_understood(text: str) -> None:
    """Another algorithm or a missing part makes no authorization."""
    assert parse_authorization(text) is None


def test_an_authorization_is_taken_apart() -> None:
    """Access key, signed headers and signature are read from the header."""
    authorization = parse_authorization("SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=0a")
    assert authorization is not None
    assert authorization.access_key == "AK"
    assert authorization.signed_headers == ("host", "x-sdk-date")
    assert authorization.signature == "0a"


def test_a_date_that_is_none_is_not_read() -> None:
    """X-Sdk-Date has one form only."""
    assert parse_date("20261123T064500Z") == 1_795_416_300.0
    assert parse_date("2026-11-23T06:45:00Z") is None
