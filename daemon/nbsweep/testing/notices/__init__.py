"""The marks and the outbox in memory: one store, which two ports share."""

from nbsweep.testing.notices.marks import InMemoryMarks
from nbsweep.testing.notices.outbox import InMemoryOutbox
from nbsweep.testing.notices.store import NoticeStore

__all__ = ["InMemoryMarks", "InMemoryOutbox", "NoticeStore"]
