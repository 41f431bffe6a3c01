"""Finds when a notebook was created, so that an exemption never covers a later notebook with the same ID."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.ports import Journal
from nbsweep.service.control import Control
from nbsweep.service.web.access.call_limit import CallLimit
from nbsweep.service.web.errors import Code, Refused, failure_of
from nbsweep.service.web.messages import message


class Creations(Struct, frozen=True):
    """Asks the journal, and then the cloud, which costs a call for each target and is limited."""

    control: Control
    journal: Journal
    calls: CallLimit

    async def of(self, notebook_id: str, target: str | None) -> datetime:
        """Return when a notebook was created: by its mark, or else by the cloud.

        Raises:
            Refused: no target has it, nobody knows, or too many calls were made.
            JournalError: the marks cannot be read.
        """
        marks = await self.journal.marks.marks_of(notebook_id)
        if dates := {mark.notebook_created_at for mark in marks if mark.open and target in (None, mark.target)}:
            return max(dates)
        names = [target] if target else [state.name for state in self.control.targets()]
        with self.calls.taking(len(names)):
            explained = await self.control.explain(notebook_id, names)
        for context in explained.contexts:
            if context.notebook.created_at is not None:
                return context.notebook.created_at
        for name, error in explained.errors.items():
            raise failure_of(error, name)
        if explained.contexts:
            raise Refused(
                Code.CONFLICT, message("the cloud does not show when this notebook was created; id_only does without")
            )
        raise Refused(Code.NOT_FOUND, message("no target has this notebook; id_only keeps whatever has this ID"))
