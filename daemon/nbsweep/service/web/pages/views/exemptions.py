"""What the page Exemptions shows: which notebooks are kept, until when, why and by whom; what ends soon comes first."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.granting.effect import GrantEffect
from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.pages.views.elements.paging import Choice, Paging, paging
from nbsweep.service.web.pages.views.elements.texts import LONGEST_SENTENCE, short

PATH = "/exemptions"
ROWS = 100
MOST_ENDED = 1000
"""How many of those that have ended are looked at."""
SOON = timedelta(days=7)
MOST_SOON = 20
"""How many of those that end within a week stand on top; the others begin the list."""
STATES: Mapping[str, Message] = {"": message("In force"), "ended": message("Ended or revoked")}
WAYS: Mapping[GrantedBy, Message] = {
    GrantedBy.ADMINISTRATOR: message("by %(by)s on %(at)s"),
    GrantedBy.OWNER: message("by the owner %(by)s on %(at)s"),
}


class ExemptionRow(Struct, frozen=True):
    """One exemption."""

    id: str
    covers: Sequence[Message]
    """What it covers, all of which must match."""
    notebook_path: str
    """The address of the only notebook that it covers; empty if it covers others."""
    notebook_id: str
    """Its ID; empty if it covers others."""
    target: str
    reason: str
    ticket: str
    granted: Message
    until: datetime
    left: timedelta | None
    """How long it still lasts; None if it has ended."""
    revoked: Message | None


class ExemptionsView(Struct, frozen=True):
    """The page."""

    soon: Sequence[ExemptionRow]
    """The first to end of those that end within a week."""
    rows: Sequence[ExemptionRow]
    paging: Paging
    state: str
    states: Sequence[Choice]
    text: str
    may_grant: bool
    names: Mapping[str, str] = {}
    """The names of notebooks that are kept by their IDs, by the ID of the exemption."""


def build_exemptions(
    exemptions: Sequence[Exemption], asked: Mapping[str, str], now: datetime, *, may_grant: bool
) -> ExemptionsView:
    """Return what the page shows of all exemptions that were read; `asked` is its query."""
    text, state = asked.get("text", ""), asked.get("state", "")
    found = [each for each in exemptions if _has(each, text) and each.in_force(now) is (state != "ended")]
    found.sort(key=lambda each: each.until, reverse=state == "ended")
    soon = [each for each in found if state != "ended" and each.until <= now + SOON][:MOST_SOON]
    rest = found[len(soon) :]
    shown = paging(PATH, asked, len(rest), ROWS)
    return ExemptionsView(
        soon=[_row(each, now) for each in soon],
        rows=[_row(each, now) for each in rest[max(0, shown.first - 1) : shown.last]],
        paging=shown,
        state=state,
        states=[Choice(value, title, value == state) for value, title in STATES.items()],
        text=text,
        may_grant=may_grant,
    )


def granted_message(exemption: Exemption, effect: GrantEffect) -> Message:
    """Return what is said after a grant: what it keeps, and what it comes too late for."""
    if effect.too_late:
        return plural(
            "Exemption %(id)s is granted, but too late for %(count)s notebook, whose deletion has begun: %(name)s",
            "Exemption %(id)s is granted, but too late for %(count)s notebooks, whose deletion has begun: %(name)s …",
            len(effect.too_late),
            id=exemption.id,
            name=short(effect.too_late[0].name),
        )
    return plural(
        "Exemption %(id)s counts until %(until)s. It stops %(count)s announced deletion.",
        "Exemption %(id)s counts until %(until)s. It stops %(count)s announced deletions.",
        len(effect.announced),
        id=exemption.id,
        until=exemption.until,
    )


def covered(selector: Selector) -> list[Message]:
    """Return what a selector covers, in words."""
    said = []
    if selector.notebook_id is not None:
        said.append(message("notebook %(id)s", id=short(selector.notebook_id)))
        if selector.notebook_created_at is None:
            said.append(message("whichever notebook has this ID"))
    if selector.owner is not None:
        said.append(message("all notebooks of %(owner)s", owner=short(selector.owner)))
    if selector.name is not None:
        said.append(message("names that match %(name)s", name=short(selector.name)))
    return said


def _has(exemption: Exemption, text: str) -> bool:
    selector, wanted = exemption.selector, text.casefold()
    texts = (exemption.id, exemption.reason, exemption.ticket, exemption.granted_by, exemption.target)
    return any(wanted in (each or "").casefold() for each in (*texts, selector.notebook_id, selector.owner, selector.name))


def _row(exemption: Exemption, now: datetime) -> ExemptionRow:
    way = WAYS[exemption.granted_as]
    return ExemptionRow(
        id=exemption.id,
        covers=covered(exemption.selector),
        notebook_path=f"/notebooks/{exemption.selector.notebook_id}" if exemption.selector.notebook_id else "",
        notebook_id=exemption.selector.notebook_id or "",
        target=exemption.target,
        reason=short(exemption.reason, LONGEST_SENTENCE),
        ticket=short(exemption.ticket),
        granted=Message(way.text, {"by": short(exemption.granted_by), "at": exemption.granted_at}),
        until=exemption.until,
        left=exemption.until - now if exemption.in_force(now) else None,
        revoked=_revoked(exemption),
    )


def _revoked(exemption: Exemption) -> Message | None:
    if exemption.revoked_at is None:
        return None
    by, at = short(exemption.revoked_by), exemption.revoked_at
    if exemption.revoked_reason:
        return message("Revoked by %(by)s on %(at)s: %(reason)s", by=by, at=at, reason=short(exemption.revoked_reason, 500))
    return message("Revoked by %(by)s on %(at)s", by=by, at=at)
