"""Loads, before the first DELETE, the modules that a sweep needs only after an error or at its end.

Python and rich import some modules on first use: the IDNA codec, or the character widths of a table. An import fails if the
installation was replaced meanwhile, or if no file descriptor is left. In an error handler it would end the sweep while
deletions are under way. This is for safety, not for speed; it takes a few milliseconds.
"""

import io
from importlib import import_module

from rich.console import Console
from rich.text import Text

from nbsweep.adapters.telemetry import make_logger
from nbsweep.cli.views.results import REMOVAL_COLUMNS
from nbsweep.cli.views.tables import make_table
from nbsweep.core.errors import NbsweepError

AFTER_ERRORS = ("encodings.idna", "traceback", "linecache")
ANY_SCRIPT = "笔记本 \N{PARTY POPPER} :warning:"
"""Text that makes rich load its tables of character widths."""


def load_for_sweeping(*, tables: bool) -> None:
    """Load the modules that retries, logs and results need, as tables or as JSON.

    Raises:
        NbsweepError: the installation is damaged.
    """
    try:
        for name in AFTER_ERRORS:
            import_module(name)
        for console in (False, True):
            make_logger(len, level="info", console=console).info(ANY_SCRIPT)
        if tables:
            _draw()
    except (ImportError, OSError) as error:
        message = f"a part of nbsweep cannot be loaded, and nothing has been deleted: {error}. Reinstall nbsweep"
        raise NbsweepError(message) from error


def _draw() -> None:
    """Draw a table, because rich loads parts of itself on first use."""
    row = tuple(Text(ANY_SCRIPT) for _ in REMOVAL_COLUMNS)
    Console(file=io.StringIO(), width=60).print(make_table(REMOVAL_COLUMNS, lambda: [row]))
