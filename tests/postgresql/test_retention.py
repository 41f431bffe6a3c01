"""The suite that the end of old records passes, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_retention import *  # noqa: F403  # the same tests, collected here again
