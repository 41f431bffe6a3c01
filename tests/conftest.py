"""What holds for every test."""

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_forgotten_loop() -> None:
    """Keep pytest-asyncio from making a loop that nobody closes, when it asks for the current one before the first test."""
    asyncio.set_event_loop(None)
