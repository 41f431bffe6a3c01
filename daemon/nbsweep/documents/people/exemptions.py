"""The JSON documents of exemptions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from nbsweep.core.exemptions.model import Exemption, GrantedBy
from nbsweep.core.granting.effect import GrantEffect
from nbsweep.core.lifecycle import Removal
from nbsweep.documents.base import Count, Document, Time, moment_text


class ExemptionState(StrEnum):
    """Whether an exemption keeps notebooks."""

    IN_FORCE = "in-force"
    ENDED = "ended"
    REVOKED = "revoked"


class ExemptionDocument(Document, frozen=True):
    """A granted exemption; it stays on record after its end."""

    exemption: Annotated[str, Meta(description="The ID of the exemption.")]
    state: ExemptionState
    notebook_id: Annotated[str | None, Meta(description="The ID of the only notebook that it covers.")]
    notebook_created_at: Annotated[
        Time | None, Meta(description="The creation of that notebook: a later notebook with the same ID is not covered.")
    ]
    owner: Annotated[str | None, Meta(description="The name or ID of the owner whose notebooks it covers.")]
    name: Annotated[str | None, Meta(description="A shell glob for the names of the notebooks that it covers.")]
    target: Annotated[str | None, Meta(description="The only target on which it counts; null for all targets.")]
    until: Time
    reason: str
    ticket: str | None
    granted_by: str
    granted_as: GrantedBy
    granted_at: Time
    revoked_at: Time | None
    revoked_by: str | None
    revoked_reason: str | None


class TooLateDocument(Document, frozen=True):
    """A notebook whose DELETE was requested before the exemption was granted."""

    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str
    target: str
    run_id: str
    requested_at: Time | None


class GrantDocument(Document, frozen=True):
    """A new exemption, and what it does."""

    exemption: ExemptionDocument
    announced: Annotated[Count, Meta(description="Number of announced notebooks that it keeps.")]
    too_late: Annotated[
        Sequence[TooLateDocument], Meta(description="Notebooks that it covers, whose DELETE was requested already.")
    ]


Text = Annotated[str, Meta(max_length=1000)]


class ExemptionsDocument(Document, frozen=True):
    """The exemptions in force, and if they were asked for, then the others, the newest first."""

    exemptions: Sequence[ExemptionDocument]


class NewExemptionDocument(Document, frozen=True):
    """The request for an exemption: for one notebook, or for an owner, a glob for names, or both."""

    until: Annotated[
        str, Meta(max_length=64, description="A duration such as 30d, a date (included) such as 2026-12-31, or a time.")
    ]
    reason: Text
    notebook_id: Annotated[str | None, Meta(description="The ID of a notebook.")] = None
    owner: Annotated[Text | None, Meta(description="The name or ID of an owner.")] = None
    name: Annotated[Text | None, Meta(description="A shell glob for names.")] = None
    target: Annotated[str | None, Meta(description="The only target on which it counts.")] = None
    ticket: Text = ""
    id_only: Annotated[
        bool, Meta(description="Keep any notebook with this ID, without asking the cloud when it was created.")
    ] = False


class RevocationDocument(Document, frozen=True):
    """The reason of a revocation."""

    reason: Text = ""


def state_of(exemption: Exemption, now: datetime) -> ExemptionState:
    """Return the state of an exemption at a moment."""
    if exemption.revoked_at is not None:
        return ExemptionState.REVOKED
    return ExemptionState.IN_FORCE if exemption.in_force(now) else ExemptionState.ENDED


def exemption_document(exemption: Exemption, now: datetime) -> ExemptionDocument:
    """Return the document of an exemption."""
    selector = exemption.selector
    return ExemptionDocument(
        exemption=exemption.id,
        state=state_of(exemption, now),
        notebook_id=selector.notebook_id,
        notebook_created_at=moment_text(selector.notebook_created_at),
        owner=selector.owner,
        name=selector.name,
        target=exemption.target or None,
        until=moment_text(exemption.until),
        reason=exemption.reason,
        ticket=exemption.ticket or None,
        granted_by=exemption.granted_by,
        granted_as=exemption.granted_as,
        granted_at=moment_text(exemption.granted_at),
        revoked_at=moment_text(exemption.revoked_at),
        revoked_by=exemption.revoked_by or None,
        revoked_reason=exemption.revoked_reason or None,
    )


def exemption_documents(exemptions: Iterable[Exemption], now: datetime) -> list[ExemptionDocument]:
    """Return the documents of exemptions."""
    return [exemption_document(exemption, now) for exemption in exemptions]


def grant_document(exemption: Exemption, effect: GrantEffect, now: datetime) -> GrantDocument:
    """Return the document of a new exemption."""
    return GrantDocument(
        exemption_document(exemption, now), len(effect.announced), [_too_late(removal) for removal in effect.too_late]
    )


def _too_late(removal: Removal) -> TooLateDocument:
    requested_at = moment_text(removal.requested_at)
    return TooLateDocument(removal.notebook_id, removal.name, removal.target, removal.run_id, requested_at)
