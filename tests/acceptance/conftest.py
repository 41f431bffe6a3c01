import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from acceptance.support import Cloud, Desk, Json, cloud_options, running_cloud
from acceptance.told import People, people

Simulate = Callable[..., Cloud]


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    """Run simulated clouds, made to order; they end with the test."""
    with ExitStack() as stack:

        def start(instances: list[Json] | None = None, **groups: Json) -> Cloud:
            return stack.enter_context(running_cloud(cloud_options(instances or (), **groups)))

        yield start


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give an empty home, and a place for configuration and journal."""
    return Desk(tmp_path)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[People]:
    """Run the servers of owners and operators."""
    with people(tmp_path) as found:
        yield found


@pytest.fixture(scope="session", autouse=True)
def signals_are_heeded() -> Iterator[None]:
    """Let the commands under test receive SIGHUP and SIGINT, which nohup and background jobs of a shell ignore."""
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGHUP, hangup)
    signal.signal(signal.SIGINT, interrupt)
