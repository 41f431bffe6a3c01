"""The suite that the due sweeps of every journal pass, over a real PostgreSQL server, by the fixture of this folder."""

from contract.test_due_sweeps import *  # noqa: F403  # the same tests, collected here again
