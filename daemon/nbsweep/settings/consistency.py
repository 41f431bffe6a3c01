"""What `grace` and `notify` need from `channels` and `owners`."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from nbsweep.core.marks.grace import OWNER, UnlessTold
from nbsweep.settings.people.channels import SmtpSettings, WebhookSettings
from nbsweep.settings.people.marks import NO_CALENDAR
from nbsweep.settings.people.notify import places_of
from nbsweep.settings.people.owners import FALLBACK

if TYPE_CHECKING:
    from nbsweep.settings.file import Settings

Place = tuple[str | int, ...]


def check_people(settings: "Settings") -> None:
    """Check that everybody who is to be told can be.

    Raises:
        ValidationError: a channel, or the owners' directory, is missing.
    """
    problems = [*problems_of_calendar(settings), *_of_graces(settings), *_of_notify(settings)]
    if problems:
        raise ValidationError.from_exception_data("settings", problems, hide_input=True)


def problems_of_calendar(settings: "Settings") -> Iterator[InitErrorDetails]:
    """Yield what is wrong with the calendar, if a grace or a window counts business days."""
    if not settings.counts_business_days:
        return
    if settings.calendar.country is None and settings.calendar.file is None:
        counting = [
            place for place, policy in enumerate(settings.policies) if policy.grace and policy.grace.counts_business_days
        ]
        where: Place = ("policies", counting[0], "grace", "for") if counting else ("windows",)
        yield _problem(where, "counts business days: set calendar.country, such as CN, or calendar.file")
    try:
        _ = settings.business_calendar
    except ValueError as error:
        yield _problem(("calendar",), str(error))


def _of_graces(settings: "Settings") -> Iterator[InitErrorDetails]:
    for place, policy in enumerate(settings.policies):
        grace = settings.marks.bind(policy.grace, NO_CALENDAR)
        if grace is None:
            continue
        where: Place = ("policies", place, "grace") if policy.grace else ("marks", "min_grace")
        if not settings.channels:
            yield _problem(where, "needs channels: without one, nobody can be told, and nothing is ever deleted")
            continue
        if OWNER in grace.tell and not any(part.key != FALLBACK for part in settings.owners):
            yield _problem(where, "needs owners: without it, no owner's address is known, and nothing is ever deleted")
        elif OWNER in grace.tell and not _reaches_owners(settings):
            yield _problem(where, "needs a channel that takes addresses, such as smtp: without one, no owner can be told")
        if grace.unless_told is UnlessTold.FALLBACK and all(part.fallback is None for part in settings.owners):
            yield _problem((*where, "unless_told"), "is fallback, and owners has no fallback")
        for name in grace.tell:
            if name != OWNER and (problem := _why_no_place(name, settings)):
                yield _problem((*where, "tell"), problem)


def _reaches_owners(settings: "Settings") -> bool:
    """Return whether a channel may tell single owners; a file may name channels of other kinds for them."""
    named = any(part.file is not None for part in settings.owners)
    return named or any(_takes_addresses(channel) for channel in settings.channels.values())


def _why_no_place(name: str, settings: "Settings") -> str:
    channel = settings.channels.get(name)
    if channel is None:
        return _unknown(name, [OWNER, *settings.channels])
    if _takes_addresses(channel):
        return f"names channel {name}, which needs the address of a person; write owner to tell the owners by it"
    return ""


def _of_notify(settings: "Settings") -> Iterator[InitErrorDetails]:
    known: Mapping[str, object] = settings.channels
    for event, name, address in places_of(settings.notify):
        where: Place = ("notify", event.value)
        if name not in known:
            yield _problem(where, _unknown(name, known))
        elif address and not _takes_addresses(known[name]):
            yield _problem(where, f"gives channel {name} an address, but it has one fixed place; write only its name")
        elif not address and _takes_addresses(known[name]) and all(part.fallback is None for part in settings.owners):
            advice = f"write {{channel: {name}, to: ADDRESS}}, or give owners a fallback"
            yield _problem(where, f"names channel {name}, which needs an address: {advice}")


def _takes_addresses(channel: object) -> bool:
    return isinstance(channel, SmtpSettings) or (isinstance(channel, WebhookSettings) and channel.addressed)


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known) or 'none'}"
    return f"names {name}, which is no channel. {hint}"


def _problem(place: Place, message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("people", "{error}", {"error": message}), loc=place, input=None)
