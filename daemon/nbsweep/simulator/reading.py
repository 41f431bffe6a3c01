"""Reads the options of one simulated cloud, or of several."""

from typing import Annotated

import msgspec
from msgspec import Meta

from nbsweep.simulator.options import SimulatorOptions


def read_options(document: bytes, *, seed: int | None = None, notebooks: int | None = None) -> SimulatorOptions:
    """Read options from JSON; `seed` and `notebooks` go before what it says.

    Raises:
        ValueError: it is no JSON, or says something that there is no option for.
    """
    return _replaced(msgspec.json.decode(document, type=SimulatorOptions), seed, notebooks)


def read_clouds(document: bytes, *, seed: int | None = None, notebooks: int | None = None) -> tuple[SimulatorOptions, ...]:
    """Read the options of one cloud from a JSON object, or of several from a list of them.

    Raises:
        ValueError: it is no JSON, says something that there is no option for, or lists no cloud.
    """
    found = msgspec.json.decode(document, type=SimulatorOptions | Annotated[tuple[SimulatorOptions, ...], Meta(min_length=1)])
    clouds = found if isinstance(found, tuple) else (found,)
    return tuple(_replaced(options, seed, notebooks) for options in clouds)


def _replaced(options: SimulatorOptions, seed: int | None, notebooks: int | None) -> SimulatorOptions:
    if seed is not None:
        options = msgspec.structs.replace(options, seed=seed)
    if notebooks is not None:
        options = msgspec.structs.replace(options, fleet=msgspec.structs.replace(options.fleet, notebooks=notebooks))
    return options
