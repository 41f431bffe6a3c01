"""Everything that is written anywhere, searched for every secret that was at hand, also in pieces and in disguise.

Secrets are: secret keys, security tokens, passwords, the tokens that IAM and the metadata server hand out, each signature that
was sent, the token of the API, and the `token` and `url` of notebooks. The id of an access key is none by itself, the cloud's
own audit shows it; but nothing needs it, so it is held to the same here.
"""

import base64
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, Json, asked, eventually, free_port, idle
from nbsweep.simulator.state.model import identity

BUGGY = Path(__file__).with_name("buggy.py")
WINDOW = 12
"""So many letters of a secret in a row are a leak."""
STRIDE = 6
SIGN = WINDOW - STRIDE + 1
ACCESS_KEY_ID = "AKmarkQ7ZD2WX9LLTE55"
SECRET = "SKmark+Yz8/qWn4LfTb2Rk7XcVp1HsJd6GmUo9Ea"
SECURITY_TOKEN = "STSmark+hQvGZk3/" + "Xw8nTzLr5YcB/pK2+" * 12 + "mE=="
PASSWORD = "PWmark tR4&nz%Qo9!Vb7"
API_TOKEN = "APImark-uJ3kWz8LpX5vNq2TfYh6"
NOTEBOOK_TOKEN = "NBmark-c7VxPq2LmZr9TkWy4Hs"
NOTEBOOK_URL = "authoring-urlmark-k4Wz9.example.com/lab?token="
KEY = {"access_key": ACCESS_KEY_ID, "secret_key": SECRET, "security_token": SECURITY_TOKEN}
USER = {"name": "sweeper", "password": PASSWORD, "domain": "acct"}
ROW: Json = {"token": NOTEBOOK_TOKEN, "url": f"https://{NOTEBOOK_URL}{NOTEBOOK_TOKEN}"}
FLEET: list[Json] = [
    *(idle(f"nb-{number}", raw=ROW) for number in range(4)),
    idle("fails", raw=ROW),
    idle("lost", raw=ROW),
    idle("bad-1", raw={**ROW, "create_at": NOTEBOOK_TOKEN}),
    idle("bad-2", raw={**ROW, "status": NOTEBOOK_TOKEN}),
    idle("bad-3", raw={**ROW, "status": NOTEBOOK_TOKEN.upper().replace("-", "_")}),
    idle("bad-4", raw={**ROW, "lease": {"type": NOTEBOOK_TOKEN}, "volume": {"capacity": NOTEBOOK_TOKEN}}),
    idle("bad-5", raw={**ROW, "id": {"token": NOTEBOOK_TOKEN}, "tags": [NOTEBOOK_TOKEN]}),
    idle("kept", name="keep-this", raw=ROW),
]
SCRIPT: list[Json] = [
    {"fault": "echo", "kind": "list_all"},
    {"fault": "echo", "kind": "workspaces"},
    {"fault": "echo", "kind": "delete", "notebook_id": "lost"},
    {"fault": "reset_after", "kind": "delete", "notebook_id": "nb-1"},
    {"fault": "html_502", "kind": "show", "times": 2},
    {"fault": "error", "kind": "list_all", "error_msg": f"at https://{NOTEBOOK_URL}{NOTEBOOK_TOKEN} with {SECURITY_TOKEN}"},
    {"fault": "error", "kind": "delete", "error_code": NOTEBOOK_TOKEN * 2, "error_msg": f"token={NOTEBOOK_TOKEN}"},
    {"fault": "delete_failed", "notebook_id": "fails", "times": 9},
]


# ---- the search ------------------------------------------------------------------------------------------------------------


def disguises(secret: str) -> Iterator[bytes]:
    """Give a secret as it is, and in the shapes in which bytes are written down elsewhere."""
    plain = secret.encode()
    yield plain
    yield repr(plain).encode()
    yield plain.hex().encode()
    yield quote(secret, safe="").encode()
    for ahead in range(3):
        # The letters of what lies around it are cut off: the first ones hold bits of `ahead`, the last ones of what follows.
        packed = base64.b64encode(bytes(ahead) + plain)[4 if ahead else 0 : -4]
        yield packed
        yield packed.translate(bytes.maketrans(b"+/", b"-_"))


def windows(text: bytes, length: int) -> Iterator[bytes]:
    """Give every piece of a length."""
    return (text[start : start + length] for start in range(len(text) - length + 1))


@dataclass
class Search:
    """What was written, by where, and what must not be in it."""

    desk: Desk
    written: dict[str, bytes] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def heard(self, *commands: Ended) -> None:
        """Take what commands have written to stdout and stderr, and every file that is there now."""
        for ended in commands:
            self.take("stdout", ended.out.encode())
            self.take("stderr", ended.err.encode())
        for path in self.desk.folder.rglob("*"):
            if path.is_file() and path not in (self.desk.config, self.desk.folder / "secret"):
                self.take(str(path), path.read_bytes())

    def take(self, place: str, content: bytes) -> None:
        """Take what was written somewhere."""
        self.written[f"{len(self.written)}: {place}"] = content

    def sent(self, cloud: Cloud) -> None:
        """Take note of every signature and token with which the cloud was called."""
        self.secrets |= {request["proof"] for request in cloud.requests() if request["proof"]}

    def leaks(self) -> list[tuple[str, bytes]]:
        """Find pieces of secrets."""
        pieces = {piece.lower() for secret in self.secrets for shape in disguises(secret) for piece in windows(shape, WINDOW)}
        signs = {sign for piece in pieces for sign in windows(piece, SIGN)}
        suspects = ((place, piece) for place, content in self.written.items() for piece in _suspects(content.lower(), signs))
        return sorted({(place, piece) for place, piece in suspects if piece in pieces})


def _suspects(content: bytes, signs: set[bytes]) -> Iterator[bytes]:
    """Give the pieces of a content that may be of a secret: every sixth letter begins seven that lie within such a piece."""
    for start in range(0, len(content) - SIGN + 1, STRIDE):
        if content[start : start + SIGN] in signs:
            yield from windows(content[max(0, start - STRIDE + 1) : start + WINDOW], WINDOW)


@pytest.fixture
def search(desk: Desk) -> Search:
    """Search whatever is written at the desk for the secrets that all tests share."""
    return Search(desk, secrets={ACCESS_KEY_ID, SECRET, SECURITY_TOKEN, PASSWORD, API_TOKEN, NOTEBOOK_TOKEN, NOTEBOOK_URL})


def debugging(desk: Desk, cloud: Cloud | str, credentials: Json | None, **groups: Any) -> None:
    """Write a configuration that tells as much as it can."""
    groups = {"logging": {"level": "debug"}, "protect": [{"name": "keep-*"}], **groups}
    desk.write(cloud, target={"credentials": credentials} | groups.pop("target", {}), **groups)


def run_all(desk: Desk, search: Search, *more: tuple[str, ...]) -> None:
    """Run the commands that call the cloud, and some more before the sweep."""
    commands = [("check",), *more, ("explain", "nb-0"), ("run", "--yes", "--format", "json"), *AFTERWARDS]
    search.heard(*(desk.run(*command) for command in commands))
    assert (desk.folder / "trail.jsonl").stat().st_size > 0


# ---- the search is one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        f"...{SECRET[5:18]}...",
        SECRET.upper(),
        quote(SECRET, safe=""),
        repr(SECRET.encode()),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f'{{"k": "{SECRET}"}}'.encode()).decode(),
    ],
)
def test_the_search_finds_a_secret_in_any_shape(search: Search, written: str) -> None:
    """As it is, in pieces, percent-encoded, as hexadecimal digits, and inside of base64."""
    search.take("a log", f"before {written} after".encode())
    assert search.leaks() != []


def test_the_search_finds_nothing_where_nothing_is(search: Search) -> None:
    """Words about secrets are none."""
    search.take("a log", b"access_key, secret_key and security_token of nb-0: Signature=*** at https://***")
    assert search.leaks() == []


# ---- the commands ----------------------------------------------------------------------------------------------------------


AFTERWARDS = (
    ("history", "--format", "json"),
    ("audit", "--format", "json"),
    ("audit", "verify"),
    ("audit", "export", "--out", "trail.jsonl"),
)
PLAN = ("plan", "--out", "plan.json")
OTHERS = (
    ("check", "--format", "json"),
    ("plan", "--format", "csv"),
    ("explain", "bad-1", "--format", "json"),
    ("run", "--dry-run"),
    ("run", "--dry-run", "--plan", "plan.json"),
    ("status",),
)


@pytest.mark.parametrize(("format_", "commands"), [("json", OTHERS), ("console", ())], ids=["json", "console"])
def test_no_command_writes_a_secret_down(
    simulate: Simulate, desk: Desk, search: Search, format_: str, commands: Sequence[tuple[str, ...]]
) -> None:
    """With keys and a security token, a cloud that repeats what it is sent, and rows that hold tokens where they should not."""
    cloud = simulate(FLEET, access={"access_keys": [KEY]}, faults={"script": SCRIPT}, dialect={"mask_security_token": False})
    debugging(desk, cloud, KEY, logging={"level": "debug", "format": format_})
    run_all(desk, search, PLAN, *commands)
    search.sent(cloud)
    assert len(cloud.gone()) == 5
    assert {request["fault"] for request in cloud.requests()} >= {"echo", "error", "reset_after", "html_502"}
    assert len(search.secrets) > 20
    assert search.leaks() == []


def test_no_token_that_was_issued_is_written_down(simulate: Simulate, desk: Desk, search: Search) -> None:
    """IAM's tokens and the password that they cost; one ends early, and another one is issued."""
    cloud = simulate(FLEET, access={"users": [USER]}, faults={"script": SCRIPT})
    user = {"username": "sweeper", "password": PASSWORD, "domain": "acct", "iam_endpoint": cloud.url}
    debugging(desk, cloud, user)
    run_all(desk, search, PLAN)
    search.sent(cloud)
    assert any(secret.startswith("token-secret-iam-") for secret in search.secrets)
    debugging(desk, cloud, user | {"password": f"{PASSWORD} and more"})
    search.heard(desk.sweep(), desk.run("check"))
    assert search.leaks() == []


def test_no_key_of_an_agency_is_written_down(simulate: Simulate, desk: Desk, search: Search) -> None:
    """The metadata server's token, and the keys that it hands out."""
    cloud = simulate(FLEET, faults={"script": SCRIPT})
    debugging(desk, cloud, None)
    desk.environment = {"NBSWEEP_METADATA_ENDPOINT": cloud.url}
    run_all(desk, search, PLAN)
    search.sent(cloud)
    for number in range(1, 9):
        search.secrets |= {identity("secret", number), f"token-secret-metadata-{identity('metadata', number)}"}
        search.secrets |= {identity("sts", number), identity("access", number)[:16].upper()}
    assert len(cloud.gone()) == 5
    assert search.leaks() == []


@pytest.mark.parametrize(
    "credentials",
    [
        KEY | {"secret_key": f"{SECRET}x"},
        KEY | {"access_key": "AKwrong-W4kZp8"},
        KEY | {"security_token": SECURITY_TOKEN[:-3]},
        {"access_key": ACCESS_KEY_ID, "secret_key": SECRET},
        KEY | {"secret_key": f"{SECRET}\n{SECRET}"},
        KEY | {"secretkey": SECRET},
        KEY | {"secret_key": [SECRET]},
    ],
)
def test_no_refusal_writes_a_secret_down(simulate: Simulate, desk: Desk, search: Search, credentials: Json) -> None:
    """Keys that are wrong, that are none, or that stand at the wrong place."""
    cloud = simulate(FLEET, access={"access_keys": [KEY]}, dialect={"mask_security_token": False})
    debugging(desk, cloud, credentials)
    ended = [desk.sweep(), desk.run("check")]
    search.heard(*ended)
    search.sent(cloud)
    assert {one.code for one in ended} <= {1, 2, 5}
    assert search.leaks() == []


@pytest.mark.parametrize("place", ["sign", "page", "show", "token", "metadata"])
def test_no_trace_of_a_bug_holds_a_secret(simulate: Simulate, desk: Desk, search: Search, place: str) -> None:
    """A bug where secrets are at hand: the trace is written, as it has to be, and the journal is closed."""
    cloud = simulate(FLEET, access={"access_keys": [KEY], "users": [USER]})
    user = {"username": "sweeper", "password": PASSWORD, "domain": "acct", "iam_endpoint": cloud.url}
    debugging(desk, cloud, {"token": user, "metadata": None}.get(place, KEY))
    desk.environment = {"NBSWEEP_METADATA_ENDPOINT": cloud.url, "PYTHONASYNCIODEBUG": "1"}
    buggy = replace(desk, program=(sys.executable, str(BUGGY), place))
    ended = [buggy.run("run", "--yes"), buggy.run("explain", "nb-0")]
    search.heard(*ended)
    search.sent(cloud)
    search.secrets |= {identity("secret", 1), identity("sts", 1), f"token-secret-metadata-{identity('metadata', 1)}"}
    traces = [one.err for one in ended if "Traceback" in one.err]
    assert traces
    assert all("ZeroDivisionError" in trace for trace in traces)
    assert cloud.gone() == set()
    assert search.leaks() == []


def test_neither_the_service_nor_its_journal_at_work_holds_a_secret(simulate: Simulate, desk: Desk, search: Search) -> None:
    """Log, web face and the journal with its write-ahead log, while it sweeps and after `kill -9`."""
    (desk.folder / "secret").write_text(f"{API_TOKEN}\n")
    (desk.folder / "secret").chmod(0o600)
    cloud = simulate(FLEET, access={"access_keys": [KEY]}, faults={"script": SCRIPT[2:]})
    address = f"127.0.0.1:{free_port()}"
    service = {"listen": address, "api_token_file": str(desk.folder / "secret")}
    debugging(desk, cloud, KEY, mode="enforce", schedule={"cron": "*/2 * * * * *"}, service=service)
    with desk.started("serve") as started:
        eventually(lambda: len(cloud.gone()) == 5, "the fleet is gone")
        for path in ("/metrics", "/healthz", "/readyz", "/api/v1/runs", "/api/v1/targets", "/api/v1/nothing"):
            for token in (API_TOKEN, f"{API_TOKEN}x", ""):
                search.take(path, asked(address, "GET", path, token)[1].encode())
        search.take("sweep", asked(address, "POST", f"/api/v1/targets/{API_TOKEN[:5]}/sweep?token=x", API_TOKEN)[1].encode())
        assert desk.journal.with_name("journal.db-wal").stat().st_size > 0
        search.heard()
        started.signal(signal.SIGKILL)
        search.heard(started.ended())
    search.sent(cloud)
    assert search.leaks() == []
