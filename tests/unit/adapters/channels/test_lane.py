"""A channel keeps to its rate, learns from throttling, and is left alone for a while if it keeps failing; in virtual time."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsweep.adapters.channels.breaker import CircuitBreaker
from nbsweep.adapters.channels.lane import LaneChannel
from nbsweep.adapters.channels.sender import Attempt, accepted, later, misconfigured, refused
from nbsweep.adapters.secret_files import Unusable
from nbsweep.core.notices.channel import Acceptance, Letter, Receipt
from nbsweep.core.pacing import Rate
from nbsweep.testing import FakeClock

virtual_time = pytest.mark.looptime(noop_cycles=1)
LETTER = Letter("k1", "subject", "text")
TWENTY = Rate(20, 60.0)
SLACK_S = 0.2


@dataclass
class Scripted:
    """A sender that answers as a test says, and notes when it was called."""

    answer: Callable[[], Attempt] = lambda: accepted("ok")
    at_s: list[float] = field(default_factory=list)
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the text."""
        return len(letter.text)

    async def deliver(self, _letter: Letter) -> Attempt:
        """Answer."""
        self.at_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        return self.answer()


def make(sender: Scripted, rate: Rate = TWENTY) -> LaneChannel:
    """Make a channel."""
    return LaneChannel("ops", sender, rate, 20_000, FakeClock())


@virtual_time
async def test_messages_leave_evenly_spread_and_never_more_than_the_rate_allows() -> None:
    """Twenty a minute: one every three seconds, in order, also if they are sent at once."""
    sender = Scripted()
    channel = make(sender)
    receipts = await asyncio.gather(*(channel.send(LETTER) for _ in range(8)))
    assert [receipt.acceptance for receipt in receipts] == [Acceptance.ACCEPTED] * 8
    gaps = [after - before for before, after in zip(sender.at_s, sender.at_s[1:], strict=False)]
    assert all(3 - SLACK_S <= gap <= 3 + SLACK_S for gap in gaps)


@virtual_time
async def test_a_turn_that_is_far_away_is_not_waited_for() -> None:
    """Whoever sends has a lease: of fifty letters at once, those whose turn comes within half a minute are sent."""
    sender = Scripted()
    channel = make(sender)
    receipts = await asyncio.gather(*(channel.send(LETTER) for _ in range(50)))
    sent = [receipt for receipt in receipts if receipt.attempted]
    held = [receipt for receipt in receipts if not receipt.attempted]
    assert 10 <= len(sent) == len(sender.at_s) <= 12
    assert {receipt.acceptance for receipt in held} == {Acceptance.LATER}
    assert all(receipt.retry_after and receipt.retry_after > timedelta(seconds=25) for receipt in held)
    assert "20/m" in held[0].detail


@virtual_time
async def test_after_throttling_nothing_is_sent_for_as_long_as_the_other_side_says() -> None:
    """DingTalk blocks a robot for ten minutes; then it is slower than before."""
    sender = Scripted(lambda: later("errcode 130101", timedelta(minutes=10), throttled=True))
    channel = make(sender)
    assert (await channel.send(LETTER)).attempted
    held = await channel.send(LETTER)
    assert (held.acceptance, held.attempted, held.retry_after) == (Acceptance.LATER, False, timedelta(minutes=10))
    await asyncio.sleep(601)
    sender.answer = lambda: accepted("ok")
    assert (await channel.send(LETTER)).acceptance is Acceptance.ACCEPTED
    assert len(sender.at_s) == 2


@virtual_time
async def test_a_channel_that_is_misconfigured_is_tried_after_a_growing_time_only() -> None:
    """A minute, two, four: each try that fails doubles it. The reason stays visible."""
    sender = Scripted(lambda: misconfigured("errcode 310000 sign not match"))
    channel = make(sender)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while len(sender.at_s) < 4:
        receipt = await channel.send(LETTER)
        assert receipt.acceptance is Acceptance.MISCONFIGURED
        assert "sign not match" in receipt.detail
        await asyncio.sleep(1)
    tries = [round(moment - began_s) for moment in sender.at_s]
    assert [after - before for before, after in itertools.pairwise(tries)] == [60, 120, 240]


@virtual_time
async def test_five_failures_in_a_row_open_the_circuit_and_one_success_closes_it() -> None:
    """Four do not; a success or a refusal of one message begins the count anew."""
    sender = Scripted(lambda: later("HTTP 503"))
    channel = make(sender, Rate(10, 1.0))
    for answers in ([later("HTTP 503")] * 4, [refused("too large")], [later("HTTP 503")] * 4, [accepted("ok")]):
        for answer in answers:
            sender.answer = lambda answer=answer: answer  # type: ignore[misc]
            assert (await channel.send(LETTER)).attempted
    sender.answer = lambda: later("HTTP 503")
    receipts = [await channel.send(LETTER) for _ in range(7)]
    assert [receipt.attempted for receipt in receipts] == [True] * 5 + [False] * 2
    await asyncio.sleep(61)
    sender.answer = lambda: accepted("ok")
    assert [(await channel.send(LETTER)).acceptance for _ in range(3)] == [Acceptance.ACCEPTED] * 3


@virtual_time
async def test_failures_that_concern_one_recipient_leave_the_channel_to_the_others() -> None:
    """A mailbox that is full says nothing about the server."""
    sender = Scripted(lambda: Attempt(Receipt(Acceptance.LATER, "452 mailbox full"), of_recipient=True))
    channel = make(sender, Rate(10, 1.0))
    assert all([(await channel.send(LETTER)).attempted for _ in range(9)])


@virtual_time
async def test_a_secret_that_cannot_be_used_is_a_receipt_and_no_error() -> None:
    """It concerns all messages."""

    def fail() -> Attempt:
        raise Unusable("channels.ops.url_file: /run/ops cannot be read")

    receipt = await make(Scripted(fail)).send(LETTER)
    assert (receipt.acceptance, receipt.detail) == (
        Acceptance.MISCONFIGURED,
        "channels.ops.url_file: /run/ops cannot be read",
    )


@virtual_time
async def test_a_cancelled_send_leaves_the_lane_usable() -> None:
    """Cancelled while it waits for its turn, and while it is under way."""
    sender = Scripted()
    channel = make(sender)
    await channel.send(LETTER)
    waiting = asyncio.create_task(channel.send(LETTER))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (await channel.send(LETTER)).acceptance is Acceptance.ACCEPTED
    assert len(sender.at_s) == 2


@given(st.lists(st.tuples(st.sampled_from(["ok", "later", "wrong"]), st.floats(0, 4000)), max_size=60))
def test_a_circuit_never_waits_longer_than_an_hour_and_is_closed_after_a_success(steps: list[tuple[str, float]]) -> None:
    """Whatever happens, and whenever."""
    breaker, now = CircuitBreaker(), 0.0
    for what, passed_s in steps:
        now += passed_s
        if breaker.wait_s(now) == 0:
            breaker.try_one(now)
            if what == "ok":
                breaker.succeed()
                assert breaker.wait_s(now) == 0
            else:
                breaker.fail(now, Receipt(Acceptance.LATER if what == "later" else Acceptance.MISCONFIGURED))
        assert breaker.wait_s(now) <= 3600 + 1e-6  # sums of seconds are rounded
        assert breaker.wait_s(now + 3600) == 0
