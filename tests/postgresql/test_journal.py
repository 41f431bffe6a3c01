"""The suite that every journal passes, over a real PostgreSQL server."""

import pytest

from contract.test_journal import *  # noqa: F403  # the same tests, collected here again
from contract.test_journal import Opener
from nbsweep.adapters.journal import open_journal


@pytest.fixture
def opener(address: str) -> Opener:  # type: ignore[no-redef]  # takes the place of the others
    """Give this implementation, empty."""
    return lambda: open_journal(address)
