"""Makes the standard streams safe: a closed, full or non-blocking stream, or another encoding, does not end a command.

The next opened file would get the number of a closed stream: log lines would go into the journal, and libuv aborts when it
closes one of the first three numbers.
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
    """A file that raises its first failure and discards all later writes."""

    def __init__(self, number: int) -> None:
        """Take the number of an open file."""
        super().__init__(number, "w", closefd=False)
        self.failure: OSError | None = None

    def write(self, content: "Buffer", /) -> int:
        """Write the text, and wait for the reader if the file does not block.

        Raises:
            OSError: the first write that failed.
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
    """A file that ignores failures: a lost log line must not affect the sweep."""

    def __init__(self, number: int) -> None:
        """Take the number of an open file."""
        super().__init__(number)
        self.writer = BackgroundWriter(number)

    def write(self, content: "Buffer", /) -> int:
        """Write with a short wait for the reader. Text that is not read in time is lost and counted."""
        piece = bytes(content)
        self.writer.write(piece)
        return len(piece)


def stderr_writer() -> BackgroundWriter | None:
    """Return the writer of stderr, or None if stderr is not the program's own stream."""
    raw = getattr(getattr(sys.stderr, "buffer", None), "raw", None)
    return raw.writer if isinstance(raw, LossyOutput) else None


def secure_streams() -> Output:
    """Replace the three standard streams with safe ones, and return that of stdout."""
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
    """Return the message for a result that stdout did not take."""
    return f"the result could not be written to stdout: {error.strerror or error}"


def _occupy(number: int, flags: int) -> None:
    """Open /dev/null under a closed number: the system always assigns the lowest free number."""
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
