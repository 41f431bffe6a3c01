"""Rich views as text, as they are printed without a terminal."""

import io

from rich.console import Console, RenderableType


def rendered(view: RenderableType) -> str:
    """Return the text of a view on 200 columns."""
    written = io.StringIO()
    Console(file=written, width=200, highlight=False).print(view)
    return written.getvalue()
