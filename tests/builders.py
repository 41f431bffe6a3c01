"""Builders of values for tests: each returns a plain example, and takes the fields that differ from it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from msgspec.structs import replace

from nbsweep.core.backtest.model import CensorCause, Label, Labelled, ReturnSign, WouldBe
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.facts import NAME_KEYS, Moment
from nbsweep.core.fences.model import Fence
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Policy, Protection, Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark, MarkState, tag_digests
from nbsweep.core.matching.conditions import AllOf, Condition, LongerThan, TagIs, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.model import Image, Lease, LeaseType, MalformedRow, Named, Notebook, Scope, Status, Volume
from nbsweep.core.planning.brakes import Refusal
from nbsweep.core.planning.marking import SurveyedMarks
from nbsweep.core.planning.plan import Candidate, Plan, Survey
from nbsweep.core.planning.tally import Tally, join_tallies
from nbsweep.core.reasons.model import recorded
from nbsweep.core.reasons.statement import recorded_statement
from nbsweep.core.runs import RunRecord
from nbsweep.core.workers.model import WorkerRecord
from nbsweep.engine.inspection.preflight import PreflightOptions

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""The present of all tests: the ages of the examples are counted back from it."""
SCOPE = Scope("0", "NOTEBOOK")

NEVER_TOUCHED = (
    Status.INIT,
    Status.CREATING,
    Status.STARTING,
    Status.STOPPING,
    Status.DELETING,
    Status.SNAPSHOTTING,
)
"""As docs/howto/policies.md lists them."""

searching = settings(max_examples=60, deadline=None, database=None)
"""The hypothesis settings of the property tests."""


def ago(**time: float) -> datetime:
    """Return the time that lies so long before `NOON`: `ago(days=14)`."""
    return NOON - timedelta(**time)


def moment(**last_active: datetime) -> Moment:
    """Return the moment of a decision at `NOON`, with the journal's last sightings by notebook id."""
    return Moment(NOON, last_active)


def lease(**changes: Any) -> Lease:
    """Return a notebook's lease: enabled, of type TIMING, created and renewed 100 days ago for an hour."""
    plain = Lease(
        enabled=True,
        type=LeaseType.TIMING,
        created_at=ago(days=100),
        updated_at=ago(days=100),
        duration=timedelta(hours=1),
    )
    return replace(plain, **changes)


def notebook(number: int = 1, /, **changes: Any) -> Notebook:
    """Return a stopped notebook with all facts, 200 days old and idle for 100; a higher number is younger by seconds."""
    plain = Notebook(
        id=f"nb{number}",
        status=Status.STOPPED,
        name=f"experiment-{number}",
        fail_reason="quota exceeded",
        feature="NOTEBOOK",
        flavor="modelarts.vm.cpu.2u",
        workspace_id="0",
        owner=Named("u1", "alice"),
        pool=Named("p1", "shared"),
        image=Image("i1", "pytorch", "swr.example/pytorch:2"),
        lease=lease(),
        volume=Volume("EVS", "MANAGED", 50),
        billing=("STORAGE",),
        tags={"team": "vision"},
        created_at=ago(days=200) + timedelta(seconds=number - 1),
        updated_at=ago(days=100),
    )
    return replace(plain, **changes)


def fleet(count: int, **changes: Any) -> list[Notebook]:
    """Return so many notebooks, with the numbers from 1."""
    return [notebook(number, **changes) for number in range(1, count + 1)]


def text(key: str, *globs: str) -> TextIs:
    """Return a condition on a text; names match without regard to case."""
    return TextIs(key, tuple(Glob(glob, ignore_case=key in NAME_KEYS) for glob in globs))


def tag(key: str, *globs: str) -> TagIs:
    """Return a condition on a tag's value."""
    return TagIs(key, tuple(Glob(glob) for glob in globs))


def over(key: str, **time: float) -> LongerThan:
    """Return a condition on a duration: `over("idle", days=14)`."""
    return LongerThan(f"{key}_over", timedelta(**time))


def policy(
    *conditions: Condition, name: str = "old", running: Running = Running.SKIP, grace: Grace | None = None, digest: str = ""
) -> Policy:
    """Return a policy that matches if all conditions hold; without any, it matches notebooks older than a day."""
    return Policy(name, AllOf(conditions or (over("age", days=1),)), running, grace, digest)


def announcing(*conditions: Condition, days: float = 7, digest: str = "d1", **changes: Any) -> Policy:
    """Return a policy that gives so many days of notice, and tells owners after the first survey."""
    return replace(policy(*conditions, grace=Grace(timedelta(days=days), surveys=1), digest=digest), **changes)


def protection(*conditions: Condition, name: str = "kept") -> Protection:
    """Return a protection that matches if all conditions hold."""
    return Protection(name, AllOf(conditions))


def rules(*policies: Policy, protect: tuple[Protection, ...] = ()) -> Rules:
    """Return rules with these policies; without any, the policy of notebooks older than a day."""
    return Rules(policies or (policy(),), protect)


def candidate(number: int = 1, *, idle_days: float | None = 100, **changes: Any) -> Candidate:
    """Return the candidate of a plan: a notebook that may be deleted, idle for so many days."""
    verdict = Verdict(Decision.DELETE, Reason.POLICY, "old", recorded("age 200d (over 1d)"))
    return Candidate(notebook(number, **changes), SCOPE, verdict, None if idle_days is None else ago(days=idle_days))


def survey(*candidates: Candidate, fleet: int, **changes: Any) -> Survey:
    """Return a complete survey of a fleet of this size."""
    return replace(Survey("research", NOON, fleet, candidates), **changes)


def refused_by(brake: str, message: str) -> Refusal:
    """Build a refusal of which only the English sentence is known."""
    return Refusal(brake, recorded_statement(message))


def plan(*items: Candidate, fleet: int = 10, kept: Mapping[Reason, int] | None = None, **changes: Any) -> Plan:
    """Return a plan that no brake refuses."""
    return replace(Plan("research", NOON, fleet, items, kept or {}), **changes)


def removal(number: int = 1, /, **changes: Any) -> Removal:
    """Return the planned removal of the notebook with this number."""
    plain = Removal(
        run_id="run1",
        target="research",
        notebook_id=f"nb{number}",
        name=f"experiment-{number}",
        owner="alice",
        workspace_id="0",
        feature="NOTEBOOK",
        policy="old",
        reason="age 200d (over 1d)",
        status_before=Status.STOPPED,
        capacity_gb=50,
        category="EVS",
        planned_at=NOON,
    )
    return replace(plain, **changes)


def run_record(run_id: str = "run1", /, **changes: Any) -> RunRecord:
    """Return the record of a sweep that has begun at `NOON` and has not ended."""
    return replace(RunRecord(run_id, "research", NOON, "cron", dry_run=False), **changes)


def identity(**changes: Any) -> TargetIdentity:
    """Return the identity of a target that covers all workspaces of its project."""
    return replace(TargetIdentity("https://modelarts.test", "a" * 32, None, ("NOTEBOOK",), "all"), **changes)


def fence_holder(owner: str = "a") -> Holder:
    """Return a process of a fleet."""
    return Holder(owner, f"host-{owner}", f"machine-{owner}", 7, 700)


def fence(name: str = "cron", owner: str = "a", **changes: Any) -> Fence:
    """Return a fence that a process has held since `NOON`, and whose last beat was a second ago."""
    plain = Fence(name, fence_holder(owner), 1, NOON, NOON, held=True, memory="", age_s=1.0, memory_age_s=0.0)
    return replace(plain, **changes)


def worker_record(owner: str = "w1", /, **changes: Any) -> WorkerRecord:
    """Return the record of a worker that was started an hour before `NOON`, and has the configuration c1."""
    plain = WorkerRecord(fence_holder(owner), "0.1.0", ago(hours=1), ago(seconds=3), "c1", can_sweep=2, accounts_at_once=4)
    return replace(plain, **changes)


def due_sweep(target: str = "research", /, **changes: Any) -> DueSweep:
    """Return a sweep that has been due for ten minutes, of the account acct."""
    return replace(DueSweep(target, "acct", ago(minutes=10), SCHEDULE, ago(minutes=10)), **changes)


def target_lease(owner: str = "a", /, **changes: Any) -> TargetLease:
    """Return the lease of a process that has swept a target since `NOON`."""
    return replace(TargetLease("research", fence_holder(owner), "li", NOON, NOON), **changes)


def preflight_options(**changes: Any) -> PreflightOptions:
    """Return the options of the checks of one target, with keys from the configuration."""
    plain = PreflightOptions(
        target="research",
        address="https://cloud.example",
        credentials="a pair of keys, from the configuration",
        project_given=True,
        everybodys=True,
        workspaces=None,
        features=("NOTEBOOK",),
        stops=False,
        rules=rules(),
        now=NOON,
        patience=timedelta(seconds=30),
    )
    return replace(plain, **changes)


def service_record(owner: str = "s1", /, **changes: Any) -> ServiceRecord:
    """Return the record of a service that has started at `NOON` and has a schedule for its one target."""
    plain = ServiceRecord(
        holder=Holder(owner, "host-1", "", 4711, 0),
        version="1.0",
        started_at=NOON,
        beat_at=NOON,
        mode="enforce",
        digest="0123456789ab",
        in_force_since=NOON,
        targets=("research",),
        scheduled=("research",),
    )
    return replace(plain, **changes)


def mark(number: int = 1, /, **changes: Any) -> Mark:
    """Return the mark of the notebook with this number by the policy `announcing()`: made 10 days ago, and nobody is told."""
    plain = Mark(
        id=f"mark{number}",
        target="research",
        project=identity().project,
        notebook_id=f"nb{number}",
        notebook_created_at=ago(days=200) + timedelta(seconds=number - 1),
        name=f"experiment-{number}",
        owner_id="u1",
        owner_name="alice",
        workspace_id="0",
        feature="NOTEBOOK",
        policy="old",
        policy_digest="d1",
        reason="policy old: age 200d (over 1d)",
        cause="",
        status=Status.STOPPED,
        updated_at=ago(days=100),
        lease_updated_at=ago(days=100),
        marked_at=ago(days=10),
        last_survey_at=ago(days=10),
        tell=("owner",),
        tags=tag_digests(notebook(number)),
        version=1,
    )
    return replace(plain, **changes)


def told_mark(number: int = 1, /, **changes: Any) -> Mark:
    """Return a mark whose owner was told 8 days ago, with a deadline that passed 20 hours ago."""
    told = mark(
        number,
        state=MarkState.TOLD,
        told_at=ago(days=8),
        told_by="mail: 250 ok",
        clock_verified=True,
        deadline=ago(hours=20),
        version=3,
    )
    return replace(told, **changes)


def exemption(**changes: Any) -> Exemption:
    """Return an exemption of the first notebook, granted a day ago for ten days; fields of a selector may be given, too."""
    fields = {key: changes.pop(key) for key in Selector.__struct_fields__ if key in changes}
    plain = Exemption(
        id="e1",
        selector=Selector(**(fields or {"notebook_id": "nb1"})),
        reason="a paper is due",
        granted_by="carol",
        granted_as=GrantedBy.ADMINISTRATOR,
        granted_at=ago(days=1),
        until=NOON + timedelta(days=9),
    )
    return replace(plain, **changes)


def surveyed(*rows: Notebook | MalformedRow, of: Rules, at: Moment | None = None, **changes: Any) -> SurveyedMarks:
    """Return what a survey that shows these rows says about the marks in the rules; fields of a survey may be given, too."""
    when = at or moment()
    tally = Tally()
    for row in rows:
        tally.add(row, SCOPE, of, when)
    fields = {key: changes.pop(key) for key in Survey.__struct_fields__ if key in changes}
    seen = replace(join_tallies("research", when.now, [tally], ()), **fields)
    return replace(SurveyedMarks(identity(), seen, {row.id: row for row in rows if row.id}, of, when), **changes)


def would_be(number: int = 1, /, **changes: Any) -> WouldBe:
    """Return the deletion at `NOON` that the policy `old` would have begun; fields of the notebook may be given, too."""
    fields = {key: changes.pop(key) for key in Notebook.__struct_fields__ if key in changes}
    plain = WouldBe("research", 1, NOON, notebook(number, **fields), "old", "policy old: age 200d (over 1d)")
    return replace(plain, **changes)


def labelled(number: int, label: Label, /, **changes: Any) -> Labelled:
    """Return the labelled deletion of the notebook with this number; fields of `would_be` may be given."""
    came_back, censored = label is Label.CAME_BACK, label is Label.CENSORED
    return Labelled(
        would_be(number, **changes),
        label,
        ReturnSign.STARTED if came_back else None,
        CensorCause.HORIZON_NOT_OVER if censored else None,
        NOON + timedelta(days=3) if came_back else None,
    )
