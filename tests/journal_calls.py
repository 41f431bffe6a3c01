"""All calls of a journal's ports, once and more with each kind of filter, for tests about the statements that they issue."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from builders import NOON, ago, identity, removal, run_record, service_record, target_lease
from nbsweep.adapters.journal import SqlJournal
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.control.sessions import Session
from nbsweep.core.due_sweeps.model import DueSweep
from nbsweep.core.holdout.model import Hold
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.listing import MarkQuery
from nbsweep.core.marks.model import MarkState
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.notices.outbox import MessageState
from nbsweep.core.runs import SUCCESSES, Outcome
from nbsweep.core.saved_plan.approval import ApprovedPlan
from nbsweep.core.statistics.model import RemovalQuery
from nbsweep.core.workers.model import WorkerRecord
from notice_builders import exemption, item, mark, message

MINE = identity()
LATER = NOON + timedelta(days=1)
TARGET = "research"
CLEARED = frozenset({MarkState.CLEARED})
HOLDER = target_lease().holder
PLAN = ApprovedPlan("p1", TARGET, "d1", NOON, LATER, 1, NOON, "li")
SWEEP = DueSweep(TARGET, "account", NOON, "schedule", NOON)
WORKER = WorkerRecord(HOLDER, "1.0", NOON, NOON, "c1", 5, 2)
LISTED = Notebook("nb1", Status.STOPPED, name="bert", created_at=ago(days=9), updated_at=ago(days=3), listed=True)


class Call(Struct, frozen=True):
    """A call of one method of a part of the journal."""

    part: str
    """The attribute of the journal; empty for the journal itself."""
    method: str
    make: Callable[[Any], Awaitable[object]]
    """Takes the part, and calls the method."""


def call(part: str, method: str, *arguments: Any, **named: Any) -> Call:
    """Build a call of a method with arguments."""
    return Call(part, method, lambda target: getattr(target, method)(*arguments, **named))


async def _plan_removal(journal: Any) -> None:
    await journal.write([removal(1, project=MINE.project)], exemptions_version=await journal.exemptions.version())


async def _record_survey(inventory: Any) -> None:
    known = await inventory.open_states(MINE)
    recorder = Recorder(known)
    recorder.see(LISTED, Scope("0", "NOTEBOOK"), None)
    survey = SurveyRecord(MINE.project, TARGET, MINE.extent, NOON, complete=True, fleet=1, config="c0ffee")
    await inventory.record(survey, Changes((Listed(recorder, ("nb1",)),), known, complete=True))


async def _keep_fence(fences: Any) -> None:
    fence = await fences.take("lanes:a", HOLDER, timedelta(minutes=1))
    await fences.beat(fence)
    await fences.release(fence)


async def _lease_message(outbox: Any) -> None:
    for leased in await outbox.lease(LATER, LATER, "relay", 10):
        await outbox.record(replace(leased, state=MessageState.FAILED, ended_at=LATER), LATER, ["i1"])


SURVEY = SurveyRecord(MINE.project, TARGET, MINE.extent, NOON, complete=True, fleet=1, config="c0ffee", id=1)
JOURNAL = (
    call("", "open_run", run_record("run1", project=MINE.project, extent=MINE.extent)),
    Call("", "write", _plan_removal),
    call("", "write", [removal(1, project=MINE.project, state=State.REQUESTED, requested_at=NOON, sent_at=NOON, requests=1)]),
    call(
        "",
        "close_run",
        run_record("run1", project=MINE.project, extent=MINE.extent, outcome=Outcome.FINISHED, fleet=9, ended_at=NOON),
    ),
    call("", "unfinished"),
    call("", "unfinished", TARGET, 10),
    call("sightings", "note", MINE.project, ["nb1"], NOON),
    call("sightings", "latest", MINE.project),
    call("sightings", "latest", MINE.project, ["nb1", "nb2"]),
    call("", "runs", 10),
    call("", "runs", 10, TARGET),
    call("", "last_run", TARGET),
    call("", "last_run", TARGET, SUCCESSES),
    call("", "last_runs", [TARGET, "lab"]),
    call("", "last_runs", [TARGET, "lab"], SUCCESSES),
    call("", "last_success", TARGET),
    call("", "open_runs"),
    call("", "open_runs", TARGET),
    call("", "run", "run1"),
    call("", "run_counts", ["run1", "run2"]),
    call("", "removals", "run1"),
    call("", "removals", "run1", 10, 10, [State.FAILED]),
    call("", "removals_of", "nb1"),
    call("", "latest_removals", ["nb1", "nb2"]),
    call("", "orders_since", TARGET, MINE, NOON),
    call("", "run_ids", "run", 10),
    call("", "notebooks", "nb1", 10),
    call("", "history", TARGET, MINE, NOON, NOON),
    call("", "history", TARGET, identity(workspaces=("0", "w1")), NOON, NOON),
    call("leases", "all"),
    call("leases", "find", TARGET),
    call("leases", "take", target_lease(), None),
    call("leases", "take", target_lease(), target_lease()),
    call("leases", "release", target_lease()),
)
CONTROL = (
    call("control", "pause", Pause(TARGET, NOON)),
    call("control", "pauses"),
    call("control", "pause_of", TARGET),
    call("control", "resume", Resumption(TARGET, NOON, "li")),
    call("control", "request_sweep", SweepRequest(TARGET, NOON, "li")),
    call("control", "note_request", SweepRequest(TARGET, NOON, "li")),
    call("control", "sweep_requests"),
    call("control", "answer_request", SweepRequest(TARGET, NOON, "li"), "accepted"),
    call("control", "answer_to", SweepRequest(TARGET, NOON, "li")),
    call("control", "withdraw_request", SweepRequest(TARGET, NOON, "li")),
    call("control", "beat", service_record()),
    call("control", "services"),
    call("control", "forget_services", NOON),
    call("control", "note_due", TARGET, NOON),
    call("control", "noted_due", TARGET),
    call("due_sweeps", "add", SWEEP),
    call("due_sweeps", "open"),
    call("due_sweeps", "open", "account"),
    call("due_sweeps", "begin", SWEEP, NOON),
    call("due_sweeps", "put_off", SWEEP),
    call("due_sweeps", "end", SWEEP, NOON),
    Call("fences", "take", _keep_fence),
    Call("fences", "beat", _keep_fence),
    Call("fences", "release", _keep_fence),
    call("fences", "all", "lanes:"),
    call("workers", "beat", WORKER),
    call("workers", "all"),
    call("workers", "drain", "w1"),
    call("workers", "forget", NOON),
    call("", "now"),
    call("leases", "now", NOON),
    call("sessions", "begin", Session("s1", "token", NOON, LATER)),
    call("sessions", "find", "s1", NOON),
    call("sessions", "end", "s1"),
    call("sessions", "forget", NOON),
    call("plans", "approve", PLAN, b"{}"),
    call("plans", "plans", 10),
    call("plans", "plans", 10, TARGET),
    call("plans", "find", "p1"),
    call("plans", "document", "p1"),
    call("plans", "begin", "p1", NOON, "li", "run1"),
    call("plans", "forget", NOON),
)
NOTICES = (
    call("marks", "write", [mark(1, project=MINE.project)], [item(1)], "cleared"),
    call("marks", "write", [mark(1, project=MINE.project, version=1)], (), "cleared"),
    call("marks", "open_marks", MINE.project),
    call("marks", "open_marks", MINE.project, ["nb1", "nb2"]),
    call("marks", "marks", 10),
    call("marks", "marks", 10, [MarkState.TOLD]),
    call("marks", "marks", 10, CLEARED, TARGET),
    call("marks", "marks", 10, (), TARGET, "alice"),
    call("marks", "page", MarkQuery(), 10, 0),
    call("marks", "page", MarkQuery(CLEARED, TARGET, "alice"), 10, 10),
    call("marks", "page", MarkQuery(untold=True, deadline_until=NOON), 10, 0),
    call("marks", "owners", NOON),
    call("marks", "owners", NOON, TARGET),
    call("marks", "targets", NOON),
    call("marks", "marks_of", "nb1"),
    call("marks", "mark", "m1"),
    call("outbox", "waiting", NOON, 10),
    call("outbox", "count_waiting", NOON),
    call("outbox", "compose", message(1), ["i1"]),
    call("outbox", "drop", ["i2"], "cleared"),
    Call("outbox", "lease", _lease_message),
    Call("outbox", "record", _lease_message),
    call("outbox", "listed", "k1"),
    call("outbox", "items_of", "nb1", 10),
    call("outbox", "messages", 10),
    call("outbox", "messages", 10, [MessageState.FAILED]),
    call("outbox", "messages", 10, [MessageState.PENDING, MessageState.LEASED]),
    call("outbox", "message", "k"),
    call("outbox", "retry", "k1", NOON, "li"),
    call("outbox", "counts"),
    call("outbox", "pause", Pause("", NOON)),
    call("outbox", "paused"),
    call("outbox", "resume"),
    call("exemptions", "version"),
    call("exemptions", "grant", exemption(1)),
    call("exemptions", "revoke", "e1", NOON, "li"),
    call("exemptions", "find", "e1"),
    call("exemptions", "in_force", NOON),
    call("exemptions", "between", NOON, LATER),
    call("exemptions", "all", 10),
)
PAST = (
    Call("inventory", "record", _record_survey),
    call("inventory", "open_states", MINE),
    call("inventory", "surveys", NOON, LATER),
    call("inventory", "surveys", NOON, LATER, TARGET),
    call("inventory", "surveys_at", LATER),
    call("inventory", "surveys_at", LATER, TARGET),
    call("inventory", "states_at", SURVEY),
    call("inventory", "states_at", SURVEY, ["nb1", "nb2"]),
    call("inventory", "owners_at", SURVEY),
    call("inventory", "states_between", MINE, (1, 2), None, 10),
    call("inventory", "states_between", MINE, (1, 2), (1, "nb1"), 10),
    call("inventory", "states_of", "nb"),
    call("inventory", "latest_states", "nb1", 1),
    call("inventory", "notebooks", "bert", 10),
    call("inventory", "prune", ago(days=400), NOON),
    call("holds", "add", [Hold(MINE.project, "nb1", NOON, NOON, LATER, TARGET, "idle", "bert", "alice", 50)]),
    call("holds", "latest", MINE.project),
    call("holds", "latest", MINE.project, ["nb1", "nb2"]),
    call("holds", "since", NOON),
    call("holds", "since", NOON, TARGET),
    call("statistics", "ends", NOON, LATER),
    call("statistics", "ends", NOON, LATER, TARGET),
    call("statistics", "durations", NOON, LATER, TARGET),
    call("statistics", "causes", NOON, LATER, 10, TARGET),
    call("statistics", "sent", [MINE.project, "https://other.example/v1/p"], NOON),
    call("statistics", "removals", RemovalQuery(NOON, LATER), 10),
    call("statistics", "removals", RemovalQuery(NOON, LATER, TARGET, "failed"), 10, 10, removal(1, ended_at=NOON)),
    call("retention", "claim", NOON),
    call("retention", "prunable", ago(days=400)),
    call("retention", "prune", ago(days=400), 1000),
    call("trail", "heads"),
    call("trail", "chains"),
    call("trail", "head", TARGET),
    call("trail", "after", TARGET, 5, 10),
    call("trail", "latest", AuditQuery(), 10),
    call("trail", "latest", AuditQuery(before=500), 10),
    call("trail", "latest", AuditQuery(target=TARGET), 10),
    call("trail", "latest", AuditQuery(run_id="run1"), 10),
    call("trail", "latest", AuditQuery(notebook_id="nb1"), 10),
    call("trail", "latest", AuditQuery(policy="old"), 10),
    call("trail", "latest", AuditQuery(what=AuditStep.FAILED), 10),
    call("trail", "latest", AuditQuery(since=NOON), 10),
    call("trail", "latest", AuditQuery(who="li"), 10),
    call("trail", "latest", AuditQuery(target=TARGET, what=AuditStep.FAILED, who="li", before=500), 10),
    call("trail", "coverage"),
)
CALLS: Sequence[Call] = (*JOURNAL, *CONTROL, *NOTICES, *PAST)


async def make(journal: SqlJournal, wanted: Call) -> None:
    """Make a call."""
    await wanted.make(getattr(journal, wanted.part) if wanted.part else journal)


def methods(journal: SqlJournal) -> set[tuple[str, str]]:
    """Return the part and the name of every method of the journal that is called with `await`."""
    parts = {name: getattr(journal, name) for name in dir(journal) if not name.startswith("_")}
    asked = {"": journal} | {name: part for name, part in parts.items() if type(part).__name__.startswith("Sql")}
    return {
        (name, method)
        for name, part in asked.items()
        for method in dir(part)
        if not method.startswith("_") and inspect.iscoroutinefunction(getattr(part, method))
    }


SMALL = frozenset(
    {
        "alembic_version",
        "audit_chains",
        "due_sweeps",
        "exemptions",
        "fences",
        "leases",
        "meta",
        "pauses",
        "plans",
        "services",
        "sessions",
        "sweep_requests",
        "workers",
    }
)
"""The tables of which a row is one target, service, person or decision of a person."""
SHORT = frozenset(
    {"inventory_open", "marks_open", "outbox_items_waiting", "outbox_messages_failed", "outbox_messages_unsent", "runs_open"}
)
"""The partial indices of what is open or has failed, which are as short as that is."""
ALLOWED: Mapping[tuple[str, str], Collection[str]] = {
    # Compares the removals with the trail, which only `audit verify` does.
    ("trail", "coverage"): ("audit", "removals", "removals_pkey"),
    # The names of all chains, which only `audit verify` and `audit export` ask for.
    ("trail", "chains"): ("audit",),
    # The latest survey of each target; there is one row for each sweep.
    ("inventory", "surveys_at"): ("surveys",),
    # The latest run of each target; PostgreSQL reads all runs only while they are so few that an index costs more.
    ("", "last_runs"): ("runs",),
    # The names of the targets of what was found, by a join as the database likes.
    ("inventory", "notebooks"): ("surveys",),
}
"""The tables that a method may read as a whole."""
