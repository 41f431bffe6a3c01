"""Which accounts are swept, and which wait: by examples, by any sequence of requests, and with targets that are always due."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from hypothesis import example, given
from hypothesis import strategies as st

from nbsweep.engine.coordination.account_turns import AccountTurns, Turn

LONGEST = 10
"""How long the longest sweep takes."""


@dataclass
class Office:
    """Accounts that ask for their turn, and the order in which sweeps began."""

    turns: AccountTurns
    begun: list[str] = field(default_factory=list)

    def ask(self, sweep: str) -> Turn:
        """Ask for a sweep; the account is the first letter of its name."""
        return self.turns.ask(sweep[0], lambda: self.begun.append(sweep))


def office(most: int) -> Office:
    """Return an office of so many accounts at once."""
    return Office(AccountTurns(most))


def test_only_so_many_accounts_have_their_turn_and_the_longest_waiting_is_next() -> None:
    """Two at once: the third and the fourth wait in the order in which they came."""
    here = office(2)
    first, _, third, fourth = (here.ask(name) for name in ("a", "b", "c", "d"))
    assert here.begun == ["a", "b"]
    assert [first.accounts_ahead, third.accounts_ahead, fourth.accounts_ahead] == [None, 0, 1]
    first.end()
    assert here.begun == ["a", "b", "c"]
    assert (third.accounts_ahead, fourth.accounts_ahead) == (None, 0)


def test_targets_that_are_due_together_are_swept_together() -> None:
    """Also those of an account whose first target came before others that wait now; waiting ones begin together, too."""
    here = office(1)
    turns = [here.ask(name) for name in ("a1", "b1", "a2", "c1", "b2")]
    assert here.begun == ["a1", "a2"]
    assert turns[4].accounts_ahead == 0
    turns[0].end()
    turns[2].end()
    assert here.begun == ["a1", "a2", "b1", "b2"]


def test_a_turn_that_has_seen_an_end_accepts_nobody_while_another_account_waits() -> None:
    """Otherwise an account whose targets keep coming would keep its turn for ever."""
    here = office(1)
    one, other = here.ask("a1"), here.ask("a2")
    here.ask("b1")
    one.end()
    again = here.ask("a1")
    assert (here.begun, again.accounts_ahead) == (["a1", "a2"], 1)
    other.end()
    assert here.begun == ["a1", "a2", "b1"]


def test_a_turn_goes_on_as_long_as_nobody_else_waits() -> None:
    """There is room: nothing is held back for a reason that does not exist."""
    here = office(1)
    one, _ = here.ask("a1"), here.ask("a2")
    one.end()
    here.ask("a1")
    assert here.begun == ["a1", "a2", "a1"]


def test_whoever_gives_up_waiting_never_begins_and_lets_the_next_one_pass() -> None:
    """A shutdown, a reload or a pause while it waits; ending twice does no harm."""
    here = office(1)
    first, second, third = here.ask("a"), here.ask("b"), here.ask("c")
    second.end()
    assert third.accounts_ahead == 0
    first.end()
    first.end()
    second.end()
    assert here.begun == ["a", "c"]


def test_an_account_that_waits_although_it_has_its_turn_goes_on_when_the_others_give_up() -> None:
    """The place of the account that left is nobody's."""
    here = office(1)
    one, _, other = here.ask("a1"), here.ask("a2"), here.ask("b")
    one.end()
    here.ask("a1")
    other.end()
    assert here.begun == ["a1", "a2", "a1"]


@given(
    most=st.integers(1, 4),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 1000)), max_size=60),
)
@example(most=1, steps=[(True, 2, 0), (True, 0, 0), (True, 1, 0), (True, 0, 0), (False, 0, 1)])
def test_whatever_is_asked_and_ended_the_bound_and_the_order_hold(most: int, steps: list[tuple[bool, int, int]]) -> None:
    """Never more than so many; nobody waits while there is room; whoever begins later than it asked had waited longest."""
    turns = AccountTurns(most)
    asked: list[Turn] = []
    """Those that have not ended, in the order in which they asked."""
    queue: list[Hashable] = []
    """The waiting accounts. An account keeps its place while any of its sweeps waits, also if the first of them gives up."""
    for asks, account, pick in steps:
        waited = [turn for turn in asked if not turn.has_begun]
        if asks or not asked:
            asked.append(turns.ask(account, lambda: None))
        else:
            ended = asked.pop(pick % len(asked))
            ended.end()
            waited = [turn for turn in waited if turn is not ended]
        sweeping = {turn.account for turn in asked if turn.has_begun}
        waiting = [turn for turn in asked if not turn.has_begun]
        assert len(sweeping) <= most
        assert not waiting or len(sweeping) == most
        before = [each for each in queue if each in {turn.account for turn in waited}]
        begun = {turn.account for turn in waited if turn.has_begun}
        assert set(before[: len(begun)]) == begun
        queue = list(dict.fromkeys([*before[len(begun) :], *(turn.account for turn in waiting)]))
        assert [turn.accounts_ahead for turn in waiting] == [queue.index(turn.account) for turn in waiting]
        assert all(turn.accounts_ahead is None for turn in asked if turn.has_begun)


@dataclass
class AlwaysDue:
    """Targets that ask again as soon as their sweeps end; no wait may last longer than the rule promises."""

    turns: AccountTurns
    lasts: list[int]
    """How long sweeps take, one after the other."""
    now: int = 0
    ends: list[tuple[int, int, int, Turn]] = field(default_factory=list)
    """When each sweep in progress ends, with its number and its account."""
    latest: dict[int, int] = field(default_factory=dict)
    """When each waiting sweep has to begin at the latest, by its number."""
    waiting: dict[int, Turn] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def ask(self, account: int) -> None:
        """Ask for a sweep, and note until when it may have to wait: a turn lasts as long as two sweeps at most."""
        number = next(self.numbers)
        turn = self.turns.ask(account, lambda: self.begin(number, account))
        if turn.has_begun:
            self.follow(number, account, turn)
        else:
            self.waiting[number] = turn
            rounds = (turn.accounts_ahead or 0) // self.turns.most + 1
            self.latest[number] = self.now + rounds * 2 * LONGEST

    def begin(self, number: int, account: int) -> None:
        """Begin a sweep that has waited."""
        if number in self.waiting:
            assert self.now <= self.latest.pop(number)
            self.follow(number, account, self.waiting.pop(number))

    def follow(self, number: int, account: int, turn: Turn) -> None:
        """Let a sweep take its time."""
        heappush(self.ends, (self.now + self.lasts[number % len(self.lasts)], number, account, turn))

    def go_on(self) -> None:
        """Let the next sweep end; its target is due again."""
        self.now, _, account, turn = heappop(self.ends)
        turn.end()
        self.ask(account)


@given(
    most=st.integers(1, 3),
    targets=st.lists(st.integers(1, 3), min_size=1, max_size=7),
    lasts=st.lists(st.integers(1, LONGEST), min_size=1, max_size=30),
)
def test_nobody_waits_for_ever_although_every_target_is_always_due(most: int, targets: list[int], lasts: list[int]) -> None:
    """Seven accounts of up to three targets each, two hundred sweeps: nobody waits longer than the accounts ahead may take."""
    here = AlwaysDue(AccountTurns(most), lasts)
    for account, each in enumerate(targets):
        for _ in range(each):
            here.ask(account)
    for _ in range(200):
        here.go_on()
    assert all(here.now <= latest for latest in here.latest.values())
