"""Bounds how many accounts are swept at the same time, and decides whose turn it is next. Pure.

An account has its turn from the moment when its first sweep begins until the last of its sweeps has ended, and at most `most`
accounts have their turn at the same time. The rule:

1. A sweep joins the turn of its account at once as long as none of the sweeps of that turn has ended. So targets that are due
   together are swept together, although other accounts wait.
2. Every other sweep waits in one queue of accounts. An account has one place in it, which all its waiting sweeps share. It
   keeps the place as long as any of them waits, also if the one that has waited longest gives up.
3. The first account of the queue, which has waited longest, begins with all its waiting sweeps as soon as fewer than `most`
   accounts have their turn, or at once if it still has its turn.

Nobody waits for ever: while another account is first in the queue, a turn accepts sweeps only by the first rule, and thus only
until one of its own sweeps ends. So each turn ends within the time of two sweeps, and the first account of the queue begins
then. An account whose targets are always due goes back to the end of the queue each time. Requests by people follow the same
rule.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Turn:
    """The place of one sweep. It waits, or has begun; `end` gives it up in both cases."""

    account: Hashable
    on_begin: Callable[[], None]
    """Called when the sweep may begin."""
    turns: "AccountTurns"
    has_begun: bool = False

    @property
    def accounts_ahead(self) -> int | None:
        """Return how many accounts have waited longer; None if the sweep does not wait."""
        return self.turns.accounts_ahead(self)

    def end(self) -> None:
        """End the sweep, or wait no longer; it may be called more than once."""
        self.turns.end(self)


@dataclass(slots=True)
class AccountTurns:
    """The accounts that have their turn, and those that wait."""

    most: int
    """How many accounts may have their turn at the same time."""
    _sweeping: dict[Hashable, set[Turn]] = field(default_factory=dict)
    """The sweeps in progress of each account that has its turn."""
    _ending: set[Hashable] = field(default_factory=set)
    """The accounts whose turn has seen the end of a sweep."""
    _waiting: dict[Hashable, list[Turn]] = field(default_factory=dict)
    """The waiting sweeps of each account, the account that has waited longest first."""

    def ask(self, account: Hashable, on_begin: Callable[[], None]) -> Turn:
        """Ask for the turn of an account for one sweep. `on_begin` is called when it may begin, which may be at once."""
        turn = Turn(account, on_begin, self)
        if account in self._sweeping and account not in self._ending:
            self._begin(turn)
        else:
            self._waiting.setdefault(account, []).append(turn)
            self._begin_next()
        return turn

    def accounts_ahead(self, turn: Turn) -> int | None:
        """Return how many accounts have waited longer than that of a sweep; None if the sweep does not wait."""
        if turn not in self._waiting.get(turn.account, ()):
            return None
        return list(self._waiting).index(turn.account)

    def end(self, turn: Turn) -> None:
        """End a sweep, or its wait."""
        sweeping, waiting = self._sweeping.get(turn.account, set()), self._waiting.get(turn.account, [])
        if turn in sweeping:
            sweeping.remove(turn)
            self._ending.add(turn.account)
            if not sweeping:
                del self._sweeping[turn.account]
                self._ending.remove(turn.account)
        elif turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[turn.account]
        self._begin_next()

    def _begin_next(self) -> None:
        while self._waiting:
            account = next(iter(self._waiting))
            if account not in self._sweeping and len(self._sweeping) >= self.most:
                return
            for turn in self._waiting.pop(account):
                self._begin(turn)

    def _begin(self, turn: Turn) -> None:
        self._sweeping.setdefault(turn.account, set()).add(turn)
        turn.has_begun = True
        turn.on_begin()
