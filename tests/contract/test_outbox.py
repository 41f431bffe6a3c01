"""What the outbox of every journal keeps to, by the port's own words; the journal for tests too."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import given
from msgspec.structs import replace

from builders import NOON
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import MarksChanged
from nbsweep.core.marks import model
from nbsweep.core.marks.model import MarkState
from nbsweep.core.notices.outbox import Item, ItemKind, Message, MessageKind, MessageState, OutboxCount, WaitingItems
from nbsweep.core.ports import Journal
from notice_builders import item, mark, message
from trails import whole_trail

MINUTE = timedelta(minutes=1)
LATER = NOON + 10 * MINUTE


def stored(written: Message, version: int = 1) -> Message:
    """Return a message as it comes back after so many writes."""
    return replace(written, version=version)


async def announce(journal: Journal, *numbers: int) -> None:
    """Write the marks with these numbers, each with its announcement."""
    await journal.marks.write([mark(number) for number in numbers], [item(number) for number in numbers])


async def compose_and_lease(journal: Journal, *numbers: int) -> Message:
    """Announce some marks, compose their message, and lease it."""
    await announce(journal, *numbers)
    assert await journal.outbox.compose(message(), [f"i{number}" for number in numbers])
    [leased] = await journal.outbox.lease(NOON, LATER, "relay", 10)
    return leased


async def waiting(journal: Journal) -> list[str]:
    """Return the ids of all waiting items, in their order."""
    return [each.item.id for each in await journal.outbox.waiting(NOON + timedelta(days=365), 1000)]


async def steps(journal: Journal) -> list[str]:
    """Return the steps on the trail, which must be unbroken."""
    links = await whole_trail(journal)
    return [link.entry.what for link in links]


# ---- items ----------------------------------------------------------------------------------------------------------------


@examples
@given(written=any_of(Item))
async def test_an_item_comes_back_as_it_was_written(opener: Opener, written: Item) -> None:
    """Every field survives, with the mark as it is."""
    key = str(uuid4())
    its_mark = mark(id=f"m{key}", notebook_id=key)
    written = replace(written, id=key, mark_id=its_mark.id, message_key=key)
    async with opener() as journal:
        await journal.marks.write([its_mark], [written])
        [listed] = await journal.outbox.listed(key)
        assert listed.item == written
        assert listed.mark == replace(its_mark, version=1)


async def test_items_wait_until_their_time_comes(opener: Opener) -> None:
    """The oldest first, and up to the limit."""
    async with opener() as journal:
        times = {1: 3 * MINUTE, 2: MINUTE, 3: 2 * MINUTE, 4: 4 * MINUTE}
        await journal.marks.write(list(map(mark, times)), [item(key, not_before=NOON + time) for key, time in times.items()])
        due = await journal.outbox.waiting(NOON + 3 * MINUTE, 10)
        assert [each.item.id for each in due] == ["i2", "i3", "i1"]
        assert [each.mark.id for each in due] == ["m2", "m3", "m1"]
        assert [each.item.id for each in await journal.outbox.waiting(LATER, 2)] == ["i2", "i3"]
        assert await journal.outbox.waiting(NOON, 10) == ()


async def test_the_items_about_a_notebook_come_the_latest_first(opener: Opener) -> None:
    """Of all its marks, also items that were sent or dropped, and of no other notebook."""
    async with opener() as journal:
        again = mark(3, notebook_id=mark(1).notebook_id, state=MarkState.CLEARED)
        items = [item(1), item(2), item(3, not_before=NOON + MINUTE), item(4, mark_id="m1", not_before=NOON - MINUTE)]
        await journal.marks.write([again], [])
        await journal.marks.write([mark(1), mark(2)], items)
        await journal.outbox.drop(["i4"], "too late")
        found = await journal.outbox.items_of(mark(1).notebook_id, 9)
        assert [(each.item.id, each.mark.id) for each in found] == [("i3", "m3"), ("i1", "m1"), ("i4", "m1")]
        assert await journal.outbox.items_of(mark(1).notebook_id, 2) == found[:2]
        assert await journal.outbox.items_of("nb", 9) == ()


async def test_a_dropped_item_is_never_sent(opener: Opener) -> None:
    """It does not wait, and is in no message; one that is in a message already is not dropped."""
    async with opener() as journal:
        await announce(journal, 1, 2, 3)
        assert await journal.outbox.compose(message(), ["i2"])
        await journal.outbox.drop(["i1", "i2", "unknown"], "the owner is away")
        assert await waiting(journal) == ["i3"]
        assert not await journal.outbox.compose(message(2), ["i1"])
        assert [each.item.dropped for each in await journal.outbox.listed("k1")] == [""]


# ---- messages -------------------------------------------------------------------------------------------------------------


@examples
@given(written=any_of(Message))
async def test_a_message_comes_back_as_it_was_written(opener: Opener, written: Message) -> None:
    """Every field survives; only its version has grown."""
    written = replace(written, key=str(uuid4()), slot=str(uuid4()), version=0)
    async with opener() as journal:
        assert await journal.outbox.compose(written, [])
        assert await journal.outbox.message(written.key) == stored(written)


async def test_a_composed_message_lists_its_items(opener: Opener) -> None:
    """In the order of the marks' creation; they wait no longer."""
    async with opener() as journal:
        await announce(journal, 1, 2, 3)
        assert await journal.outbox.compose(message(), ["i3", "i1"])
        assert [each.item for each in await journal.outbox.listed("k1")] == [
            item(1, message_key="k1"),
            item(3, message_key="k1"),
        ]
        assert await waiting(journal) == ["i2"]
        assert await journal.outbox.messages(10) == (stored(message()),)
        assert await journal.outbox.listed("k2") == ()


@pytest.mark.parametrize(
    ("second", "items"),
    [
        (message(1, slot="another day"), ["i2"]),
        (message(2, slot=message(1).slot), ["i2"]),
        (message(2), ["i2", "i1"]),
        (message(2), ["i2", "unknown"]),
    ],
    ids=["the key is known", "the slot is taken", "an item is taken", "an item does not exist"],
)
async def test_what_another_was_faster_with_is_not_composed(opener: Opener, second: Message, items: list[str]) -> None:
    """Nothing of it is stored."""
    async with opener() as journal:
        await announce(journal, 1, 2)
        assert await journal.outbox.compose(message(), ["i1"])
        assert not await journal.outbox.compose(second, items)
        assert await waiting(journal) == ["i2"]
        assert await journal.outbox.messages(10) == (stored(message()),)


async def test_the_same_day_is_a_slot_for_each_recipient_and_channel(opener: Opener) -> None:
    """A message to somebody else, or on another channel, is another one."""
    async with opener() as journal:
        same = message().slot
        assert await journal.outbox.compose(message(1), [])
        assert await journal.outbox.compose(message(2, slot=same, recipient="owner:u2"), [])
        assert await journal.outbox.compose(message(3, slot=same, channel="ops"), [])


async def test_a_message_of_operators_has_no_items(opener: Opener) -> None:
    """It has its event."""
    event = message(kind=MessageKind.OPERATOR, recipient="channel:ops", document='{"event": "sweep.failed", "text": "a\0b"}')
    async with opener() as journal:
        assert await journal.outbox.compose(event, [])
        found = await journal.outbox.message("k1")
        assert found is not None
        assert found.document.startswith('{"event": "sweep.failed"')
        assert await journal.outbox.listed("k1") == ()


async def test_messages_are_listed_the_newest_first(opener: Opener) -> None:
    """Of all states, or of some; and found by a beginning that no other has."""
    async with opener() as journal:
        times = {"abc": 1, "abd": 3, "xyz": 2}
        for number, (key, minutes) in enumerate(times.items(), 1):
            written = message(number, key=key, created_at=NOON + minutes * MINUTE, next_at=NOON + minutes * MINUTE)
            assert await journal.outbox.compose(written, [])
        assert [each.key for each in await journal.outbox.messages(10)] == ["abd", "xyz", "abc"]
        assert [each.key for each in await journal.outbox.messages(1)] == ["abd"]
        await journal.outbox.lease(NOON + MINUTE, LATER, "relay", 10)
        assert [each.key for each in await journal.outbox.messages(10, [MessageState.LEASED])] == ["abc"]
        found = {text: await journal.outbox.message(text) for text in ("abd", "x", "ab", "a%", "unknown")}
        assert {text: each and each.key for text, each in found.items()} == {
            "abd": "abd",
            "x": "xyz",
            "ab": None,
            "a%": None,
            "unknown": None,
        }


async def test_a_key_that_begins_another_is_itself(opener: Opener) -> None:
    """An exact key is not ambiguous."""
    async with opener() as journal:
        for number, key in enumerate(["ab", "abc"], 1):
            assert await journal.outbox.compose(message(number, key=key), [])
        found = await journal.outbox.message("ab")
        assert found is not None
        assert found.key == "ab"


# ---- leases ---------------------------------------------------------------------------------------------------------------


async def test_a_due_message_is_leased_once(opener: Opener) -> None:
    """It is as stored then; when the lease has ended, another relay may take it."""
    async with opener() as journal:
        assert await journal.outbox.compose(message(), [])
        leased = replace(message(), state=MessageState.LEASED, leased_until=LATER, leased_by="one", version=2)
        assert await journal.outbox.lease(NOON, LATER, "one", 10) == (leased,)
        assert await journal.outbox.message("k1") == leased
        assert await journal.outbox.lease(LATER - MINUTE, LATER, "other", 10) == ()
        [again] = await journal.outbox.lease(LATER, LATER + MINUTE, "other", 10)
        assert (again.leased_by, again.leased_until, again.version) == ("other", LATER + MINUTE, 3)


async def test_only_due_messages_are_leased_the_longest_due_first(opener: Opener) -> None:
    """Up to the limit; neither what was sent, nor what has failed, nor what is not due yet."""
    async with opener() as journal:
        written = [
            message(1, next_at=NOON - MINUTE),
            message(2, next_at=NOON - 2 * MINUTE),
            message(3, next_at=NOON + MINUTE),
            message(4, state=MessageState.SENT, ended_at=NOON),
            message(5, state=MessageState.FAILED, ended_at=NOON),
            message(6, next_at=NOON),
        ]
        for each in written:
            assert await journal.outbox.compose(each, [])
        assert [each.key for each in await journal.outbox.lease(NOON, LATER, "relay", 2)] == ["k2", "k1"]
        assert [each.key for each in await journal.outbox.lease(NOON, LATER, "relay", 2)] == ["k6"]
        assert await journal.outbox.lease(NOON, LATER, "relay", 2) == ()


async def test_of_two_relays_one_leases_a_message(opener: Opener) -> None:
    """Through two journals that are open at the same time: each message is composed once, and leased once."""

    async def relay(journal: Journal, name: str) -> list[str]:
        composed = [await journal.outbox.compose(message(number), [f"i{number}"]) for number in range(1, 16)]
        leased: list[str] = [f"composed k{number}" for number, done in enumerate(composed, 1) if done]
        while found := await journal.outbox.lease(NOON, LATER, name, 2):
            leased += [f"leased {each.key}" for each in found]
        return leased

    async with opener() as one, opener() as other:
        await announce(one, *range(1, 16))
        ways = await asyncio.gather(*(relay(journal, f"{name}") for name, journal in enumerate([one, other, one, other])))
        done = Counter(step for way in ways for step in way)
        # A relay that finds nothing ends, also if it has only lost a race.
        for last in await one.outbox.lease(NOON, LATER, "last", 100):
            done[f"leased {last.key}"] += 1
        assert done == {f"{step} k{number}": 1 for step in ("composed", "leased") for number in range(1, 16)}
        assert await waiting(other) == []


# ---- results --------------------------------------------------------------------------------------------------------------


async def test_a_result_is_stored_as_one(opener: Opener) -> None:
    """The message, its accepted items, the marks with their entries, and the reminders."""
    deadline = NOON + timedelta(days=7)
    async with opener() as journal:
        leased = await compose_and_lease(journal, 1, 2)
        told = [
            model.tell(model.promise(each.mark, deadline), NOON, "mail: 250", clock_verified=True)
            for each in await journal.outbox.listed("k1")
        ]
        sent = replace(leased, state=MessageState.SENT, ended_at=NOON + MINUTE, proof="250", leased_until=None, attempts=1)
        reminder = item(7, kind=ItemKind.REMIND, mark_id="m1", not_before=deadline - timedelta(days=2), deadline=deadline)
        assert await journal.outbox.record(sent, NOON + MINUTE, ["i1", "i2"], told, [reminder])
        assert await journal.outbox.message("k1") == stored(sent, 3)
        listed = await journal.outbox.listed("k1")
        assert [each.item.accepted_at for each in listed] == [NOON + MINUTE] * 2
        assert [each.mark for each in listed] == [replace(each, version=2) for each in told]
        assert await waiting(journal) == ["i7"]
        assert await steps(journal) == ["marked", "marked", "told", "told"]


async def test_a_result_of_a_lost_lease_is_not_stored(opener: Opener) -> None:
    """Another relay has taken the message since: nothing of the result is stored."""
    async with opener() as one, opener() as other:
        leased = await compose_and_lease(one, 1)
        [theirs] = await other.outbox.lease(LATER, LATER + MINUTE, "other", 1)
        told = [model.tell(each.mark, NOON, "mail: 250", clock_verified=True) for each in await one.outbox.listed("k1")]
        sent = replace(leased, state=MessageState.SENT, ended_at=NOON)
        assert not await one.outbox.record(sent, NOON, ["i1"], told, [item(7, mark_id="m1")])
        assert not await one.outbox.record(stored(message(9)), NOON)
        assert await one.outbox.message("k1") == theirs
        [listed] = await one.outbox.listed("k1")
        assert (listed.item.accepted_at, listed.mark.state) == (None, MarkState.MARKED)
        assert await waiting(one) == []
        assert await steps(one) == ["marked"]


async def test_a_result_with_a_mark_that_has_changed_is_not_stored(opener: Opener) -> None:
    """The relay has to read the mark again; the message is still leased by it."""
    async with opener() as journal:
        leased = await compose_and_lease(journal, 1)
        [listed] = await journal.outbox.listed("k1")
        await journal.marks.write([model.confirm(listed.mark, NOON, listed.mark.tell)])
        told = model.tell(listed.mark, NOON, "mail: 250", clock_verified=True)
        with pytest.raises(MarksChanged):
            await journal.outbox.record(replace(leased, state=MessageState.SENT), NOON, ["i1"], [told])
        assert await journal.outbox.message("k1") == leased
        [after] = await journal.outbox.listed("k1")
        assert (after.item.accepted_at, after.mark.surveys, after.mark.state) == (None, 2, MarkState.MARKED)


async def test_only_items_of_the_message_are_accepted_and_once(opener: Opener) -> None:
    """The first acceptance counts."""
    async with opener() as journal:
        first = await compose_and_lease(journal, 1, 2)
        await announce(journal, 3)
        assert await journal.outbox.record(replace(first, attempts=1), NOON, ["i1", "i3"])
        assert await journal.outbox.record(replace(first, version=3), LATER, ["i1", "i2"])
        assert [each.item.accepted_at for each in await journal.outbox.listed("k1")] == [NOON, LATER]
        [other] = await journal.outbox.waiting(NOON, 10)
        assert other.item == item(3)


async def test_a_result_without_a_time_zone_is_refused(opener: Opener) -> None:
    """Nothing of it is stored."""
    naive = datetime(2026, 3, 1)  # noqa: DTZ001  # that it is naive is the point
    async with opener() as journal:
        leased = await compose_and_lease(journal, 1)
        with pytest.raises(ValueError, match="time zone"):
            await journal.outbox.record(replace(leased, next_at=naive), NOON)
        with pytest.raises(ValueError, match="time zone"):
            await journal.outbox.compose(message(2, created_at=naive), [])
        with pytest.raises(ValueError, match="time zone"):
            await journal.outbox.lease(LATER, naive, "other", 1)
        assert await journal.outbox.messages(10) == (leased,)


async def test_a_failed_message_is_tried_again_on_request(opener: Opener) -> None:
    """It is due at once, with no attempts; the last problem stays on record. No other message changes."""
    failed = message(state=MessageState.FAILED, attempts=9, ended_at=NOON, problem="550 no such user")
    async with opener() as journal:
        assert await journal.outbox.compose(failed, [])
        assert await journal.outbox.compose(message(2), [])
        assert await journal.outbox.retry("k1", LATER, "carol")
        again = replace(failed, state=MessageState.PENDING, attempts=0, ended_at=None, next_at=LATER)
        assert await journal.outbox.message("k1") == stored(again, 2)
        assert not await journal.outbox.retry("k1", LATER, "carol")
        assert not await journal.outbox.retry("k2", LATER, "carol")
        assert not await journal.outbox.retry("k9", LATER, "carol")
        retried = [link.entry for link in await whole_trail(journal) if link.entry.what == "retried"]
        assert [(entry.started_by, entry.reason) for entry in retried] == [("carol", "message k1")]


async def test_unsent_messages_are_counted_by_channel(opener: Opener) -> None:
    """Pending and leased ones, and since when the oldest waits."""
    async with opener() as journal:
        assert await journal.outbox.counts() == ()
        written = [
            message(1, created_at=NOON - MINUTE, state=MessageState.SENT),
            message(2, created_at=LATER),
            message(3),
            message(4, channel="dingtalk", next_at=LATER),
        ]
        for each in written:
            assert await journal.outbox.compose(each, [])
        await journal.outbox.lease(NOON, LATER, "relay", 1)
        assert await journal.outbox.counts() == (OutboxCount("dingtalk", 1, NOON), OutboxCount("mail", 2, NOON))


async def test_items_that_no_message_lists_are_counted(opener: Opener) -> None:
    """Those whose time has come: neither later ones, nor those that were dropped, nor those in a message."""
    async with opener() as journal:
        assert await journal.outbox.count_waiting(NOON) == WaitingItems(0, None)
        items = [item(number, not_before=NOON - number * MINUTE) for number in range(1, 5)]
        await journal.marks.write([mark(number) for number in range(1, 6)], [*items, item(5, not_before=LATER)])
        assert await journal.outbox.count_waiting(NOON) == WaitingItems(4, NOON - 4 * MINUTE)
        await journal.outbox.drop(["i4"], "pointless")
        assert await journal.outbox.compose(message(), ["i3"])
        assert await journal.outbox.count_waiting(NOON) == WaitingItems(2, NOON - 2 * MINUTE)
        assert await journal.outbox.count_waiting(LATER) == WaitingItems(3, NOON - 2 * MINUTE)


async def test_sending_is_paused_and_resumed(opener: Opener) -> None:
    """A later pause replaces an earlier one; a target's pause is another thing."""
    pause = Pause("", NOON.astimezone(timezone(timedelta(hours=8))), "li", "a typo in the template 模板", LATER)
    async with opener() as journal:
        assert await journal.outbox.paused() is None
        await journal.outbox.pause(Pause("", NOON))
        await journal.outbox.pause(pause)
        await journal.control.pause(Pause("research", NOON))
        assert await journal.outbox.paused() == pause
        assert await journal.control.pauses() == (Pause("research", NOON),)
        await journal.outbox.resume()
        await journal.outbox.resume()
        assert await journal.outbox.paused() is None
