"""Turns a request for an exemption into the exemption, within the limits of the configuration."""

import secrets
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.errors import GrantRefused
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.matching.globs import Glob

NOTHING_NAMED = "name a notebook, an owner, or a glob for names"
LONGEST_REASON = 500
LONGEST_TICKET = 100
LONGEST_PATTERN = 200
"""The number of characters of an owner or of the glob of a name."""
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Characters of ids, without those that are easily mistaken for others."""
ID_LENGTH = 6
A_DAY = timedelta(days=1)


class GrantLimits(Struct, frozen=True):
    """The limits on exemptions."""

    longest: timedelta
    """How far ahead an exemption may end."""
    zone: ZoneInfo
    """The time zone of dates without one."""
    setting: str = "exemptions.longest"
    """The setting that gives `longest`."""


class GrantRequest(Struct, frozen=True):
    """A request for an exemption, as somebody wrote it."""

    selector: Selector
    until: datetime
    reason: str
    ticket: str = ""
    target: str = ""


class Granter(Struct, frozen=True):
    """The person who grants an exemption."""

    name: str
    granted_as: GrantedBy = GrantedBy.ADMINISTRATOR


def new_exemption_id() -> str:
    """Return a new id, which is short enough to be typed."""
    return "".join(secrets.choice(LETTERS) for _ in range(ID_LENGTH))


def make_exemption(request: GrantRequest, limits: GrantLimits, granter: Granter, now: datetime, new_id: str) -> Exemption:
    """Return the exemption that a request asks for.

    Raises:
        GrantRefused: the request says too little, or asks for more than the limits allow.
    """
    if request.until <= now:
        raise GrantRefused("until", f"{shown(request.until, limits.zone)} has passed")
    if request.until > now + limits.longest:
        raise GrantRefused("until", f"{shown(request.until, limits.zone)} is too far ahead: {_latest(limits, now)}")
    return Exemption(
        id=new_id,
        selector=_checked(request.selector),
        reason=_one_line("reason", request.reason, LONGEST_REASON, needed=True),
        granted_by=granter.name,
        granted_as=granter.granted_as,
        granted_at=now,
        until=request.until,
        target=request.target,
        ticket=_one_line("ticket", request.ticket, LONGEST_TICKET),
    )


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the end of a day, so that an exemption until a day includes it.

    Raises:
        OverflowError: there is no later day.
    """
    return datetime.combine(day + A_DAY, time(), zone)


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment for people, with its zone."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} ({zone.key})"


def one_line_reason(text: str) -> str:
    """Return a reason that may be empty, on one line.

    Raises:
        GrantRefused: it holds control characters, or is too long.
    """
    return _one_line("reason", text, LONGEST_REASON)


def _latest(limits: GrantLimits, now: datetime) -> str:
    latest = (now + limits.longest).astimezone(limits.zone)
    last_day = latest.date() if end_of_day(latest.date(), limits.zone) <= latest else latest.date() - A_DAY
    days = f"{limits.longest.days}d" if not limits.longest % A_DAY else str(limits.longest)
    whole_day = f", and the latest date {last_day}" if last_day >= now.astimezone(limits.zone).date() else ""
    return f"{limits.setting} is {days}, so that the latest end is {shown(latest, limits.zone)}{whole_day}"


def _checked(selector: Selector) -> Selector:
    if selector.notebook_id is None and selector.owner is None and selector.name is None:
        raise GrantRefused("notebook", NOTHING_NAMED)
    given = {field: getattr(selector, field) for field in ("owner", "name") if getattr(selector, field) is not None}
    checked = {field: _one_line(field, text, LONGEST_PATTERN, needed=True) for field, text in given.items()}
    if "name" in checked:
        try:
            Glob(checked["name"])
        except ValueError as error:
            raise GrantRefused("name", str(error)) from error
    return replace(selector, **checked)


def _one_line(field: str, text: str, most: int, *, needed: bool = False) -> str:
    """Return a text on one line; refuse what a log, a terminal or a page cannot show."""
    line = " ".join(text.split())
    if needed and not line:
        raise GrantRefused(field, "must not be empty")
    if not line.isprintable() or len(line) > most:
        raise GrantRefused(field, f"must be text without control characters, at most {most} characters")
    return line
