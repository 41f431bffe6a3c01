"""Where a command shows things. What draws is imported by the first who draws: most runs are those of a cron job."""

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nbsweep.cli.views.progress import LiveProgress
from nbsweep.cli.views.results import make_console

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Screen:
    """Stdout and stderr, and what goes on there."""

    on_terminal: bool
    """Whether somebody watches stderr, and can be asked."""
    progress: "LiveProgress | None" = None

    @cached_property
    def out(self) -> "Console":
        """What draws on stdout."""
        return make_console()

    @cached_property
    def err(self) -> "Console":
        """What draws on stderr."""
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
