"""The suite that the clock of every journal passes, over a real PostgreSQL server, by the fixture of this folder."""

from contract.test_journal_clock import *  # noqa: F403  # the same tests, collected here again
