"""`python -m nbsweep.simulator`: the simulated cloud as a process of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from nbsweep.simulator.options import SimulatorOptions
from nbsweep.simulator.server import serve


def main() -> None:
    """Read the options and serve until told to stop."""
    arguments = _parser().parse_args()
    try:
        options = _options(arguments)
    except (OSError, msgspec.DecodeError) as error:
        _parser().error(str(error))
    asyncio.run(serve(options, "127.0.0.1", arguments.port))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nbsweep.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--options", metavar="FILE", help="the options as JSON; - reads standard input")
    parser.add_argument("--seed", type=int, help="instead of the options' seed")
    parser.add_argument("--notebooks", type=int, help="instead of the options' number of notebooks")
    return parser


def _options(arguments: argparse.Namespace) -> SimulatorOptions:
    options = SimulatorOptions()
    if arguments.options is not None:
        options = msgspec.json.decode(_read(arguments.options), type=SimulatorOptions)
    if arguments.seed is not None:
        options = msgspec.structs.replace(options, seed=arguments.seed)
    if arguments.notebooks is not None:
        fleet = msgspec.structs.replace(options.fleet, notebooks=arguments.notebooks)
        options = msgspec.structs.replace(options, fleet=fleet)
    return options


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


if __name__ == "__main__":
    main()
