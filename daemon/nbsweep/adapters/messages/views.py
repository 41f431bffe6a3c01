"""The variables that templates get. Every text in them is already harmless in the form of the template."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from nbsweep.adapters.messages.dates import format_date, format_iso
from nbsweep.adapters.messages.escaping import Form, clean, shorten
from nbsweep.adapters.messages.words import WORDS
from nbsweep.core.notices.digest import Detail, Digest, Line
from nbsweep.core.notices.operators import OperatorNotice, UntoldOwner
from nbsweep.core.notices.outbox import ItemKind
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_action, render_kept, render_untold

LONGEST_NAME = 128
LONGEST_WORD = 64
LONGEST_REMEDY = 300
LONGEST_PROBLEM = 1000
REASON = {Detail.FULL: 800, Detail.SHORT: 160, Detail.BARE: 60}
REMEDIES = {Detail.FULL: 8, Detail.SHORT: 1, Detail.BARE: 0}
NAME = {Detail.FULL: LONGEST_NAME, Detail.SHORT: LONGEST_NAME, Detail.BARE: 40}
WORD = {Detail.FULL: LONGEST_WORD, Detail.SHORT: LONGEST_WORD, Detail.BARE: 20}


class ItemView(Struct, frozen=True):
    """One notebook, as templates see it; moments that do not apply, and links that do not exist, are empty texts."""

    kind: str
    name: str
    id: str
    owner: str
    target: str
    workspace: str
    status: str
    disk: str
    policy: str
    reason: str
    marked: str
    deadline: str
    deadline_iso: str
    ended: str
    ended_iso: str
    cleared: str
    remedies: tuple[str, ...]
    keep_url: str
    keep_until: str
    shortened: bool


class DigestView(Struct, frozen=True):
    """A part of a digest, as templates see it."""

    recipient: str
    audience: str
    zone: str
    part: int
    parts: int
    page_url: str
    announce: tuple[ItemView, ...]
    remind: tuple[ItemView, ...]
    cleared: tuple[ItemView, ...]
    deleted: tuple[ItemView, ...]
    first_deadline: str
    """The earliest deadline in this part; empty if nothing in it will be deleted."""

    @property
    def items(self) -> tuple[ItemView, ...]:
        """All items, in the order of the sections."""
        return self.announce + self.remind + self.cleared + self.deleted


class OwnerView(Struct, frozen=True):
    """An owner who could not be told."""

    owner: str
    why: str
    notebooks: int


class OperatorView(Struct, frozen=True):
    """An event for operators, as templates see it."""

    event: str
    at: str
    at_iso: str
    problem: str
    target: str
    channel: str
    run_id: str
    advice: str
    notebooks: int
    owners: tuple[OwnerView, ...]
    more_owners: int
    """How many owners are left out, because the message would be too long."""


class Viewer(Struct, frozen=True):
    """Makes the variables for one form, language and time zone."""

    form: Form
    language: Language
    zone: ZoneInfo

    def digest(self, digest: Digest) -> DigestView:
        """Return the variables of a digest."""
        deadlines = [line.deadline for line in digest.lines if line.deadline]
        sections = {kind.value: tuple(map(self._item, digest.of_kind(kind))) for kind in ItemKind}
        return DigestView(
            recipient=self._text(digest.recipient, LONGEST_NAME),
            audience=digest.audience.value,
            zone=self.zone.key,
            part=digest.part,
            parts=digest.parts,
            page_url=self.form.url(digest.page_url),
            first_deadline=self._date(min(deadlines, default=None)),
            **sections,
        )

    def operator(self, notice: OperatorNotice, most_owners: int, longest_problem: int) -> OperatorView:
        """Return the variables of an event for operators, with so many owners at most."""
        return OperatorView(
            event=notice.event.value,
            at=self._date(notice.at),
            at_iso=self._iso(notice.at),
            problem=self._text(notice.problem, longest_problem),
            target=self._text(notice.target, LONGEST_WORD),
            channel=self._text(notice.channel, LONGEST_WORD),
            run_id=self._text(notice.run_id, LONGEST_WORD),
            advice=self._text(notice.advice, longest_problem),
            notebooks=notice.notebooks,
            owners=tuple(self._untold(owner, longest_problem) for owner in notice.owners[:most_owners]),
            more_owners=max(0, len(notice.owners) - most_owners),
        )

    def _item(self, line: Line) -> ItemView:
        words, detail = WORDS[self.language], line.detail
        size = words.unknown_size if line.capacity_gb is None else f"{line.capacity_gb} GB"
        actions = (render_action(each, self.language) for each in line.remedies[: REMEDIES[detail]])
        remedies = tuple(self._text(action, LONGEST_REMEDY) for action in actions)
        return ItemView(
            kind=line.kind.value,
            name=self._text(line.name, NAME[detail]) or words.no_name,
            id=self._text(line.notebook_id, LONGEST_WORD),
            owner=self._text(line.owner, NAME[detail]),
            target=self._text(line.target, WORD[detail]),
            workspace=self._text(line.workspace, WORD[detail]),
            status=line.status.value,
            disk=size,
            policy=self._text(line.policy, WORD[detail]),
            reason=self._text(render_kept(line.cause, line.reason, self.language), REASON[detail]),
            marked=self._date(line.marked_at),
            deadline=self._date(line.deadline),
            deadline_iso=self._iso(line.deadline),
            ended=self._date(line.ended_at),
            ended_iso=self._iso(line.ended_at),
            cleared=words.cleared[line.cleared],
            remedies=remedies,
            keep_url=self.form.url(line.keep_url),
            keep_until=self._date(line.keep_until),
            shortened=detail is not Detail.FULL,
        )

    def _untold(self, owner: UntoldOwner, longest: int) -> OwnerView:
        return OwnerView(
            self._text(owner.owner, LONGEST_WORD), self._text(render_untold(owner.why, self.language), longest), owner.notebooks
        )

    def _text(self, text: str, most: int) -> str:
        # Shortened before it is escaped, so that no escape is cut in two.
        return self.form.text(shorten(clean(text), most))

    def _date(self, moment: datetime | None) -> str:
        return format_date(moment, self.zone, self.language) if moment else ""

    def _iso(self, moment: datetime | None) -> str:
        return format_iso(moment, self.zone) if moment else ""


def variables(view: DigestView | OperatorView) -> dict[str, Any]:
    """Return the variables of a template by name."""
    names = view.__struct_fields__
    return {name: getattr(view, name) for name in names} | ({"items": view.items} if isinstance(view, DigestView) else {})
