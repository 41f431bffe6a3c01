"""`simulator`: what it prints and writes is enough to use it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from acceptance.support import ACCESS_KEY, SECRET_KEY, Desk, Json, Started, eventually


@contextmanager
def simulator(desk: Desk, *arguments: str) -> Iterator[tuple[Started, Json]]:
    """Run `simulator` meanwhile; give its process and its ready line."""
    desk.names_config = False
    with desk.started("simulator", "--notebooks", "12", *arguments) as started:
        eventually(lambda: b"\n" in started.out or started.process.poll() is not None, "a ready line")
        yield started, json.loads(started.out)


def test_the_ready_line_holds_the_whole_pair_of_keys(desk: Desk) -> None:
    """They are of the simulated cloud, and no secrets."""
    with simulator(desk) as (_, ready):
        assert (ready["access_key"], ready["secret_key"]) == (ACCESS_KEY, SECRET_KEY)


def test_the_configuration_that_it_writes_is_ready(desk: Desk) -> None:
    """`check` and `plan` work with it as it is, also if IAM is asked for the owners, and the journal is beside it."""
    with simulator(desk, "--write-config", str(desk.config)):
        desk.names_config = True
        assert desk.run("check").code == 0
        ended = desk.run("plan", "--format", "json")
        with desk.config.open("a", encoding="utf-8") as file:
            file.write("owners: [{iam: true}]\n")
        assert desk.run("check").code == 0
    assert ended.code == 0
    assert len(ended.document["items"]) + sum(ended.document["kept"].values()) == 12
    assert (desk.folder / "nbsweep.db").exists()


def test_it_writes_its_own_file_anew(desk: Desk) -> None:
    """The next cloud has another port, and the file follows it."""
    for _ in range(2):
        with simulator(desk, "--write-config", str(desk.config)) as (_, ready):
            assert f"endpoint: {ready['url']}\n" in desk.config.read_text(encoding="utf-8")


def test_it_never_overwrites_another_file(desk: Desk) -> None:
    """Exit 2 before it serves; the file stays as it was."""
    desk.config.write_text("mode: dry-run\n", encoding="utf-8")
    ended = desk.run("simulator", "--write-config", str(desk.config))
    assert ended.code == 2
    assert "this command did not write it" in " ".join(ended.err.split())
    assert desk.config.read_text(encoding="utf-8") == "mode: dry-run\n"


def test_a_file_that_cannot_be_written_is_told(desk: Desk) -> None:
    """A folder that does not exist is a mistake of the command line, and not a traceback."""
    ended = desk.run("simulator", "--write-config", "nowhere/nbsweep.yaml")
    assert ended.code == 2
    assert "No such file or directory" in " ".join(ended.err.split())


def test_a_cloud_of_users_gets_a_configuration_that_signs_in(desk: Desk) -> None:
    """Without access keys the configuration has the first user."""
    (desk.folder / "options.json").write_text('{"access": {"access_keys": []}, "fleet": {"notebooks": 3}}', encoding="utf-8")
    with simulator(desk, "--options", "options.json", "--write-config", str(desk.config)) as (_, ready):
        assert ready["secret_key"] is None
        desk.names_config = True
        assert desk.run("plan").code == 0
