"""How often the processes of a fleet try a password: as one process would."""

import asyncio
from datetime import timedelta

import pytest

from builders import fence_holder
from nbsweep.adapters.cloud.auth.login_limit import LoginLimit, LoginLimits, UserRefused
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import CloudError, JournalError, Unauthorized
from nbsweep.core.fences.logins import login_name
from nbsweep.engine.coordination.fence import FenceOptions
from nbsweep.engine.coordination.shared_logins import FencedLogins
from nbsweep.testing import FakeClock, InMemoryJournal, RecordingTelemetry

pytestmark = pytest.mark.looptime(noop_cycles=1)

TOKEN = IssuedCredentials(lambda _request, _moment: {}, 100.0, 20.0)
WRONG = UserRefused("IAM does not know alice", code="IAM.1", http_status=401)
USER = ("https://iam.example", "acct", "alice", "the-password")
QUARTER_S = 15 * 60


class Fleet:
    """Processes with one journal and one user, whose logins take a second each and end as they are told."""

    def __init__(self, *ends: CloudError | None) -> None:
        self.journal = InMemoryJournal()
        self.ends = list(ends)
        self.count = self.at_once = self.most_at_once = 0

    def process(self, name: str, password: str = USER[3]) -> LoginLimit:
        """Return the login limit of a process that has just started."""
        options = FenceOptions(fence_holder(name), timedelta(seconds=60), timedelta(seconds=0.5))
        shared = FencedLogins(self.journal.fences, FakeClock(), RecordingTelemetry(), options)
        return LoginLimits(FakeClock(), shared).of(*USER[:3], password)

    async def sign_in(self) -> IssuedCredentials:
        """Sign in at IAM."""
        self.count += 1
        end = self.ends.pop(0) if self.ends else None
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(1)
        self.at_once -= 1
        if end is not None:
            raise end
        return TOKEN

    async def outcomes(self, *processes: LoginLimit) -> list[object]:
        """Sign in by all of these processes at once."""
        return list(await asyncio.gather(*(each.sign_in(self.sign_in) for each in processes), return_exceptions=True))


async def test_a_wrong_password_is_tried_once_by_the_whole_fleet() -> None:
    """Eight processes at once, and another one minutes later: one login, and all of them are told."""
    fleet = Fleet(WRONG)
    found = await fleet.outcomes(*(fleet.process(f"p{number}") for number in range(8)))
    await asyncio.sleep(QUARTER_S - 30)
    found += await fleet.outcomes(fleet.process("late"))
    assert fleet.count == 1
    assert [type(error) for error in found] == [UserRefused] * 9
    assert {getattr(error, "code", "") for error in found} == {"IAM.1"}
    assert sum("another process of the fleet" in str(error) for error in found) == 8
    assert "00:15:01 UTC" in str(found[0])
    assert "unless the password is another one" in str(found[0])


async def test_the_time_of_a_refusal_does_not_begin_again() -> None:
    """Processes that ask in the meantime do not lengthen it: after fifteen minutes one more login is tried."""
    fleet = Fleet(WRONG, None)
    one, two = fleet.process("one"), fleet.process("two")
    await fleet.outcomes(one)
    for _ in range(4):
        await asyncio.sleep(QUARTER_S / 4 - 1)
        await fleet.outcomes(one, two)
    assert fleet.count == 1
    await asyncio.sleep(10)
    assert await fleet.outcomes(one, two) == [TOKEN, TOKEN]


async def test_until_a_password_is_proven_one_process_tries_at_a_time() -> None:
    """IAM fails five times in five processes, and never has to do with two of them."""
    fleet = Fleet(*[Unauthorized("no role in that project")] * 5)
    await fleet.outcomes(*(fleet.process(f"p{number}") for number in range(5)))
    assert (fleet.count, fleet.most_at_once) == (5, 1)


async def test_a_proven_password_is_proven_for_all() -> None:
    """Those that start a moment later need not queue."""
    fleet = Fleet()
    await fleet.outcomes(fleet.process("first"))
    assert await fleet.outcomes(*(fleet.process(f"p{number}") for number in range(5))) == [TOKEN] * 5
    assert fleet.most_at_once == 5


async def test_a_password_that_is_changed_is_refused_once_more_and_then_not_tried_again() -> None:
    """It was proven half a minute before: the first process that is refused tells the others."""
    fleet = Fleet(None, WRONG)
    one, two, three = (fleet.process(name) for name in ("one", "two", "three"))
    assert await fleet.outcomes(one) == [TOKEN]
    await asyncio.sleep(30)
    assert [type(error) for error in await fleet.outcomes(one)] == [UserRefused]
    assert [type(error) for error in await fleet.outcomes(two, three)] == [UserRefused] * 2
    assert fleet.count == 2


async def test_a_password_that_was_put_right_is_tried_at_once() -> None:
    """It has a fence of its own."""
    fleet = Fleet(WRONG, None)
    await fleet.outcomes(fleet.process("one"))
    assert await fleet.outcomes(fleet.process("two", "the right one")) == [TOKEN]


async def test_an_iam_that_is_away_refuses_nobody() -> None:
    """The next process tries anew."""
    fleet = Fleet(NotSent("away"), None)
    found = await fleet.outcomes(fleet.process("one"), fleet.process("two"))
    assert str(found[0]) == "away"
    assert found[1] is TOKEN


async def test_without_the_journal_no_password_is_tried() -> None:
    """In doubt the user is not locked."""
    fleet = Fleet()

    async def fail(prefix: str = "") -> tuple[()]:
        raise JournalError(f"away: {prefix}")

    fleet.journal.fences.all = fail  # type: ignore[method-assign]  # the journal is the test's own
    [found] = await fleet.outcomes(fleet.process("one"))
    assert isinstance(found, JournalError)
    assert fleet.count == 0


async def test_the_journal_holds_neither_user_nor_password_nor_what_iam_said() -> None:
    """Of the password it has eight bits of a digest, in a digest."""
    fleet = Fleet(WRONG)
    await fleet.outcomes(fleet.process("one"))
    [fence] = await fleet.journal.fences.all()
    assert not any(word in repr(fence) for word in ("alice", "acct", "iam.example", "the-password", "does not know"))
    assert fence.memory == '{"accepted":false,"code":"IAM.1"}'
    assert len({login_name(*USER[:3], f"password-{number}") for number in range(5000)}) <= 256


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"accepted": "no"}'])
async def test_a_record_that_cannot_be_read_refuses_nobody(memory: str) -> None:
    """One login finds out."""
    fleet = Fleet()
    fences = fleet.journal.fences
    taken = await fences.take(login_name(*USER), fence_holder("old"), timedelta(seconds=60))
    await fences.release(taken, memory)
    assert await fleet.outcomes(fleet.process("one")) == [TOKEN]
