"""`simulator`: the simulated cloud on its own, without the journal and all else that a sweep needs."""

import asyncio
import sys
from pathlib import Path

import typer

from nbsweep.simulator import read_options, serve


def simulator_command(port: int, options: Path | None, *, seed: int | None, notebooks: int | None) -> None:
    """Serve a simulated cloud until told to stop."""
    try:
        text = _read(options) if options else b"{}"
        chosen = read_options(text, seed=seed, notebooks=notebooks)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--options") from error
    try:
        asyncio.run(serve(chosen, "127.0.0.1", port))
    except OSError as error:
        raise typer.BadParameter(str(error), param_hint="--port") from error


def _read(options: Path) -> bytes:
    return sys.stdin.buffer.read() if str(options) == "-" else options.read_bytes()
