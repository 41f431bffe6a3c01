"""Events of exemptions: grants and revocations. The audit trail has what they cover, and why."""

from datetime import datetime
from typing import ClassVar

from nbsweep.core.events.base import Event
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.redaction import redact_named


class ExemptionGranted(Event, frozen=True):
    """An exemption was granted by a command, the HTTP API, or the link of a notice."""

    name: ClassVar[str] = "exemption.granted"
    exemption: str
    notebook_id: str | None
    """None if it covers an owner, or names that match."""
    by: str
    granted_as: str
    until: datetime

    @classmethod
    def of(cls, exemption: Exemption) -> "ExemptionGranted":
        """Return the event of a grant."""
        by = redact_named(exemption.granted_by)
        return cls(exemption.id, exemption.selector.notebook_id, by, exemption.granted_as.value, exemption.until)


class ExemptionRevoked(Event, frozen=True):
    """An exemption was revoked before its end."""

    name: ClassVar[str] = "exemption.revoked"
    exemption: str
    notebook_id: str | None
    by: str

    @classmethod
    def of(cls, exemption: Exemption) -> "ExemptionRevoked":
        """Return the event of a revocation."""
        return cls(exemption.id, exemption.selector.notebook_id, redact_named(exemption.revoked_by))
