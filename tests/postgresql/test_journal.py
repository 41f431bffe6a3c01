"""The suite that every journal passes, over a real PostgreSQL server."""

import pytest

from contract.test_journal import *  # noqa: F403  # the same tests, collected here again
from contract.test_journal import Opener
from nbsweep.adapters.journal import open_journal


@pytest.fixture  # type: ignore[no-redef]  # takes the place of the others
def opener(address: str) -> Opener:
    """Give this implementation, empty."""
    return lambda: open_journal(address)
