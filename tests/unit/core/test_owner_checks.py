"""What `check` says of owners: how many can be found, and whether IAM may be asked."""

import pytest

from nbsweep.core.checks import Grade
from nbsweep.core.errors import CloudError, Forbidden, Unreachable
from nbsweep.core.notices.contacts import Contact, NoContact
from nbsweep.core.owner_checks import judge_fallback, judge_file, judge_owners, judge_users

FORBIDDEN = Forbidden("no", advice="Grant something", answer="HTTP 403 (no)", http_status=403)


@pytest.mark.parametrize(
    ("answers", "grade", "finding"),
    [
        ([], Grade.NOT_TRIED, "no notebook is listed, so there is no owner to look for"),
        ([None], Grade.OK, "allowed for the only owner that is seen, which shows nothing if that is this user"),
        ([None, None], Grade.OK, "allowed (iam:users:getUser)"),
        ([None, FORBIDDEN], Grade.FAILED, "not allowed: HTTP 403 (no)"),
        ([Unreachable("IAM is away")], Grade.FAILED, "IAM is away"),
    ],
)
def test_two_users_show_that_iam_may_be_asked(answers: list[CloudError | None], grade: Grade, finding: str) -> None:
    """One may be the caller, whom everybody may read."""
    check = judge_users(answers)
    assert (check.name, check.grade, check.finding) == ("get-user", grade, finding)


def test_a_missing_permission_comes_with_what_to_grant_and_where() -> None:
    """It is one of a global service."""
    check = judge_users([FORBIDDEN])
    assert check.not_allowed
    assert check.advice.startswith("Grant iam:users:getUser to this user for global services, in a policy of its own")
    assert check.advice.endswith("Or take iam: true out of owners, and name the owners in a file, a tag or a domain.")


def test_owners_are_counted_by_the_part_that_found_them() -> None:
    """The most frequent first, and the reasons of those who were not found in the same way."""
    file, domain = Contact("a@example.com", "file"), Contact("b@example.com", "domain")
    unknown, odd = NoContact("file: x does not name the owner"), NoContact("file: y")
    assert judge_owners([]).grade is Grade.NOT_TRIED
    well = judge_owners([domain, file, domain])
    assert (well.grade, well.finding) == (Grade.OK, "3 of 3 owners that were seen can be found: domain 2, file 1")
    some = judge_owners([file, odd, unknown, unknown])
    assert some.grade is Grade.WARNING
    assert some.finding == (
        "1 of 4 owners that were seen can be found: file 1; not found: 2 because of file: x does not name the owner; "
        "1 because of file: y"
    )
    assert judge_owners([unknown]).finding.startswith("0 of 1 owners that were seen can be found; not found: 1 because of")
    assert "example.com" not in f"{well} {some}"


def test_a_file_with_mistakes_is_a_failure_that_lists_them() -> None:
    """The first twenty."""
    assert judge_file("owners.yaml", 1, []).finding == "owners.yaml: 1 owner"
    check = judge_file("owners.csv", 2, [f"line {number}: wrong" for number in range(1, 23)])
    assert check.grade is Grade.FAILED
    assert check.finding.startswith("owners.csv: 2 owners; line 1: wrong; line 2: wrong; ")
    assert check.finding.endswith("line 20: wrong; and 2 more")


def test_the_fallback_is_found_or_not() -> None:
    """Without its address."""
    assert judge_fallback(Contact("team@example.com", "fallback")).finding == "found"
    assert judge_fallback(Contact("", "fallback", "ops")).finding == "found, by the channel ops"
    assert judge_fallback(NoContact("fallback: x does not name the owner")).grade is Grade.FAILED
