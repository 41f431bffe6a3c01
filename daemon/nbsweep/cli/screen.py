"""The output streams of a command, and its progress display."""

import sys
from dataclasses import dataclass
from functools import cached_property

from rich.console import Console

from nbsweep.cli.views.progress import LiveProgress
from nbsweep.cli.views.results import make_console


@dataclass
class Screen:
    """Stdout and stderr, and the progress display."""

    on_terminal: bool
    """Whether a user watches stderr and can answer a prompt."""
    progress: LiveProgress | None = None

    @cached_property
    def out(self) -> Console:
        """Return the console of stdout."""
        return make_console()

    @cached_property
    def err(self) -> Console:
        """Return the console of stderr."""
        return make_console(stderr=True)


def plain_screen() -> Screen:
    """Use stdout and stderr."""
    return Screen(sys.stderr.isatty())


def live_screen() -> Screen:
    """Use stdout and stderr, and show progress when stderr is a terminal."""
    screen = plain_screen()
    if screen.on_terminal:
        screen.progress = LiveProgress(screen.err)
    return screen
