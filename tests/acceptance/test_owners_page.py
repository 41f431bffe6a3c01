"""docs/howto/owners.md: every command is run in order, with the configuration that the page builds, and prints what it shows.

The simulated cloud is that of the quickstart, and mails and the group's messages reach real servers.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.quickstart import BLOCK, Command, Shell, command_of, different_lines, masked
from acceptance.support import Cloud
from acceptance.told import SLEPT, People, channels

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "owners.md"
HOUR_S = 3600
LATER_S: Mapping[int, float] = {2: HOUR_S, 3: HOUR_S, 4: 8 * 24 * HOUR_S}
"""How long after the command before it the second, third and fourth sweep of the page begin."""
SWEEP = "nbsweep run --enforce"
MASKS = (
    (re.compile(r"/keep/\S+"), "/keep/TOKEN"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?(?=Z| \()"), "TIME"),
    (re.compile(r"\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"), "WEEKDAY"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "MESSAGE"),
    (re.compile(r"\bExemption [0-9a-z]{6}\b"), "Exemption ID"),
    (re.compile(r"(?m)^ [0-9a-z]{6} +(?=gan-demo-02)"), " ID "),
    (re.compile(r"\) +\w+ +(?=paper)"), ") USER "),
    (re.compile(r"\b\d+d(?: \d+h)?\b"), "DURATION"),
)
"""What differs from day to day, beside what differs in the quickstart."""
pytestmark = pytest.mark.timeout(240)


@dataclass
class Reader:
    """Somebody who follows the page: a shell, the configuration so far, and the clocks."""

    shell: Shell
    told: People
    cloud: Cloud
    document: dict[str, Any]
    sweeps: int = 0
    printed: str = ""
    """The output that has not been compared."""
    last: str = ""
    """The last command."""

    def configure(self, fragment: Mapping[str, Any]) -> None:
        """Put sections into the configuration; channels have the addresses of this test's servers."""
        self.document |= fragment
        if "channels" in fragment:
            assert fragment["channels"].keys() == {"mail", "ops"}
            self.document["channels"] = channels(self.shell.folder, self.told)
        if "exemptions" in fragment:
            key = self.shell.folder / "link_key"
            key.write_text("a-key-that-nobody-else-could-ever-guess-in-time")
            key.chmod(0o600)
            self.document["exemptions"] = {**fragment["exemptions"], "link_key_file": str(key)}
        (self.shell.folder / "nbsweep.yaml").write_text(yaml.safe_dump(self.document), encoding="utf-8")

    def run(self, line: str, output: str) -> None:
        """Run a command, after the time that has passed on the page."""
        command, self.last = command_of(line), line
        if command.line.startswith(SWEEP):
            self.sweeps += 1
            self._wait(LATER_S.get(self.sweeps, 0))
        self.printed += self.shell.run(command, output)
        assert command.found == command.code, f"{line}: exit code {command.found}: {self.printed}"

    def _wait(self, seconds: float) -> None:
        if seconds:
            ahead = self.shell.folder / "ahead"
            ahead.write_text(str(float(ahead.read_text()) + seconds))
            self.cloud.run_ahead(seconds)


def differences(shown: str, found: str, name: str, folder: Path) -> str:
    """Return how an output differs from the page, which may leave lines out."""
    return different_lines(plain(shown, folder), plain(found, folder), name)


def plain(text: str, folder: Path) -> list[str]:
    """Return the lines of a text, without what differs by its nature."""
    text = masked(text, folder)
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return text.rstrip("\n").splitlines()


@pytest.fixture
def reader(told: People) -> Iterator[Reader]:
    """Start the simulated cloud, with its configuration and the owners' file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        home, programs = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        shell = Shell(folder, home, programs=programs)
        stack.callback(shell.end)
        (folder / "ahead").write_text("0")
        program = programs / "nbsweep"
        tests = SLEPT.parents[1]
        program.write_text(f'#!/bin/sh\nPYTHONPATH={tests} exec {sys.executable} {SLEPT} {folder}/ahead "$@"\n')
        program.chmod(0o755)
        ready = shell.run(Command("nbsweep simulator --seed 9 --notebooks 16 --write-config nbsweep.yaml &"), "")
        url = re.search(r'"url":"([^"]+)"', ready)
        assert url, ready
        yield Reader(shell, told, Cloud(url[1]), yaml.safe_load((folder / "nbsweep.yaml").read_text(encoding="utf-8")))


def test_every_command_prints_what_the_page_shows(reader: Reader) -> None:
    """A block of YAML is put into the configuration, and a block that begins with a subject is a mail of the page's day."""
    page = PAGE.read_text(encoding="utf-8")
    (owners,) = re.findall(r"(?ms)^cat owners.yaml\n```\n\n```text\n(.*?)^```$", page)
    (reader.shell.folder / "owners.yaml").write_text(owners, encoding="utf-8")
    reader.told.mail.recipient_answers = {"tomas.silva@example.com": "550 5.1.1 User unknown"}
    problems: list[str] = []
    blocks = BLOCK.findall(page)
    for (language, content), (_, output) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "yaml":
            reader.configure(yaml.safe_load(content))
        elif language == "sh":
            reader.printed = ""
            for line in content.splitlines():
                reader.run(line, output)
        else:
            found = mail_with(reader, content) if content.startswith("Subject: ") else reader.printed
            problems.append(differences(content, found, reader.last, reader.shell.folder))
    if wrong := [problem for problem in problems if problem]:
        pytest.fail("\n\n".join(wrong))


def mail_with(reader: Reader, content: str) -> str:
    """Return the mail to the person whom a mail on the page greets."""
    greeting = re.search(r"(?m)^Hello .*$", content)
    assert greeting
    mails = [f"Subject: {mail.message['Subject']}\n\n{mail.text()}" for mail in reader.told.mail.mails]
    return next(text for text in mails if greeting[0] in text).replace("\r\n", "\n")
