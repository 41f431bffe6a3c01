"""`python -m nbsweep.simulator`: a simulated cloud, or several that share nothing, as a process of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

from nbsweep.simulator.reading import read_clouds
from nbsweep.simulator.server import serve_all


def main() -> None:
    """Read the options and serve until told to stop."""
    arguments = _parser().parse_args()
    try:
        document = _read(arguments.options) if arguments.options is not None else b"{}"
        clouds = read_clouds(document, seed=arguments.seed, notebooks=arguments.notebooks)
    except (OSError, ValueError) as error:
        _parser().error(str(error))
    asyncio.run(serve_all(clouds, "127.0.0.1", arguments.port))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nbsweep.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on, the first of several clouds; 0 takes free ones")
    parser.add_argument(
        "--options", metavar="FILE", help="the options as JSON, or a list of them for a cloud each; - reads stdin"
    )
    parser.add_argument("--seed", type=int, help="instead of the options' seed")
    parser.add_argument("--notebooks", type=int, help="instead of the options' number of notebooks")
    return parser


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


if __name__ == "__main__":
    main()
