"""What holds for every test."""

import asyncio
import gc

import hypothesis
import pytest
import stamina

from order import in_order

# What is imported and collected stays: a third of all computing was the search for garbage among it.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the slowest tests, in each worker."""
    by_id = {item.nodeid: item for item in items}
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = [by_id[each] for each in in_order(list(by_id), workers)]


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
