"""The handlers of the API for marks and for the outbox: what is announced, and what was sent."""

from collections.abc import Sequence

from aiohttp import web

from nbsweep.core.judging.shown_marks import MarkRules, show_mark
from nbsweep.core.marks.model import OPEN, Mark, MarkState
from nbsweep.core.marks.shown import ShownState, stored_states
from nbsweep.core.notices.outbox import MessageState
from nbsweep.core.ports import Clock, Journal
from nbsweep.documents.base import moment_text
from nbsweep.documents.people.marks import mark_documents
from nbsweep.documents.people.outbox import message_document, message_documents
from nbsweep.documents.status import pause_document
from nbsweep.service.control import Control
from nbsweep.service.mark_rules import read_mark_rules
from nbsweep.service.web.access.visitors import actor_of
from nbsweep.service.web.api.documents import MarksDocument, MarksOfNotebookDocument, MessagesDocument
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.parameters import LIMIT_MOST, checked_id, choice, free_text, number
from nbsweep.service.web.responses import json_answer

MOST_READ = 20_000
"""Open marks that are read to find those that are due, held out or exempt."""
ALL_SHOWN = (None, ShownState.REMOVED, ShownState.CLEARED)
"""States of which every mark is shown that is stored so."""


class NoticesApi:
    """Handles the requests under /api/v1/marks and /api/v1/outbox."""

    def __init__(self, control: Control, journal: Journal, clock: Clock) -> None:
        """Take the service, its journal and the clock."""
        self._control = control
        self._journal = journal
        self._clock = clock

    async def marks(self, request: web.Request) -> web.StreamResponse:
        """Return the latest open marks, or those in one state, the newest first."""
        limit = number(request, "limit", LIMIT_MOST, 1, LIMIT_MOST)
        state = choice(request, "state", ShownState)
        target = checked_id("target", request.query["target"]) if "target" in request.query else None
        stored = _stored(state)
        read = limit if state in ALL_SHOWN else MOST_READ
        found = await self._journal.marks.marks(read, stored, target, free_text(request, "owner"))
        now, rules = self._clock.now(), await self._rules(found)
        shown = [mark for mark in found if state in (None, show_mark(mark, rules, now).state)]
        return json_answer(MarksDocument(mark_documents(shown[:limit], rules, now)))

    async def marks_of_notebook(self, request: web.Request) -> web.StreamResponse:
        """Return the marks of one notebook, also those that have ended, the newest first."""
        notebook_id = checked_id("notebook_id", request.match_info["notebook_id"])
        marks = await self._journal.marks.marks_of(notebook_id)
        documents = mark_documents(marks, await self._rules(marks), self._clock.now())
        return json_answer(MarksOfNotebookDocument(notebook_id, documents))

    async def _rules(self, marks: Sequence[Mark]) -> MarkRules:
        control, now = self._control, self._clock.now()
        return await read_mark_rules(self._journal, control.graces(), control.holdouts(), marks, now)

    async def outbox(self, request: web.Request) -> web.StreamResponse:
        """Return the latest messages, or those in one state, the newest first, and whether sending is paused."""
        state = choice(request, "state", MessageState)
        limit = number(request, "limit", LIMIT_MOST, 1, LIMIT_MOST)
        messages = await self._journal.outbox.messages(limit, [state] if state else ())
        now = self._clock.now()
        pause, waiting = await self._journal.outbox.paused(), await self._journal.outbox.count_waiting(now)
        paused = pause_document(pause) if pause and pause.in_force(now) else None
        since = moment_text(waiting.oldest_at)
        return json_answer(MessagesDocument(paused, waiting.count, since, message_documents(messages)))

    async def retry(self, request: web.Request) -> web.StreamResponse:
        """Make a failed message due again; the service sends it within seconds."""
        message = await self._journal.outbox.message(checked_id("key", request.match_info["key"]))
        if message is None:
            raise Refused(Code.NOT_FOUND, "no message has this key, or several begin with it; GET /api/v1/outbox lists them")
        if not await self._journal.outbox.retry(message.key, self._clock.now(), str(actor_of(request))):
            raise Refused(Code.CONFLICT, f"the message has not failed: it is {message.state}")
        return json_answer(message_document(await self._journal.outbox.message(message.key) or message))


def _stored(state: ShownState | None) -> frozenset[MarkState]:
    """Return the stored states of a state."""
    return OPEN if state is None else stored_states(state)
