"""The output streams of a command, and its progress display."""

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rich.console import Console

from nbsweep.cli.views.results import make_console

if TYPE_CHECKING:
    from nbsweep.cli.views.progress import LiveProgress


@dataclass
class Screen:
    """Stdout and stderr, and the progress display."""

    on_terminal: bool
    """Whether a user watches stderr and can answer a prompt."""
    progress: "LiveProgress | None" = None
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
        # It loads eleven modules in 13 ms, which take half a megabyte; off a terminal nobody sees it.
        from nbsweep.cli.views.progress import LiveProgress  # noqa: PLC0415

        screen.progress = LiveProgress(screen.err)
    return screen
