"""What the sessions of every journal keep to, by the port's own words; the journal for tests too."""

from datetime import timedelta

import pytest

from builders import NOON
from contract.conftest import Opener
from nbsweep.core.control.sessions import LASTS, begin_session, is_bound_to, session_id

A_SECOND = timedelta(seconds=1)


async def test_a_session_is_found_by_its_id_until_it_ends(opener: Opener) -> None:
    """Also after the journal was opened again, and never at its end or later."""
    session = begin_session("a-cookie", b"a-token", NOON)
    async with opener() as journal:
        await journal.sessions.begin(session)
    async with opener() as journal:
        assert await journal.sessions.find(session_id("a-cookie"), NOON) == session
        assert await journal.sessions.find(session_id("a-cookie"), NOON + LASTS - A_SECOND) == session
        assert await journal.sessions.find(session_id("a-cookie"), NOON + LASTS) is None
        assert await journal.sessions.find(session_id("another"), NOON) is None


async def test_a_session_ends_when_it_is_removed(opener: Opener) -> None:
    """The others stay; what is not there may be removed too."""
    async with opener() as journal:
        for cookie in ("one", "two"):
            await journal.sessions.begin(begin_session(cookie, b"a-token", NOON))
        await journal.sessions.end(session_id("one"))
        await journal.sessions.end(session_id("one"))
        assert await journal.sessions.find(session_id("one"), NOON) is None
        assert await journal.sessions.find(session_id("two"), NOON) is not None


async def test_sessions_that_have_ended_are_forgotten(opener: Opener) -> None:
    """Those in force stay."""
    async with opener() as journal:
        await journal.sessions.begin(begin_session("old", b"a-token", NOON))
        await journal.sessions.begin(begin_session("new", b"a-token", NOON + A_SECOND))
        await journal.sessions.forget(NOON + LASTS)
        assert await journal.sessions.find(session_id("old"), NOON) is None
        assert await journal.sessions.find(session_id("new"), NOON) is not None


async def test_a_moment_without_a_zone_is_refused(opener: Opener) -> None:
    """It could be anywhere."""
    async with opener() as journal:
        with pytest.raises(ValueError, match="zone"):
            await journal.sessions.begin(begin_session("one", b"a-token", NOON.replace(tzinfo=None)))


def test_a_session_holds_neither_its_cookie_nor_its_token() -> None:
    """And belongs to the token that began it, and to no other."""
    session = begin_session("a-cookie", b"a-token", NOON)
    assert "a-cookie" not in repr(session)
    assert "a-token" not in repr(session)
    assert is_bound_to(session, "a-cookie", b"a-token")
    assert not is_bound_to(session, "a-cookie", b"another")
    assert not is_bound_to(session, "another", b"a-token")
