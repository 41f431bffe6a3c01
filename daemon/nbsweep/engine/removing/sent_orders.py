"""The stops and DELETEs that this sweep has sent for each notebook, and what was seen of it since."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from nbsweep.core.errors import CloudError, FactsTooOld, MustStopFirst, SweepEnding
from nbsweep.core.freshness import ClockReading
from nbsweep.core.model import Notebook
from nbsweep.core.own_orders import OrderKind, OwnOrder, answered, note_seen
from nbsweep.core.ports import Ports
from nbsweep.engine.removing.prefetch import Observation

WATCHED_INTERVALS = 3
"""After this many of the longest poll intervals without a read, a user may have started and stopped the notebook unseen."""
LEAST_WATCH_S = 60.0
"""A time without a read that never counts as unwatched, in seconds."""


@dataclass(slots=True)
class OrderAnswer:
    """The notebook in the answer to an order."""

    shown: Notebook | None = None


@dataclass(slots=True)
class SentOrders:
    """Keeps the orders of one sweep for later decisions."""

    ports: Ports
    longest_interval: timedelta
    """The longest interval of the poller."""
    _orders: dict[str, tuple[OwnOrder, ...]] = field(default_factory=dict)

    def of(self, notebook_id: str) -> tuple[OwnOrder, ...]:
        """Return the orders for one notebook, the first one first."""
        return self._orders.get(notebook_id, ())

    @contextmanager
    def sending(self, kind: OrderKind, observation: Observation) -> Iterator[OrderAnswer]:
        """Wrap the sending of an order, and keep it with its answer, unless it was never sent or provably had no effect."""
        notebook_id, answer = observation.notebook.id, OrderAnswer()
        earlier = self.of(notebook_id)
        order = OwnOrder(kind, observation.notebook, seen_at=observation.looked_at)
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
        """Record a read of a notebook for its latest order; the effects of earlier orders were seen before that one left."""
        if orders := self._orders.get(notebook_id):
            watch_s = max(LEAST_WATCH_S, WATCHED_INTERVALS * self.longest_interval.total_seconds())
            self._orders[notebook_id] = (*orders[:-1], note_seen(orders[-1], seen, looked_at, watch_s))

    def _answered(self, order: OwnOrder, shown: Notebook | None, *, taken: bool) -> OwnOrder:
        """Record that a call has ended now, by the cloud's clock and by the clocks of this machine."""
        cloud_now = self.ports.clock.now() - timedelta(seconds=self.ports.cloud.clock_skew_s() or 0.0)
        return answered(order, cloud_now, shown, taken=taken, ended=self.ports.clock.read())
