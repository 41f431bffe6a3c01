from datetime import datetime, tzinfo
from types import SimpleNamespace

import pytest

from nbsweep.testing import FakeClock


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> list[FakeClock]:
    """Let APScheduler ask the clock that a test puts in here, and not the machine's."""
    found: list[FakeClock] = []

    def now(zone: tzinfo | None = None) -> datetime:
        return found[0].now().astimezone(zone)

    for module in ("apscheduler.schedulers.base", "apscheduler.executors.base"):
        monkeypatch.setattr(f"{module}.datetime", SimpleNamespace(now=now))
    return found
