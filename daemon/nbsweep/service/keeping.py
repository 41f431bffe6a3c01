"""Lets owners keep their notebooks by the one-time links of their notices."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from nbsweep.core.errors import ExemptionExists, JournalError, MarksChanged
from nbsweep.core.events.exemptions import ExemptionGranted
from nbsweep.core.events.marks import MarkCleared
from nbsweep.core.exemptions.links import KeepLink, read_link
from nbsweep.core.granting.effect import removal_in_the_way
from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.granting.keeping import Offer, Standing, exemption_id_of, exemption_of_owner
from nbsweep.core.marks.model import ClearCause, Mark, clear
from nbsweep.core.notices.outbox import ending_items
from nbsweep.core.ports import Clock, Journal, Telemetry

ATTEMPTS = 3
"""How often a mark is read again because another process has written it."""
GIVEN_UP = "its owner has kept the notebook"


class Keeping(Struct, frozen=True):
    """Looks at the offers of links, and grants the exemptions."""

    journal: Journal
    clock: Clock
    telemetry: Telemetry
    keys: Sequence[bytes]
    """The keys of links; the first one signs."""
    limits: GrantLimits
    """What owners may grant."""

    async def look(self, token: str) -> Offer | None:
        """Return the offer of a token; None if nobody has made such an offer. Changes nothing.

        Raises:
            JournalError: the journal cannot be read.
        """
        link = read_link(token, self.keys)
        return await self._offer(link) if link else None

    async def accept(self, offer: Offer, length: timedelta, reason: str) -> Offer:
        """Grant the exemption of an open offer; return what has become of the offer. A second grant changes nothing.

        Raises:
            GrantRefused: the reason is empty or too long, or the end is beyond what owners may.
            JournalError: the journal cannot be written or read.
        """
        now, mark = self.clock.now(), offer.mark
        exemption = exemption_of_owner(mark, now + length, reason, self.limits, now)
        try:
            await self.journal.exemptions.grant(exemption)
        except ExemptionExists:
            after = await self._offer_again(offer)
            if after.exemption is None or after.exemption.selector != exemption.selector:
                raise JournalError(f"the journal has another exemption {exemption.id}") from None
            return after
        self.telemetry.emit(ExemptionGranted.of(exemption))
        # After the grant: a DELETE that was requested before is seen here, and none is requested any more.
        after = await self._offer_again(offer)
        if after.standing(now) is Standing.USED:
            await self._give_up(mark)
        return after

    async def _offer_again(self, offer: Offer) -> Offer:
        return await self._offer(offer.link) or offer

    async def _offer(self, link: KeepLink) -> Offer | None:
        mark = await self.journal.marks.mark(link.mark_id)
        if mark is None or mark.notebook_created_at != link.created_at:
            return None
        exemption = await self.journal.exemptions.find(exemption_id_of(mark.id))
        removals = await self.journal.removals_of(mark.notebook_id)
        return Offer(link, mark, exemption, removal_in_the_way(mark, removals))

    async def _give_up(self, mark: Mark) -> None:
        """Clear the mark at once, so that everything begins anew after the exemption, also if no sweep sees it before.

        The exemption counts in any case; the next sweep clears a mark that others write all the time.
        """
        now, current = self.clock.now(), await self.journal.marks.mark(mark.id)
        for _ in range(ATTEMPTS):
            if current is None or not current.open:
                return
            cleared = clear(current, now, ClearCause.EXEMPT)
            items = list(ending_items(cleared, now)) if current.was_told else []
            try:
                await self.journal.marks.write([cleared], items, dropped=GIVEN_UP)
            except MarksChanged:
                current = await self.journal.marks.mark(mark.id)
                continue
            self.telemetry.emit(MarkCleared(mark.notebook_id, mark.policy, ClearCause.EXEMPT, current.was_told))
            return
