"""What came of a reload, for who asked for it: a signal has no answer, so the service leaves one in its runtime directory."""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from nbsweep.core.errors import NbsweepError

ANSWER = "reload.json"
PATIENCE_S = 60.0
LOOKS_EVERY_S = 0.05


class ReloadAnswer(msgspec.Struct, frozen=True):
    """What came of a reload."""

    at_ns: int
    """By the machine's monotonic clock, which all processes share."""
    problem: str
    """Why it was refused; empty when it was not."""


def runtime_directory(environment: Mapping[str, str]) -> Path | None:
    """Find the folder that systemd has made for the service; None where there is none."""
    named = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else None


def answer_reload(folder: Path | None, problem: str) -> None:
    """Leave an answer for whoever asked; that it cannot be left changes nothing of the reload."""
    if folder is None:
        return
    written = folder / f"{ANSWER}.new"
    with suppress(OSError):
        written.write_bytes(msgspec.json.encode(ReloadAnswer(time.monotonic_ns(), problem)))
        written.replace(folder / ANSWER)


def ask_reload(environment: Mapping[str, str]) -> ReloadAnswer:
    """Have the service `$MAINPID` read its configuration anew, and wait for its answer.

    Raises:
        NbsweepError: there is no such service, or it does not answer.
    """
    folder, pid = runtime_directory(environment), environment.get("MAINPID", "")
    if folder is None or not pid.isdecimal():
        raise NbsweepError(
            "`serve --reload` is for systemd's ExecReload, which sets MAINPID and RUNTIME_DIRECTORY; elsewhere send SIGHUP, "
            "and look at the log"
        )
    asked_ns = time.monotonic_ns()
    try:
        os.kill(int(pid), signal.SIGHUP)
    except OSError as error:
        raise NbsweepError(f"the service, process {pid}, cannot be signalled: {error.strerror or error}") from error
    while time.monotonic_ns() - asked_ns < PATIENCE_S * 1e9:
        with suppress(OSError, msgspec.DecodeError):
            answer = msgspec.json.decode((folder / ANSWER).read_bytes(), type=ReloadAnswer)
            if answer.at_ns > asked_ns:
                return answer
        time.sleep(LOOKS_EVERY_S)
    raise NbsweepError(f"the service, process {pid}, has not answered within {PATIENCE_S:g} s; its log may say more")
