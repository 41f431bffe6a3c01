"""What holds for every test."""

import asyncio
import gc
from zlib import crc32

import hypothesis
import pytest
import stamina

# What is imported and collected stays: a third of all computing was the search for garbage among it.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the modules, always in the same way, so that tests that wait for something run beside tests that compute."""

    def place(item: pytest.Item) -> int:
        return crc32(item.nodeid.partition("::")[0].encode())

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what has been collected."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_forgotten_loop() -> None:
    """Keep pytest-asyncio from making a loop that nobody closes, when it asks for the current one before the first test."""
    asyncio.set_event_loop(None)


# As the program does it: what a retry is told by is `http.retried`, and not stamina's own line on stdout.
stamina.instrumentation.set_on_retry_hooks([])

# No test has a stopwatch: how long an example takes says something about the machine only.
hypothesis.settings.register_profile("without a stopwatch", deadline=None)
hypothesis.settings.load_profile("without a stopwatch")
