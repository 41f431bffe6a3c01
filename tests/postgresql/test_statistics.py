"""The suite that the statistics of every journal pass, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_statistics import *  # noqa: F403  # the same tests, collected here again
