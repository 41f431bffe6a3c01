"""Of two transactions in each other's way, the server ends one: it is repeated, also by a command that waits for no outage."""

import anyio
import pytest
from sqlalchemy.exc import OperationalError

from nbsweep.adapters.journal.connections.outage import CONFLICT_ATTEMPTS, outlasting


class Ended(Exception):
    """What a driver raises, with the code of the server."""

    def __init__(self, sqlstate: str) -> None:
        """Store the code."""
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class Work:
    """Fails some times, and then returns."""

    def __init__(self, sqlstate: str, failures: int) -> None:
        """Fail so often with this code."""
        self.sqlstate, self.failures, self.attempts = sqlstate, failures, 0

    async def __call__(self) -> str:
        """Do it."""
        self.attempts += 1
        await anyio.lowlevel.checkpoint()
        if self.attempts <= self.failures:
            raise OperationalError("INSERT", {}, Ended(self.sqlstate))
        return "done"


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_a_conflict_is_tried_again_without_patience(monkeypatch: pytest.MonkeyPatch, sqlstate: str) -> None:
    """A few times, with a pause before each; then it is told."""
    pauses: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(anyio, "sleep", sleep)
    work = Work(sqlstate, CONFLICT_ATTEMPTS - 1)
    assert await outlasting(work, 0.0) == "done"
    assert pauses == [0.1, 0.2, 0.4, 0.8]
    work = Work(sqlstate, CONFLICT_ATTEMPTS)
    with pytest.raises(OperationalError):
        await outlasting(work, 0.0)
    assert work.attempts == CONFLICT_ATTEMPTS


async def test_an_outage_is_not_waited_for_without_patience() -> None:
    """One attempt is all."""
    work = Work("57P03", 1)
    with pytest.raises(OperationalError):
        await outlasting(work, 0.0)
    assert work.attempts == 1
