"""Asking on a terminal: what was typed before a question is no answer to it."""

import os
import termios

import anyio

LONGEST_ANSWER = 4096
"""A terminal passes on no longer line."""


async def ask(terminal: int) -> str | None:
    """Read one line that is typed from now on, without its line end; `forget_input` belongs before the question.

    Returns None at the end of the input, also in mid-line, and where the terminal has vanished.
    """
    answer = b""
    while not answer.endswith(b"\n"):
        await anyio.wait_readable(terminal)
        try:
            # Not through a buffer, which would keep what stands behind the line for the next question.
            more = os.read(terminal, LONGEST_ANSWER)
        except OSError:
            return None
        if not more:
            return None
        answer += more
    return answer.decode(errors="replace").strip()


def forget_input(terminal: int) -> bool:
    """Drop what has been typed and not been read; tells whether the terminal is still there."""
    try:
        termios.tcflush(terminal, termios.TCIFLUSH)
    except termios.error:
        return False
    return True
