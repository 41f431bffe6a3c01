"""The results of the command `check`: one line for each check, with advice. Pure.

A finding quotes the cloud or the configuration; the advice says what to change, and where.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.errors import CloudError, Forbidden, NbsweepError, Unauthorized
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.listing.paging import Offsets, Paging
from nbsweep.core.matching.missing_facts import left_out
from nbsweep.core.model import MalformedRow, Notebook, Page
from nbsweep.core.pacing import LaneState
from nbsweep.core.permissions import GRANTS, Action, Probe
from nbsweep.core.planning.brakes import MOST_SKEW_S, describe_skew
from nbsweep.core.planning.matches import MatchCounts, count_matches, describe_matches, name_matches

UNPUBLISHED = (
    "no call was throttled; the account's quota is not published (by default the gateway takes 200/s of each kind of call), so "
    "the lanes learn it from the first 429"
)


class Grade(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_TRIED = "not-tried"


class Check(Struct, frozen=True):
    """One line of the result."""

    name: str
    grade: Grade
    finding: str
    advice: str = ""
    target: str | None = None
    """None for a check that is not about a target."""
    not_allowed: bool = False
    """Whether it failed because the cloud does not accept the credentials, or does not allow the call."""


def passed(name: str, finding: str, advice: str = "") -> Check:
    """Return a check that passed."""
    return Check(name, Grade.OK, finding, advice)


def warned(name: str, finding: str, advice: str) -> Check:
    """Return a check that passed with a warning."""
    return Check(name, Grade.WARNING, finding, advice)


def not_tried(name: str, why: str) -> Check:
    """Return a check that was not run."""
    return Check(name, Grade.NOT_TRIED, why)


def failed(name: str, error: NbsweepError, advice: str = "") -> Check:
    """Return a check that failed with this error; the error's own advice is used unless better advice is given."""
    problem, general = (error.problem, error.advice) if isinstance(error, CloudError) else (str(error), "")
    # A finding is one line of a table, and the mistakes of a configuration are lines of their own.
    finding = " ".join(line.strip() for line in problem.splitlines())
    return Check(name, Grade.FAILED, finding, advice or general, not_allowed=isinstance(error, Unauthorized | Forbidden))


def judge_clock(skew_s: float | None) -> Check:
    """Check that this machine's clock is close enough to the cloud's."""
    if skew_s is None:
        advice = (
            "Make sure that every proxy between this machine and the cloud passes on the Date header of the answers: nothing "
            "is deleted by a clock that cannot be checked."
        )
        return Check("clock", Grade.FAILED, "the cloud's answer has no date", advice)
    if abs(skew_s) <= MOST_SKEW_S:
        return passed("clock", "within a minute of the cloud's")
    finding = f"this machine's clock is {describe_skew(skew_s)} the cloud's"
    advice = (
        "Set it from the network (NTP): all ages are off by as much, so that nothing is deleted while it is more than a "
        "minute, and from 15 minutes on signed requests are refused."
    )
    return Check("clock", Grade.FAILED, finding, advice)


def judge_permission(action: Action, answers: Mapping[Action, Probe], project_id: str) -> Check:
    """Check whether an action is allowed, and say what to grant if it is not."""
    probe = answers[action]
    grant = GRANTS[action]
    if probe.allowed:
        return passed(action, f"allowed ({grant.role})")
    advice = advise(action, project_id)
    if probe.allowed is None:
        return warned(action, f"the answer does not show whether it is allowed: {probe.words}", f"If it is not: {advice}")
    if probe.missing:
        finding = f"this cloud has no listing of everybody's notebooks, so that only this user's own are seen: {probe.words}"
        return warned(action, finding, "Set scope: own, if only this user's own notebooks are to be swept.")
    if action is Action.LIST_ALL and _allowed(answers, Action.LIST_OWN):
        return warned(action, f"not allowed, so that only this user's own notebooks are seen: {probe.words}", advice)
    if action is Action.LIST_OWN and _allowed(answers, Action.LIST_ALL):
        return warned(action, f"not allowed, and not needed while everybody's may be listed: {probe.words}", advice)
    return Check(action, Grade.FAILED, f"not allowed: {probe.words}", advice, not_allowed=True)


def _allowed(answers: Mapping[Action, Probe], action: Action) -> bool:
    return action in answers and answers[action].allowed is True


def advise(action: Action, project_id: str) -> str:
    """Return which permission to grant, and where."""
    grant = GRANTS[action]
    if grant.identity == grant.role:
        how = "role policies (version 1.1) and identity policies (version 5.0) both use this name"
    elif grant.identity:
        how = f"that is its name in role policies (version 1.1); in identity policies (version 5.0) it is {grant.identity}"
    else:
        how = (
            "that is for role policies (version 1.1), and IAM projects only, not enterprise projects; identity policies "
            "(version 5.0) need no action for it"
        )
    otherwise = f" Or {grant.otherwise}." if grant.otherwise else ""
    return f"Grant {grant.role} in project {project_id} to this user: {how}.{otherwise}"


def judge_project(answers: Mapping[Action, Probe], project_id: str, given: str) -> Check:
    """Check whether the credentials may do anything in a project; `given` says where its id comes from."""
    if not answers or not all(probe.by_gateway for probe in answers.values()):
        return passed("project", f"{project_id}, {given}")
    words = next(probe.words for probe in answers.values())
    advice = (
        "Check project_id, that it is of the region and of this user's account, and that the user was granted anything in it."
    )
    finding = f"{project_id}, {given}: these credentials may do nothing in it: {words}"
    return Check("project", Grade.FAILED, finding, advice, not_allowed=True)


def judge_notebooks(totals: Mapping[str, int], features: Sequence[str], where: str) -> Check:
    """Check how many notebooks there are of each feature, and which features a sweep would leave out."""
    left_out = [feature for feature, total in totals.items() if total and feature not in features]
    counted = ", ".join(f"{total} {feature}" for feature, total in totals.items())
    if not any(totals[feature] for feature in features):
        advice = "Check project_id, workspaces, features and scope, if there should be any."
        return warned("notebooks", f"{counted} in {where}: none that a sweep would cover", advice)
    advice = f"Add {' and '.join(left_out)} to features, if those are to be swept too." if left_out else ""
    return passed("notebooks", f"{counted} in {where}; features: {', '.join(features)}", advice)


def judge_refusing(refusing: Mapping[str, str]) -> Check:
    """Return a warning that names the workspaces that the cloud refuses to list, with its answer for each."""
    named = "; ".join(f"{workspace}: {words}" for workspace, words in refusing.items())
    advice = (
        "Their notebooks are kept, and a sweep of the others ends with exit code 3. Add the user to these workspaces, "
        "or name the others under workspaces."
    )
    return warned("workspaces", f"{len(refusing)} of those that are seen cannot be listed: {named}", advice)


def judge_listing(pages: Sequence[Page], *, everybodys: bool) -> Check:
    """Check whether listings are sorted by creation, and whether their rows have the dates that policies need.

    A page of everybody's notebooks says whether the cloud sorts it. For a page of the caller's own, the dates are compared.
    """
    rows = [row for page in pages for row in page.rows]
    if not rows:
        return not_tried("listing", "no notebook is listed, so there is no row to check")
    unsorted = any(not page.oldest_first if everybodys else _unsorted(page) for page in pages)
    problems = [
        "it is not sorted by creation, so that ends are proven by one call for each notebook" if unsorted else "",
        _count(sum(isinstance(row, MalformedRow) for row in rows), "cannot be read"),
        _count(sum(isinstance(row, Notebook) and row.created_at is None for row in rows), "have no date of creation"),
        _count(sum(isinstance(row, Notebook) and row.updated_at is None for row in rows), "have no date of change"),
        _left_out_by_all([row for row in rows if isinstance(row, Notebook)]),
    ]
    found = [problem for problem in problems if problem]
    if not found:
        return passed("listing", f"sorted by creation, and all {len(rows)} rows that were read have their dates")
    advice = "It is safe as it is, but slower: if a row lacks a fact that rules need, the notebook is read by id, or kept."
    return warned("listing", f"of {len(rows)} rows that were read: {'; '.join(found)}", advice)


def judge_rules(pages: Sequence[Page], rules: Rules, moment: Moment) -> Check:
    """Count the notebooks that each rule matches among the rows that were read; a rule without any may have a mistake."""
    rows = [row for page in pages for row in page.rows if isinstance(row, Notebook)]
    if not rows:
        return not_tried("rules", "no notebook is listed, so there is nothing to match")
    counts: MatchCounts = Counter()
    for row in rows:
        count_matches(row, rules, moment, counts)
    matches = name_matches(rules, [counts])
    none = [f"{match.kind} {match.name}" for match in matches if not match.notebooks]
    advice = f"See whether these rules are meant so, because they matched nothing: {'; '.join(none)}." if none else ""
    return passed("rules", f"of {len(rows)} rows that were read, matched: {describe_matches(matches)}", advice)


def judge_pages(paging: Paging) -> Check:
    """Check what an offset means, as far as a listing of more than one page has shown."""
    if paging.offsets is Offsets.UNKNOWN:
        return passed("pages", f"no listing shows it yet: {paging.describe()}")
    if paging.overlaps:
        return passed("pages", paging.describe())
    advice = (
        "It is safe as it is, but slower: ends are proven by one call for each notebook, and a survey is read again while "
        "notebooks come and go."
    )
    return warned("pages", paging.describe(), advice)


def _count(rows: int, what: str) -> str:
    return f"{rows} {what}" if rows else ""


def _left_out_by_all(rows: Sequence[Notebook]) -> str:
    """Describe which facts no row shows, except dates: rows without a date are counted."""
    missing = [set(left_out(row)) - {"create_at", "update_at"} for row in rows]
    absent = sorted(set.intersection(*missing)) if missing else []
    return f"no row shows {', '.join(absent)}" if absent else ""


def _unsorted(page: Page) -> bool:
    dates = [row.created_at for row in page.rows if isinstance(row, Notebook) and row.created_at is not None]
    return dates != sorted(dates)


def judge_lanes(lanes: Sequence[LaneState]) -> Check:
    """Return the configured rates of the lanes; this check always passes."""
    rates = [f"{lane.lane} {lane.configured_calls_per_s:g}/s" for lane in lanes if lane.configured_calls_per_s is not None]
    return passed("lanes", f"as configured: {', '.join(rates)}")


def judge_quotas(lanes: Sequence[LaneState]) -> Check:
    """Check which limits the gateway named during the checks."""
    named = [lane for lane in lanes if lane.learned_limit is not None]
    if not named:
        return passed("quotas", UNPUBLISHED)
    found = ", ".join(f"{lane.lane} {lane.learned_limit}" for lane in named)
    settings = " and ".join(f"limits.{lane.lane}" for lane in named)
    advice = f"Set {settings} to what the gateway allows or less, so that a sweep does not begin with throttled calls."
    return warned("quotas", f"a call was throttled, and the gateway's 429 named its limit: {found}", advice)
