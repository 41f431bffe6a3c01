"""Prompts on a terminal. Input typed before a question is discarded."""

import os
import termios

import anyio

LONGEST_ANSWER = 4096
"""Longest line that a terminal passes on."""


async def ask(terminal: int) -> str | None:
    """Read one line without its line end; call `forget_input` before the question.

    Returns None at the end of the input, also in mid-line, and if the terminal is gone.
    """
    answer = b""
    while not answer.endswith(b"\n"):
        await anyio.wait_readable(terminal)
        try:
            # Unbuffered: a buffer would keep input after the line for the next question.
            more = os.read(terminal, LONGEST_ANSWER)
        except OSError:
            return None
        if not more:
            return None
        answer += more
    return answer.decode(errors="replace").strip()


def forget_input(terminal: int) -> bool:
    """Discard unread input, and return whether the terminal still exists."""
    try:
        termios.tcflush(terminal, termios.TCIFLUSH)
    except termios.error:
        return False
    return True
