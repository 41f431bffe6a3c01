"""The notebooks of one account and the API over them; latency and faults are the gateway's."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from simulation.dialects import PLAIN, Dialect
from simulation.facts import DELETABLE, HOUR_MS, START_MS, Facts, Term, row
from simulation.history import Call, History, Order
from simulation.wire import Answer

GONE = ((400, "ModelArts.6309"), (400, "ModelArts.6404"), (404, "ModelArts.6404"))
NOT_NOW = {
    "INIT": "ModelArts.6357",
    "CREATING": "ModelArts.6357",
    "STARTING": "ModelArts.6306",
    "STOPPING": "ModelArts.6308",
    "SNAPSHOTTING": "ModelArts.6357",
    "DELETING": "ModelArts.6357",
    "RUNNING": "ModelArts.6304",
    "FROZEN": "ModelArts.6326",
}


@dataclass(frozen=True, slots=True)
class Manners:
    """The behaviour of a cloud where clouds differ, and how often its deletions fail."""

    deletion_s: tuple[float, float] = (2.0, 20.0)
    stop_s: tuple[float, float] = (2.0, 10.0)
    fails: float = 0.0
    """The share of deletions that end in DELETE_FAILED."""
    sticks: float = 0.0
    """The share of deletions that never end."""
    stale_s: float = 0.0
    """How long reads may be stale after an order."""
    memory_s: float = 0.0
    """How long a deleted notebook stays in listings with the status DELETED."""
    dated: bool = True
    """Whether the rows of listings have dates."""
    list_leaves_out: tuple[str, ...] = ()
    """The other fields that the rows of listings lack."""
    leaves_out: tuple[str, ...] = ()
    """The fields that no answer has."""
    ignores: tuple[str, ...] = ()
    """The filters of a listing that it ignores: `workspace_id`, `feature`."""
    dialect: Dialect = PLAIN
    deletes_running: bool = False
    """Whether a DELETE of a running notebook is accepted."""
    empty_answers: bool = False
    """Whether a DELETE is answered with 204 and no body."""


@dataclass(slots=True)
class Cloud:
    """One account."""

    random: Random
    manners: Manners
    history: History
    workspaces: tuple[str, ...] = ("0",)
    on_order: Callable[[Order], None] = lambda _: None
    """Called with every order when it is accepted, before reads show it."""
    loses: Callable[[Order], bool] = lambda _: False
    """Called with every accepted order; returns whether it has no effect."""
    by_order: bool = True
    """Whether the top date moves with an order, and not only when the state settles (ModelArts API, 12, E1)."""
    hides_deleting: str = ""
    """Which listings hide the status DELETING: `listing` for those without that filter, or `all`."""
    slept_s: float = 0.0
    """How far the cloud's clock is ahead of the loop, after suspensions of nbsweep's machine."""
    notebooks: dict[str, Facts] = field(default_factory=dict)
    calm: bool = False
    """Whether deletions succeed from now on."""
    _stale: dict[str, tuple[float, Facts]] = field(default_factory=dict)
    _born: int = 0

    # ---- what people and the cloud itself do

    @property
    def now_ms(self) -> float:
        """Return the time by the cloud's clock."""
        return START_MS + (_now_s() + self.slept_s) * 1000

    def create(self, facts: Facts, cause: str) -> Facts:
        """Create a notebook, the youngest of all."""
        self._born += 1
        return self.put(replace(facts, id=f"nb-{self._born:03d}"), cause)

    def put(self, facts: Facts, cause: str) -> Facts:
        """Store the facts of a notebook from now on."""
        self.notebooks[facts.id] = facts
        self.history.become(_now_s(), facts.id, facts, cause)
        return facts

    def change(self, notebook_id: str, cause: str, **fields: Any) -> None:
        """Change fields of a notebook, and its date of change."""
        changed = {"update_ms": int(self.now_ms), **fields}
        self.put(replace(self.notebooks[notebook_id], **changed), cause)

    def order(self, notebook_id: str, cause: str, **fields: Any) -> None:
        """Set the state that an order begins; whether that changes the date depends on the cloud."""
        dates = {"update_ms": int(self.now_ms)} if self.by_order else {}
        self.put(replace(self.notebooks[notebook_id], **{**dates, **fields}), cause)

    def vanish(self, notebook_id: str, cause: str) -> None:
        """Remove a notebook; some clouds keep its row for a while."""
        if self.manners.memory_s:
            self.change(notebook_id, cause, status="DELETED")
            _later(self.manners.memory_s, lambda: self.notebooks.pop(notebook_id, None))
        else:
            del self.notebooks[notebook_id]
            self.history.become(_now_s(), notebook_id, None, cause)

    def begin_deletion(self, notebook_id: str, cause: str) -> None:
        """Begin a deletion, whose end is decided now."""
        self.order(notebook_id, cause, status="DELETING")
        number = self.random.random()
        seconds = self.random.uniform(*self.manners.deletion_s)
        if self.calm or number >= self.manners.fails + self.manners.sticks:
            _later(seconds, lambda: self._end_deletion(notebook_id, failed=False))
        elif number < self.manners.fails:
            _later(seconds, lambda: self._end_deletion(notebook_id, failed=True))
        else:
            self.history.note(_now_s(), f"cloud: the deletion of {notebook_id} sticks")

    def begin_stop(self, notebook_id: str, cause: str) -> None:
        """Begin a stop; the lease then ends the requested time after the order (ModelArts API, 12, E1)."""
        term = self.notebooks[notebook_id].term
        if term and not self.by_order:
            asked_ms, now_ms = term.create_ms + term.duration_ms - term.update_ms, int(self.now_ms)
            term = replace(term, update_ms=now_ms, duration_ms=now_ms - term.create_ms + asked_ms)
        self.order(notebook_id, cause, status="STOPPING", term=term)
        seconds = self.random.uniform(*self.manners.stop_s)
        _later(seconds, lambda: self.settle(notebook_id, "STOPPING", "STOPPED", "the stop has ended"))

    def settle(self, notebook_id: str, status: str, then: str, cause: str) -> None:
        """End an operation, unless the notebook has another status by now."""
        facts = self.notebooks.get(notebook_id)
        if facts and facts.status == status:
            self.change(notebook_id, cause, status=then)

    def _end_deletion(self, notebook_id: str, *, failed: bool) -> None:
        facts = self.notebooks.get(notebook_id)
        if facts is None or facts.status != "DELETING":
            return
        if failed:
            self.change(notebook_id, "its deletion has failed", status="DELETE_FAILED", fail_reason="The disk is in use.")
        else:
            self.vanish(notebook_id, "its deletion has ended")

    # ---- the API

    def workspaces_answer(self) -> Answer:
        """Return the workspaces."""
        listed = [{"id": int(name) if name == "0" else name} for name in self.workspaces]
        return _json(200, {"total_count": len(listed), "count": len(listed), "workspaces": listed})

    def list_answer(self, query: Mapping[str, str], *, everybodys: bool) -> Answer:
        """Return one page of a listing; all notebooks are the caller's own."""
        refused = self.manners.dialect.refusal(query, everybodys=everybodys)
        if refused:
            return refusal(*refused)
        workspace, status = query.get("workspace_id", "0"), query.get("status")
        feature, ignores = query.get("feature", "NOTEBOOK"), self.manners.ignores
        rows = [
            facts
            for facts in self._shown().values()
            if (facts.workspace == workspace or "workspace_id" in ignores)
            and (facts.feature == feature or "feature" in ignores)
        ]
        if self.hides_deleting == "all" or (self.hides_deleting and not status):
            rows = [facts for facts in rows if facts.status != "DELETING"]
        if status:
            rows = [facts for facts in rows if facts.status == status]
        rows.sort(key=lambda facts: (facts.create_ms, facts.id), reverse=query.get("sort_dir", "DESC") == "DESC")
        offset, limit = int(query.get("offset", "0")), int(query.get("limit", "10"))
        data = ",".join(row(facts, self._unlisted) for facts in rows[self.manners.dialect.rows(query)])
        pages = -(-len(rows) // limit)
        body = f'{{"current":{offset // limit},"data":[{data}],"pages":{pages},"size":{limit},"total":{len(rows)}}}'
        return Answer(200, body.encode(), {"Content-Type": "application/json"})

    def show_answer(self, notebook_id: str) -> Answer:
        """Return one notebook."""
        facts = self._shown().get(notebook_id)
        return self._notebook(facts) if facts else self._gone()

    def delete_answer(self, notebook_id: str, call: Call) -> Answer:
        """Accept a DELETE, or refuse it."""
        facts = self.notebooks.get(notebook_id)
        if facts is None or not facts.exists:
            return self._gone()
        if facts.status not in DELETABLE and not (self.manners.deletes_running and facts.status == "RUNNING"):
            return refusal(400, NOT_NOW[facts.status])
        if self._take_on(Order(_now_s(), "delete", notebook_id, call, facts)):
            return self._notebook(replace(facts, status="DELETING"))
        self.begin_deletion(notebook_id, f"call {call.number} DELETE")
        return Answer(204) if self.manners.empty_answers else self._notebook(self.notebooks[notebook_id])

    def stop_answer(self, notebook_id: str, call: Call) -> Answer:
        """Accept a stop, or refuse it."""
        facts = self.notebooks.get(notebook_id)
        if facts is None or not facts.exists:
            return self._gone()
        if facts.status != "RUNNING":
            return refusal(400, "ModelArts.6307" if facts.status == "STOPPED" else NOT_NOW.get(facts.status, "ModelArts.6327"))
        self._take_on(Order(_now_s(), "stop", notebook_id, call, facts))
        self.begin_stop(notebook_id, f"call {call.number} stop")
        return self._notebook(self.notebooks[notebook_id])

    @property
    def _unlisted(self) -> tuple[str, ...]:
        dates = () if self.manners.dated else ("create_at", "update_at")
        return (*dates, *self.manners.list_leaves_out, *self.manners.leaves_out)

    def _notebook(self, facts: Facts) -> Answer:
        return Answer(200, row(facts, self.manners.leaves_out).encode(), {"Content-Type": "application/json"})

    def _take_on(self, order: Order) -> bool:
        """Accept an order; return whether it has no effect."""
        self.history.orders.append(order)
        self.on_order(order)
        if self.loses(order):
            self.history.lost.add(order.call.number)
            order.call.notes.append("taken on, and lost")
            return True
        if self.manners.stale_s and not self.calm:
            seconds = self.random.uniform(0, self.manners.stale_s)
            self._stale[order.notebook_id] = (_now_s() + seconds, order.before)
            order.call.notes.append(f"reads are stale for {seconds:.1f} s")
        return False

    def _shown(self) -> dict[str, Facts]:
        """Return the notebooks as reads show them, stale ones included."""
        stale = {key: facts for key, (until_s, facts) in self._stale.items() if _now_s() < until_s}
        return self.notebooks | stale if stale else self.notebooks

    def _gone(self) -> Answer:
        return refusal(*self.random.choice(GONE))


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    """Return an error of the gateway or of the service."""
    return _json(status, {"error_code": code, "error_msg": message}, **headers)


def default_term(random: Random, create_ms: int, update_ms: int) -> Term:
    """Return the lease after a start."""
    asked_ms = random.choice((1, 4, 24, 72)) * HOUR_MS
    return Term(create_ms, update_ms, update_ms - create_ms + asked_ms, type=random.choice(("TIMING", None)))


def _json(status: int, document: Any, **headers: str) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _later(seconds: float, act: Callable[[], Any]) -> None:
    asyncio.get_running_loop().call_later(seconds, act)
