import asyncio
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def no_task_left_behind() -> AsyncIterator[None]:
    """Check after every test that a closed HTTP API leaves no task running."""
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}
