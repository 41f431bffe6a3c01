import json
import socket
from collections.abc import Iterator

import pytest

from acceptance.support import ACCESS_KEY, PROJECT, SECRET_KEY, Desk, Ended, Json, target, without_root_powers


class Listener:
    """An address that nobody answers at, and that knows whether anybody called."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def was_called(self) -> bool:
        """Tell whether a connection was made."""
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Give an address at which no call must ever arrive."""
    found = Listener()
    try:
        yield found
    finally:
        found.close()


def assert_refused(ended: Ended, listener: Listener, desk: Desk) -> None:
    """Assert what holds for every configuration that cannot be used."""
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert not listener.was_called()
    assert not desk.journal.exists()


def mistakes(ended: Ended) -> list[tuple[str, int | None]]:
    """Tell where the mistakes are: paths and lines."""
    return [(mistake["path"], mistake["line"]) for mistake in ended.error["mistakes"]]


ALL_AT_ONCE = """\
journal: sqlite:///{journal}
modus: enforce
schedule: {{cron: "61 3 * * *"}}
targets:
  - name: lab
    endpoint: {url}
    project_id: {project}
    credentials: {{access_key: "${{NOT_SET_ANYWHERE}}", secret_key: b}}
    limits: {{delete: fast, list: 0/s}}
  - name: field
    endpoint: {url}
    project_id: {project}
    scope: everybody
policies:
  - name: first
    match: {{idle_over: fortnight}}
  - name: second
    match:
      name: "[abc"
      status: [STOPPED, SLEEPING]
  - name: third
    match: {{status: [DELETING]}}
removal:
  retries: many
  grace: 5
brakes: {{max_share: 101%, on_excess: ignore}}
"""


def test_all_mistakes_of_a_file_are_told_at_once_each_with_its_line(desk: Desk, listener: Listener) -> None:
    """Fourteen mistakes, fourteen places; and none of them says what the value was."""
    desk.config.write_text(ALL_AT_ONCE.format(journal=desk.journal, url=listener.url, project=PROJECT), encoding="utf-8")
    ended = desk.run("run", "--yes")
    assert_refused(ended, listener, desk)
    assert sorted(mistakes(ended), key=lambda place: (place[1] or 0, place[0])) == [
        ("modus", 2),
        ("schedule.cron", 3),
        ("targets[0].credentials.access_key", 8),
        ("targets[0].limits.delete", 9),
        ("targets[0].limits.list", 9),
        ("targets[1].scope", 13),
        ("policies[0].match.idle_over", 16),
        ("policies[1].match.name", 19),
        ("policies[1].match.status[1]", 20),
        ("policies[2].match.status[0]", 22),
        ("removal.retries", 24),
        ("removal.grace", 25),
        ("brakes.max_share", 26),
        ("brakes.on_excess", 26),
    ]
    assert all(len(mistake["problem"]) > 10 for mistake in ended.error["mistakes"])


def test_what_would_be_right_is_said_of_every_mistake(desk: Desk, listener: Listener) -> None:
    """Equal names, empty lists, keys in clear, a missing unit: each with a word that helps."""
    document = usable(desk, listener)
    document["targets"] += [document["targets"][0], target("http://192.0.2.1", name="clear")]
    document |= {"policies": "all", "protect": [{}, {"age_over": 30}], "brake": {}, "polling": {"interval": "2s"}}
    document["polling"]["max_interval"] = "1s"
    desk.config.write_text(json.dumps(document, indent=1), encoding="utf-8")
    ended = desk.run("run", "--yes")
    assert_refused(ended, listener, desk)
    hints = {
        "targets[1].name": "same",
        "targets[2].endpoint": "https://",
        "policies": "must be a list, not text",
        "protect[0]": "at least one condition",
        "protect[1].age_over": "unit",
        "brake": "brakes",
        "polling.max_interval": "interval",
    }
    said = {mistake["path"]: mistake["problem"] for mistake in ended.error["mistakes"]}
    assert said.keys() == hints.keys()
    assert {path: hint in said[path] for path, hint in hints.items()} == dict.fromkeys(hints, True)
    lines = desk.config.read_text(encoding="utf-8").splitlines()
    places = {mistake["path"]: lines[mistake["line"] - 1].strip() for mistake in ended.error["mistakes"]}
    assert places["targets[2].endpoint"] == '"endpoint": "http://192.0.2.1",'
    assert places["policies"].startswith('"policies"')


def test_one_mistake_is_enough(desk: Desk, listener: Listener) -> None:
    """An empty policy list by itself keeps the program from doing anything."""
    desk.config.write_text(json.dumps(usable(desk, listener) | {"policies": []}), encoding="utf-8")
    ended = desk.run("run", "--yes")
    assert_refused(ended, listener, desk)
    assert mistakes(ended) == [("policies", 1)]


def usable(desk: Desk, listener: Listener) -> Json:
    """Give a configuration that is right."""
    return {
        "journal": f"sqlite:///{desk.journal}",
        "targets": [target(listener.url)],
        "policies": [{"name": "idle", "match": {"idle_over": "14d"}}],
    }


def test_a_file_that_is_not_there_is_named(desk: Desk, listener: Listener) -> None:
    """With --config: the name of the file and what is wrong with it."""
    ended = desk.run("run", "--yes")
    assert_refused(ended, listener, desk)
    assert str(desk.config) in ended.error["error"]
    assert mistakes(ended) == [("", None)]


def test_where_a_file_was_looked_for_is_told(desk: Desk, listener: Listener) -> None:
    """Without --config and $NBSWEEP_CONFIG: the usual places."""
    desk.names_config = False
    ended = desk.run("plan")
    assert_refused(ended, listener, desk)
    assert "nbsweep.yaml" in ended.error["mistakes"][0]["problem"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"targets: [a, b\npolicies: ]", 2),
        (b"name: \xff\xfe", 1),
    ],
)
def test_a_file_that_is_no_yaml_is_told_with_its_line(content: bytes, line: int, desk: Desk, listener: Listener) -> None:
    """Unclosed brackets, other encodings."""
    desk.config.write_bytes(content)
    ended = desk.run("run", "--yes")
    assert_refused(ended, listener, desk)
    assert line in [mistake["line"] for mistake in ended.error["mistakes"]]


def test_a_folder_or_an_unreadable_file_is_no_configuration(desk: Desk, listener: Listener) -> None:
    """Both are told in the system's words."""
    desk.config.mkdir()
    folder = desk.run("run", "--yes")
    assert_refused(folder, listener, desk)
    desk.config.rmdir()
    desk.config.write_text("targets: []", encoding="utf-8")
    desk.config.chmod(0)
    unreadable = desk.run("run", "--yes", prepare=without_root_powers)
    assert_refused(unreadable, listener, desk)
    assert "ermission denied" in unreadable.error["mistakes"][0]["problem"]


def test_no_mistake_ever_quotes_a_secret(desk: Desk, listener: Listener) -> None:
    """Keys in the wrong places are told by place, never by value."""
    document = usable(desk, listener)
    document["targets"][0]["credentials"] = {"access_key": ACCESS_KEY, "secret_key": [SECRET_KEY], "secretkey": SECRET_KEY}
    document["targets"][0]["limits"]["delete"] = SECRET_KEY
    document["journal"] = f"postgresql://user:{SECRET_KEY}@host/db?x={SECRET_KEY}"
    desk.config.write_text(json.dumps(document), encoding="utf-8")
    ended = desk.run("run", "--yes")
    assert ended.code == 2
    assert SECRET_KEY not in ended.err + ended.out


def test_what_would_be_read_as_something_else_is_refused(desk: Desk, listener: Listener) -> None:
    """A number that YAML takes for another, and a variable that holds several names where one is meant."""
    document = usable(desk, listener) | {"protect": [{"owner": ["${OWNERS}"]}, {"tags": {"keep": ["yes", "${WORD}"]}}]}
    text = json.dumps(document | {"brakes": {"max_deletions": "MOST", "max_per_owner": "FEW"}})
    desk.config.write_text(text.replace('"MOST"', "0100").replace('"FEW"', "1:40"), encoding="utf-8")
    desk.environment |= {"OWNERS": "ana.lopez, li.zhang", "WORD": "please"}
    ended = desk.run("run", "--yes")
    assert_refused(ended, listener, desk)
    problems = {mistake["path"]: mistake["problem"] for mistake in ended.error["mistakes"]}
    assert set(problems) == {"protect[0].owner[0]", "brakes.max_deletions", "brakes.max_per_owner"}
    assert "write a list" in problems["protect[0].owner[0]"]
    assert "plain decimal digits" in problems["brakes.max_deletions"]


def test_without_a_terminal_deleting_needs_a_yes(desk: Desk, listener: Listener) -> None:
    """Exit 2, and what to say; nothing is opened and nobody called."""
    desk.config.write_text(json.dumps({**usable(desk, listener), "mode": "enforce"}), encoding="utf-8")
    ended = desk.run("run")
    assert_refused(ended, listener, desk)
    assert "--yes" in ended.err
    assert "--dry-run" in ended.err


def test_a_wrong_command_line_is_told_in_plain_words(desk: Desk, listener: Listener) -> None:
    """Options that contradict each other: exit 2."""
    desk.config.write_text(json.dumps(usable(desk, listener)), encoding="utf-8")
    assert_refused(desk.run("run", "--dry-run", "--yes"), listener, desk)
