"""Records the survey of a sweep in the inventory, from which policies are tried on the past."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbsweep.core.events.sweep import InventoryRecorded
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.model import OpenState, SurveyRecord
from nbsweep.core.inventory.recording import Changes, Recorder
from nbsweep.core.planning.brakes import judge_skew
from nbsweep.core.planning.plan import Survey
from nbsweep.core.planning.tally import Tally, listed_in
from nbsweep.core.ports import Ports
from nbsweep.engine.options import InventoryOptions


class InventoryWriter(Struct, frozen=True):
    """Records one survey."""

    target: str
    identity: TargetIdentity
    options: InventoryOptions
    ports: Ports
    known: Mapping[str, OpenState]

    def recorder(self) -> Recorder:
        """Return what collects the changes of one listing."""
        return Recorder(self.known)

    async def write(self, survey: Survey, tallies: Sequence[Tally]) -> None:
        """Write the survey and its changes, and delete what is too old.

        Raises:
            JournalError: the inventory cannot be written, as nothing else can.
        """
        complete = not (survey.gaps or survey.refused or any(tally.nameless for tally in tallies))
        changes = Changes(tuple(filter(None, map(listed_in, tallies))), self.known, complete)
        record = SurveyRecord(
            project=self.identity.project,
            target=self.target,
            extent=self.identity.extent,
            at=survey.taken_at,
            complete=complete,
            fleet=survey.fleet,
            config=self.options.config,
        )
        number = await self.ports.journal.inventory.record(record, changes)
        self.ports.telemetry.emit(InventoryRecorded(number, changes.complete, await self._prune(survey)))

    async def _prune(self, survey: Survey) -> int:
        """Delete what is too old, but not by a clock that nobody has compared with the cloud's."""
        if self.ports.cloud.clock_skew_s() is None or judge_skew(self.ports.cloud.clock_skew_s()):
            return 0
        return await self.ports.journal.inventory.prune(survey.taken_at - self.options.keep, survey.taken_at)


async def open_inventory(target: str, identity: TargetIdentity, options: InventoryOptions, ports: Ports) -> InventoryWriter:
    """Read the open states of a target, and return what records its next survey.

    Raises:
        JournalError: they cannot be read.
    """
    return InventoryWriter(target, identity, options, ports, await ports.journal.inventory.open_states(identity))
