"""What the one-time link of a notice offers to an owner, and what has become of the offer."""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

from nbsweep.core.exemptions.links import KeepLink, keep_link
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.granting.grants import LETTERS, Granter, GrantLimits, GrantRequest, make_exemption
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark, MarkState

VALID_AFTER_DEADLINE = timedelta(days=14)
"""A notebook that is still there after its deadline may be kept, too."""
LENGTHS = tuple(timedelta(days=days) for days in (7, 14, 30, 60, 90, 180, 365))
"""The lengths of exemptions that are offered."""
ID_LENGTH = 10
"""The id follows from the mark, so that it has to be longer than one that is drawn at random."""


class Standing(StrEnum):
    """What has become of the offer of a link."""

    OPEN = "open"
    USED = "used"
    TOO_LATE = "too-late"
    """The DELETE was requested."""
    DELETED = "deleted"
    CLEARED = "cleared"
    """The notebook is no longer to be deleted."""
    EXPIRED = "expired"


class Offer(Struct, frozen=True):
    """The offer of a link, as the journal knows it."""

    link: KeepLink
    mark: Mark
    exemption: Exemption | None = None
    """The exemption that was granted by this link; it may have ended."""
    removal: Removal | None = None
    """The removal of the marked notebook whose DELETE was requested, also if it has ended."""

    def standing(self, now: datetime) -> Standing:
        """Return what has become of the offer."""
        if self.mark.state is MarkState.REMOVED or (self.removal and self.removal.state is State.DELETED):
            return Standing.DELETED
        if self.removal is not None:
            return Standing.TOO_LATE
        if self.exemption is not None:
            return Standing.USED
        if self.mark.state is MarkState.CLEARED:
            return Standing.CLEARED
        return Standing.EXPIRED if self.link.expires_at <= now else Standing.OPEN


def offer_to_keep(mark: Mark) -> KeepLink | None:
    """Return the content of the link for the owner of a mark; None until a deadline is promised."""
    if mark.deadline is None:
        return None
    return keep_link(mark.id, mark.notebook_created_at, mark.deadline + VALID_AFTER_DEADLINE)


def lengths_to_offer(mark: Mark, limits: GrantLimits, now: datetime) -> tuple[timedelta, ...]:
    """Return the lengths of exemptions that the owner may choose from, the shortest first; all end after the deadline.

    If the longest ends before the deadline, it is the only one.
    """
    useful = (each for each in LENGTHS if each < limits.longest and (mark.deadline is None or now + each > mark.deadline))
    return (*useful, limits.longest)


def exemption_id_of(mark_id: str) -> str:
    """Return the id of the exemption that the owner may grant for a mark; the journal accepts it once."""
    number = int.from_bytes(sha256(f"keep\n{mark_id}".encode()).digest())
    digits = (number // len(LETTERS) ** place % len(LETTERS) for place in range(ID_LENGTH))
    return "".join(LETTERS[digit] for digit in digits)


def exemption_of_owner(mark: Mark, until: datetime, reason: str, limits: GrantLimits, now: datetime) -> Exemption:
    """Return the exemption of exactly the marked instance, granted by its owner.

    Raises:
        GrantRefused: the reason is empty or too long, or the end is beyond what owners may.
    """
    selector = Selector(mark.notebook_id, mark.notebook_created_at)
    granter = Granter(mark.owner_label, GrantedBy.OWNER)
    return make_exemption(GrantRequest(selector, until, reason), limits, granter, now, exemption_id_of(mark.id))
