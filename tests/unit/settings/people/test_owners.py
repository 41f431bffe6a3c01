"""`owners` in the configuration: what is taken, and what is a mistake."""

from typing import Any

import pytest
from pydantic import ValidationError

from nbsweep.settings import Settings, problems

TARGET: dict[str, Any] = {"name": "lab", "region": "cn-north-4", "project_id": "0123456789abcdef0123456789abcdef"}
CHAIN = [{"file": "owners.yaml"}, {"tag": "contact"}, {"domain": "Example.com"}, {"iam": True}, {"fallback": "platform-team"}]


def settings(owners: Any) -> Settings:
    """Return settings with these owners."""
    return Settings.model_validate({"targets": [TARGET], "policies": [{"name": "p", "match": {"name": "x"}}], "owners": owners})


def mistakes(owners: Any) -> dict[str, str]:
    """Return what is wrong, by its place."""
    with pytest.raises(ValidationError) as caught:
        settings(owners)
    found = list(problems(caught.value))
    assert {problem.given for problem in found} == {None}
    return {".".join(map(str, problem.location)): problem.message for problem in found}


def test_the_chain_of_the_manual_is_taken() -> None:
    """Each part has its key; a domain is in small letters."""
    made = settings(CHAIN)
    assert [part.key for part in made.owners] == ["file", "tag", "domain", "iam", "fallback"]
    assert made.owners[2].domain == "example.com"
    assert settings(()).owners == ()


def test_a_chain_that_was_read_is_taken_again() -> None:
    """As when a part of the configuration is changed."""
    made = settings(CHAIN)
    assert settings(made.owners).owners == made.owners


@pytest.mark.parametrize(
    ("part", "place", "message"),
    [
        ({}, "owners.0", "must have exactly one key: file, tag, domain, iam, fallback"),
        ({"tag": "a", "iam": True}, "owners.0", "must have exactly one key"),
        ({"who": "a"}, "owners.0.who", "is not a key that exists here. There are: file, tag, domain, iam, fallback"),
        ({"file": "owners.txt"}, "owners.0.file", "must end in .yaml, .yml or .csv"),
        ({"file": ""}, "owners.0.file", "must be the path of a file"),
        ({"file": None}, "owners.0.file", "must be text, not null"),
        ({"tag": "a\nb"}, "owners.0.tag", "must be one line"),
        ({"domain": "@example.com"}, "owners.0.domain", "must be a mail domain, such as example.com"),
        ({"domain": "localhost"}, "owners.0.domain", "must be a mail domain"),
        ({"iam": False}, "owners.0.iam", "must be true"),
        ({"fallback": "Team <team@example.com>"}, "owners.0.fallback", "must be one mail address, such as team@example.com"),
        ({"fallback": ""}, "owners.0.fallback", "must be one line"),
        ("contact", "owners.0", "must be a mapping, not text"),
    ],
)
def test_a_wrong_part_is_told_with_what_is_right(part: Any, place: str, message: str) -> None:
    """No value is repeated, because it may be an address."""
    found = mistakes([part])
    assert found[place].startswith(message), found
    assert "team@example.com>" not in str(found)


@pytest.mark.parametrize(
    ("owners", "place", "message"),
    [
        ([{"fallback": "a@b.cd"}, {"iam": True}], "owners.0.fallback", "must be the last part"),
        ([{"fallback": "a@b.cd"}, {"fallback": "x@b.cd"}], "owners.1.fallback", "must be there once: there is one fallback"),
        ([{"iam": True}, {"tag": "a"}, {"iam": True}], "owners.2", "is the same as number 1 of this list"),
        ([{"tag": "a"}, {"tag": "a"}], "owners.1", "is the same as number 1 of this list"),
    ],
)
def test_parts_that_do_not_go_together_are_told(owners: Any, place: str, message: str) -> None:
    """Each with its place."""
    assert mistakes(owners) == {place: message}


def test_iam_must_have_an_address_to_be_asked_at() -> None:
    """Of each target; it follows from the region, or is given."""
    lab = {"name": "lab", "endpoint": "https://modelarts.example", "project_id": "0" * 32}
    other = lab | {"name": "other", "endpoint": "https://other.example"}
    document = {"policies": [{"name": "p", "match": {"name": "x"}}], "owners": [{"tag": "a"}, {"iam": True}]}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({**document, "targets": [TARGET | {"name": "well"}, lab, other]})
    [found] = problems(caught.value)
    assert found.location == ("owners", 1, "iam")
    assert found.message.endswith("which does not follow from the region: set iam_endpoint of lab, other")
    Settings.model_validate({**document, "targets": [lab | {"iam_endpoint": "https://iam.example"}]})


CHANNELS = {
    "mail": {"kind": "smtp", "host": "mail.example.com", "from": "nbsweep@example.com"},
    "ops": {"kind": "slack", "url": "https://hooks.slack.test/x"},
}


@pytest.mark.parametrize(
    ("owners", "message"),
    [
        ([{"fallback": "ops"}], None),
        ([{"fallback": "team@example.com"}], None),
        ([{"file": "owners.yaml"}, {"fallback": "platform team"}], None),
        ([{"fallback": "ooops"}], "is neither a mail address nor a channel (there are mail, ops), and there is no file that"),
        ([{"fallback": "mail"}], "names a channel that needs an address: give the mail address instead"),
    ],
)
def test_a_fallback_must_be_one_that_can_be_found(owners: Any, message: str | None) -> None:
    """As far as the configuration knows; the file may change."""
    document = {
        "targets": [TARGET],
        "policies": [{"name": "p", "match": {"name": "x"}}],
        "channels": CHANNELS,
        "owners": owners,
    }
    if message is None:
        assert Settings.model_validate(document).owners
        return
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(document)
    [found] = problems(caught.value)
    assert (found.location, found.given) == (("owners", 0, "fallback"), None)
    assert found.message.startswith(message)


def test_owners_must_be_a_list() -> None:
    """The order matters."""
    assert mistakes({"iam": True}) == {"owners": "must be a list, not a mapping"}


def test_what_is_shown_of_settings_holds_no_address() -> None:
    """The fallback may be one."""
    assert "example.com" not in repr(settings([{"fallback": "team@example.com"}]))
