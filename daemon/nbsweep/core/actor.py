"""Who changes something, and by which way; it goes on the record of the change."""

from enum import StrEnum

from msgspec import Struct


class Via(StrEnum):
    """The way of a change."""

    PAGE = "page"
    API = "api"
    LINK = "link"
    """The one-time link of a notice."""


class Actor(Struct, frozen=True):
    """Who changes something."""

    name: str
    """The name of a token, the user of a proxy, or an owner."""
    via: Via

    def __str__(self) -> str:
        """Return the form that records keep: ``alice (page)``."""
        return f"{self.name} ({self.via})"
