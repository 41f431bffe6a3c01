import asyncio
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def no_task_left_behind() -> AsyncIterator[None]:
    """Hold every test to it: when the web face is closed, nothing of it runs on."""
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}
