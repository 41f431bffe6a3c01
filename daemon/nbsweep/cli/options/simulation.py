"""The commands that need no cloud: `demo` and `simulator`.

Only options, no logic. What a command needs is imported when it is called, so that `--help` is shown at once.
"""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    notebooks: Annotated[int, typer.Option("--notebooks", min=1, help="How many notebooks the simulated fleet has.")] = 400,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same fleet and the same faults.")] = 7,
    svg: Annotated[Path | None, typer.Option("--svg", help="Save the screen as a picture in this file.")] = None,
) -> None:
    """Run a simulated cloud and a whole sweep against it, to look at. Needs nothing but this package."""
    from nbsweep.cli.commands.demo import demo_command

    demo_command(notebooks, seed, svg)


def simulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same fleet and the same faults.")] = None,
    notebooks: Annotated[int | None, typer.Option("--notebooks", min=0, help="How many notebooks there are.")] = None,
    options: Annotated[Path | None, typer.Option("--options", help="A JSON file of SimulatorOptions, or - for stdin.")] = None,
) -> None:
    """Run the simulated cloud on its own. Prints one JSON line with its address and keys when it is ready."""
    from nbsweep.cli.commands.simulator import simulator_command

    simulator_command(port, options, seed=seed, notebooks=notebooks)
