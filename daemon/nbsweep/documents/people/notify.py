"""The JSON document of `notify test`."""

from nbsweep.core.notices.channel import Acceptance, Channel, Receipt
from nbsweep.documents.base import Document


class TrialDocument(Document, frozen=True):
    """What the other side of a channel said about a test message."""

    channel: str
    kind: str
    acceptance: Acceptance
    counts: bool
    """Whether such an answer counts as told."""
    detail: str
    provider_id: str | None
    retry_after_s: float | None


def trial_document(channel: Channel, kind: str, receipt: Receipt) -> TrialDocument:
    """Return the document of a receipt."""
    return TrialDocument(
        channel=channel.name,
        kind=kind,
        acceptance=receipt.acceptance,
        counts=counts_as_told(receipt, channel),
        detail=receipt.detail,
        provider_id=receipt.provider_id or None,
        retry_after_s=receipt.retry_after.total_seconds() if receipt.retry_after is not None else None,
    )


def counts_as_told(receipt: Receipt, channel: Channel) -> bool:
    """Return whether a receipt of this channel counts as told."""
    if receipt.acceptance is Acceptance.UNPROVEN:
        return channel.trust_unproven
    return receipt.acceptance is Acceptance.ACCEPTED
