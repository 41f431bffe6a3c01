"""No piece of a secret is told, wherever it stands in a journal's address and however that is mistyped."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.address import parse_address
from nbsweep.core.errors import ConfigurationError, JournalError
from nbsweep.loading.file import load_settings

PIECE = 3
LETTERS = "QXZJVKWY0789"
"""None of what the program says holds three of these in a row."""

words = st.text(LETTERS, min_size=PIECE, max_size=8)
secrets = st.lists(words, min_size=1, max_size=4).flatmap(
    lambda parts: st.lists(st.sampled_from("@:/?#% &=!'\"\\[]é+"), min_size=len(parts) - 1, max_size=len(parts) - 1).map(
        lambda marks: "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))
    )
)
PLACES = [
    "postgresql://nb:{}@db/x",
    "postgresql://nb:{}@db:5432/x?sslmode=require",
    "postgresql://nb:{}@127.0.0.1:1/x",
    "postgresql://nb@127.0.0.1:1/x?password={}",
    "postgresql://127.0.0.1:1/x?user=nb&password={}",
    "postgresql://nb@127.0.0.1:1/x?sslpassword={}&connect_timeout=1",
    "postgresql://nb@127.0.0.1:1/x?options={}",
    "postgresql://nb@127.0.0.1:1/x?passwd={}",
    "postgresql://nb@127.0.0.1:1/x?{}",
    "postgresql://nb/{}@db/x",
    "postgresql://nb@{}@db/x",
    "postgresql://:{}@db/x",
    "postgresql:///nb:{}@db/x",
    "postgresql:/nb:{}@db/x",
    "postgresql:nb:{}@db/x",
    "postgres://nb:{}@db/x",
    "postgresql+asyncpg://nb:{}@db/x",
    "{}://nb@db/x",
    "nb:{}@db/x",
    "host=db user=nb password={}",
    "sqlite:///nb:{}@db/x",
    "sqlite://nb:{}@db/x",
    "sqlite:////x.db?key={}",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for all examples."""
    return tmp_path_factory.mktemp("configuration")


def pieces(secret: str) -> set[str]:
    """Return every piece of the secret's words, which are what is secret about it."""
    runs = "".join(letter if letter in LETTERS else " " for letter in secret).split()
    return {run[start : start + PIECE] for run in runs for start in range(len(run) - PIECE + 1)}


def told_by_configuration(folder: Path, text: str) -> str:
    """Read a configuration with that text, and give what is said."""
    path = folder / "nbsweep.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        return repr(load_settings(path, {}))
    except ConfigurationError as error:
        return str(error)


async def told_by_journal(address: str) -> str:
    """Open the journal, and give what is said, and where it is said to be."""
    try:
        place = parse_address(address).place
        async with open_journal(address):
            return place
    except JournalError as error:
        return f"{error}"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=secrets, place=st.sampled_from(PLACES), encoded=st.booleans())
@example(secret="QXZ@0789", place="postgresql://nb:{}@db/x", encoded=False)
@example(secret="QXZ07/89QXZ", place="sqlite:///nb:{}@db/x", encoded=False)
@example(secret="QXZ0789", place="postgresql://nb@127.0.0.1:1/x?password={}", encoded=False)
async def test_no_piece_of_a_secret_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, secret: str, place: str, *, encoded: bool
) -> None:
    """By the configuration, whether the address stands right there or by mistake in the place of a key; nor by the journal."""
    monkeypatch.chdir(folder)
    address = place.format(quote(secret, safe="") if encoded else secret)
    told = [
        told_by_configuration(folder, json.dumps({"journal": address, "targets": [], "policies": []})),
        told_by_configuration(folder, f"journal: {address}\ntargets: []\n"),
        told_by_configuration(folder, json.dumps({"journal": {address: None}, address: 1, "targets": []})),
    ]
    if not address.startswith("sqlite:////"):
        told.append(await told_by_journal(address))
    for text in told:
        # The path of the file is shown, and its numbers may be those of a secret by chance.
        assert not [piece for piece in pieces(secret) if piece in text.replace(str(folder), "")], text


def test_a_key_that_is_one_is_told(folder: Path) -> None:
    """Its name says nothing of its value, also where that is a secret."""
    target = {"name": "lab", "credentials": {"username": "nb", "password": ["QXZ"], "domain": "d"}}
    told = told_by_configuration(folder, json.dumps({"targets": [target]}))
    assert "targets[0].credentials.password" in told
    assert "QXZ" not in told


async def test_a_password_of_the_environment_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver takes it from there, and may name it."""
    monkeypatch.setenv("PGPASSWORD", "127.0.0.1")
    assert "127.0.0" not in (await told_by_journal("postgresql://nb@localhost:1/x")).replace("localhost", "")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("postgresql://nb:pw@db.example.com:5433/x?sslmode=require", "postgresql://nb@db.example.com/x"),
        ("postgresql+psycopg://nb@db/x", "postgresql://nb@db/x"),
        ("postgresql://db/x?user=nb&password=pw", "postgresql://nb@db/x"),
        ("postgresql://nb@/x?host=/run/postgresql&port=5433", "postgresql://nb@[/run/postgresql]/x"),
        ("postgresql://n%40b:p%40w@[::1]/x", "postgresql://n%40b@[::1]/x"),
        ("postgresql:///x", "postgresql:///x"),
    ],
)
def test_user_host_and_database_are_shown_and_nothing_else(address: str, place: str) -> None:
    """Neither port nor any option, for an option may be anything."""
    assert parse_address(address).place == place
