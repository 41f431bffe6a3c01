"""The JSON of every command, byte for byte: programs of other people read it.

The expected texts are in `expected/`. To accept an intended change, delete the file and run this test once.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders import (
    NOON,
    SCOPE,
    ago,
    candidate,
    due_sweep,
    exemption,
    fence,
    fence_holder,
    mark,
    moment,
    notebook,
    over,
    policy,
    protection,
    refused_by,
    removal,
    rules,
    service_record,
    tag,
    text,
    worker_record,
)
from nbsweep.cli.text import json_text
from nbsweep.core.audit.chain import LEGACY, START, Break, Flaw, Head, Link
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.audit.heads import AllHeads, ChainHead
from nbsweep.core.audit.verification import VerifiedChain, VerifiedTrail
from nbsweep.core.checks import Check, Grade, passed
from nbsweep.core.control.requests import Pause
from nbsweep.core.doubts import Doubt, DoubtKind
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.errors import Mistake, Unreachable
from nbsweep.core.exemptions.model import GrantedBy
from nbsweep.core.explain.context import JournalFacts, NotebookContext, TargetScope, brake_lines, cover_findings
from nbsweep.core.explain.explain import explain
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import DueState, DueStatus, FleetInputs
from nbsweep.core.granting.effect import GrantEffect
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Reason, keep
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.shown import MarksWritten, MarkTotals
from nbsweep.core.matching.conditions import AnyOf
from nbsweep.core.model import MalformedRow, Status
from nbsweep.core.notices.health import OutboxHealth, TargetMarks, UntoldOwner
from nbsweep.core.notices.outbox import OutboxCount, WaitingItems
from nbsweep.core.pacing import LaneState, LearnedRate
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import MarkOutlook, Plan, WorkspaceGap
from nbsweep.core.reasons.model import recorded
from nbsweep.core.reasons.statement import recorded_statement
from nbsweep.core.report import Report
from nbsweep.core.runs import History, Outcome, RunCounts, RunRecord
from nbsweep.core.saved_plan.evidence import evidence_of
from nbsweep.core.saved_plan.model import SavedItem, Spared
from nbsweep.core.status import TargetStatus
from nbsweep.documents.audit import link_document, verification_document
from nbsweep.documents.check import check_document
from nbsweep.documents.explain import explain_document
from nbsweep.documents.fleet_status import fleet_status_document
from nbsweep.documents.people.exemptions import exemption_documents, grant_document
from nbsweep.documents.plans import plan_document
from nbsweep.documents.reports import dry_run_document, report_document
from nbsweep.documents.runs import run_documents, show_document
from nbsweep.documents.status import status_document
from nbsweep.documents.validate import validation_document
from unit.service.web.support import BEARER, Scene, token_file

EXPECTED = Path(__file__).parent / "expected"
REFUSAL = refused_by("max_share", "2 of 3 would go")
MALFORMED = MalformedRow("m1", None, "status is not one of the API's")
PLAN = Plan(
    "research",
    NOON,
    10,
    (candidate(1), candidate(2, idle_days=None, name="笔记本 \x1b[31m", volume=None, status=Status.RUNNING)),
    {Reason.NO_POLICY: 6, Reason.PROTECTED: 1},
    malformed=(MALFORMED,),
    refused=(WorkspaceGap(SCOPE, "403 no"),),
)
REFUSED = Plan("lab", NOON, 3, (), {Reason.PROTECTED: 2}, (REFUSAL,), cut=recorded_statement("1 of 3 was cut"))
MARKING = Plan(
    "research",
    NOON,
    10,
    (),
    {Reason.UNANNOUNCED: 4, Reason.MARKED: 2},
    to_mark=(candidate(1),),
    marks=MarkOutlook(
        {"old": Grace(timedelta(days=7), surveys=3, tell=("owner", "ops"))},
        MarkTotals(2, 3, 1, 1, ago(days=-2)),
        to_clear=5,
        waiting=3,
        refusals=(refused_by("max_per_owner", "4 notebooks of alice would go"),),
    ),
)
LANES = (LaneState("delete", 5.0, 2.5, "150/m"), LaneState("total", None, 4.0, None))
COUNTS = RunCounts("run1", "research", {"failed": 1, "deleted": 1}, 50)
RUN = RunRecord("run1", "research", ago(hours=2), "li", dry_run=False)
ENDED_RUN = replace(
    RUN, ended_at=NOON, outcome=Outcome.FINISHED, fleet=40, planned=2, kept={"no-policy": 38}, lanes=LANES, problem="slow"
)
DELETED = removal(
    state=State.DELETED, requests=1, requested_at=ago(minutes=3), accepted_at=ago(minutes=2), ended_at=NOON, request_id="req-1",
    end_reason="proven gone",
)  # fmt: skip
FAILED = removal(notebook_id="nb2", state=State.FAILED, failures=2, end_reason="DELETE_FAILED: disk busy", capacity_gb=None)
OPEN = removal(notebook_id="nb3", state=State.REQUESTED, requests=1, requested_at=NOON, category=None)
LEASE = TargetLease("research", Holder("o", "host-1", "m", 7, 1), "li", ago(minutes=9), ago(seconds=4))
OUTBOX = OutboxHealth(
    (OutboxCount("mail", 2, ago(hours=2)), OutboxCount("ops", 1, ago(minutes=4))),
    pause=Pause("", ago(hours=1), "li", "moving"),
    waiting=WaitingItems(5, ago(minutes=50)),
)
HEAD = Head(2, "ab" * 32)
ALTERED = Break(Flaw.ALTERED, 1, "it was altered", START)
VERIFIED = VerifiedTrail(
    (VerifiedChain(LEGACY, START, HEAD, noted=(HEAD,)), VerifiedChain("lab", START, Head(1, "cd" * 32))),
    (AuditCoverage("lab", 1),),
    (ChainHead(None, HEAD),),
    together=AllHeads(((LEGACY, 2), ("lab", 1)), "ef" * 32),
)


def account(asked: Rules, memory: JournalFacts | None = None, **changes: object) -> NotebookContext:
    """Return all that is known of one notebook under these rules."""
    row, memory = notebook(**changes), memory or JournalFacts()
    cover = cover_findings(row, TargetScope(("0", "1"), ("NOTEBOOK",), own=True))
    explanation = explain(row, asked, moment())
    return NotebookContext("research", NOON, row, cover, explanation, memory, brake_lines(Brakes(), Fraction(1, 4), memory))


def reports() -> list[Report]:
    """Return a finished sweep, a failed one and a refused one."""
    return [
        Report("research", Outcome.FINISHED, PLAN, (DELETED, FAILED), (OPEN,), marks=MarksWritten(4, 1), duration_s=3.0),
        Report("other", Outcome.FAILED, error=Unreachable("it is away")),
        Report("lab", Outcome.REFUSED, REFUSED),
    ]


def spared() -> Spared:
    """Return a notebook of a saved plan that is kept."""
    row = candidate(4)
    evidence = evidence_of(row.notebook, row.verdict, row.idle_since)
    item = SavedItem("nb4", None, "STOPPED", "alice", "0", "NOTEBOOK", "old", "age 200d (over 1d)", False, evidence)  # noqa: FBT003
    return Spared(item, recorded("it is not there any more"))


def dry_run() -> object:
    """Return the document of a dry run of a saved plan."""
    ended = [replace(reports()[0], removals=(), recovered=(), spared=(spared(),), outcome=Outcome.DRY_RUN), reports()[1]]
    return dry_run_document("run1", NOON, ended)


def link(**changes: object) -> Link:
    """Return an entry of the audit trail."""
    entry = AuditEntry(
        1, 1_772_366_400_000_000, "decided", "research", "run1", "li", "nb1", "experiment", "alice", "old", "age 200d",
        0, "", "STOPPED", "0", "NOTEBOOK", 50, None,
    )  # fmt: skip
    return Link(entry._replace(**changes), "ab" * 32)  # type: ignore[arg-type]


def stopped() -> NotebookContext:
    """Return a notebook that goes, with everything that the journal can know of it."""
    memory = JournalFacts(
        ago(days=9), (OPEN, DELETED), ENDED_RUN, History(requested=4), keep(Reason.PROTECTED, recorded("it is left alone"))
    )
    return account(rules(policy(text("status", "STOPPED"), over("idle", days=14), name="idle")), memory)


def unknown() -> NotebookContext:
    """Return a notebook that stays, for rules with groups, and a fact that is missing."""
    groups = policy(
        AnyOf((policy(over("idle", days=300)).match, policy(tag("team", "x*")).match)), text("name", "x"), name="any"
    )
    asked = rules(policy(over("idle", days=14), name="idle"), groups, protect=(protection(tag("keep", "*")),))
    return account(asked, lease=None, updated_at=None)


def status() -> TargetStatus:
    """Return the status of a target that is being swept."""
    marks = TargetMarks(
        MarkTotals(2, 3, 1, 1, ago(days=-2)), (UntoldOwner("alice", 1, "no address is known", ago(days=3), retried=False),)
    )
    return TargetStatus("research", ENDED_RUN, ENDED_RUN, (OPEN,), (), ("it is late",), LEASE, (FAILED,), marks=marks)


EXEMPTIONS = (
    exemption(notebook_id="nb1", notebook_created_at=ago(days=200), ticket="OPS-1234"),
    exemption(id="e2", owner="alice", name="exp-*", target="research", until=NOON, granted_as=GrantedBy.OWNER),
    exemption(id="e3", owner="bob", revoked_at=ago(hours=1), revoked_by="carol", revoked_reason="the paper is out"),
)
FLEET = FleetInputs(
    NOON,
    "c1",
    timedelta(seconds=60),
    (worker_record(accounts=("a",), refused={"c2": 1}), worker_record("w2", config="c0", stopped_at=ago(minutes=2))),
    fence(),
    (fence("lanes:a", "w1", taken_at=ago(minutes=3)),),
    (due_sweep(account="a", begun_at=NOON, plan_id="p1"), due_sweep("lab", account="b", by="li", failures=2, problem="no")),
    (Job("a", JobState.RUNNING, "c1", NOON), Job("b", JobState.WAITING, "c2", ago(minutes=5))),
    {"a": {"delete": LearnedRate(2, 1.0, 1.25, 3.0)}},
    (service_record("a", holder=fence_holder("a")), service_record("s2", stopped_at=NOON)),
)
LATE = removal(state=State.REQUESTED, requests=1, requested_at=ago(hours=1))
DOCUMENTS: dict[str, Callable[[], object]] = {
    "plan": lambda: plan_document("p1", NOON, [PLAN, REFUSED], {"other": "it is away"}),
    "exempt-list": lambda: exemption_documents(EXEMPTIONS, NOON),
    "exempt-add": lambda: grant_document(EXEMPTIONS[0], GrantEffect((mark(),), (LATE,)), NOON),
    "plan-of-nothing": lambda: plan_document("p1", NOON, [], {}),
    "plan-with-marks": lambda: plan_document("p1", NOON, [MARKING], {}),
    "dry-run": dry_run,
    "run": lambda: report_document("run1", reports()),
    "run-of-nothing": lambda: report_document("run1", []),
    "show": lambda: show_document([ENDED_RUN, RUN], [COUNTS], [DELETED, FAILED]),
    "history": lambda: run_documents([ENDED_RUN, RUN], [COUNTS]),
    "status": lambda: [
        status_document(status(), OUTBOX, NOON, NOON),
        status_document(TargetStatus("new", None, None, (), (), (), None), OutboxHealth(), None, NOON),
    ],
    "fleet": lambda: fleet_status_document(judge_fleet(FLEET)),
    "fleet-of-nobody": lambda: fleet_status_document(judge_fleet(FleetInputs(NOON, "c1", timedelta(seconds=60), (), None))),
    "status-of-a-fleet": lambda: [
        status_document(
            replace(
                status(),
                due=DueStatus(due_sweep(failures=1, problem="it is away", not_before=ago(minutes=-1)), DueState.PUT_OFF),
            ),
            OutboxHealth(),
            NOON,
            NOON,
            judge_fleet(FLEET),
        )
    ],
    "explain": lambda: explain_document([stopped(), unknown()]),
    "check": lambda: check_document([passed("configuration", "ok"), Check("delete", Grade.FAILED, "no", "Grant it.", "lab")]),
    "validate": lambda: validation_document(
        "nbsweep.yaml",
        [Mistake("mode", 2, "must be dry-run or enforce")],
        [Doubt(DoubtKind.COVERED, "policies[1]", "idle", "it never decides")],
        {"policies[1]": 7},
    ),
    "audit": lambda: [
        link_document(link()),
        link_document(link(project="p|q", moment_us="x")),
        link_document(link()._replace(chain="research")),
    ],
    "verify": lambda: verification_document(VERIFIED),
    "verify-broken": lambda: verification_document(
        VerifiedTrail((VerifiedChain("lab", START, START, ALTERED),), (AuditCoverage("lab", 0, 2),))
    ),
}
RESPONSES = {
    "api-targets": ("GET", "targets"),
    "api-target": ("GET", "targets/research"),
    "api-runs": ("GET", "runs"),
    "api-run": ("GET", "runs/20260228T030000Z-aaaaaa"),
    "api-removals": ("GET", "removals/nb1"),
    "api-plan": ("POST", "targets/research/plan"),
    "api-sweep": ("POST", "targets/research/sweep"),
    "api-error": ("GET", "targets/none"),
}


PROSE = re.compile(r'"(words|looks_at|known|note|fact|threshold)": ".*"')
"""Texts of the core, whose own tests are elsewhere."""


def check(name: str, written: str) -> None:
    """Compare a text with the expected one."""
    written = PROSE.sub(r'"\1": "..."', written)
    path = EXPECTED / f"{name}.json"
    if not path.exists():
        path.write_text(f"{written}\n", encoding="utf-8")
        pytest.fail(f"{path} was missing, and was written now")
    assert f"{written}\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_of_a_command_is_as_ever(name: str) -> None:
    """Keys, their order, values, and which keys are absent."""
    check(name, json_text(DOCUMENTS[name]()))


@pytest.mark.parametrize("name", RESPONSES)
async def test_the_response_of_the_api_is_as_ever(tmp_path: Path, name: str) -> None:
    """Likewise; only the plan ID is random."""
    method, path = RESPONSES[name]
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        _, document = await face.ask(method, f"/api/v1/{path}", headers=BEARER)
    if name == "api-plan":
        assert isinstance(document, dict)
        document["plan_id"] = "p1"
    check(name, json.dumps(document, indent=2))
