"""A page of commands and outputs, and a terminal on which its commands are run."""

import difflib
import fcntl
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.support import PATIENCE_S, eventually, minimal_environment

COLUMNS = 100
CTRL_C = "^C"
SERVE = "nbsweep serve"
PORT = 9464
FOLDER = "/home/anna/sweep"
"""The empty folder that the page shows."""
BLOCK = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
EXIT_CODE = re.compile(r" +# exit code (\d+)$")
ANSWER = re.compile(r"(?m)^(Type \d+ to (?:delete|mark) [^:]*: )(\d+)$")
REST = "..."
"""A line for lines that a page leaves out."""
MASKS = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:PORT"),
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b"), "RUN"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]?"), "DATE "),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)"), "TIME"),
    (re.compile(r"\bfinished in \d+\.\d s"), "finished in DURATION"),
    (re.compile(r"(?m)^( RUN +simulated) +\d+s "), r"\1 DURATION "),
    (re.compile(r"\b\d+ KiB\b"), "SIZE"),
)
"""What differs from run to run by its nature."""
CONTROL = re.compile(r"\x1b\[(?P<number>\d*)(?P<more>[?;\d]*)(?P<kind>[A-Za-z])|\r\n|\r|\n|[^\x1b\r\n]+")


@dataclass
class Command:
    """A command line, the exit code that the page states, and the code that was found."""

    line: str
    code: int = 0
    found: int = 0


@dataclass(frozen=True)
class Step:
    """A block of commands, and their output; an empty output is not compared."""

    commands: list[Command]
    output: str


@dataclass(frozen=True)
class Page:
    """The steps of a page, in order."""

    steps: list[Step]


def read_page(text: str) -> Page:
    """Read the blocks of a page: `sh` holds commands, and `text` or `yaml` their output."""
    steps: list[Step] = []
    for language, content in BLOCK.findall(text):
        if language == "sh":
            steps.append(Step([command_of(line) for line in content.splitlines()], ""))
        else:
            assert language in {"text", "yaml"}, language
            assert not steps[-1].output, f"two outputs of {steps[-1]}"
            steps[-1] = Step(steps[-1].commands, content)
    return Page(steps)


def command_of(line: str) -> Command:
    """Read a line of a page, with the exit code that its comment states."""
    stated = EXIT_CODE.search(line)
    return Command(EXIT_CODE.sub("", line), int(stated[1]) if stated else 0)


def masked(text: str, folder: Path) -> str:
    """Replace what differs by its nature."""
    text = text.replace(str(folder), FOLDER)
    for pattern, name in MASKS:
        text = pattern.sub(name, text)
    return text


def different_lines(wanted: Sequence[str], lines: Sequence[str], name: str) -> str:
    """Return how an output differs from the page, which may leave lines out."""
    if REST not in wanted:
        return "\n".join(difflib.unified_diff(wanted, lines, "the page", name, lineterm=""))
    rest = iter(lines)
    missing = [line for line in wanted if line != REST and line not in rest]
    return "\n".join(["missing, or in another order:", *missing, "in:", *lines]) if missing else ""


def rendered(written: str) -> str:
    """Return the text that a terminal shows in the end, after progress is drawn and erased, without empty lines around it."""
    lines, row, column = [""], 0, 0
    for found in CONTROL.finditer(written):
        piece, kind = found[0], found["kind"]
        if kind == "A":
            row = max(0, row - int(found["number"] or 1))
        elif kind == "K":
            lines[row] = ""
        elif piece in {"\n", "\r\n"}:
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif piece == "\r":
            column = 0
        elif not kind:
            lines[row] = lines[row][:column].ljust(column) + piece + lines[row][column + len(piece) :]
            column += len(piece)
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def port_is_free() -> bool:
    """Return whether the service could listen where it listens by default; only one process can."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", PORT))
        except OSError:
            return False
        return True


@dataclass
class Job:
    """A command on a terminal of its own."""

    process: "subprocess.Popen[bytes]"
    terminal: int
    written: bytearray = field(default_factory=bytearray)
    reader: threading.Thread | None = None

    @property
    def screen(self) -> str:
        """Return what the terminal shows."""
        return rendered(self.written.decode(errors="replace"))

    def read(self) -> None:
        """Gather what the command writes, until it ends."""
        while True:
            try:
                chunk = os.read(self.terminal, 65_536)
            except OSError:  # the other end is closed
                return
            if not chunk:
                return
            self.written += chunk

    def wait_for(self, condition: Callable[[str], bool], what: str) -> None:
        """Wait until the terminal shows something, or the command has ended."""
        eventually(lambda: condition(self.screen) or self.process.poll() is not None, what)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.terminal, text.encode())

    def ended(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(PATIENCE_S)
        assert self.reader
        self.reader.join(PATIENCE_S)
        return code


@dataclass
class Shell:
    """A folder, a home, and the jobs in the background."""

    folder: Path
    home: Path
    exported: dict[str, str] = field(default_factory=dict)
    background: list[Job] = field(default_factory=list)
    programs: Path = field(default_factory=lambda: Path(sys.executable).parent)
    """The folder in which programs are looked for first."""

    def run(self, command: Command, expected: str) -> str:
        """Run a command, and return its output; in the background, it has only shown as much as expected by then."""
        if command.line == "kill %1":
            command.found = self._end(self.background[0])
            return ""
        if command.line.startswith("export "):
            self.exported |= dict(word.split("=", 1) for word in command.line.split()[1:])
            return ""
        if command.line == SERVE:
            eventually(port_is_free, f"port {PORT} is free for {SERVE}")
        job = self._start(command.line.removesuffix(" &"))
        if command.line.endswith(" &"):
            self.background.append(job)
            lines = max(1, expected.count("\n"))
            job.wait_for(lambda screen: bool(screen.strip()) and screen.count("\n") >= lines, f"the output of {command.line}")
            command.found = job.process.poll() or 0
            return job.screen
        try:
            self._answer(job, expected)
            command.found = job.ended()
        finally:
            self._close(job)
        return job.screen

    def written(self, line: str) -> str:
        """Run a command, and return all that it writes, colours included."""
        job = self._start(line)
        try:
            job.ended()
        finally:
            self._close(job)
        return job.written.decode()

    def end(self) -> None:
        """End what still runs in the background."""
        for job in self.background:
            if job.process.poll() is None:
                self._end(job)

    def _start(self, line: str) -> Job:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        environment = minimal_environment(self.home) | self.exported
        path = f"{self.programs}{os.pathsep}{environment['PATH']}"
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {line}"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env=environment | {"PATH": path, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=_take_the_terminal,  # noqa: PLW1509  # it makes the terminal the new process's own, and no more
        )
        os.close(theirs)
        job = Job(process, ours)
        job.reader = threading.Thread(target=job.read)
        job.reader.start()
        return job

    def _answer(self, job: Job, expected: str) -> None:
        """Type what the page shows as typed: the answer to the question, or Ctrl-C once all that is above it is shown."""
        if answer := ANSWER.search(expected):
            # The shown screen may break the question at another place than the page.
            question = " ".join(answer[1].split())
            job.wait_for(lambda screen: question in " ".join(screen.split()), f"{answer[1]}{job.screen}")
            job.type(answer[2] + "\n")
        elif f"\n{CTRL_C}" in expected:
            above = expected[: expected.index(f"\n{CTRL_C}") + 1].count("\n")
            job.wait_for(lambda screen: screen.count("\n") >= above, "what is shown before Ctrl-C")
            job.type("\x03")

    def _end(self, job: Job) -> int:
        job.process.terminate()
        code = job.ended()
        self._close(job)
        return code

    def _close(self, job: Job) -> None:
        if job.process.poll() is None:
            job.process.kill()
            job.ended()
        os.close(job.terminal)


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
