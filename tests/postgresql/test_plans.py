"""The suite that the approved plans of every journal pass, over a real PostgreSQL server, by the fixture of this folder."""

from contract.test_plans import *  # noqa: F403  # the same tests, collected here again
