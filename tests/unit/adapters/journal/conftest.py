from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.pool import Pool


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Yield what SQLite has carried out so far, on connections that are made meanwhile."""
    found: list[str] = []

    def trace(connection: AdaptedConnection, *_: object) -> None:
        connection.run_async(lambda driver: driver.set_trace_callback(found.append))

    event.listen(Pool, "connect", trace)
    yield found
    event.remove(Pool, "connect", trace)
