"""Where the program begins: ``nbsweep``, or ``python -m nbsweep``."""

import gc
import os
import sys

from nbsweep.cli.main import app
from nbsweep.cli.streams import lost_result, secure_streams

COLLECT_AFTER = (50_000, 20, 10)
"""Thresholds of the garbage collector: imports alone make hundreds of thousands of objects, and all of them stay."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(*COLLECT_AFTER)
    # Before anything else is opened, or it could be given the number of a stream that is closed.
    stdout = secure_streams()
    # A plugin would see every key.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        app(prog_name="nbsweep")
    except OSError as error:
        if error is not stdout.failure:
            raise
        sys.stderr.write(f"nbsweep: {lost_result(error)}\n")
        sys.stderr.flush()
        sys.exit(1)


if __name__ == "__main__":
    main()
