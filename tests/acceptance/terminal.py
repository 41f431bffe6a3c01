"""A real terminal, made by the system, with the command in it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from acceptance.support import PATIENCE_S, Desk, ended_afterwards, eventually

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """A terminal with the command in it."""

    process: "subprocess.Popen[bytes]"
    end: int
    """Our end of it."""
    shown: bytearray

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.end, text.encode())

    @property
    def screen(self) -> str:
        """What was shown so far, without colours and movements."""
        return ANSI.sub("", self.shown.decode(errors="replace"))

    def wait_for(self, text: str) -> None:
        """Wait until something is shown."""
        eventually(lambda: text in self.screen or self.process.poll() is not None, f"on the terminal: {text}")
        assert text in self.screen

    def ended(self) -> int:
        """Wait for the end; give the exit code."""
        return self.process.wait(PATIENCE_S)


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def start_on(terminal: int, desk: Desk, *arguments: str, columns: int = 120) -> "subprocess.Popen[bytes]":
    """Start the command on its end of a terminal, which is then the command's alone, and make that so wide."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        desk.command(*arguments),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=desk.folder,
        env=desk.variables() | {"TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=_take_the_terminal,  # noqa: PLW1509  # it makes the terminal the new process's own, and no more
    )
    os.close(terminal)
    return process


@contextmanager
def on_a_terminal(desk: Desk, *arguments: str, columns: int = 120) -> Iterator[Terminal]:
    """Run the command on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    process = start_on(theirs, desk, *arguments, columns=columns)
    shown = bytearray()
    reader = threading.Thread(target=_read, args=(ours, shown))
    reader.start()
    try:
        with ended_afterwards(process):
            yield Terminal(process, ours, shown)
    finally:
        reader.join(PATIENCE_S)
        os.close(ours)


def _read(end: int, shown: bytearray) -> None:
    while True:
        try:
            chunk = os.read(end, 65_536)
        except OSError:  # the other end is closed
            return
        if not chunk:
            return
        shown += chunk
