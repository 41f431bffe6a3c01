"""Judge against an oracle: what the documents say, written again as plainly as possible, over the rules as plain data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import assume, given

from builders import NEVER_TOUCHED, NOON, moment, notebook, policy, protection, searching, text
from generated import DATES, NOTEBOOKS, POLICIES, PROTECTIONS, SPECS, Spec, build
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.matching.conditions import Condition
from nbsweep.core.model import Lease, LeaseType, Notebook, Status
from nbsweep.core.policy import judge
from nbsweep.core.reasons.finding import Truth

SAYING: dict[Truth, Condition] = {
    Truth.PASS: text("name", "*"),
    Truth.FAIL: text("name", "no-such-name"),
    Truth.UNKNOWN: text("flavor", "*"),
}
"""Of a notebook without a flavor, each says what its key says."""


@dataclass(frozen=True)
class Rule:
    """A policy for the table below: what its conditions say, and what else it says."""

    says: Truth
    running: Running = Running.SKIP
    names_frozen: bool = False


def keeps(rule: Rule, status: Status) -> bool:
    """A policy that matches still keeps what runs, unless it says stop, and what is frozen, unless it names that."""
    if status is Status.RUNNING:
        return rule.running is Running.SKIP
    return status is Status.FROZEN and not rule.names_frozen


def expected(status: Status, protect: Truth, policies: list[Rule]) -> Decision | None:
    """The whole order of decisions; None where a test of its own says what is right."""
    if status in {*NEVER_TOUCHED, Status.DELETED} or protect is Truth.PASS:
        return Decision.KEEP
    winner = next((place for place, rule in enumerate(policies) if rule.says is Truth.PASS), None)
    if winner is None or protect is Truth.UNKNOWN or keeps(policies[winner], status):
        return Decision.KEEP
    if any(rule.says is Truth.UNKNOWN and keeps(rule, status) for rule in policies[:winner]):
        return None  # test_an_unknown_policy_that_would_have_kept_it_keeps_it
    return Decision.DELETE


RULES = [Rule(*row) for row in product(Truth, Running, [True, False])]


@pytest.mark.parametrize("protect", Truth)
@pytest.mark.parametrize("status", Status)
def test_every_combination_of_answers_is_decided_as_designed(status: Status, protect: Truth) -> None:
    """Every status, with every answer of a protection and of two policies, each with every way of treating what runs."""
    row = notebook(status=status, flavor=None)
    naming = {True: text("status", "FROZEN", "*"), False: text("status", "*")}
    built = {rule: policy(SAYING[rule.says], naming[rule.names_frozen], running=rule.running) for rule in RULES}
    protections = (protection(SAYING[protect]),)
    for first, second in product(RULES, RULES):
        verdict = judge(row, Rules((built[first], built[second]), protections), moment())
        decision = expected(status, protect, [first, second])
        assert decision in {verdict.decision, None}, (first, second)
        assert verdict.stop_first == (verdict.decision is Decision.DELETE and status is Status.RUNNING)


# ---- any rules at all -----------------------------------------------------------------------------------------------------


def idle_days(row: Notebook, seen: datetime | None) -> float | None:
    """For how long nobody can have used it."""
    if row.status is Status.RUNNING or row.status in NEVER_TOUCHED:
        return 0
    dates = [row.updated_at, row.lease.updated_at if row.lease else None]
    known = [date for date in dates if date]
    if row.updated_at is None:
        return None
    if row.lease and row.lease.enabled and row.lease.type is LeaseType.TIMING:
        if row.lease.created_at is None or row.lease.duration is None:
            return None
        end = row.lease.created_at + row.lease.duration
        known += [end] if end <= NOON else []
    known += [seen] if seen else []
    return (NOON - max(known)) / timedelta(days=1)


def expired_days(lease: Lease | None) -> float | None:
    """For how long a lease has been over; a disabled one never is."""
    if lease is None:
        return None
    if lease.enabled is False:
        return -1
    if lease.type is LeaseType.IDLE or lease.created_at is None or lease.duration is None:
        return None
    return (NOON - lease.created_at - lease.duration) / timedelta(days=1)


def holds(spec: Spec, row: Notebook, seen: datetime | None) -> bool | None:
    """Return whether a condition holds; None when that is unknown."""
    match spec:
        case ("all", parts):
            answers = {holds(part, row, seen) for part in parts}
            return False if False in answers else None if None in answers else True
        case ("any", parts):
            answers = {holds(part, row, seen) for part in parts}
            return True if True in answers else None if None in answers else False
        case ("not", part):
            answer = holds(part, row, seen)
            return None if answer is None else not answer
        case ("age" | "idle" | "lease_expired" as key, threshold):
            age = (NOON - row.created_at) / timedelta(days=1) if row.created_at else None
            days = {"age": age, "idle": idle_days(row, seen), "lease_expired": expired_days(row.lease)}[key]
            return None if days is None else days > threshold
    return holds_of_text(spec, row)


def holds_of_text(spec: Spec, row: Notebook) -> bool | None:
    """Return whether a condition on a text holds; globs are prefixes here, and names know no case."""
    match spec:
        case ("status", statuses):
            return row.status.value in statuses
        case ("tag", key, prefix):
            return None if row.tags is None else starts_with(row.tags.get(key), prefix)
    fact = {"name": row.name, "flavor": row.flavor}[spec[0]]
    return None if fact is None else fact.lower().startswith(spec[1].lower())


def starts_with(value: str | None, prefix: str) -> bool | None:
    """Return whether a tag has a value; if only the case differs, that is unknown."""
    if value is None or not value.lower().startswith(prefix.lower()):
        return False
    return value.startswith(prefix) or None


def names_frozen(spec: Spec) -> bool:
    """Return whether FROZEN stands in a `status`, outside any `not`."""
    if spec[0] in {"all", "any"}:
        return any(names_frozen(part) for part in spec[1])
    return spec[0] == "status" and "FROZEN" in spec[1]


def verdict_by_design(
    row: Notebook, policies: list[tuple[list[Spec], Running]], protections: list[Spec], seen: datetime | None
) -> Decision | None:
    """Decide by the table above, with the answers worked out here."""
    truths = {True: Truth.PASS, False: Truth.FAIL, None: Truth.UNKNOWN}
    answers = [truths[holds(("all", specs), row, seen)] for specs, _ in policies]
    as_rules = [
        Rule(answer, running, names_frozen(("all", specs))) for answer, (specs, running) in zip(answers, policies, strict=True)
    ]
    return expected(row.status, truths[holds(("any", protections), row, seen)], as_rules)


@searching
@given(row=NOTEBOOKS, policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_whatever_the_rules_the_verdict_is_the_oracles(
    row: Notebook, policies: list[tuple[list[Spec], Running]], protections: list[Spec], seen: datetime | None
) -> None:
    """DELETE comes out exactly when the plain reading of the design says so, for any notebook and any rules."""
    decision = verdict_by_design(row, policies, protections, seen)
    assume(decision is not None)
    built = Rules(
        tuple(policy(*map(build, specs), running=running) for specs, running in policies),
        tuple(protection(build(spec)) for spec in protections),
    )
    verdict = judge(row, built, moment(**{"nb1": seen} if seen else {}))
    assert verdict.decision is decision


@searching
@given(spec=SPECS, row=NOTEBOOKS, seen=DATES)
def test_whatever_the_condition_the_answer_is_the_oracles(spec: Spec, row: Notebook, seen: datetime | None) -> None:
    """Pass, fail and unknown come out as the plain reading of the design says, however conditions are nested."""
    answer = build(spec).check(row, moment(**{"nb1": seen} if seen else {})).truth
    assert answer is {True: Truth.PASS, False: Truth.FAIL, None: Truth.UNKNOWN}[holds(spec, row, seen)]
