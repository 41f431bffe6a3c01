"""Writes to a file whose reader may be slow. A writer never waits long for the reader.

A full pipe, terminal or socket blocks its writer, and a check beforehand does not help for each of them. So a separate thread
writes from a bounded queue.
"""

import os
import threading
import time
from collections import deque
from contextlib import suppress

MOST_BYTES = 262_144
"""The most bytes that the queue keeps for a slow reader; further pieces are lost."""
KEEPS_UP_S = 0.1
"""How long a writer waits for a thread that has kept up so far; this keeps lines in order with those of other streams."""
CLOSE_S = 1.0
"""How long `close` waits for the reader."""


class BackgroundWriter:
    """A queue of pieces, and the thread that writes them to a file; the thread begins with the first piece."""

    def __init__(self, number: int, most_bytes: int = MOST_BYTES) -> None:
        """Store the number of a file that is open, and stays open."""
        self.lost = 0
        """How many pieces were lost since the start, because the queue was full or the file failed."""
        self._number = number
        self._most_bytes = most_bytes
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._behind = False
        self._told = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def write(self, piece: bytes) -> None:
        """Queue a piece; it is lost if the queue has no room."""
        with self._changed:
            if self._closed:
                self._write_last(piece)
                return
            if self._bytes + len(piece) > self._most_bytes:
                self.lost += 1
                return
            self._queue.append(piece)
            self._bytes += len(piece)
            if not self._begun():
                self._write_here()
                return
            self._changed.notify_all()
            if not self._behind:
                self._behind = not self._changed.wait_for(lambda: not self._bytes, KEEPS_UP_S)

    def take_untold(self) -> int:
        """Return the number of lost pieces that were not reported yet; 0 while the reader is behind."""
        with self._changed:
            if self._behind:
                return 0
            untold, self._told = self.lost - self._told, self.lost
            return untold

    def close(self) -> None:
        """Wait for the queue to drain, for at most `CLOSE_S`; the rest stays unwritten."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes, CLOSE_S)
            self._closed = True

    def _write_last(self, piece: bytes) -> None:
        """Write a piece after `close`. A thread that starts while the interpreter exits would block the exit."""
        if self._bytes or not _write(self._number, piece):
            self.lost += 1

    def _begun(self) -> bool:
        """Start the thread for the first piece, and return whether it runs."""
        if self._thread is None:
            thread = threading.Thread(target=self._write_all, name="stderr", daemon=True)
            # The process may have reached its limit of threads. Then the writer writes by itself.
            with suppress(RuntimeError):
                thread.start()
                self._thread = thread
        return self._thread is not None and self._thread.is_alive()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                piece = self._queue[0]
            written = _write(self._number, piece)
            with self._changed:
                self._taken(written)

    def _write_here(self) -> None:
        while self._queue:
            self._taken(_write(self._number, self._queue[0]))

    def _taken(self, written: bool) -> None:  # noqa: FBT001  # what came of it
        self.lost += not written
        self._bytes -= len(self._queue.popleft())
        self._behind = self._behind and self._bytes > 0
        self._changed.notify_all()


def _write(number: int, piece: bytes) -> bool:
    """Write a piece; False when the file does not take it."""
    while piece:
        try:
            piece = piece[os.write(number, piece) :]
        except BlockingIOError:
            time.sleep(KEEPS_UP_S)
        except OSError:
            return False
    return True
