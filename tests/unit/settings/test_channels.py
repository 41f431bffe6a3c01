"""`channels` in the configuration: what is taken, and what each mistake says."""

from typing import Any

import pytest
import yaml

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.pacing import Rate
from nbsweep.loading.file import read_settings
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import changed_keys, digest_of_all
from nbsweep.settings.people.channels import SmtpSettings

BASE: dict[str, Any] = {
    "targets": [{"name": "research", "region": "cn-north-4"}],
    "policies": [{"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}}],
}
URL = "https://oapi.dingtalk.com/robot/send?access_token=9f3c7e51a2"
URN = "urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:operators"
MAIL = {"kind": "smtp", "host": "mail.example.com", "from": "nbsweep@example.com"}


def read(channels: Any, environment: dict[str, str] | None = None, *, needs_credentials: bool = True) -> Settings:
    """Read a configuration with these channels."""
    text = yaml.safe_dump({**BASE, "channels": channels})
    return read_settings("nbsweep.yaml", text, environment or {}, needs_credentials=needs_credentials)


def mistakes(channels: Any) -> dict[str, str]:
    """Return the mistakes in these channels, by their places."""
    with pytest.raises(ConfigurationError) as caught:
        read(channels)
    assert "9f3c7e51a2" not in str(caught.value)
    return {mistake.path.removeprefix("channels."): mistake.problem for mistake in caught.value.mistakes}


@pytest.mark.parametrize(
    "channel",
    [
        MAIL,
        {**MAIL, "username": "nbsweep", "password_file": "/run/mail", "tls": "implicit", "port": 4650, "rate": "600/m"},
        {**MAIL, "host": "127.0.0.1", "tls": "none"},
        {"kind": "webhook", "url_file": "/run/url", "secret_file": ["/run/new", "/run/old"], "addressed": True},
        {"kind": "dingtalk", "url": URL, "secret_file": "/run/secret", "rate": "10/m"},
        {"kind": "feishu", "url": "https://open.larksuite.com/open-apis/bot/v2/hook/x"},
        {"kind": "wecom", "url": "http://127.0.0.1:8080/cgi-bin/webhook/send?key=x", "proxy": "none"},
        {"kind": "slack", "url_file": "/run/url"},
        {"kind": "teams", "url_file": "/run/url", "trust_unproven": True},
        {"kind": "smn", "target": "research", "topic_urn": URN},
        {"kind": "apprise", "url": "mqtt://user:password@host/topic", "trust_unproven": True},
    ],
    ids=lambda channel: str(channel["kind"]),
)
def test_each_kind_is_taken(channel: dict[str, Any]) -> None:
    """With the keys that are its own."""
    assert read({"ops": channel}).channels["ops"].kind == channel["kind"]


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("implicit", 465), ("none", 25)])
def test_the_port_of_a_mail_server_follows_from_its_encryption(tls: str, port: int) -> None:
    """Unless it is given."""
    mail = read({"mail": {**MAIL, "host": "localhost", "tls": tls}}).channels["mail"]
    assert isinstance(mail, SmtpSettings)
    assert mail.port_in_force == port


def test_the_rate_is_the_documented_one_unless_a_lower_one_is_given() -> None:
    """DingTalk allows twenty a minute."""
    found = read({"a": {"kind": "dingtalk", "url": URL}, "b": {"kind": "dingtalk", "url": URL, "rate": "5/m"}}).channels
    assert (found["a"].pace, found["b"].pace) == (Rate(20, 60.0), Rate(5, 60.0))


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"ops": {}}, {"ops.kind": "must be given; one of smtp, webhook, dingtalk"}),
        ({"ops": {"kind": "dingtlk"}}, {"ops.kind": "did you mean dingtalk?"}),
        ({"ops": 3}, {"ops": "must be a mapping, not a number"}),
        ({"slack": {"kind": "webhook", "urlfile": "x"}}, {"slack.urlfile": "Did you mean url_file?"}),
        ({"ops": {"kind": "slack", "url": URL, "url_file": "x"}}, {"ops.url_file": "must not be given together with url"}),
        ({"ops": {"kind": "slack"}}, {"ops": "must hold url_file, or url with a ${NAME}"}),
        ({"ops": {"kind": "webhook", "url": URL}}, {"ops": "must hold secret_file, or secret with a ${NAME}"}),
        ({"ops": {"kind": "slack", "url": "http://evil.example/9f3c7e51a2"}}, {"ops.url": "must begin with https://"}),
        ({"ops": {"kind": "slack", "url": "hooks.slack.com/9f3c7e51a2"}}, {"ops.url": "must be an address that begins with"}),
        ({"ops": {"kind": "slack", "url": "https://a:0/9f3c7e51a2"}}, {"ops.url": "must be an address that begins with"}),
        ({"ops": {"kind": "dingtalk", "url": URL, "rate": "30/m"}}, {"ops.rate": "must not be more than 20/m"}),
        ({"ops": {"kind": "dingtalk", "url": URL, "rate": "1/s"}}, {"ops.rate": "must not be more than 20/m"}),
        ({"mail": {**MAIL, "tls": "none"}}, {"mail.tls": "must be starttls or implicit, or mails would travel in clear"}),
        ({"mail": {**MAIL, "from": "nbsweep"}}, {"mail.from": "must be one mail address"}),
        ({"mail": {**MAIL, "from": "a@b.c\r\nBcc: d@e.f"}}, {"mail.from": "must be one mail address"}),
        ({"mail": {**MAIL, "username": "u"}}, {"mail": "must hold password_file, or password with a ${NAME}"}),
        ({"mail": {**MAIL, "password_file": "p"}}, {"mail": "must hold username if it holds a password"}),
        ({"mail": {**MAIL, "from_": "a@b.c"}}, {"mail.from_": "is not a key that exists here"}),
        ({"smn": {"kind": "smn", "target": "reserch", "topic_urn": URN}}, {"smn.target": "Did you mean research?"}),
        (
            {"smn": {"kind": "smn", "target": "research", "topic_urn": "operators"}},
            {"smn.topic_urn": "must be the URN of a topic"},
        ),
        (
            {"ops": {"kind": "slack", "url": URL, "trust_unproven": True}},
            {"ops.trust_unproven": "is not a key that exists here"},
        ),
    ],
)
def test_each_mistake_says_what_is_wrong_at_its_place_and_shows_no_secret(channels: Any, expected: dict[str, str]) -> None:
    """The place is as in the file, without pydantic's names of alternatives."""
    found = mistakes(channels)
    assert found.keys() == expected.keys()
    assert all(part in found[place] for place, part in expected.items()), found


def test_all_mistakes_of_all_channels_are_told_at_once() -> None:
    """So that nobody has to try again for each."""
    found = mistakes({"a": {"kind": "nope"}, "b": {"kind": "slack"}, "c": {"kind": "smn", "target": "x", "topic_urn": URN}})
    assert set(found) == {"a.kind", "b", "c.target"}


def test_secrets_come_from_the_environment_and_are_in_no_repr_dump_or_digest() -> None:
    """A changed secret changes no digest, and the names of changed keys hold no value."""
    channels = {"ops": {"kind": "dingtalk", "url": "${OPS_URL}", "secret": "${OPS_SECRET}"}}
    one = read(channels, {"OPS_URL": URL, "OPS_SECRET": "SEC1234567"})
    two = read(channels, {"OPS_URL": URL, "OPS_SECRET": "SEC7654321"})
    for shown in (repr(one), one.model_dump_json(), str(one.model_dump())):
        assert "9f3c7e51a2" not in shown
        assert "SEC1234567" not in shown
    assert digest_of_all(one) == digest_of_all(two)
    assert changed_keys(one, two) == ("channels.ops.secret",)


def test_a_command_that_only_reads_the_journal_needs_no_secrets_of_channels() -> None:
    """A variable that is not set does not stop `status`; it stops what may send."""
    channels = {"ops": {"kind": "dingtalk", "url": "${OPS_URL}", "secret": "${OPS_SECRET}"}}
    assert "ops" in read(channels, needs_credentials=False).channels
    with pytest.raises(ConfigurationError, match="OPS_URL is not set"):
        read(channels)
