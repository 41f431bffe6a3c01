"""The routes of marks and of the outbox."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import notice_builders
from builders import NOON, ago, mark, told_mark
from nbsweep.core.control.requests import Pause
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.marks.model import ClearCause, Mark, clear
from nbsweep.core.notices.outbox import MessageState
from nbsweep.testing import InMemoryJournal
from unit.service.web.support import BEARER, VIEWER_BEARER, FakeControl, Scene, token_file, viewer_file

TOLD = told_mark(2, told_at=ago(days=1), deadline=NOON + timedelta(days=6), target="training", marked_at=ago(days=2))
MARKS = (
    mark(1, owner_id="u2", owner_name="Bob", untold="no address is known"),
    TOLD,
    told_mark(3, marked_at=ago(days=9)),
    clear(mark(4, marked_at=ago(days=3)), ago(days=1), ClearCause.USED),
)


async def marked(marks: Sequence[Mark] = MARKS) -> InMemoryJournal:
    """Return a journal with these marks."""
    journal = InMemoryJournal()
    await journal.marks.write([replace(each, version=0) for each in marks])
    return journal


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["nb2", "nb3", "nb1"]),
        ("?state=marked", ["nb1"]),
        ("?state=told", ["nb2"]),
        ("?state=due", ["nb3"]),
        ("?state=cleared", ["nb4"]),
        ("?state=removed", []),
        ("?target=training", ["nb2"]),
        ("?owner=bOb", ["nb1"]),
        ("?owner=u1&limit=1", ["nb2"]),
    ],
)
async def test_the_open_marks_are_listed_and_chosen_the_newest_first(query: str, ids: list[str]) -> None:
    """A told mark is due when the deadline has passed by the policy's week."""
    async with Scene(journal=await marked()).open() as face:
        status, document = await face.ask("GET", f"/api/v1/marks{query}")
    assert isinstance(document, dict)
    assert (status, [each["id"] for each in document["marks"]]) == (200, ids)


async def test_a_mark_says_who_was_told_and_when_it_is_due() -> None:
    """The keys are those of `marks --format json`."""
    async with Scene(journal=await marked()).open() as face:
        _, document = await face.ask("GET", "/api/v1/marks/nb2")
    assert isinstance(document, dict)
    [found] = document["marks"]
    assert document["id"] == "nb2"
    assert {key: found[key] for key in ("mark", "state", "told_by", "told_at", "due_at", "untold", "cleared")} == {
        "mark": "mark2",
        "state": "told",
        "told_by": "mail: 250 ok",
        "told_at": "2026-02-28T12:00:00.000Z",
        "due_at": "2026-03-07T12:00:00.000Z",
        "untold": None,
        "cleared": None,
    }


async def test_a_notebook_of_the_holdout_is_held_out_and_not_due() -> None:
    """As on the page: its deadline has passed, and it is kept for 30 days more. The share is nb1."""
    control = FakeControl()
    control.held = {"old": Holdout(Fraction(1, 10), timedelta(days=30))}
    passed = [told_mark(number, deadline=ago(days=1)) for number in (1, 2)]
    async with Scene(control, journal=await marked(passed)).open() as face:
        _, held = await face.ask("GET", "/api/v1/marks?state=held-out")
        _, due = await face.ask("GET", "/api/v1/marks?state=due")
    assert isinstance(held, dict)
    assert isinstance(due, dict)
    assert [(each["id"], each["state"], each["due_at"]) for each in held["marks"]] == [
        ("nb1", "held-out", "2026-03-31T12:00:00.000Z")
    ]
    assert [(each["id"], each["state"]) for each in due["marks"]] == [("nb2", "due")]


async def test_a_notebook_that_was_never_marked_has_no_marks() -> None:
    """That is an answer, too; one that is no longer marked is still on record."""
    async with Scene(journal=await marked()).open() as face:
        assert await face.ask("GET", "/api/v1/marks/nobody") == (200, {"id": "nobody", "marks": []})
        _, document = await face.ask("GET", "/api/v1/marks/nb4")
    assert isinstance(document, dict)
    assert [each["cleared"] for each in document["marks"]] == ["used"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("marks?state=gone", "state must be one of marked, told, due, held-out, exempt, removed, cleared"),
        ("marks?owner=", "owner has 1 to 256 characters, and no control characters"),
        ("marks?owner=a%00b", "owner has 1 to 256 characters, and no control characters"),
        ("outbox?state=lost", "state must be one of pending, leased, sent, failed"),
        ("outbox?limit=0", "limit must be a whole number from 1 to 1000"),
    ],
)
async def test_an_invalid_query_is_refused(path: str, sentence: str) -> None:
    """With what is allowed."""
    async with Scene().open() as face:
        assert await face.error("GET", f"/api/v1/{path}") == (400, "bad-request", sentence)


async def sent(*states: MessageState) -> InMemoryJournal:
    """Return a journal with a message in each of these states."""
    journal = InMemoryJournal()
    for number, state in enumerate(states, 1):
        composed = notice_builders.message(number, created_at=ago(minutes=number), next_at=ago(minutes=number))
        assert await journal.outbox.compose(composed, [])
        [leased] = await journal.outbox.lease(NOON, NOON, "relay", 1)
        assert await journal.outbox.record(replace(leased, state=state, problem="550 no such user"), NOON)
    return journal


async def test_the_messages_are_listed_with_the_pause_of_sending() -> None:
    """The newest first; a pause that has ended by itself is none."""
    journal = await sent(MessageState.SENT, MessageState.FAILED)
    await journal.outbox.pause(Pause("", ago(hours=1), "li", "the mail server moves", NOON + timedelta(hours=1)))
    async with Scene(journal=journal).open() as face:
        status, document = await face.ask("GET", "/api/v1/outbox")
        _, failed = await face.ask("GET", "/api/v1/outbox?state=failed")
        await journal.outbox.pause(Pause("", ago(hours=1), until=ago(minutes=1)))
        _, later = await face.ask("GET", "/api/v1/outbox?state=failed&limit=1")
    assert isinstance(document, dict)
    assert isinstance(failed, dict)
    assert isinstance(later, dict)
    assert status == 200
    assert [each["state"] for each in document["messages"]] == ["SENT", "FAILED"]
    assert document["paused"]["reason"] == "the mail server moves"
    assert [each["problem"] for each in failed["messages"]] == ["550 no such user"]
    assert later["paused"] is None
    assert (document["waiting"], document["waiting_since"]) == (0, None)


async def test_a_failed_message_is_sent_again(tmp_path: Path) -> None:
    """Once: then it waits, like any other."""
    journal = await sent(MessageState.FAILED)
    [message] = await journal.outbox.messages(1)
    path = f"/api/v1/outbox/{message.key[:12]}/retry"
    async with Scene(journal=journal, token_file=token_file(tmp_path)).open() as face:
        status, document = await face.ask("POST", path, headers=BEARER)
        refused = await face.error("POST", path, headers=BEARER)
    assert isinstance(document, dict)
    assert (status, document["state"], document["attempts"]) == (200, "PENDING", 0)
    assert refused == (409, "conflict", "the message has not failed: it is PENDING")


async def test_a_message_that_does_not_exist_cannot_be_sent_again(tmp_path: Path) -> None:
    """And only an administrator may send again."""
    files: dict[str, Any] = {"token_file": token_file(tmp_path), "token_files": (viewer_file(tmp_path),)}
    async with Scene(**files).open() as face:
        status, code, _ = await face.error("POST", "/api/v1/outbox/abc/retry", headers=BEARER)
        assert (status, code) == (404, "not-found")
        assert (await face.error("POST", "/api/v1/outbox/abc/retry", headers=VIEWER_BEARER))[:2] == (403, "forbidden")
