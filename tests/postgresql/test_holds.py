"""The suite that the holds of every journal pass, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_holds import *  # noqa: F403  # the same tests, collected here again
