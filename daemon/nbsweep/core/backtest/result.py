"""The result of a back-test of one target, and of all targets together."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from nbsweep.core.backtest.model import Labelled


class Replayed(Struct, frozen=True):
    """What rules would have done to one target."""

    found: tuple[Labelled, ...] = ()
    """The would-be deletions, in the order of the surveys."""
    refused: Mapping[str, int] = {}
    """At how many surveys a brake refused the plan, by brake; nothing is deleted then."""
    marked: int = 0
    """How many marks were made by policies with grace."""
    lacking: int = 0
    """How many notebooks the rules kept at any survey because the inventory lacks a fact that they ask for."""


class Coverage(Struct, frozen=True):
    """What is known of the past of one target."""

    target: str
    surveys: int = 0
    incomplete: int = 0
    """Those that showed not every notebook; nothing is planned on them."""
    clock_ahead: int = 0
    """Those whose time is later than that of a following survey; nothing is planned on them."""
    first: datetime | None = None
    last: datetime | None = None
    unreadable: int = 0
    """States of notebooks whose facts this version cannot read; they are kept."""
    ordered: int = 0
    """Notebooks of which nbsweep really sent a stop or a DELETE."""
