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
    wide: bool = False
    """Whether tables show every column and the full text at any width of the terminal."""

    @cached_property
    def out(self) -> Console:
        """Return the console of stdout."""
        return make_console(wide=self.wide)

    @cached_property
    def err(self) -> Console:
        """Return the console of stderr."""
        return make_console(stderr=True)

    @cached_property
    def review(self) -> Console:
        """Return the console of stderr for the plan that a prompt is about."""
        return make_console(stderr=True, wide=True) if self.wide else self.err


def plain_screen(*, wide: bool = False) -> Screen:
    """Use stdout and stderr."""
    return Screen(sys.stderr.isatty(), wide=wide)


def live_screen(*, wide: bool = False) -> Screen:
    """Use stdout and stderr, and show progress when stderr is a terminal."""
    screen = plain_screen(wide=wide)
    if screen.on_terminal:
        screen.progress = LiveProgress(screen.err)
    return screen
