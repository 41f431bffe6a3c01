"""The decisions before each order, on fresh facts and on the exemptions of that moment."""

from dataclasses import dataclass

from nbsweep.core.errors import ExemptionsChanged
from nbsweep.core.facts import Moment
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook
from nbsweep.core.ports import Ports
from nbsweep.core.second_look import decide_again
from nbsweep.core.windows.window import is_open
from nbsweep.engine.current_rules import CurrentRules
from nbsweep.engine.options import SurveyFacts
from nbsweep.engine.removing.sent_orders import SentOrders
from nbsweep.engine.removing.tracker import RemovalTracker


@dataclass(slots=True)
class Decisions:
    """Decides on removals, and writes the orders that follow."""

    ports: Ports
    rules: CurrentRules
    facts: SurveyFacts
    sent: SentOrders

    def decide(self, removal: Removal, seen: Notebook) -> Verdict:
        """Decide again on fresh facts, without the changes that nbsweep's own orders made."""
        may_stop = removal.notebook_id not in self.facts.never_stop
        moment = Moment(self.ports.clock.now(), self.facts.last_active)
        orders = self.sent.of(removal.notebook_id)
        return decide_again(removal, seen, orders, self.rules.rules, moment, may_stop=may_stop)

    def is_outside_window(self, removal: Removal) -> bool:
        """Return whether no window of a removal's policy is open, so that no DELETE of it may leave now."""
        return not is_open(self.rules.rules.windows_of(removal.policy), self.ports.clock.now())

    async def write_order(self, order: Removal, tracker: RemovalTracker) -> bool:
        """Write an order that is about to leave; return False if it must be decided anew, because exemptions have changed."""
        try:
            await tracker.write(order, self.rules.exemptions_version)
        except ExemptionsChanged:
            self.rules = await self.rules.with_exemptions(order.target, self.ports)
            return False
        return True
