"""A place where owners and operators are told: mail server, robot, cloud and command, whose clocks are put forward together."""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from anyio.from_thread import start_blocking_portal

from acceptance.support import Cloud, Desk, Ended, Json
from mail_server import Mail, MailServer, mail_server
from robots import SECRET, Robot, robots

SLEPT = Path(__file__).with_name("slept.py")
ZONE = "Asia/Shanghai"
HEADINGS: Mapping[str, str] = {
    r"\d+ notebooks? WILL BE DELETED": "announce",
    r"REMINDER: \d+ notebooks? WILL BE DELETED SOON": "remind",
    r"\d+ notebooks? WILL NOT BE DELETED": "cleared",
    r"\d+ notebooks? (WAS|WERE) DELETED": "deleted",
}
ENTRY = re.compile(r"(?m)^\d+\. (?P<name>.+)$(?P<rest>(?:\n(?!\d+\. ).*)*)")
DEADLINE = re.compile(r"not before \w+ (\d{4}-\d\d-\d\d \d\d:\d\d) \(Asia/Shanghai\)")
LINK = re.compile(r"https?://\S+/keep/\S+")


@dataclass(frozen=True)
class Entry:
    """What a mail says about one notebook."""

    section: str
    name: str
    deadline: datetime | None
    link: str


@dataclass
class People:
    """Those who are told."""

    mail: MailServer
    ops: Robot
    _seen: int = 0

    def new_mails(self) -> list[Mail]:
        """Return the mails that were accepted since the last call."""
        found = self.mail.mails[self._seen :]
        self._seen += len(found)
        return found

    def operators_read(self) -> list[str]:
        """Return the texts that the operators' group shows."""
        return [taken.document["markdown"]["text"] for taken in self.ops.accepted]


@contextmanager
def people(folder: Path) -> Iterator[People]:
    """Run the servers of those who are told, on a loop of their own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(mail_server(folder, tls="starttls", login=("nbsweep", "a password"))) as mail,
        portal.wrap_async_context_manager(robots()) as robot_server,
    ):
        yield People(mail, robot_server.add("dingtalk", SECRET))


def channels(folder: Path, told: People) -> Json:
    """Describe the channels, with their secrets in files."""
    secrets = {"mail_password": "a password", "ops_url": told.ops.url, "ops_secret": SECRET}
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    mail = {
        "kind": "smtp",
        "host": "localhost",
        "port": told.mail.port,
        "from": "nbsweep <nbsweep@example.com>",
        "username": "nbsweep",
        "password_file": str(folder / "mail_password"),
        "ca_file": str(told.mail.ca_file),
        "rate": "100/s",
    }
    ops = {"kind": "dingtalk", "url_file": str(folder / "ops_url"), "secret_file": str(folder / "ops_secret")}
    return {"mail": mail, "ops": ops}


def entries(mail: Mail) -> list[Entry]:
    """Read a mail as a person does."""
    found: list[Entry] = []
    text = mail.text().replace("\r\n", "\n")
    places = sorted((match.start(), name) for line, name in HEADINGS.items() for match in re.finditer(f"(?m)^{line}$", text))
    ends = [*(place for place, _ in places[1:]), len(text)]
    for (begins, section), ends_at in zip(places, ends, strict=True):
        for entry in ENTRY.finditer(text[begins:ends_at]):
            deadline, link = DEADLINE.search(entry["rest"]), LINK.search(entry["rest"])
            when = datetime.strptime(deadline[1], "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE)) if deadline else None
            found.append(Entry(section, entry["name"], when, link[0] if link else ""))
    return found


def listed(mails: list[Mail]) -> dict[str, dict[str, set[str]]]:
    """Return the names of notebooks by address and section; no mail repeats another."""
    found: dict[str, dict[str, set[str]]] = {}
    for mail in mails:
        [address] = mail.recipients
        for entry in entries(mail):
            names = found.setdefault(address, {}).setdefault(entry.section, set())
            assert entry.name not in names, f"{entry.name} is told twice to {address}"
            names.add(entry.name)
    return found


@dataclass
class Place:
    """A desk and a cloud whose clocks are put forward together."""

    desk: Desk
    cloud: Cloud
    ahead: Path = field(init=False)
    _ahead_s: float = 0.0

    def __post_init__(self) -> None:
        """Let the command run with the clock of this place."""
        self.ahead = self.desk.folder / "ahead"
        self.desk = replace(self.desk, program=(sys.executable, str(SLEPT), str(self.ahead)))

    def moved(self, folder: Path) -> "Place":
        """Return another desk at the same place, with an empty folder."""
        folder.mkdir()
        found = copy(self)
        found.desk = replace(self.desk, folder=folder)
        return found

    def now(self) -> datetime:
        """Return the time at this place."""
        return datetime.fromtimestamp(time.time() + self._ahead_s, UTC)

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.wait_until(self.now() + timedelta(**duration))

    def wait_until(self, moment: datetime) -> None:
        """Let time pass until a moment."""
        seconds = (moment - self.now()).total_seconds()
        assert seconds > 0
        self.cloud.run_ahead(seconds)
        self._ahead_s += seconds
        self.ahead.write_text(str(self._ahead_s))

    def sweep(self) -> Ended:
        """Run a sweep that must end well."""
        ended = self.desk.sweep()
        assert ended.code == 0, ended.err
        return ended

    def marks(self) -> dict[str, Any]:
        """Return the marks by the id of the notebook, as the command shows them."""
        states = [f"--state={state}" for state in ("marked", "told", "due", "removed", "cleared")]
        ended = self.desk.run("marks", *states, "--format", "json")
        assert ended.code == 0, ended.err
        return {mark["id"]: mark for mark in ended.document}

    def states(self) -> dict[str, str]:
        """Return the states of all marks."""
        return {notebook_id: mark["state"] for notebook_id, mark in self.marks().items()}


def opened(method: str, link: str, form: Json | None = None) -> tuple[int, str]:
    """Call as a browser does, and return the status and the page."""
    parts = urlsplit(link)
    connection = HTTPConnection(parts.netloc, timeout=30)
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "null"} if method == "POST" else {}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, parts.path, urlencode(form) if form is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
