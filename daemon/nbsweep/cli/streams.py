"""Standard streams that are closed, full, non-blocking or of another encoding: no reason to end, or to end otherwise.

A number that is closed would be given to the next file that is opened: lines of the log went into the journal, and libuv aborts
when it is to close one of the first three.
"""

import atexit
import io
import os
import select
import sys
from typing import IO, TYPE_CHECKING

from nbsweep.adapters.background_writer import BackgroundWriter

if TYPE_CHECKING:
    from typing_extensions import Buffer

STDIN, STDOUT, STDERR = 0, 1, 2


class Output(io.FileIO):
    """A file that is written to until it fails; the failure is raised once, and what follows goes nowhere."""

    def __init__(self, number: int) -> None:
        """Take the number of a file that is open, and stays open."""
        super().__init__(number, "w", closefd=False)
        self.failure: OSError | None = None

    def write(self, content: "Buffer", /) -> int:
        """Write, and wait for the reader where the file itself does not.

        Raises:
            OSError: it has failed for the first time.
        """
        while self.failure is None:
            try:
                written = super().write(content)
            except OSError as error:
                self.failure = error
                raise
            if written is not None:
                return written
            select.select((), (self,), ())
        return memoryview(content).nbytes


class LossyOutput(Output):
    """A file whose failures concern nobody: a line of the log that is lost changes nothing of what the log is about."""

    def __init__(self, number: int) -> None:
        """Take the number of a file that is open, and stays open."""
        super().__init__(number)
        self.writer = BackgroundWriter(number)

    def write(self, content: "Buffer", /) -> int:
        """Write without waiting for a reader for long; what nobody reads is lost in the end, and counted."""
        piece = bytes(content)
        self.writer.write(piece)
        return len(piece)


def stderr_writer() -> BackgroundWriter | None:
    """Give what writes to stderr, if it is the program's own."""
    raw = getattr(getattr(sys.stderr, "buffer", None), "raw", None)
    return raw.writer if isinstance(raw, LossyOutput) else None


def secure_streams() -> Output:
    """Put streams that can be relied on in the place of the three that the program was started with; gives that of stdout."""
    for number, flags in ((STDIN, os.O_RDONLY), (STDOUT, os.O_WRONLY), (STDERR, os.O_WRONLY)):
        _occupy(number, flags)
    output = Output(STDOUT)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  # lives as long as the program
    sys.stdout = _text(output, sys.stdout)
    errors = LossyOutput(STDERR)
    atexit.register(errors.writer.close)
    sys.stderr = _text(errors, sys.stderr)
    return output


def lost_result(error: OSError) -> str:
    """Say that stdout has failed."""
    return f"the result could not be written to stdout: {error.strerror or error}"


def _occupy(number: int, flags: int) -> None:
    """Open /dev/null under a number that is closed: the lowest free one is always the next to be given."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, flags)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def _text(raw: Output, before: IO[str] | None) -> io.TextIOWrapper:
    encoding = getattr(before, "encoding", None) or "utf-8"
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer, encoding=encoding, errors="backslashreplace", line_buffering=raw.isatty() or raw.fileno() == STDERR
    )
