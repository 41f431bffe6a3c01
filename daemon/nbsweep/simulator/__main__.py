"""`python -m nbsweep.simulator`: the simulated cloud as a process of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

from nbsweep.simulator.options import read_options
from nbsweep.simulator.server import serve


def main() -> None:
    """Read the options and serve until told to stop."""
    arguments = _parser().parse_args()
    try:
        document = _read(arguments.options) if arguments.options is not None else b"{}"
        options = read_options(document, seed=arguments.seed, notebooks=arguments.notebooks)
    except (OSError, ValueError) as error:
        _parser().error(str(error))
    asyncio.run(serve(options, "127.0.0.1", arguments.port))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nbsweep.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--options", metavar="FILE", help="the options as JSON; - reads standard input")
    parser.add_argument("--seed", type=int, help="instead of the options' seed")
    parser.add_argument("--notebooks", type=int, help="instead of the options' number of notebooks")
    return parser


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


if __name__ == "__main__":
    main()
