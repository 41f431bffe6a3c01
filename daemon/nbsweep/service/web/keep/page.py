"""Writes the pages of one-time links. Names and reasons are other people's text: they are escaped, and are one line."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined
from msgspec import Struct

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.granting.grants import LONGEST_REASON, GrantLimits, shown
from nbsweep.core.granting.keeping import Offer, Standing, lengths_to_offer
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_kept
from nbsweep.service.web.keep.words import WORDS, Text, Words
from nbsweep.service.web.pages.languages.formats import one_line
from nbsweep.settings.fields.units import format_duration

STYLE = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
A_DAY = timedelta(days=1)
USUAL_DAYS = 30
"""The length that is chosen at first, if it is offered; otherwise the longest one before it."""


class Choice(Struct, frozen=True):
    """One length that an owner may choose."""

    value: str
    label: str
    chosen: bool


class Typed(Struct, frozen=True):
    """What an owner has sent, if the page has to be shown again."""

    length: str = ""
    reason: str = ""
    problem: str = ""
    """The field that is wrong."""


class Form(Struct, frozen=True):
    """What a page has beside its text."""

    facts: Sequence[tuple[str, str]] = ()
    choices: Sequence[Choice] = ()
    """Without any, the page has no form."""
    reason: str = ""
    problem: str = ""


EMPTY = Form()


class PageWriter:
    """Writes the pages."""

    def __init__(self, limits: GrantLimits) -> None:
        """Compile the template."""
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
        self._limits = limits

    def plain(self, text: Text, language: Language, **values: str) -> str:
        """Return a page that only says something."""
        return self._written(language, text, values)

    def of_offer(self, offer: Offer, now: datetime, language: Language, typed: Typed | None = None) -> str:
        """Return the page of an offer; `typed` is what its owner has just sent."""
        words, standing = WORDS[language], offer.standing(now)
        values = _values(offer, self._limits.zone)
        if standing is not Standing.OPEN:
            return self._written(language, _text_of(offer, standing, words, now, again=typed is None), values)
        typed = typed or Typed()
        form = Form(
            facts=list(_facts(offer, words, language, self._limits.zone)),
            choices=list(self._choices(offer, words, now, typed.length)),
            reason=one_line(typed.reason),
            problem=words.problems.get(typed.problem, ""),
        )
        return self._written(language, words.open, values, form)

    def _choices(self, offer: Offer, words: Words, now: datetime, typed: str) -> Iterator[Choice]:
        lengths = lengths_to_offer(offer.mark, self._limits, now)
        usual = max((each for each in lengths if each <= USUAL_DAYS * A_DAY), default=lengths[0])
        chosen = typed if typed in map(format_duration, lengths) else format_duration(usual)
        for length in lengths:
            value, end = format_duration(length), shown(now + length, self._limits.zone)
            yield Choice(value, words.choice.format(length=_length(length, words), end=end), value == chosen)

    def _written(self, language: Language, text: Text, values: Mapping[str, str], form: Form = EMPTY) -> str:
        return self._template.render(
            language="zh-CN" if language is Language.CHINESE else "en",
            words=WORDS[language],
            title=text.title.format_map(values),
            paragraphs=[paragraph.format_map(values) for paragraph in text.paragraphs],
            form=form,
            longest_reason=LONGEST_REASON,
        )


def _text_of(offer: Offer, standing: Standing, words: Words, now: datetime, *, again: bool) -> Text:
    """Return what a page says of an offer that is not open; `again` says that the link is not being used just now."""
    exemption = offer.exemption
    if standing is Standing.USED and exemption is not None:
        if exemption.revoked_at is not None:
            return words.used_revoked
        if not exemption.in_force(now):
            return words.used_ended
        return words.used_before if again else words.used
    if standing is Standing.TOO_LATE:
        return words.too_late_used if exemption else words.too_late
    return {Standing.DELETED: words.deleted, Standing.CLEARED: words.cleared}.get(standing, words.expired)


def _values(offer: Offer, zone: ZoneInfo) -> Mapping[str, str]:
    exemption = offer.exemption
    return {
        "name": one_line(offer.mark.name) or offer.mark.notebook_id,
        "until": shown(exemption.until, zone) if exemption else "",
        "when": _when(offer, exemption, zone),
        "by": one_line(exemption.revoked_by) if exemption else "",
    }


def _when(offer: Offer, exemption: Exemption | None, zone: ZoneInfo) -> str:
    """Return when the latest of what a page tells has happened."""
    if offer.removal is not None:
        return shown(offer.removal.requested_at or offer.removal.planned_at, zone)
    return shown(exemption.revoked_at or exemption.granted_at, zone) if exemption else ""


def _facts(offer: Offer, words: Words, language: Language, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    mark = offer.mark
    facts = {
        "name": one_line(mark.name) or "–",
        "id": mark.notebook_id,
        "owner": mark.owner_label,
        "target": mark.target,
        "deadline": shown(mark.deadline, zone) if mark.deadline else "-",
        "reason": render_kept(mark.cause, mark.reason, language),
    }
    for key, value in facts.items():
        yield words.facts[key], one_line(value)


def _length(length: timedelta, words: Words) -> str:
    days = length // A_DAY
    if days:
        return words.days[days == 1].format(count=days)
    return words.hours.format(count=max(1, length // timedelta(hours=1)))
