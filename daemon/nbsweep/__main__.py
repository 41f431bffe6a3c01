"""Where the program begins: ``nbsweep``, or ``python -m nbsweep``."""

import gc
import os

from nbsweep.cli.main import app

COLLECT_AFTER = (50_000, 20, 10)
"""How many new objects there are before garbage is looked for: imports alone make hundreds of thousands, and all stay."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(*COLLECT_AFTER)
    # A plugin would see every key, and looking for one reads the metadata of all that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    app(prog_name="nbsweep")


if __name__ == "__main__":
    main()
