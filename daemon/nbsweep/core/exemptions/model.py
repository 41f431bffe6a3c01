"""The exemption: who granted what to whom, why, and until when."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.facts import format_moment


class GrantedBy(StrEnum):
    """The way by which an exemption was granted."""

    ADMINISTRATOR = "administrator"
    """By the command line, the HTTP API or a page."""
    OWNER = "owner"
    """By the one-time link in a notice, or by the page of their own notebooks."""


class Selector(Struct, frozen=True):
    """The notebooks that an exemption covers; all fields that are given must match."""

    notebook_id: str | None = None
    notebook_created_at: datetime | None = None
    """The creation of the notebook, so that an exemption never covers a later notebook with the same id; None if unknown."""
    owner: str | None = None
    """The name or the id of an owner, without regard to case."""
    name: str | None = None
    """A shell glob for the name of the notebook, without regard to case."""

    def __str__(self) -> str:
        """Describe the selector: ``owner alice, name exp-*``."""
        given = {"notebook": self.notebook_id, "owner": self.owner, "name": self.name}
        return ", ".join(f"{key} {value}" for key, value in given.items() if value is not None)


class Exemption(Struct, frozen=True):
    """A granted exception with an end; it stays on record after its end. Also one row of the journal."""

    id: str
    """Short and unique; people type it."""
    selector: Selector
    reason: str
    granted_by: str
    """The user, the token's role, or the owner who granted it."""
    granted_as: GrantedBy
    granted_at: datetime
    until: datetime
    target: str = ""
    """The only target whose notebooks it covers; empty for all targets."""
    ticket: str = ""
    """The reference of a request in another system; empty if there is none."""
    revoked_at: datetime | None = None
    revoked_by: str = ""
    revoked_reason: str = ""

    def in_force(self, now: datetime) -> bool:
        """Return whether the exemption keeps notebooks: it has not ended, and was not revoked."""
        return self.revoked_at is None and now < self.until

    def __str__(self) -> str:
        """Describe the exemption: its id, the notebooks, the end and the reason."""
        return f"exemption {self.id} ({self.selector}) until {format_moment(self.until)}: {self.reason}"
