"""The answer to a reload request. A signal has no answer, so the service writes one into its runtime directory."""

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
    """The result of a reload."""

    at_ns: int
    """Time on the machine's monotonic clock, which all processes share."""
    problem: str
    """Why the reload was refused; empty if it was accepted."""


def runtime_directory(environment: Mapping[str, str]) -> Path | None:
    """Return the runtime directory that systemd created for the service, or None."""
    named = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else None


def answer_reload(folder: Path | None, problem: str) -> None:
    """Write the answer for the process that requested the reload. A failed write does not affect the reload."""
    if folder is None:
        return
    written = folder / f"{ANSWER}.new"
    with suppress(OSError):
        written.write_bytes(msgspec.json.encode(ReloadAnswer(time.monotonic_ns(), problem)))
        written.replace(folder / ANSWER)


def ask_reload(environment: Mapping[str, str]) -> ReloadAnswer:
    """Request a reload from the service `$MAINPID`, and wait for its answer.

    Raises:
        NbsweepError: the service does not exist or does not answer.
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
