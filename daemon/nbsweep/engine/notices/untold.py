"""What follows when an owner cannot be told."""

from collections.abc import Sequence

from msgspec.structs import replace

from nbsweep.core.errors import MarksChanged
from nbsweep.core.events.marks import MarkTold, MarkUntold
from nbsweep.core.marks.grace import OWNER, Grace, UnlessTold
from nbsweep.core.marks.model import Mark, MarkState, note_untold, promise, tell
from nbsweep.core.notices.deadlines import deadline_to_write
from nbsweep.core.notices.outbox import Item, ItemKind, Listed, item_id
from nbsweep.engine.notices.context import RelayOptions, RelayPorts
from nbsweep.engine.notices.recipients import FALLBACK

ATTEMPTS = 5
"""How often a mark is read again because it was written meanwhile."""


async def record_untold(untold: Sequence[Listed], why: str, ports: RelayPorts, options: RelayOptions, *, passing: bool) -> None:
    """Record for each item that it cannot be told, and do what the policy says: keep, tell the fallback, or proceed.

    `passing` says that a later attempt may succeed; then nothing else is done yet.
    """
    for listed in untold:
        grace = options.grace_of(listed.mark)
        if listed.item.kind is ItemKind.ANNOUNCE and grace is not None:
            await _record_at_last(listed, why, grace, ports, passing=passing)


async def _record_at_last(listed: Listed, why: str, grace: Grace, ports: RelayPorts, *, passing: bool) -> None:
    """Record one item; if a survey or another message has written the mark meanwhile, it is read again."""
    for _ in range(ATTEMPTS):
        if listed.mark.state is not MarkState.MARKED:
            return
        try:
            await _record(listed, why, grace, ports, passing=passing)
        except MarksChanged:
            listed = replace(listed, mark=await ports.journal.marks.mark(listed.mark.id) or listed.mark)
        else:
            return


async def _record(listed: Listed, why: str, grace: Grace, ports: RelayPorts, *, passing: bool) -> None:
    mark, now = listed.mark, ports.clock.now()
    if not passing and listed.item.tell == OWNER and grace.unless_told is UnlessTold.PROCEED:
        deadline = deadline_to_write(mark, grace, now)
        told_by = f"nobody, by unless_told: proceed: {why}"
        told = tell(promise(mark, deadline), now, told_by, clock_verified=ports.is_clock_verified())
        await ports.journal.marks.write([told])
        ports.telemetry.emit(MarkTold(mark.notebook_id, mark.policy, told_by, deadline))
        return
    noted = note_untold(mark, why, now, retried=passing)
    instead = [_to_fallback(mark, listed.item)] if _tells_fallback(listed, grace, passing=passing) else []
    if noted != mark or instead:
        await ports.journal.marks.write([noted], instead)
    if noted != mark:
        ports.telemetry.emit(MarkUntold(mark.notebook_id, mark.policy, why, retried=passing))


def _tells_fallback(listed: Listed, grace: Grace, *, passing: bool) -> bool:
    return not passing and listed.item.tell == OWNER and grace.unless_told is UnlessTold.FALLBACK


def _to_fallback(mark: Mark, item: Item) -> Item:
    occasion = str(mark.notices) if mark.notices else ""
    return replace(item, id=item_id(ItemKind.ANNOUNCE, mark.id, FALLBACK, occasion), tell=FALLBACK, message_key="")
