"""The turns of the accounts, for targets that are known by name."""

from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager

import anyio
from msgspec import Struct

from nbsweep.bootstrap.accounts import TargetAccess
from nbsweep.core.events.service import TargetWaiting
from nbsweep.core.ports import Telemetry
from nbsweep.engine.coordination.account_turns import AccountTurns, Turn
from nbsweep.engine.shutdown import Shutdown, given_up_on


class TargetTurns(Struct, frozen=True):
    """The turns of the accounts of these targets."""

    turns: AccountTurns
    accounts: Mapping[str, Hashable] = {}
    """The account of each target. Any other target has an account of its own."""

    def ask(self, target: str, on_begin: Callable[[], None]) -> Turn:
        """Ask for the turn of the account of a target, for one sweep."""
        return self.turns.ask(self.accounts.get(target, target), on_begin)

    @asynccontextmanager
    async def turn(self, target: str, telemetry: Telemetry, shutdown: Shutdown) -> AsyncIterator[bool]:
        """Wait for the turn of a target and hold it while inside; yield False if a shutdown has begun before."""
        begun = anyio.Event()
        turn = self.ask(target, begun.set)
        try:
            if turn.accounts_ahead is not None:
                with telemetry.bound(target=target):
                    telemetry.emit(TargetWaiting(turn.accounts_ahead))
                async with given_up_on(shutdown.begun):
                    await begun.wait()
            yield turn.has_begun
        finally:
            turn.end()


def turns_of(accesses: Iterable[TargetAccess], at_once: int) -> TargetTurns:
    """Return the turns of the accounts of these targets."""
    return TargetTurns(AccountTurns(at_once), {access.target.name: access.account for access in accesses})
