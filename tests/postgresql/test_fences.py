"""The suite that the fences of every journal pass, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_fences import *  # noqa: F403  # the same tests, collected here again
