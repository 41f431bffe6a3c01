"""The last results of back-tests, kept in memory so that their addresses can be opened again and their files be saved."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from msgspec import Struct

from nbsweep.service.web.trying.port import Question, Tried

MOST_RESULTS = 8


class Result(Struct, frozen=True):
    """A result and its question."""

    question: Question
    tried: Tried
    made_at: datetime


@dataclass(slots=True)
class Results:
    """The last results by the part of their address, and whether a back-test is in progress."""

    busy: bool = False
    _kept: OrderedDict[str, Result] = field(default_factory=OrderedDict)

    def keep(self, result: Result) -> str:
        """Keep a result in place of the oldest one, and return the part of its address."""
        key = uuid4().hex
        self._kept[key] = result
        while len(self._kept) > MOST_RESULTS:
            self._kept.popitem(last=False)
        return key

    def find(self, key: str) -> Result | None:
        """Return a result; None if it is gone."""
        return self._kept.get(key)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Mark that a back-test is in progress; the caller has looked that none is."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False
