"""Which stops and DELETEs of this sweep have left for which notebook, and what was seen of it since."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from nbsweep.core.errors import CloudError, FactsTooOld, MustStopFirst, SweepEnding
from nbsweep.core.freshness import ClockReading
from nbsweep.core.model import Notebook
from nbsweep.core.own_orders import OrderKind, OwnOrder, answered, note_seen
from nbsweep.core.ports import Ports
from nbsweep.engine.prefetch import Observation

WATCHED_INTERVALS = 3
"""So many of the longest intervals may pass between two looks before someone may have come and gone unseen."""
LEAST_WATCH_S = 60.0
"""No one starts and stops a notebook in less: a stop alone took 150 s where it was seen (API notes, section 12, E1)."""


@dataclass(slots=True)
class OrderAnswer:
    """What the answer to an order shows."""

    shown: Notebook | None = None


@dataclass(slots=True)
class SentOrders:
    """Remembers the orders of one sweep, for the decisions that follow on them."""

    ports: Ports
    longest_interval: timedelta
    """Of the poller."""
    _orders: dict[str, tuple[OwnOrder, ...]] = field(default_factory=dict)

    def of(self, notebook_id: str) -> tuple[OwnOrder, ...]:
        """List the orders for one notebook, the first one first."""
        return self._orders.get(notebook_id, ())

    @contextmanager
    def sending(self, kind: OrderKind, sight: Observation) -> Iterator[OrderAnswer]:
        """Send an order inside, and remember it with its answer; not one that never left, or provably did nothing."""
        notebook_id, answer = sight.notebook.id, OrderAnswer()
        earlier = self.of(notebook_id)
        order = OwnOrder(kind, sight.notebook, seen_at=sight.looked_at)
        self._orders[notebook_id] = (*earlier, order)
        try:
            yield answer
        except (FactsTooOld, MustStopFirst, SweepEnding):
            self._orders[notebook_id] = earlier
            raise
        except CloudError:
            self._orders[notebook_id] = (*earlier, self._answered(order, None, taken=False))
            raise
        else:
            self._orders[notebook_id] = (*earlier, self._answered(order, answer.shown, taken=True))

    def note(self, notebook_id: str, seen: Notebook, looked_at: ClockReading) -> None:
        """Note what a look shows of a notebook, for the latest order: what came of those before it was seen before it left."""
        if orders := self._orders.get(notebook_id):
            watch_s = max(LEAST_WATCH_S, WATCHED_INTERVALS * self.longest_interval.total_seconds())
            self._orders[notebook_id] = (*orders[:-1], note_seen(orders[-1], seen, looked_at, watch_s))

    def _answered(self, order: OwnOrder, shown: Notebook | None, *, taken: bool) -> OwnOrder:
        """Note how a call ended just now, by the cloud's clock and by those of this machine."""
        cloud_now = self.ports.clock.now() - timedelta(seconds=self.ports.cloud.clock_skew_s() or 0.0)
        return answered(order, cloud_now, shown, taken=taken, ended=self.ports.clock.read())
