"""What must hold at every step, judged from the cloud's own history the moment it happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from nbsweep.core.lifecycle import Removal, State
from nbsweep.settings import Settings
from simulation import brake_invariants, oracle
from simulation.facts import START_MS, Facts
from simulation.gateway import LANES
from simulation.history import Call, History, Order
from simulation.rate_invariants import RateCheck
from simulation.scenario import Scenario
from simulation.wire import Answer

STOP_FACTS_S = 90.0
"""How old what a stop rests on may be: unlike a DELETE, it can be undone, and may wait for its lane."""
A_MOMENT_S = 1e-6


@dataclass(slots=True)
class Row:
    """A removal as the journal has it."""

    removal: Removal
    written_s: float
    overdue_since_s: float | None = None


@dataclass(slots=True)
class Sweep:
    """One sweep, as seen from outside."""

    run_id: str
    life: int
    begun_s: float
    surveyed_from_s: float
    calm: bool = False
    planned_s: float | None = None
    ended_s: float | None = None
    killed: bool = False
    muted: bool = False
    """Whether its journal was lost, so that it could not write down its end."""
    finished: bool = False
    most: int | None = None
    """How many notebooks its brakes let go, by the largest fleet that was there while it surveyed."""
    touched: set[str] = field(default_factory=set)
    """Notebooks of which it has sent a DELETE or a stop."""


@dataclass(slots=True)
class Judge:
    """Watches one seed."""

    scenario: Scenario
    settings: Settings
    history: History
    wall_ms: Callable[[], float]
    """The time by the wall clock of nbsweep."""
    now_s: Callable[[], float]
    found: list[tuple[int, str]] = field(default_factory=list)
    """What was broken: the number of the invariant, and how."""
    on_found: Callable[[], None] = lambda: None
    other_project: bool = False
    """Whether the target of this life is another project, which has no notebooks."""
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    """By run and notebook."""
    remembered_from: int = 0
    """How many orders there were when the present journal began."""
    sweeps: list[Sweep] = field(default_factory=list)
    runs: dict[int, str] = field(default_factory=dict)
    """By the number of a call: the run that made it."""
    tried: set[tuple[str, str]] = field(default_factory=set)
    """By run and notebook: a DELETE was begun, whether or not it came to have a connection."""
    rates: RateCheck = field(init=False)
    lost_s: float | None = None
    """Since when the journal of the present life is not where another one would look for it."""
    walls: list[tuple[float, float]] = field(default_factory=list)
    """When the wall clock of nbsweep was set, and how far it is ahead of the loop's time since, in milliseconds."""
    slept_ms: float = 0.0
    """How far the cloud's own clock is ahead of the loop's time: the machine of nbsweep slept."""
    woken: list[tuple[int, float]] = field(default_factory=list)
    """After how many calls the machine slept, and when by the loop's time."""

    def __post_init__(self) -> None:
        """Know the limits."""
        self.rates = RateCheck(self.settings.targets[0].limits, self.record_violation)

    def record_violation(self, invariant: int, what: str) -> None:
        """Note that something is broken."""
        self.history.note(self.now_s(), f"BROKEN, invariant {invariant}: {what}")
        self.found.append((invariant, what))
        self.on_found()

    def killed(self) -> None:
        """Hear that the program is killed."""
        if self.sweeps and self.sweeps[-1].ended_s is None:
            self.sweeps[-1].killed, self.sweeps[-1].ended_s = True, self.now_s()

    def clock_set(self, ahead_ms: float) -> None:
        """Hear how far the wall clock of nbsweep is ahead from now on."""
        self.walls.append((self.now_s(), ahead_ms))

    def slept(self, for_ms: float, ahead_ms: float) -> None:
        """Hear that the machine slept: whatever was known before is as old as that."""
        self.slept_ms += for_ms
        self.woken.append((len(self.history.calls), self.now_s()))
        self.walls.append((self.now_s(), ahead_ms))

    def journal_replaced(self) -> None:
        """Hear that nobody can know any more what the journal has told so far."""
        self.rows.clear()
        self.remembered_from = len(self.history.orders)

    # ---- what the gateway tells

    def begun(self, at_s: float, life: int, kind: str, subject: str) -> None:
        """Hold the rates against every call that leaves."""
        if kind == "delete" and self.sweeps:
            self.tried.add((self.sweeps[-1].run_id, subject))
        self.rates.begun(at_s, life, LANES[kind])
        self.check_deadlines()

    def left(self, call: Call) -> None:
        """Hold it against the journal that nothing is changed that is not written down before."""
        run = self.sweeps[-1] if self.sweeps else None
        self.runs[call.number] = run.run_id if run else ""
        if call.kind not in ("delete", "stop") or run is None:
            return
        row = self.rows.get((run.run_id, call.subject))
        wanted = State.REQUESTED if call.kind == "delete" else State.STOPPING
        if row is None or row.removal.state is not wanted:
            state = row.removal.state if row else "nothing"
            self.record_violation(5, f"a {call.kind} of {call.subject} leaves, and the journal has {state}, not {wanted}")
        if call.kind == "delete" and self.lost_s is not None and call.begun_s > self.lost_s:
            self.record_violation(
                5, f"a delete of {call.subject} leaves, and nobody finds the journal any more that knows of it"
            )
        run.touched.add(call.subject)
        brake_invariants.check_brakes(self, run)
        brake_invariants.check_clock(self, run, call)
        self._check_not_at_work(call)

    def heard(self, call: Call, answer: Answer) -> None:
        """Remember what a 429 asks for."""
        if answer.status == 429 and call.kind in LANES:
            self.rates.refused(self.now_s(), call.life, LANES[call.kind], answer)

    # ---- what the journal tells

    def wrote(self, removals: Sequence[Removal]) -> None:
        """Take note of what is on disk from now on."""
        for removal in removals:
            if self.other_project:
                self.record_violation(9, f"a run of another project writes that {removal.notebook_id} is {removal.state}")
            row = self.rows.get((removal.run_id, removal.notebook_id))
            if row and row.removal.ended and row.removal != removal:
                self.record_violation(5, f"{removal.notebook_id} had ended {row.removal.state} and becomes {removal.state}")
            self.rows[removal.run_id, removal.notebook_id] = Row(removal, self.now_s())
            self.history.note(self.now_s(), _line(removal))
        self.check_deadlines()

    def check_deadlines(self) -> None:
        """Let nothing go on for long after its deadline, while there is somebody who follows it."""
        if not self.sweeps or self.sweeps[-1].ended_s is not None or self.other_project:
            return
        now_s, wall_ms = self.now_s(), self.wall_ms()
        for row in self.rows.values():
            deadline = row.removal.deadline
            if row.removal.ended or deadline is None or wall_ms < deadline.timestamp() * 1000:
                row.overdue_since_s = None
                continue
            since_s = row.overdue_since_s = max(row.overdue_since_s or now_s, self.sweeps[-1].begun_s)
            if now_s - since_s > self.slack_s:
                self.record_violation(4, f"{row.removal.notebook_id} goes on {now_s - since_s:.0f} s after its deadline")

    @property
    def slack_s(self) -> float:
        """How long after its deadline a removal may have no end: an interval, and the calls that find out."""
        network, timeout = self.scenario.network, self.settings.targets[0].limits.request_timeout
        tries_s = 12 * (timeout + timedelta(seconds=6)) if network.faults or network.refuses else 2 * timeout
        throttled_s = 200 if network.limits else 0
        return (self.settings.polling.max_interval + tries_s).total_seconds() + throttled_s + 10

    # ---- what the cloud tells

    def ordered(self, order: Order) -> None:
        """Judge a DELETE or a stop in the moment in which the cloud takes it on."""
        run_id = self.runs.get(order.call.number, "")
        earlier = [one for one in self.history.orders_of(order.notebook_id, order.kind) if one is not order]
        if order.kind == "stop":
            return self._check_facts(order, order.call.begun_s - STOP_FACTS_S, ("stop", "delete"))
        mine = [one for one in earlier if self.runs.get(one.call.number) == run_id and one.call.number not in self.history.lost]
        if len(mine) > self.settings.removal.retries:
            self.record_violation(
                2, f"{order.notebook_id}: DELETE {len(mine) + 1} is accepted, retries: {self.settings.removal.retries}"
            )
        if earlier and not self._over(earlier[-1]):
            self.record_violation(2, f"{order.notebook_id}: a second DELETE is accepted, and the first has not failed")
        brake_invariants.check_day(self)
        brake_invariants.check_cooled_down(self, order)
        fresh_for_s = self.settings.removal.fresh_for.total_seconds()
        return self._check_facts(order, order.call.begun_s - fresh_for_s - A_MOMENT_S, ("delete",))

    def _check_facts(self, order: Order, from_s: float, allowed: Sequence[str]) -> None:
        from_s = max([from_s, *(at_s for calls, at_s in self.woken if order.call.number > calls)])
        opinions = [
            self._opinion(order, state.facts, max(from_s, state.since_s), order.at_s)
            for state in self.history.during(order.notebook_id, from_s, order.at_s - A_MOMENT_S)
            if state.facts is not None
        ]
        if not any(opinion.what in allowed for opinion in opinions):
            whys = "; ".join(f"{opinion.what}: {opinion.why}" for opinion in opinions)
            self.record_violation(1, f"a {order.kind} of {order.notebook_id} is accepted, which ought to be kept: {whys}")

    def _opinion(self, order: Order, facts: Facts, from_s: float, to_s: float) -> oracle.Opinion:
        """Say what ought to become of such a notebook, by any clock that nbsweep had meanwhile."""
        opinions = [self._opinion_at(order, facts, moment_ms) for moment_ms in self.clocks(from_s, to_s)]
        return next((one for one in opinions if one.what != "keep"), opinions[0])

    def _opinion_at(self, order: Order, facts: Facts, now_ms: float) -> oracle.Opinion:
        config, run_id = self.scenario.config, self.runs.get(order.call.number)
        earlier = [
            one
            for one in self.history.orders
            if one.notebook_id == order.notebook_id and one is not order and self.runs.get(one.call.number) == run_id
        ]
        if self._taken_for_ours(order) and facts.status == "DELETE_FAILED":
            return oracle.protection(facts, config, now_ms) or oracle.Opinion("delete", "its deletion failed")
        if not earlier or self._touched(order.notebook_id, facts, earlier):
            return oracle.opinion(facts, config, now_ms)
        opinions = []
        for seen in self._seen_before(earlier[0]):
            as_before = _without(facts, [replace(earlier[0], before=seen), *earlier[1:]])
            if as_before is facts:
                return oracle.opinion(facts, config, now_ms)
            wish = oracle.protection(facts, config, now_ms) or oracle.wish(as_before, config, now_ms)
            opinions.append(replace(wish, what="delete") if wish.what == "stop" else wish)
        return next((one for one in opinions if one.what == "delete"), opinions[0])

    def _seen_before(self, order: Order) -> list[Facts]:
        """Give the notebook as it may have been seen when an order was decided on: within `fresh_for`, and since any sleep."""
        fresh_for_s = self.settings.removal.fresh_for.total_seconds()
        from_s = max([order.call.begun_s - fresh_for_s, *(at_s for _, at_s in self.woken if at_s <= order.at_s)])
        states = self.history.during(order.notebook_id, from_s, order.at_s - A_MOMENT_S)
        return [state.facts for state in states if state.facts is not None] or [order.before]

    def _touched(self, notebook_id: str, facts: Facts, earlier: Sequence[Order]) -> bool:
        """Tell whether someone but us has done something with a notebook since the first of our orders, and that shows."""
        if not earlier:
            return False
        since = [one for one in self.history.states[notebook_id] if one.since_s >= earlier[0].at_s]
        until = next((index for index, one in enumerate(since) if one.facts is facts), len(since) - 1)
        causes = [one.cause for one in since[: until + 1] if one.cause.startswith("user") or one.cause == "it has started"]
        # What only dates a change is overwritten by the date of what follows on it.
        return any(cause != "user changes its files" for cause in causes)

    def _taken_for_ours(self, order: Order) -> bool:
        """Tell whether its owner's own deletion was under way, and failed, while a DELETE of this run was in doubt.

        Nobody can tell that one from ours, whose answer was lost, or said no more than that something is going on.
        """
        run_id = self.runs.get(order.call.number)
        sent = [
            call.begun_s
            for call in self.history.calls
            if call.kind == "delete" and call.subject == order.notebook_id and call is not order.call
            if self.runs.get(call.number) == run_id
        ]
        states = self.history.states[order.notebook_id]
        begun = [state.since_s for state in states if state.cause == "user deletes it"]
        return bool(sent and begun and self.failed_since(order.notebook_id, max(begun[-1], sent[0]), order.at_s))

    def clocks(self, from_s: float, to_s: float) -> list[float]:
        """Give what the wall clock of nbsweep showed at the ends of a time, and wherever it was set in between."""
        before = [ahead for at_s, ahead in self.walls if at_s <= from_s]
        within = [(at_s, ahead) for at_s, ahead in self.walls if from_s < at_s <= to_s]
        shown = [(from_s, before[-1] if before else 0.0), *within]
        moments = [(at_s, ahead) for at_s, ahead in shown] + [(to_s, ahead) for _, ahead in shown]
        return [START_MS + at_s * 1000 + ahead for at_s, ahead in moments]

    def failed_since(self, notebook_id: str, from_s: float, to_s: float) -> bool:
        """Tell whether a deletion has failed between two moments."""
        states = self.history.during(notebook_id, from_s, to_s)
        return any(one.since_s > from_s and one.facts is not None and one.facts.status == "DELETE_FAILED" for one in states)

    def _over(self, order: Order) -> bool:
        """Tell whether a DELETE need not keep a later one from being sent: it has failed, or its run has given it up.

        What TIMED_OUT has no end that anybody knows of, and when a clock is set forward it comes early; a later run looks anew.
        Of what a journal told that was replaced by an empty one, no later run can know.
        """
        if order in self.history.orders[: self.remembered_from]:
            # Nobody knows of it; where its effect is not shown yet, the cloud alone can tell.
            return True
        row = self.rows.get((self.runs.get(order.call.number, ""), order.notebook_id))
        given_up = (row is not None and row.removal.state is State.TIMED_OUT) or order.call.number in self.history.lost
        return given_up or self.failed_since(order.notebook_id, order.at_s, self.now_s())

    def _check_not_at_work(self, call: Call) -> None:
        """Let no DELETE leave for what an earlier one of ours is at work on."""
        if call.kind != "delete":
            return
        mine = self.history.orders_of(call.subject, "delete")
        if mine and not self._over(mine[-1]):
            self.record_violation(
                2, f"a DELETE of {call.subject} leaves, and call {mine[-1].call.number} is at work on it, or has ended it"
            )

    def planned(self, sweep: Sweep) -> None:
        """Work out how many may go, when a plan is there."""
        sweep.planned_s = self.now_s()
        allowed = [self.settings.brakes.max_deletions]
        if self.settings.brakes.max_share is not None:
            # At least one, however small the fleet is.
            allowed.append(max(1, int(self.settings.brakes.max_share * self._largest_fleet(sweep))))
        sweep.most = min((one for one in allowed if one is not None), default=None)

    def _largest_fleet(self, sweep: Sweep) -> int:
        to_s = sweep.planned_s or self.now_s()
        states = [self.history.during(notebook_id, sweep.surveyed_from_s, to_s) for notebook_id in self.history.states]
        return sum(any(one.facts is not None and one.facts.exists for one in found) for found in states)


def _without(facts: Facts, earlier: Sequence[Order]) -> Facts:
    """Give a notebook as it would be without our orders: the state that they leave, and its dates, are our own doing."""
    for order in reversed(earlier):
        before = order.before
        if order.kind == "delete" and facts.status == "DELETE_FAILED":
            facts = replace(facts, status=before.status, update_ms=before.update_ms, fail_reason=before.fail_reason)
        elif order.kind == "stop" and facts.status == "STOPPED":
            facts = replace(facts, status=before.status, update_ms=before.update_ms, term=before.term)
    return facts


def _line(removal: Removal) -> str:
    words = f": {removal.end_reason}" if removal.end_reason else f" ({removal.policy})"
    return f"journal: {removal.run_id} {removal.notebook_id} {removal.state}{words}"
