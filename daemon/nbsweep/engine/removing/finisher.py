"""Ends removals after an answer or a second look. A removal that may still be under way is followed first."""

from dataclasses import dataclass
from datetime import timedelta

from nbsweep.core import lifecycle
from nbsweep.core.errors import CloudError, SweepEnding
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Notebook, Status
from nbsweep.core.ports import Ports
from nbsweep.core.reasons.keeping import encode_cause
from nbsweep.core.second_look import under_way
from nbsweep.engine.removing.poller import Poller
from nbsweep.engine.removing.tracker import RemovalTracker


@dataclass(slots=True)
class RemovalFinisher:
    """Ends the removals of one sweep."""

    ports: Ports
    tracker: RemovalTracker
    poller: Poller
    grace: timedelta
    """How long reads may be stale after a DELETE."""

    async def refused(self, removal: Removal, error: CloudError, reason: str) -> None:
        """End a removal that the cloud refused for good; raise the error if it affects the whole account."""
        await self.tracker.finish(lifecycle.fail(removal, self.ports.clock.now(), reason))
        if isinstance(error, SweepEnding):
            raise error

    async def keep(self, removal: Removal, seen: Notebook, verdict: Verdict) -> None:
        """Keep the notebook; a DELETE that may be under way is followed first."""
        now = self.ports.clock.now()
        if seen.status is Status.DELETED and removal.state in (State.REQUESTED, State.ACCEPTED):
            await self.gone(removal)
        elif under_way(removal, seen, now, self.grace):
            self.poller.follow(removal)
        elif removal.state is State.ACCEPTED:
            reason = f"its deletion failed, and now it is kept: {verdict.sentence}"
            await self.tracker.finish(lifecycle.fail(removal, now, reason, encode_cause(verdict.cause)))
        else:
            await self.tracker.finish(lifecycle.spare(removal, now, verdict.sentence, encode_cause(verdict.cause)))

    async def gone(self, removal: Removal) -> None:
        """End a removal whose notebook is proven gone, after or before nbsweep sent a DELETE."""
        now = self.ports.clock.now()
        if removal.state in (State.REQUESTED, State.ACCEPTED):
            await self.tracker.finish(lifecycle.delete(removal, now, lifecycle.PROVEN_GONE))
        else:
            await self.tracker.finish(lifecycle.spare(removal, now, lifecycle.VANISHED))

    async def give_up_on(self, removal: Removal, stopped_by: str) -> None:
        """Spare a notebook whose DELETE had no effect, once that DELETE cannot arrive any more; send no other DELETE."""
        now = self.ports.clock.now()
        if lifecycle.may_still_arrive(removal, now, self.grace):
            self.poller.follow(removal)
        else:
            why = f"its DELETE shows no effect, and {stopped_by} has stopped the sweep"
            await self.tracker.finish(lifecycle.spare(removal, now, why))
