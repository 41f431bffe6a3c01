"""The suite that the outbox of every journal passes, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_outbox import *  # noqa: F403  # the same tests, collected here again
