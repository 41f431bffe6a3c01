"""What the page of one notebook shows: what happens to it, why, and all that the journal knows of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.audit.chain import Link
from nbsweep.core.explain.context import NotebookContext
from nbsweep.core.inventory.model import NotebookState
from nbsweep.core.judging.shown_marks import MarkRules
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.grace import OWNER
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Notebook
from nbsweep.core.notices.outbox import ItemKind, Listed
from nbsweep.service.control import TargetState
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.audit import EntryRow, entry_row
from nbsweep.service.web.pages.views.elements.disks import DiskView, disk_view
from nbsweep.service.web.pages.views.elements.paging import address
from nbsweep.service.web.pages.views.elements.texts import LONGEST_SENTENCE, short
from nbsweep.service.web.pages.views.elements.words import Said, sentence_words
from nbsweep.service.web.pages.views.marks import MarkRow, mark_row
from nbsweep.service.web.pages.views.notebook.explained import Node, explained_tree
from nbsweep.service.web.pages.views.notebook.outlook import Outlook, outlook
from nbsweep.service.web.pages.views.past.removals import RemovalRow, removal_row
from nbsweep.service.web.pages.views.search import notebook_path

MOST = 50
"""Rows of each table; the journal may know more."""
KINDS: Mapping[ItemKind, Message] = {
    ItemKind.ANNOUNCE: message("announcement"),
    ItemKind.REMIND: message("reminder"),
    ItemKind.CLEARED: message("all clear"),
    ItemKind.DELETED: message("message that it was deleted"),
}


class Recorded(Struct, frozen=True):
    """What the journal knows of a notebook; the newest records first."""

    states: Sequence[NotebookState] = ()
    marks: Sequence[Mark] = ()
    items: Sequence[Listed] = ()
    removals: Sequence[Removal] = ()
    links: Sequence[Link] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the journal knows nothing."""
        return not (self.states or self.marks or self.removals or self.links)


class Asked(Struct, frozen=True):
    """What the cloud says now."""

    contexts: Sequence[NotebookContext] = ()
    errors: Mapping[str, str] = {}
    """Why a target could not be asked, in English."""
    not_asked: Message | None = None
    """Why the cloud was not asked, or has not answered."""


class NotebookFacts(Struct, frozen=True):
    """The facts of a notebook."""

    name: str
    owner: str
    status: str
    flavor: str
    image: str
    workspace: str
    disk: DiskView
    created_at: datetime | None
    updated_at: datetime | None
    fail_reason: str
    as_of: datetime | None
    """When a survey first showed it so; None for facts of this moment."""


class StateRow(Struct, frozen=True):
    """One state of a notebook."""

    status: str
    name: str
    owner: str
    target: str
    disk: DiskView
    seen_from: datetime
    seen_until: datetime | None
    lasted: timedelta | None


class NoticeRow(Struct, frozen=True):
    """One message about the notebook."""

    kind: Message
    to: Message
    due_at: datetime
    accepted_at: datetime | None
    what: Message
    why: str
    """In English."""
    said: Said | None
    """The same in the words of the page; None if there are none for it."""


class Explained(Struct, frozen=True):
    """What one target says."""

    outlook: Outlook
    tree: Sequence[Node]
    exempt_path: str
    """The address of the form that keeps it; empty if the target does not cover it, or if the visitor may not exempt."""


class NotebookView(Struct, frozen=True):
    """The page."""

    notebook_id: str
    facts: NotebookFacts | None
    explained: Sequence[Explained]
    """What the targets say that cover it; what all say if none does."""
    uncovered: Sequence[Explained]
    """What the other targets say."""
    not_asked: Message | None
    errors: Sequence[tuple[str, str]]
    past: Message | None
    """What became of a notebook that no target shows; None if one does."""
    states: Sequence[StateRow]
    marks: Sequence[MarkRow]
    notices: Sequence[NoticeRow]
    removals: Sequence[RemovalRow]
    entries: Sequence[EntryRow]
    entries_path: str


class Service(Struct, frozen=True):
    """What the service says, whatever the notebook is."""

    targets: Mapping[str, TargetState]
    marks: MarkRules
    now: datetime
    may_exempt: bool
    """Whether the visitor may exempt."""


def build_notebook(notebook_id: str, asked: Asked, known: Recorded, service: Service) -> NotebookView:
    """Return what the page shows."""
    contexts, mine = asked.contexts, [each for each in asked.contexts if _matters(each)]
    others = [each for each in contexts if not _matters(each)] if mine else []
    return NotebookView(
        notebook_id=notebook_id,
        facts=_facts(contexts, known),
        explained=[_explained(notebook_id, each, service) for each in mine or contexts],
        uncovered=[_explained(notebook_id, each, service) for each in others],
        not_asked=asked.not_asked,
        errors=[(target, short(error, LONGEST_SENTENCE)) for target, error in asked.errors.items()],
        past=None if contexts else what_became(known, is_known=not (asked.errors or asked.not_asked)),
        states=[_state(each, None if contexts else _deleted_at(known)) for each in known.states],
        marks=[mark_row(each, service.marks, {}, service.now) for each in known.marks[:MOST]],
        notices=[_notice(each) for each in known.items],
        removals=[removal_row(each) for each in known.removals[:MOST]],
        entries=[entry_row(each.entry) for each in known.links],
        entries_path=address("/audit", {"notebook": notebook_id}),
    )


def _matters(context: NotebookContext) -> bool:
    """Return whether a target decides about the notebook, or has begun to delete it."""
    return context.covered is not False or context.memory.under_way is not None


def _explained(notebook_id: str, context: NotebookContext, service: Service) -> Explained:
    may = service.may_exempt and context.covered is not False
    asked = {"notebook": notebook_id, "target": context.target, "next": notebook_path(notebook_id)}
    path = address("/exemptions/new", asked) if may else ""
    return Explained(outlook(context, service.targets.get(context.target)), explained_tree(context), path)


def _deleted_at(known: Recorded) -> datetime | None:
    """Return when nbsweep deleted it; None if it did not."""
    last = known.removals[0] if known.removals else None
    return last.ended_at if last and last.state is State.DELETED else None


def what_became(known: Recorded, *, is_known: bool) -> Message:
    """Return what became of a notebook that no target shows; `is_known` says whether all targets have answered."""
    last = known.removals[0] if known.removals else None
    state = known.states[0] if known.states else None
    if last and last.state is State.DELETED and last.ended_at:
        return message("It was deleted on %(at)s, by run %(run)s.", at=last.ended_at, run=last.run_id)
    if last and not last.ended:
        return message("A removal is in progress, by run %(run)s.", run=last.run_id)
    if state and state.seen_until:
        return message("No survey has shown it since %(at)s, and nbsweep did not delete it.", at=state.seen_until)
    if state and not is_known:
        return message("The latest survey showed it. What happens to it is known when the cloud answers.")
    if is_known:
        return message("No target shows it any more. What follows is what the journal knows.")
    return message("What follows is what the journal knows.")


def _facts(contexts: Sequence[NotebookContext], known: Recorded) -> NotebookFacts | None:
    if contexts:
        return _facts_of(contexts[0].notebook, None)
    for state in known.states:
        if facts := state.known_at(state.first_survey + 1):
            return _facts_of(facts.notebook, state.seen_from)
    return None


def _facts_of(notebook: Notebook, as_of: datetime | None) -> NotebookFacts:
    return NotebookFacts(
        name=short(notebook.name or ""),
        owner=short(notebook.owner_label),
        status=notebook.status.value,
        flavor=short(notebook.flavor or ""),
        image=short(notebook.image.name or ""),
        workspace=short(notebook.workspace_id or ""),
        disk=disk_view(notebook.volume),
        created_at=notebook.created_at,
        updated_at=notebook.updated_at,
        fail_reason=short(notebook.fail_reason or "", LONGEST_SENTENCE),
        as_of=as_of,
    )


def _state(state: NotebookState, deleted_at: datetime | None) -> StateRow:
    """Return one state; the survey that would end the last one of a deleted notebook may be still to come."""
    until = state.seen_until or deleted_at
    facts = state.known_at(state.first_survey + 1)
    notebook = facts.notebook if facts else None
    return StateRow(
        status=notebook.status.value if notebook else "-",
        name=short((notebook.name if notebook else None) or ""),
        owner=short(notebook.owner_label if notebook else "-"),
        target=state.target,
        disk=disk_view(notebook.volume if notebook else None),
        seen_from=state.seen_from,
        seen_until=until,
        lasted=until - state.seen_from if until else None,
    )


def _notice(listed: Listed) -> NoticeRow:
    item = listed.item
    if item.dropped:
        what = message("given up")
    elif item.accepted_at:
        what = message("accepted")
    elif item.waiting:
        what = message("waits")
    else:
        what = message("in a message that is not accepted yet")
    return NoticeRow(
        KINDS[item.kind],
        message("the owner") if item.tell == OWNER else Message("%(channel)s", {"channel": item.tell}),
        item.not_before,
        item.accepted_at,
        what,
        short(item.dropped, LONGEST_SENTENCE),
        sentence_words(item.dropped),
    )


def title_of(notebook_id: str, view: NotebookView) -> Message:
    """Return the title of the page: the name, or else the id."""
    names = [view.facts.name if view.facts else "", *(each.name for each in view.removals), *(each.name for each in view.marks)]
    return message("Notebook %(name)s", name=short(next(filter(None, names), notebook_id), 60))
