"""Builders for the core's tests: each gives a plain, deletable example, and takes what should be different about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from msgspec.structs import replace

from nbsweep.core.conditions import AllOf, Condition, LongerThan, TagIs, TextIs
from nbsweep.core.facts import NAME_KEYS, Moment
from nbsweep.core.globs import Glob
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Image, Lease, LeaseType, Named, Notebook, Scope, Status, Volume
from nbsweep.core.plan import Candidate, Survey
from nbsweep.core.policy import Decision, Policy, Protection, Reason, Rules, Running, Verdict

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
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
"""How long a property looks for a counterexample."""


def ago(**time: float) -> datetime:
    """Tell the moment that lies so far before `NOW`."""
    return NOW - timedelta(**time)


def moment(**last_active: datetime) -> Moment:
    """Decide at `NOW`, with what the journal remembers by notebook id."""
    return Moment(NOW, last_active)


def lease(**changes: Any) -> Lease:
    """Give an enabled TIMING lease, made and renewed 100 days ago for an hour."""
    plain = Lease(
        enabled=True,
        type=LeaseType.TIMING,
        created_at=ago(days=100),
        updated_at=ago(days=100),
        duration=timedelta(hours=1),
    )
    return replace(plain, **changes)


def notebook(**changes: Any) -> Notebook:
    """Give a stopped notebook, 200 days old, that nobody has touched for 100 days; every fact is there."""
    plain = Notebook(
        id="nb1",
        status=Status.STOPPED,
        name="experiment",
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
        created_at=ago(days=200),
        updated_at=ago(days=100),
    )
    return replace(plain, **changes)


def text(key: str, *globs: str) -> TextIs:
    """Ask for a text, names without regard to case."""
    return TextIs(key, tuple(Glob(glob, ignore_case=key in NAME_KEYS) for glob in globs))


def tag(key: str, *globs: str) -> TagIs:
    """Ask for a tag's value."""
    return TagIs(key, tuple(Glob(glob) for glob in globs))


def over(key: str, **time: float) -> LongerThan:
    """Ask for more than so much time: `over("idle", days=14)`."""
    return LongerThan(f"{key}_over", timedelta(**time))


def policy(*conditions: Condition, name: str = "old", running: Running = Running.SKIP) -> Policy:
    """Give a policy all of whose conditions must hold; anything older than a day when there are none."""
    return Policy(name, AllOf(conditions or (over("age", days=1),)), running)


def protection(*conditions: Condition, name: str = "kept") -> Protection:
    """Give a protection all of whose conditions must hold."""
    return Protection(name, AllOf(conditions))


def rules(*policies: Policy, protect: tuple[Protection, ...] = ()) -> Rules:
    """Give rules; one policy that anything old matches when there are none."""
    return Rules(policies or (policy(),), protect)


def candidate(number: int = 1, *, idle_days: float | None = 100, **changes: Any) -> Candidate:
    """Give a notebook that may go, idle for so long."""
    row = notebook(**{"id": f"nb{number}", **changes})
    verdict = Verdict(Decision.DELETE, Reason.POLICY, "old", "age 200d (over 1d)")
    return Candidate(row, SCOPE, verdict, None if idle_days is None else ago(days=idle_days))


def survey(*candidates: Candidate, fleet: int, **changes: Any) -> Survey:
    """Give a complete survey."""
    return replace(Survey("research", NOW, fleet, candidates), **changes)


def removal(**changes: Any) -> Removal:
    """Give a removal that has only been planned."""
    plain = Removal(
        run_id="run1",
        target="research",
        notebook_id="nb1",
        name="experiment",
        owner="alice",
        workspace_id="0",
        feature="NOTEBOOK",
        policy="old",
        reason="age 200d (over 1d)",
        status_before=Status.STOPPED,
        capacity_gb=50,
        category="EVS",
        planned_at=NOW,
    )
    return replace(plain, **changes)
