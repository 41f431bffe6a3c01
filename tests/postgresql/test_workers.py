"""The suite that the records of workers of every journal pass, over a real PostgreSQL server, by the fixture of this folder."""

from contract.test_workers import *  # noqa: F403  # the same tests, collected here again
