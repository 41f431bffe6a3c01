"""The suite that the audit trail of every journal passes, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_trail import *  # noqa: F403  # the same tests, collected here again
