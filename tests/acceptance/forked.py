"""Processes of the program that are forked from one which has imported it already.

Most of what a short command takes is the import of its modules. A process that is forked has its own memory, file
descriptors, signals and exit code, as any other. What it does not show is the start of the interpreter: the variables that
Python itself reads, and the file descriptors that it is given. Tests of those start the command by itself.
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

FORKSERVER = get_context("forkserver")
TESTS = Path(__file__).parents[1]


@cache
def start_server() -> None:
    """Start the process that imports nbsweep and is forked from then on; it ends with the tests."""
    FORKSERVER.set_forkserver_preload(["acceptance.imported"])
    with patch.dict(
        os.environ, {"PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)}
    ):
        forkserver.ensure_running()


class Forked:
    """A process that runs a module or a script of Python, with what tests use of `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        """Start it: `command` is `[python, "-m", MODULE, ARGUMENT...]` or `[python, SCRIPT, ARGUMENT...]`."""
        self.args = command
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = os.pipe(), os.pipe(), os.pipe()
        streams = _Streams(stdin, stdout, stderr)
        start_server()
        self._process = FORKSERVER.Process(target=_run, args=(command[1:], dict(env), str(cwd), streams))
        self._process.start()
        for number in streams.numbers:
            os.close(number)
        assert self._process.pid
        self.pid: int = self._process.pid
        self.stdin: IO[bytes] = os.fdopen(to_stdin, "wb")
        self.stdout: IO[bytes] = os.fdopen(from_stdout, "rb")
        self.stderr: IO[bytes] = os.fdopen(from_stderr, "rb")

    def poll(self) -> int | None:
        """Return the exit code, the negative number of the signal that ended it, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it runs still.
        """
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class _Streams:
    """The ends of pipes that become the standard streams of a new process."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def __getstate__(self) -> Any:
        return [DupFd(number) for number in self.numbers]

    def __setstate__(self, duplicates: Any) -> None:
        self.numbers = tuple(duplicate.detach() for duplicate in duplicates)


def _run(arguments: Sequence[str], env: Mapping[str, str], cwd: str, streams: _Streams) -> None:
    """Run as the main program, in the process that was forked for it."""
    assert "acceptance.imported" in sys.modules, "the process that is forked has imported nothing"
    for standard, number in enumerate(streams.numbers):
        os.dup2(number, standard)
        os.close(number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # it stays open
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        runpy.run_path(arguments[0], run_name="__main__")
