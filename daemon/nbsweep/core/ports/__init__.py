"""The ports of the engine; an implementation can be written from these docstrings alone.

All datetimes are aware. Every method may be cancelled at any await.
"""

from msgspec import Struct

from nbsweep.core.ports.clock import Clock
from nbsweep.core.ports.cloud import Cloud, unheeded
from nbsweep.core.ports.journal import Journal
from nbsweep.core.ports.telemetry import Telemetry

__all__ = ["Clock", "Cloud", "Journal", "Ports", "Telemetry", "unheeded"]


class Ports(Struct, frozen=True):
    """All ports of one sweep."""

    cloud: Cloud
    journal: Journal
    clock: Clock
    telemetry: Telemetry
