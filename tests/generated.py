"""Rules and notebooks at random, for tests with any rules at all."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from builders import ago, over, tag, text
from nbsweep.core.judging.rules import Running
from nbsweep.core.matching.conditions import AllOf, AnyOf, Condition, Not
from nbsweep.core.model import Lease, LeaseType, Notebook, Status

Spec = tuple[Any, ...]
"""A condition as plain data: its key and what it asks for."""


GROUPS: dict[str, type[AllOf | AnyOf]] = {"all": AllOf, "any": AnyOf}


def build(spec: Spec) -> Condition:
    """Make the core's condition of it."""
    match spec:
        case ("all" | "any" as group, parts):
            return GROUPS[group](tuple(build(part) for part in parts))
        case ("not", part):
            return Not(build(part))
        case ("tag", key, prefix):
            return tag(key, f"{prefix}*")
        case ("age" | "idle" | "lease_expired" as key, days):
            return over(key, days=days)
        case ("status", statuses):
            return text("status", *statuses)
    return text(spec[0], f"{spec[1]}*")


DAYS = st.integers(0, 6)
DATES = st.one_of(st.none(), DAYS.map(lambda days: ago(days=days)), DAYS.map(lambda days: ago(days=days)))
WORDS = st.sampled_from(["a", "A", "ab", "b", ""])
LEAVES = st.one_of(
    st.tuples(st.just("status"), st.lists(st.sampled_from([status.value for status in Status]), min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["name", "flavor"]), WORDS),
    st.tuples(st.just("tag"), st.sampled_from(["k", "l"]), WORDS),
    st.tuples(st.sampled_from(["age", "idle", "lease_expired"]), DAYS),
)
SPECS: st.SearchStrategy[Spec] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=4,
)
LEASES = st.builds(
    Lease,
    enabled=st.booleans(),  # the missing one has a test of its own in test_idle.py
    type=st.sampled_from(LeaseType),
    created_at=DATES,
    updated_at=DATES,
    duration=st.one_of(st.none(), DAYS.map(lambda days: timedelta(days=days))),
)
NOTEBOOKS = st.builds(
    Notebook,
    id=st.just("nb1"),
    status=st.sampled_from([*Status, *[Status.STOPPED, Status.RUNNING, Status.FROZEN] * 3]),
    name=st.one_of(st.none(), WORDS),
    flavor=st.one_of(st.none(), WORDS),
    lease=st.one_of(st.none(), LEASES),
    tags=st.one_of(st.none(), st.dictionaries(st.sampled_from(["k", "l"]), WORDS, max_size=2)),
    created_at=DATES,
    updated_at=DATES,
)
POLICIES = st.lists(st.tuples(st.lists(SPECS, min_size=1, max_size=2), st.sampled_from(Running)), max_size=3)
PROTECTIONS = st.lists(SPECS, max_size=2)
