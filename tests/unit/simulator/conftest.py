import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_stray_event_loop() -> None:
    """Keep pytest-asyncio from asking Python for a current event loop, which makes one that nobody ever closes."""
    asyncio.set_event_loop(None)
