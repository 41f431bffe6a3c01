"""What the form of a new exemption shows: what was typed, what is wrong with it, and how long it may last."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.errors import GrantRefused
from nbsweep.core.granting.grants import LONGEST_PATTERN, LONGEST_REASON, LONGEST_TICKET, NOTHING_NAMED, GrantLimits, end_of_day
from nbsweep.service.web.errors import FieldRefused
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.routing import local_path
from nbsweep.service.web.pages.views.elements.disks import DiskView
from nbsweep.service.web.pages.views.elements.texts import name_or_id, short
from nbsweep.service.web.pages.views.notebook.outlook import Outlook
from nbsweep.service.web.pages.views.notebook.page import NotebookView
from nbsweep.service.web.pages.views.search import notebook_path

FIELDS = ("notebook", "owner", "name", "target", "until", "reason", "ticket", "next")
USUAL = timedelta(days=30)
A_DAY = timedelta(days=1)


class AboutNotebook(Struct, frozen=True):
    """The notebook that is to be kept, so that nobody keeps another one by mistake."""

    notebook_id: str
    name: str
    path: str
    owner: str
    status: str
    disk: DiskView
    outlooks: Sequence[Outlook]
    """What happens to it, for each target that has it."""
    past: Message | None
    """What became of it, if no target shows it."""


class ExemptingView(Struct, frozen=True):
    """The form."""

    typed: Mapping[str, str]
    """What each field holds."""
    errors: Mapping[str, Message]
    """What is wrong, by field."""
    detail: str
    """More about what is wrong, in English."""
    said: Message | None
    """The same in the words of the page; None if there are none for it."""
    targets: Sequence[str]
    earliest: str
    """The first day that may be chosen, as `2026-03-01`."""
    latest: str
    """The last day; empty if the limit is less than a day, so that a duration has to be typed."""
    longest: timedelta
    most_letters: Mapping[str, int]
    cancel: str
    """Where the form was reached from."""
    about: AboutNotebook | None = None
    """None if the form is not about one notebook, or if that is not known."""


def build_form(
    typed: Mapping[str, str], limits: GrantLimits, targets: Sequence[str], now: datetime, error: GrantRefused | None = None
) -> ExemptingView:
    """Return what the form shows; with what was typed before, if it was refused."""
    today, last = now.astimezone(limits.zone).date(), (now + limits.longest).astimezone(limits.zone).date()
    latest = last if end_of_day(last, limits.zone) <= now + limits.longest else last - A_DAY
    usual = min((now + USUAL).astimezone(limits.zone).date(), latest)
    fields = {key: typed.get(key, "") for key in FIELDS}
    if "until" not in typed and latest >= today:
        fields["until"] = usual.isoformat()
    return ExemptingView(
        typed=fields,
        errors={error.field: _problem(error, limits, now)} if error else {},
        detail=short(error.problem, 500) if error else "",
        said=_said(error) if error else None,
        targets=targets,
        earliest=today.isoformat(),
        latest=latest.isoformat() if latest >= today else "",
        longest=limits.longest,
        most_letters={"reason": LONGEST_REASON, "ticket": LONGEST_TICKET, "owner": LONGEST_PATTERN, "name": LONGEST_PATTERN},
        cancel=local_path(fields["next"]) if fields["next"] else "/exemptions",
    )


def about_notebook(found: NotebookView, target: str) -> AboutNotebook | None:
    """Return what the form shows of a notebook on a target, or on all if it names none; None if its facts are not known."""
    if found.facts is None:
        return None
    said = (*found.explained, *found.uncovered) if target else found.explained
    outlooks = [each.outlook for each in said if target in ("", each.outlook.target)]
    facts, notebook_id = found.facts, found.notebook_id
    return AboutNotebook(
        notebook_id,
        name_or_id(facts.name, notebook_id),
        notebook_path(notebook_id),
        facts.owner,
        facts.status,
        facts.disk,
        outlooks,
        found.past,
    )


def _said(error: GrantRefused) -> Message | None:
    """Return the detail in the words of the page; None if there are none for it."""
    if isinstance(error, FieldRefused):
        return error.message
    return message("name a notebook, an owner, or a glob for names") if error.problem == NOTHING_NAMED else None


def _problem(error: GrantRefused, limits: GrantLimits, now: datetime) -> Message:
    if error.field == "until":
        return message("Choose an end between now and %(latest)s.", latest=now + limits.longest)
    if error.field == "reason":
        return message("Give a reason of at most %(most)s characters.", most=LONGEST_REASON)
    if error.field == "ticket":
        return message("A ticket has at most %(most)s characters.", most=LONGEST_TICKET)
    if error.field == "notebook":
        return message("This notebook cannot be exempted.")
    return message("This is not possible.")
