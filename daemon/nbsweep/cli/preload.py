"""Loads, before the first DELETE, modules that a sweep needs only after an error or at its end.

Later the installation may have been replaced, or no file descriptor may be left. An import that fails in an error handler
would end the sweep while deletions are under way.
"""

import io
from importlib import import_module

from rich.console import Console
from rich.text import Text

from nbsweep.adapters.telemetry import make_logger
from nbsweep.cli.views.results import REMOVAL_COLUMNS
from nbsweep.cli.views.tables import make_table
from nbsweep.core.errors import NbsweepError

WHEN_TROUBLED = ("encodings.idna", "traceback", "linecache")
ANY_SCRIPT = "笔记本 \N{PARTY POPPER} :warning:"
"""Text that makes rich load its tables of character widths."""


def load_for_sweeping(*, tables: bool) -> None:
    """Load the modules that retries, logs and results need, as tables or as JSON.

    Raises:
        NbsweepError: the installation is damaged.
    """
    try:
        for name in WHEN_TROUBLED:
            import_module(name)
        for console in (False, True):
            make_logger(len, level="info", console=console).info(ANY_SCRIPT)
        if tables:
            _draw()
    except (ImportError, OSError) as error:
        message = f"a part of nbsweep cannot be loaded, and nothing has been deleted: {error}. Install nbsweep anew"
        raise NbsweepError(message) from error


def _draw() -> None:
    """Draw a table, because rich loads parts of itself on first use."""
    row = tuple(Text(ANY_SCRIPT) for _ in REMOVAL_COLUMNS)
    Console(file=io.StringIO(), width=60).print(make_table(REMOVAL_COLUMNS, lambda: [row]))
