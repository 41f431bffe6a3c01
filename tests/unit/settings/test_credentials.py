"""The forms of `credentials`: exactly one, and complete."""

from typing import Any

import pytest
from pydantic import ValidationError

from nbsweep.settings import Settings, TargetSettings, problems

TARGET = {"name": "t", "region": "cn-north-4", "project_id": "0" * 32}
POLICY = {"name": "idle", "match": {"status": "STOPPED"}}
USER = {"username": "u", "password": "p w", "domain": "d"}


def target(credentials: dict[str, Any], **keys: Any) -> TargetSettings:
    """Make a target with such credentials."""
    return TargetSettings.model_validate({**TARGET, **keys, "credentials": credentials})


def mistakes(credentials: Any, **keys: Any) -> dict[str, str]:
    """Return the sentences about a target with such credentials, by place."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"targets": [{**TARGET, **keys, "credentials": credentials}], "policies": [POLICY]})
    found = {".".join(map(str, problem.location[2:])): problem.message for problem in problems(caught.value)}
    assert "S3CRET" not in f"{found} {caught.value}"
    return found


@pytest.mark.parametrize(
    "credentials",
    [
        {"access_key": "a", "secret_key": "s"},
        {"access_key": "a", "secret_key_file": "/run/secrets/sk"},
        {"access_key": "a", "secret_key": "s", "security_token": "t"},
        {"access_key": "a", "secret_key": "s", "security_token_file": "t"},
        {"access_key": "a", "secret_key": "s", "username": None, "agency": None},
        USER,
        {"username": "u", "password_file": "pw", "domain": "d", "iam_endpoint": "https://iam.example.com/"},
        {"agency": "metadata"},
        {"access_key": "a", "secret_key": "s", "iam_endpoint": "https://iam.example.com"},
        {"agency": "metadata", "iam_endpoint": "https://iam.example.com"},
    ],
)
def test_these_forms_there_are(credentials: dict[str, Any]) -> None:
    """Keys, a user, an agency, each with IAM's address where that is wanted; null is as good as left out."""
    made = target(credentials).credentials
    assert made is not None
    assert "p w" not in f"{made!r} {made}"


@pytest.mark.parametrize(
    ("credentials", "place", "words"),
    [
        ({}, "credentials", "must hold access_key and secret_key, or username"),
        ({"access_key": None}, "credentials", "must hold access_key and secret_key, or username"),
        ({"iam_endpoint": "https://iam.example.com"}, "credentials", "must hold access_key and secret_key, or username"),
        ({"access_key": "a"}, "credentials.secret_key", "must be given. The secret access key"),
        ({"secret_key": "S3CRET"}, "credentials.access_key", "must be given. The access key id"),
        ({"security_token_file": "t"}, "credentials.access_key", "must be given"),
        ({"username": "u", "domain": "d"}, "credentials.password", "must be given. The IAM user's password"),
        ({"username": "u", "password": "S3CRET"}, "credentials.domain", "must be given. The account's name"),
        ({"password_file": "p", "domain": "d"}, "credentials.username", "must be given. The name of an IAM user"),
        ({**USER, "password_file": "p"}, "credentials.password_file", "must not be given together with password"),
        (
            {"access_key": "a", "secret_key": "S3CRET", "secret_key_file": "s"},
            "credentials.secret_key_file",
            "must not be given together with secret_key",
        ),
        ({**USER, "access_key": "a", "secret_key": "S3CRET"}, "credentials", "mix keys and a user: give one of"),
        ({**USER, "agency": "metadata"}, "credentials", "mix a user and an agency: give one of"),
        ({"agency": "ecs"}, "credentials.agency", "must be metadata"),
        ({**USER, "password": "S3CRET\n"}, "credentials.password", "look for a line end in it"),
        ({**USER, "password": ""}, "credentials.password", "not empty"),
        ({**USER, "iam_endpoint": "http://iam.example.com"}, "credentials.iam_endpoint", "must begin with https://"),
        ({"access_key": "a", "secret_key_file": ""}, "credentials.secret_key_file", "must be the path of a file"),
    ],
)
def test_what_is_no_form_is_named_with_what_is_missing(credentials: dict[str, Any], place: str, words: str) -> None:
    """One message, at the very place, and never a secret."""
    found = mistakes(credentials)
    if place == "credentials.access_key" and "secret_key" not in credentials:
        assert found.pop("credentials.secret_key")
    assert set(found) == {place}
    assert words in found[place]


def test_the_address_of_iam_follows_from_the_region() -> None:
    """Unless it is given."""
    assert target(USER).iam_url == "https://iam.cn-north-4.myhuaweicloud.com"
    assert target({**USER, "iam_endpoint": "https://iam.example.com/"}).iam_url == "https://iam.example.com"
    assert target({**USER, "iam_endpoint": "http://127.0.0.1:8080"}).iam_url == "http://127.0.0.1:8080"


@pytest.mark.parametrize("region", [None, "eu-west-101"])
def test_without_a_known_region_it_must_be_given(region: str | None) -> None:
    """A password goes nowhere by guess."""
    away = {"endpoint": "https://modelarts.example.com", "region": region}
    assert "must have an iam_endpoint" in mistakes(USER, **away)["credentials"]
    assert target({**USER, "iam_endpoint": "https://iam.example.com"}, **away).iam_url == "https://iam.example.com"
    assert target({"access_key": "a", "secret_key": "s"}, **away).credentials


def test_a_region_that_is_wrong_is_reported_once() -> None:
    """What follows from it is no mistake of its own."""
    assert set(mistakes(USER, region="cn-nowhere-1")) == {"region"}
