"""What `check` says of what it has seen."""

from collections.abc import Mapping

import pytest

from builders import ago, notebook
from nbsweep.core.checks import (
    Check,
    Grade,
    advise,
    failed,
    judge_clock,
    judge_lanes,
    judge_listing,
    judge_notebooks,
    judge_permission,
    judge_project,
    judge_quotas,
)
from nbsweep.core.errors import (
    AnswerLost,
    Busy,
    CloudError,
    ConfigurationError,
    Forbidden,
    Gone,
    Mistake,
    Rejected,
    Unauthorized,
    Unreachable,
    WrongAddress,
)
from nbsweep.core.model import MalformedRow, Named, Notebook, Page
from nbsweep.core.pacing import LaneState
from nbsweep.core.permissions import GRANTS, Action, Probe, probe_of

PROJECT = "0123456789abcdef0123456789abcdef"
YES, NO = Probe(allowed=True), Probe(allowed=False, words="HTTP 403 ModelArts.0108", code="ModelArts.0108")
GATEWAY_NO = Probe(allowed=False, words="HTTP 403 APIGW.0302", code="APIGW.0302")


def permission(action: Action, answers: Mapping[Action, Probe]) -> Check:
    """Judge one action by the answers to all."""
    return judge_permission(action, answers, PROJECT)


@pytest.mark.parametrize(
    ("skew_s", "grade", "words"),
    [
        (0.0, Grade.OK, "within a minute"),
        (59.9, Grade.OK, "within a minute"),
        (60.0, Grade.OK, "within a minute"),
        (-75.0, Grade.FAILED, "75 seconds behind"),
        (600.0, Grade.FAILED, "10 minutes ahead of"),
        (-900.0, Grade.FAILED, "15 minutes behind"),
        (901.0, Grade.FAILED, "15 minutes ahead of"),
        (-3600.0, Grade.FAILED, "60 minutes behind"),
        (None, Grade.FAILED, "has no date"),
    ],
)
def test_a_clock_may_be_a_minute_off_and_no_more(skew_s: float | None, grade: Grade, words: str) -> None:
    """The gateway accepts signatures for longer, but a sweep would be refused."""
    check = judge_clock(skew_s)
    assert check.grade is grade
    assert words in check.finding
    assert bool(check.advice) == (grade is not Grade.OK)
    assert not check.not_allowed


@pytest.mark.parametrize("action", Action)
def test_what_is_not_allowed_comes_with_what_to_grant_and_where(action: Action) -> None:
    """The action by the name that policies know, and the project."""
    check = permission(action, {action: NO})
    assert (check.grade, check.not_allowed, check.name) == (Grade.FAILED, True, action)
    assert GRANTS[action].role in check.advice
    assert PROJECT in check.advice
    assert "version 1.1" in check.advice
    assert "version 5.0" in check.advice
    assert permission(action, {action: YES}).grade is Grade.OK


def test_the_names_to_grant_are_those_of_the_api() -> None:
    """Listing everybody's needs nothing of an identity policy, and everything else does."""
    assert "identity policies (version 5.0) need no action for it" in advise(Action.LIST_ALL, PROJECT)
    assert "not enterprise projects" in advise(Action.LIST_ALL, PROJECT)
    assert "Or set scope: own." in advise(Action.LIST_ALL, PROJECT)
    assert "modelarts:notebook:action in older ones" in advise(Action.STOP, PROJECT)
    assert advise(Action.DELETE, PROJECT).startswith(f"Grant modelarts:notebook:delete in project {PROJECT}")


def test_one_listing_is_enough_to_go_on_with() -> None:
    """A caller who may list only their own or only all notebooks gets a warning about the other; without both, both fail."""
    narrowed = {Action.LIST_ALL: NO, Action.LIST_OWN: YES}
    assert permission(Action.LIST_ALL, narrowed).grade is Grade.WARNING
    assert "only this user's own" in permission(Action.LIST_ALL, narrowed).finding
    spare = {Action.LIST_ALL: YES, Action.LIST_OWN: NO}
    assert permission(Action.LIST_OWN, spare).grade is Grade.WARNING
    neither = {Action.LIST_ALL: NO, Action.LIST_OWN: NO}
    assert {permission(action, neither).grade for action in neither} == {Grade.FAILED}


def test_an_answer_that_tells_neither_is_a_warning() -> None:
    """Fail closed would be to call it missing; but nothing says so."""
    check = permission(Action.DELETE, {Action.DELETE: Probe(allowed=None, words="HTTP 400 ModelArts.0104")})
    assert check.grade is Grade.WARNING
    assert "ModelArts.0104" in check.finding
    assert "If it is not: Grant modelarts:notebook:delete" in check.advice


@pytest.mark.parametrize(
    ("error", "allowed"),
    [
        (Gone("the notebook does not exist: HTTP 400 ModelArts.6309", code="ModelArts.6309"), True),
        (Busy("something else is going on"), True),
        (Forbidden("accepted, but not for this call: HTTP 403 X (No.)", advice="Check project_id", code="X"), False),
        (Rejected("the cloud refused: HTTP 400 ModelArts.0104"), None),
    ],
)
def test_an_error_about_the_notebook_proves_the_permission_and_a_403_disproves_it(
    *, error: CloudError, allowed: bool | None
) -> None:
    """Whoever is told that it does not exist was let through to look for it."""
    assert probe_of(error, Action.GET).allowed is allowed


@pytest.mark.parametrize(
    "error",
    [
        Gone("the notebook does not exist: HTTP 400 ModelArts.6309", code="ModelArts.6309", http_status=400),
        Rejected("the cloud refused: HTTP 400 ModelArts.6400", code="ModelArts.6400", http_status=400),
        WrongAddress("no such address: HTTP 404 APIGW.0101", code="APIGW.0101", http_status=404),
        Rejected("the cloud refused: HTTP 405", http_status=405),
    ],
)
def test_a_listing_of_everybodys_that_does_not_exist_is_never_called_allowed(error: CloudError) -> None:
    """It is missing: a warning beside one's own, and no permission is advised that would not help."""
    probe = probe_of(error, Action.LIST_ALL)
    assert (probe.allowed, probe.missing, probe.by_gateway) == (False, True, False)
    check = permission(Action.LIST_ALL, {Action.LIST_ALL: probe, Action.LIST_OWN: YES})
    assert check.grade is Grade.WARNING
    assert "no listing of everybody's notebooks" in check.finding
    assert "Grant" not in check.advice


def test_a_refusal_keeps_the_clouds_own_words_only() -> None:
    """What to do is said better by the advice."""
    meaning = "the credentials are accepted, but not for this call"
    answer = "HTTP 403 X (No. Check your quota. Set it.)"
    error = Forbidden(f"{meaning}: {answer}", advice="Check project_id, and all", code="X", answer=answer)
    assert probe_of(error, Action.GET) == Probe(allowed=False, words=answer, code="X")


@pytest.mark.parametrize("error", [Unauthorized("no"), Unreachable("no"), AnswerLost("no")])
def test_an_error_about_something_else_says_nothing_of_a_permission(error: CloudError) -> None:
    """It is passed on."""
    with pytest.raises(type(error)):
        probe_of(error, Action.GET)


def test_a_project_is_closed_when_the_gateway_refuses_everything() -> None:
    """One call that it lets through, or a refusal by the service itself, and the project is the right one."""
    closed = judge_project({Action.LIST_ALL: GATEWAY_NO, Action.GET: GATEWAY_NO}, PROJECT, "as configured")
    assert (closed.grade, closed.not_allowed) == (Grade.FAILED, True)
    assert "Check project_id" in closed.advice
    for other in (YES, NO):
        assert judge_project({Action.LIST_ALL: GATEWAY_NO, Action.GET: other}, PROJECT, "as configured").grade is Grade.OK


def test_an_errors_own_advice_becomes_the_advice() -> None:
    """Better advice replaces it. The words of the other side are part of the finding, whatever they are."""
    error = Unreachable("https://x said: No. Check it. Set it", advice="Check the endpoint, the region and the network")
    assert str(error) == "https://x said: No. Check it. Set it. Check the endpoint, the region and the network"
    check = failed("address", error)
    assert (check.finding, check.advice) == (
        "https://x said: No. Check it. Set it",
        "Check the endpoint, the region and the network",
    )
    assert failed("address", error, "Plug it in.").advice == "Plug it in."
    assert not check.not_allowed
    assert failed("credentials", Unauthorized("no")).not_allowed


def test_what_is_seen_is_held_against_the_features() -> None:
    """Features that are left out are named; none at all is a warning."""
    seen = judge_notebooks({"NOTEBOOK": 190, "DEFAULT": 10}, ("NOTEBOOK",), "3 workspaces")
    assert (seen.grade, seen.finding) == (Grade.OK, "190 NOTEBOOK, 10 DEFAULT in 3 workspaces; features: NOTEBOOK")
    assert "Add DEFAULT to features" in seen.advice
    assert judge_notebooks({"NOTEBOOK": 1, "DEFAULT": 1}, ("NOTEBOOK", "DEFAULT"), "1 workspace").advice == ""
    assert judge_notebooks({"NOTEBOOK": 0, "DEFAULT": 10}, ("NOTEBOOK",), "1 workspace").grade is Grade.WARNING


def page(*rows: Notebook | MalformedRow, oldest_first: bool = True) -> Page:
    """Return a page of these."""
    return Page(rows, len(rows), oldest_first)


OLD = notebook(id="old", created_at=ago(days=9))
YOUNG = notebook(id="young", created_at=ago(days=1))


@pytest.mark.parametrize(
    ("read", "everybodys", "grade", "words"),
    [
        (page(OLD, YOUNG), True, Grade.OK, "sorted by creation"),
        (page(OLD, YOUNG, oldest_first=False), True, Grade.WARNING, "not sorted"),
        (page(OLD, YOUNG, oldest_first=False), False, Grade.OK, "sorted by creation"),
        (page(YOUNG, OLD, oldest_first=False), False, Grade.WARNING, "not sorted"),
        (page(notebook(created_at=None)), True, Grade.WARNING, "1 have no date of creation"),
        (page(notebook(updated_at=None)), True, Grade.WARNING, "1 have no date of change"),
        (page(notebook(tags=None, owner=Named()), notebook(tags=None)), True, Grade.WARNING, "no row shows tags"),
        (page(OLD, MalformedRow("m", "m", "odd")), True, Grade.WARNING, "1 cannot be read"),
        (page(), True, Grade.NOT_TRIED, "no notebook"),
    ],
)
def test_a_listing_is_looked_at_for_its_order_and_its_dates(*, read: Page, everybodys: bool, grade: Grade, words: str) -> None:
    """Everybody's says whether it was sorted; the order of one's own is looked at."""
    check = judge_listing([read], everybodys=everybodys)
    assert check.grade is grade
    assert words in check.finding


def test_lanes_are_told_as_configured_and_a_limit_that_a_429_named_as_found() -> None:
    """The account's own quota is not known, and that is said too."""
    plain = [LaneState("delete", 5.0, 5.0, None), LaneState("show", 10.0, 10.0, None)]
    assert judge_lanes(plain).finding == "as configured: delete 5/s, show 10/s"
    assert "is not published" in judge_quotas(plain).finding
    learned = judge_quotas([LaneState("delete", 5.0, 2.0, "2/s"), LaneState("total", None, 9.0, "9/s")])
    assert learned.grade is Grade.WARNING
    assert "delete 2/s, total 9/s" in learned.finding
    assert "limits.delete and limits.total" in learned.advice


def test_a_finding_is_one_line() -> None:
    """The mistakes of a configuration are lines of their own elsewhere."""
    error = ConfigurationError("the configuration", (Mistake("exemptions.link_key_file", None, "can be read by others"),))
    finding = failed("links", error).finding
    assert finding == "the configuration cannot be used: exemptions.link_key_file: can be read by others"
