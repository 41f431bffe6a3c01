"""The suite that the inventory of every journal passes, over a real PostgreSQL server: its fixture is that of this folder."""

from contract.test_inventory import *  # noqa: F403  # the same tests, collected here again
