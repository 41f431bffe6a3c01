"""The suite that the sessions of every journal pass, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_sessions import *  # noqa: F403  # the same tests, collected here again
