"""What `grace` and `notify` need from `channels` and `owners`: a configuration that could tell nobody is a mistake."""

from typing import Any

import pytest
import yaml

from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.file import read_settings

SLACK = {"kind": "slack", "url": "https://hooks.slack.example/services/x"}
MAIL = {"kind": "smtp", "host": "localhost", "tls": "none", "from": "nbsweep@example.com"}


def document(grace: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """Return a configuration with one policy of this grace, a mail server, a group and a directory."""
    return {
        "targets": [{"name": "research", "region": "cn-north-4", "credentials": {"access_key": "x", "secret_key": "y"}}],
        "policies": [
            {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, **({"grace": grace} if grace else {})}
        ],
        "channels": {"mail": MAIL, "ops": SLACK},
        "owners": [{"domain": "example.com"}],
        **keys,
    }


def mistakes(content: dict[str, Any]) -> dict[str, str]:
    """Return the mistakes in a configuration, by their places."""
    try:
        read_settings("nbsweep.yaml", yaml.safe_dump(content), {})
    except ConfigurationError as error:
        return {mistake.path: mistake.problem for mistake in error.mistakes}
    return {}


def test_a_grace_with_a_channel_and_a_directory_is_right() -> None:
    """Also one that tells a group."""
    assert not mistakes(document({"for": "7d", "tell": ["owner", "ops"]}))


@pytest.mark.parametrize(
    ("grace", "changes", "place", "words"),
    [
        ({"for": "7d"}, {"channels": {}}, "policies[0].grace", "needs channels"),
        ({"for": "7d"}, {"owners": []}, "policies[0].grace", "needs owners"),
        ({"for": "7d"}, {"channels": {"ops": SLACK}}, "policies[0].grace", "needs a channel that takes addresses"),
        ({"for": "7d", "tell": "op"}, {}, "policies[0].grace.tell", "Did you mean ops?"),
        ({"for": "7d", "tell": "mail"}, {}, "policies[0].grace.tell", "write owner to tell the owners"),
        ({"for": "7d", "unless_told": "fallback"}, {}, "policies[0].grace.unless_told", "owners has no fallback"),
        (None, {"channels": {}, "marks": {"min_grace": "7d"}}, "marks.min_grace", "needs channels"),
        ({"for": "7d"}, {"channels": {"mail": MAIL, "fallback": SLACK}}, "channels.fallback", "must have another name"),
        ({"for": "7d"}, {"channels": {"mail": MAIL, "owner": SLACK}}, "channels.owner", "must have another name"),
        (None, {"notify": {"sweep.failed": "opps"}}, "notify.sweep.failed", "Did you mean ops?"),
        (None, {"notify": {"sweep.failed": None}}, "notify.sweep.failed", "must be text, not null"),
        (None, {"notify": {"sweep.failed": "a@example.com"}}, "notify.sweep.failed", "must be made of letters"),
        (None, {"notify": {"sweep.failed": {"channel": "mail"}}}, "notify.sweep.failed.to", "must be given"),
        (None, {"notify": {"sweep.failed": "mail"}}, "notify.sweep.failed", "needs an address"),
        (
            None,
            {"notify": {"sweep.failed": {"channel": "ops", "to": "a@example.com"}}},
            "notify.sweep.failed",
            "has one fixed place",
        ),
    ],
)
def test_what_could_tell_nobody_is_a_mistake(
    grace: dict[str, Any] | None, changes: dict[str, Any], place: str, words: str
) -> None:
    """The message names the key, and what is right."""
    found = mistakes(document(grace, **changes))
    assert list(found) == [place]
    assert words in found[place]


@pytest.mark.parametrize("place", ["ops", {"channel": "mail", "to": "platform@example.com"}])
def test_operators_are_told_by_a_group_or_at_an_address(place: Any) -> None:
    """Both forms, alone or in a list."""
    assert not mistakes(document(notify={"sweep.failed": place, "marks.untold": [place]}))


def test_operators_without_an_address_are_told_at_that_of_the_fallback() -> None:
    """As in the configuration of the design."""
    owners = [{"domain": "example.com"}, {"fallback": "platform@example.com"}]
    assert not mistakes(document(owners=owners, notify={"marks.untold": ["mail"]}))
