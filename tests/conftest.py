"""What holds for every test."""

import asyncio

import pytest
import stamina


@pytest.fixture(scope="session", autouse=True)
def no_forgotten_loop() -> None:
    """Keep pytest-asyncio from making a loop that nobody closes, when it asks for the current one before the first test."""
    asyncio.set_event_loop(None)


# As the program does it: what a retry is told by is `http.retried`, and not stamina's own line on stdout.
stamina.instrumentation.set_on_retry_hooks([])
