"""The suite that the audit trail of every journal passes, over a real PostgreSQL server."""

import pytest

from contract.test_trail import *  # noqa: F403  # the same tests, collected here again
from contract.test_trail import Opener
from nbsweep.adapters.journal import open_journal


@pytest.fixture  # type: ignore[no-redef]  # takes the place of the others
def opener(address: str) -> Opener:
    """Give this implementation, empty."""
    return lambda: open_journal(address)
