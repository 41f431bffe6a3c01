"""What is tried of one target, and what is not when something before it does not work."""

from typing import Any

import pytest

from builders import fleet, notebook, preflight_options
from nbsweep.core.checks import Check, Grade
from nbsweep.core.errors import CloudError, Forbidden, Rejected, Unauthorized, Unreachable, WorkspaceRefused, WrongAddress
from nbsweep.core.listing.paging import Offsets
from nbsweep.core.model import Image, Named
from nbsweep.core.notices.contacts import Contact, IamUser, NoContact, Owner
from nbsweep.core.permissions import Action
from nbsweep.engine.inspection.preflight import Preflight
from nbsweep.testing import FakeClock, FakeCloud, Fault, Kind
from nbsweep.testing.people import KnownOwners
from unit.engine.world import virtual_time

pytestmark = virtual_time


def cloud_of(count: int = 3, **more: Any) -> FakeCloud:
    """Return a cloud with so many notebooks."""
    return FakeCloud(FakeClock(), fleet(count, billing=("STORAGE",), flavor="cpu.2u", image=Image("i1")), **more)


async def checked(cloud: FakeCloud, **changes: Any) -> dict[str, Check]:
    """Check it, and give the checks by name, in order."""
    return {check.name: check for check in await Preflight(preflight_options(**changes), cloud).inspect()}


def grades(checks: dict[str, Check]) -> dict[Grade, list[str]]:
    """List the names by grade."""
    return {grade: [str(name) for name, check in checks.items() if check.grade is grade] for grade in Grade}


async def test_all_is_tried_and_nothing_is_changed() -> None:
    """No removal's own calls are made: no delete, no stop, no show; and every line is about the target."""
    cloud = cloud_of()
    found = await checked(cloud, stops=True)
    assert list(found) == [
        "address", "clock", "credentials", "project", "list-all", "list-own", "get", "delete", "stop", "list-workspaces",
        "workspaces", "notebooks", "listing", "pages", "rules", "lanes", "quotas",
    ]  # fmt: skip
    assert {check.grade for check in found.values()} == {Grade.OK}
    assert {check.target for check in found.values()} == {"research"}
    assert (cloud.sent("delete"), cloud.sent("stop"), cloud.sent("show"), cloud.accepted) == ([], [], [], [])
    assert "3 NOTEBOOK, 0 DEFAULT in 1 workspace" in found["notebooks"].finding


async def test_only_what_the_configuration_needs_is_tried() -> None:
    """A stop where no policy stops, everybody's where one's own are wanted, and workspaces that are named: none of them."""
    cloud = cloud_of(workspaces=("0", "w1"))
    found = await checked(cloud, everybodys=False, workspaces=("w1",))
    assert [str(name) for name in found if name in set(Action)] == ["list-own", "get", "delete"]
    assert cloud.sent("workspaces") == []
    assert {subject.split("/")[0] for subject in cloud.sent("page")} == {"w1"}


@pytest.mark.parametrize(
    ("kind", "error", "name", "why"),
    [
        ("reach", Unreachable("it is away", advice="Check the network"), "address", "the address cannot be reached"),
        ("project", Unauthorized("who are you"), "credentials", "the credentials are not accepted"),
        ("project", Forbidden("not told", advice="Set project_id"), "project", "the project's id is not known"),
        ("project", WrongAddress("no such project"), "project", "the project's id is not known"),
        ("probe", Unauthorized("who are you"), "credentials", "the credentials are not accepted"),
        ("probe", WrongAddress("no such address"), "project", "the gateway knows no such address"),
        ("probe", Unreachable("it is away"), "credentials", "the first signed call was not answered"),
        ("workspaces", Rejected("not now"), "workspaces", "the workspaces could not be listed"),
        ("page", Unreachable("it is away"), "notebooks", "the notebooks could not be listed"),
    ],
)
async def test_what_depends_on_something_that_fails_is_not_tried_and_says_why(
    kind: Kind, error: CloudError, name: str, why: str
) -> None:
    """What does not depend on it is."""
    cloud = cloud_of()
    cloud.inject(kind, Fault(error), Fault(error))
    found = await checked(cloud)
    by_grade = grades(found)
    assert by_grade[Grade.FAILED] == [name]
    assert all(why in found[each].finding for each in by_grade[Grade.NOT_TRIED])
    assert "listing" in by_grade[Grade.NOT_TRIED]
    assert "lanes" in by_grade[Grade.OK]
    assert found[name].not_allowed == isinstance(error, Unauthorized | Forbidden)


async def test_a_missing_permission_does_not_hide_the_others() -> None:
    """Each is tried; without the workspaces nothing can be looked at."""
    cloud = cloud_of()
    cloud.denied = {Action.DELETE, Action.LIST_WORKSPACES}
    found = await checked(cloud)
    assert grades(found)[Grade.FAILED] == ["delete", "list-workspaces"]
    assert grades(found)[Grade.NOT_TRIED] == ["workspaces", "notebooks", "listing", "pages", "rules"]
    assert found["notebooks"].finding == "the workspaces may not be listed"
    assert found["quotas"].grade is Grade.OK


async def test_without_a_listing_nothing_is_looked_at() -> None:
    """Neither everybody's nor one's own."""
    cloud = cloud_of()
    cloud.denied = {Action.LIST_ALL, Action.LIST_OWN}
    found = await checked(cloud)
    assert grades(found)[Grade.FAILED] == ["list-all", "list-own"]
    assert found["listing"].finding == "nothing may be listed"
    assert cloud.sent("page") == []


def with_owners(*names: str) -> FakeCloud:
    """Return a cloud with a notebook of each owner, whom IAM knows."""
    cloud = FakeCloud(FakeClock(), [notebook(place, owner=Named(f"u-{name}", name)) for place, name in enumerate(names, 1)])
    cloud.users = {f"u-{name}": IamUser(f"u-{name}", f"{name}@example.com") for name in names}
    return cloud


class Recording(KnownOwners):
    """A directory that records whom it is asked for."""

    def __init__(self, **known: Contact) -> None:
        super().__init__(known, NoContact("not known"))
        self.asked: list[Owner] = []

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Record the owner, and answer."""
        self.asked.append(owner)
        return await super().find(owner)


async def test_the_owners_of_the_first_rows_are_looked_for() -> None:
    """Each once, with their tags and the target; and IAM is asked for three of them."""
    cloud, directory = with_owners("ana", "bo", "cy", "di"), Recording(ana=Contact("ana@example.com", "file"))
    cloud.add(notebook(98, owner=Named("u-ana", "ana")))
    cloud.add(notebook(99, owner=Named()))
    options = preflight_options(finds_owners=True, asks_iam=True)
    checks = {check.name: check for check in await Preflight(options, cloud, directory).inspect()}
    assert [owner.name for owner in directory.asked] == ["ana", "bo", "cy", "di"]
    assert {owner.target for owner in directory.asked} == {"research"}
    assert checks["owners"].finding.startswith("1 of 4 owners that were seen can be found: file 1; not found: 3 because of")
    assert cloud.sent("user") == ["u-ana", "u-bo", "u-cy"]
    assert checks["get-user"].grade is Grade.OK
    assert list(checks)[-3:] == ["owners", "lanes", "quotas"]


async def test_a_user_whom_iam_does_not_show_ends_these_questions() -> None:
    """What to grant is told; the owners are looked for all the same."""
    cloud, directory = with_owners("ana", "bo", "cy"), Recording()
    cloud.inject("user", Fault(), Fault(Forbidden("not shown", http_status=403)))
    options = preflight_options(finds_owners=True, asks_iam=True)
    checks = {check.name: check for check in await Preflight(options, cloud, directory).inspect()}
    assert (checks["get-user"].grade, cloud.sent("user")) == (Grade.FAILED, ["u-ana", "u-bo"])
    assert checks["owners"].grade is Grade.WARNING
    assert checks["lanes"].grade is Grade.OK


async def test_without_owners_in_the_configuration_nobody_is_looked_for() -> None:
    """And without notebooks there is nobody."""
    assert not {"owners", "get-user"} & set(await checked(with_owners("ana")))
    options = preflight_options(finds_owners=True, asks_iam=True)
    checks = {check.name: check for check in await Preflight(options, with_owners(), Recording()).inspect()}
    assert {checks["owners"].grade, checks["get-user"].grade} == {Grade.NOT_TRIED}


async def test_an_error_of_one_permission_is_told_as_such() -> None:
    """The others are tried all the same."""
    cloud = cloud_of()
    cloud.inject("probe", Fault(Unreachable("it went away")), notebook_id=Action.GET)
    found = await checked(cloud)
    assert grades(found)[Grade.FAILED] == ["get"]
    assert found["delete"].grade is Grade.OK


async def test_a_listing_of_everybodys_that_is_not_there_is_a_warning_while_ones_own_is() -> None:
    """The gateway knows no such address, and the next call shows that the address is right."""
    cloud = cloud_of()
    cloud.inject("probe", Fault(WrongAddress("no such address: HTTP 404 APIGW.0101", http_status=404)))
    found = await checked(cloud)
    assert (found["list-all"].grade, found["list-own"].grade, found["project"].grade) == (Grade.WARNING, Grade.OK, Grade.OK)
    assert "no listing of everybody's notebooks" in found["list-all"].finding


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    """After the time that one call may take, and not before."""
    cloud = cloud_of()
    cloud.inject("probe", Fault(answer_s=29), Fault(answer_s=31))
    found = await checked(cloud)
    assert grades(found)[Grade.FAILED] == ["list-own"]
    assert "gave no answer within 30 s" in found["list-own"].finding
    assert "limits.request_timeout" in found["list-own"].advice


async def test_a_workspace_that_refuses_is_named_and_the_others_are_looked_at() -> None:
    """A warning, unless it was named in the configuration, or all refuse."""
    error = WorkspaceRefused("the workspace is not open to this user: HTTP 403 ModelArts.0112", http_status=403)
    cloud = cloud_of(workspaces=("0", "w2"))
    cloud.inject("page", *[Fault(error)] * 4, notebook_id="w2/NOTEBOOK/0")
    found = await checked(cloud)
    assert (found["workspaces"].grade, "w2: the workspace is not open" in found["workspaces"].finding) == (Grade.WARNING, True)
    assert "3 NOTEBOOK" in found["notebooks"].finding
    assert (await checked(cloud, workspaces=("0", "w2")))["notebooks"].grade is Grade.FAILED


@pytest.mark.parametrize(
    ("meaning", "grade", "words"),
    [
        (Offsets.ROWS, Grade.OK, "a page begins at any row, 20 rows to a page"),
        (Offsets.WHOLE_PAGES, Grade.WARNING, "rounded down or refused, 20 rows to a page"),
        (Offsets.PAGE_NUMBERS, Grade.WARNING, "an offset is the number of a page, 20 rows to a page"),
    ],
)
async def test_what_an_offset_means_is_told(meaning: Offsets, grade: Grade, words: str) -> None:
    """Found out from the first listing that has more than one page, with two calls or three."""
    cloud = cloud_of(70)
    cloud.pages.offsets, cloud.pages.largest = meaning, 20
    found = await checked(cloud)
    assert (found["pages"].grade, words in found["pages"].finding) == (grade, True)
    assert len(cloud.sent("page")) <= 2 + 3


async def test_of_many_workspaces_only_some_are_looked_into() -> None:
    """It is no survey; the finding says so."""
    names = tuple(f"w{number}" for number in range(40))
    cloud = FakeCloud(FakeClock(), [notebook(1, workspace_id="w0"), notebook(2, workspace_id="w39")], workspaces=("0", *names))
    found = await checked(cloud, workspaces=names)
    assert "1 NOTEBOOK, 0 DEFAULT in 10 of 40 workspaces" in found["notebooks"].finding
    assert len(cloud.sent("page")) == 20
    assert found["workspaces"].finding == "40 as configured"
