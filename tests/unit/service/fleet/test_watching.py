"""The status of a fleet is read for the metrics every few seconds, in virtual time."""

from datetime import timedelta

import anyio

from builders import NOON
from nbsweep.core.errors import JournalError
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs, FleetStatus
from nbsweep.service.fleet.watching import keep_showing
from unit.engine.world import virtual_time

pytestmark = virtual_time
EMPTY = judge_fleet(FleetInputs(NOON, "c1", timedelta(seconds=60), (), None))


class FailingFleet:
    """A fleet whose second reading fails."""

    def __init__(self) -> None:
        """Start without a reading."""
        self.readings = 0

    async def read(self) -> FleetStatus:
        """Return the status, or fail."""
        self.readings += 1
        if self.readings == 2:
            raise JournalError("it is away")
        return EMPTY


class RecordingMetrics:
    """Records what is shown."""

    def __init__(self) -> None:
        """Start without anything."""
        self.shown: list[str] = []

    def show(self, status: FleetStatus, owner: str) -> None:
        """Record it."""
        assert status is EMPTY
        self.shown.append(owner)

    def clear(self) -> None:
        """Record it."""
        self.shown.append("nothing")


async def test_the_status_is_shown_every_five_seconds_and_nothing_while_it_cannot_be_read() -> None:
    """Nothing is shown after the end either."""
    fleet, metrics = FailingFleet(), RecordingMetrics()
    with anyio.move_on_after(12):
        await keep_showing(fleet, metrics, "me")
    assert metrics.shown == ["me", "nothing", "me", "nothing"]
