"""The invariants that hold at every step, checked from the cloud's own history as it happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from nbsweep.core.lifecycle import Removal, State
from nbsweep.settings import Settings
from simulation import brake_invariants, fact_invariants
from simulation.facts import START_MS
from simulation.gateway import LANES
from simulation.history import Call, History, Order
from simulation.rate_invariants import RateCheck
from simulation.scenario import Scenario
from simulation.wire import Answer

STOP_FACTS_S = 90.0
"""The largest age of the facts of a stop: a stop can be undone, and may wait for its lane."""


@dataclass(slots=True)
class Row:
    """A removal in the journal."""

    removal: Removal
    written_s: float
    overdue_since_s: float | None = None


@dataclass(slots=True)
class Sweep:
    """One sweep, observed from outside."""

    run_id: str
    life: int
    begun_s: float
    surveyed_from_s: float
    calm: bool = False
    planned_s: float | None = None
    ended_s: float | None = None
    killed: bool = False
    muted: bool = False
    """Whether its journal was lost, so that it could not record its end."""
    finished: bool = False
    most: int | None = None
    """How many notebooks its brakes allow, by the largest fleet during its survey."""
    touched: set[str] = field(default_factory=set)
    """Notebooks to which it has sent a DELETE or a stop."""


@dataclass(slots=True)
class Judge:
    """Checks the invariants of one seed."""

    scenario: Scenario
    settings: Settings
    history: History
    wall_ms: Callable[[], float]
    """The time by the wall clock of nbsweep."""
    now_s: Callable[[], float]
    found: list[tuple[int, str]] = field(default_factory=list)
    """The violations: the number of the invariant, and a description."""
    on_found: Callable[[], None] = lambda: None
    other_project: bool = False
    """Whether the target of this process is another project, which has no notebooks."""
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    """By run and notebook."""
    remembered_from: int = 0
    """The number of orders when the present journal began."""
    sweeps: list[Sweep] = field(default_factory=list)
    runs: dict[int, str] = field(default_factory=dict)
    """The run of each call, by the call's number."""
    tried: set[tuple[str, str]] = field(default_factory=set)
    """The DELETEs that were begun, with or without a connection, by run and notebook."""
    rates: RateCheck = field(init=False)
    lost_s: float | None = None
    """Since when the journal of the present process is not at its path."""
    walls: list[tuple[float, float]] = field(default_factory=list)
    """When the wall clock of nbsweep was set, and by how many milliseconds it is ahead of the loop's time since."""
    slept_ms: float = 0.0
    """How far the cloud's clock is ahead of the loop's time, after suspensions of nbsweep's machine."""
    woken: list[tuple[int, float]] = field(default_factory=list)
    """After how many calls the machine was suspended, and when by the loop's time."""

    def __post_init__(self) -> None:
        """Take the rates from the configuration."""
        self.rates = RateCheck(self.settings.targets[0].limits, self.record_violation)

    def record_violation(self, invariant: int, what: str) -> None:
        """Record the violation of an invariant."""
        self.history.note(self.now_s(), f"BROKEN, invariant {invariant}: {what}")
        self.found.append((invariant, what))
        self.on_found()

    def killed(self) -> None:
        """Record that the process is killed."""
        if self.sweeps and self.sweeps[-1].ended_s is None:
            self.sweeps[-1].killed, self.sweeps[-1].ended_s = True, self.now_s()

    def clock_set(self, ahead_ms: float) -> None:
        """Record how far the wall clock of nbsweep is ahead from now on."""
        self.walls.append((self.now_s(), ahead_ms))

    def slept(self, for_ms: float, ahead_ms: float) -> None:
        """Record that the machine was suspended: all earlier facts are older by that time."""
        self.slept_ms += for_ms
        self.woken.append((len(self.history.calls), self.now_s()))
        self.walls.append((self.now_s(), ahead_ms))

    def journal_replaced(self) -> None:
        """Record that the journal's content is lost."""
        self.rows.clear()
        self.remembered_from = len(self.history.orders)

    # ---- what the gateway tells

    def begun(self, at_s: float, life: int, kind: str, subject: str) -> None:
        """Check the rates and the deadlines when a call begins."""
        if kind == "delete" and self.sweeps:
            self.tried.add((self.sweeps[-1].run_id, subject))
        self.rates.begun(at_s, life, LANES[kind])
        self.check_deadlines()

    def left(self, call: Call) -> None:
        """Check that the journal has an order before its call is sent."""
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
        """Record the demand of a 429."""
        if answer.status == 429 and call.kind in LANES:
            self.rates.refused(self.now_s(), call.life, LANES[call.kind], answer)

    # ---- what the journal tells

    def wrote(self, removals: Sequence[Removal]) -> None:
        """Check removals that are now durable, and record them."""
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
        """Check that no removal continues for long after its deadline while a process follows it."""
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
        """How long after its deadline a removal may go on: a polling interval and the calls that see its end."""
        network, timeout = self.scenario.network, self.settings.targets[0].limits.request_timeout
        tries_s = 12 * (timeout + timedelta(seconds=6)) if network.faults or network.refuses else 2 * timeout
        throttled_s = 200 if network.limits else 0
        return (self.settings.polling.max_interval + tries_s).total_seconds() + throttled_s + 10

    # ---- what the cloud tells

    def ordered(self, order: Order) -> None:
        """Check a DELETE or a stop when the cloud accepts it."""
        run_id = self.runs.get(order.call.number, "")
        earlier = [one for one in self.history.orders_of(order.notebook_id, order.kind) if one is not order]
        if order.kind == "stop":
            return fact_invariants.check_facts(self, order, order.call.begun_s - STOP_FACTS_S, ("stop", "delete"))
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
        return fact_invariants.check_facts(
            self, order, order.call.begun_s - fresh_for_s - fact_invariants.A_MOMENT_S, ("delete",)
        )

    def clocks(self, from_s: float, to_s: float) -> list[float]:
        """Return what the wall clock of nbsweep showed at the ends of an interval and each time it was set within."""
        before = [ahead for at_s, ahead in self.walls if at_s <= from_s]
        within = [(at_s, ahead) for at_s, ahead in self.walls if from_s < at_s <= to_s]
        shown = [(from_s, before[-1] if before else 0.0), *within]
        moments = [(at_s, ahead) for at_s, ahead in shown] + [(to_s, ahead) for _, ahead in shown]
        return [START_MS + at_s * 1000 + ahead for at_s, ahead in moments]

    def failed_since(self, notebook_id: str, from_s: float, to_s: float) -> bool:
        """Return whether a deletion has failed between two times."""
        states = self.history.during(notebook_id, from_s, to_s)
        return any(one.since_s > from_s and one.facts is not None and one.facts.status == "DELETE_FAILED" for one in states)

    def _over(self, order: Order) -> bool:
        """Return whether a later DELETE is allowed: this one has failed, or its run has given it up.

        The end of a TIMED_OUT removal is unknown, and early if a clock was set forward; a later run decides anew.
        A later run cannot know the content of a journal that was replaced by an empty one.
        """
        if order in self.history.orders[: self.remembered_from]:
            # No journal has it; while reads do not show its effect yet, only the cloud knows.
            return True
        row = self.rows.get((self.runs.get(order.call.number, ""), order.notebook_id))
        given_up = (row is not None and row.removal.state is State.TIMED_OUT) or order.call.number in self.history.lost
        return given_up or self.failed_since(order.notebook_id, order.at_s, self.now_s())

    def _check_not_at_work(self, call: Call) -> None:
        """Check that no DELETE is sent while an earlier DELETE of the same notebook is under way."""
        if call.kind != "delete":
            return
        mine = self.history.orders_of(call.subject, "delete")
        if mine and not self._over(mine[-1]):
            self.record_violation(
                2, f"a DELETE of {call.subject} leaves, and call {mine[-1].call.number} is at work on it, or has ended it"
            )

    def planned(self, sweep: Sweep) -> None:
        """Compute how many removals are allowed, once the plan is built."""
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


def _line(removal: Removal) -> str:
    words = f": {removal.end_reason}" if removal.end_reason else f" ({removal.policy})"
    return f"journal: {removal.run_id} {removal.notebook_id} {removal.state}{words}"
