"""The implementations of the journal, each of which every suite about it is run over."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import pytest

from nbsweep.adapters.journal import open_journal
from nbsweep.core.ports import Journal
from nbsweep.testing import InMemoryJournal

Opener = Callable[[], AbstractAsyncContextManager[Journal]]
"""Opens the same journal each time."""


@pytest.fixture(params=["memory", "sqlite"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Return each implementation in turn, empty."""
    if request.param == "sqlite":
        return lambda: open_journal(f"sqlite:///{tmp_path}/journal.db")
    journal = InMemoryJournal()
    return lambda: nullcontext(journal)
