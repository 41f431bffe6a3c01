import pytest

from nbsweep.adapters.cloud.dialect import OLDEST_FIRST, SORTS, Dialect, Variant, allows_another
from nbsweep.core.errors import (
    AnswerLost,
    CloudError,
    Forbidden,
    Gone,
    Rejected,
    Unauthorized,
    Unreachable,
    Unsortable,
    WorkspaceRefused,
    WrongAddress,
)
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope, Status

SCOPE = Scope("a1", "NOTEBOOK")


def page(*workspaces: str | None) -> Page:
    """Return a page of rows of these workspaces."""
    return Page(
        tuple(Notebook(f"nb{place}", Status.STOPPED, workspace_id=workspace) for place, workspace in enumerate(workspaces)), 9
    )


def test_a_page_is_asked_for_as_the_documents_of_today_say() -> None:
    """One workspace, one kind, fifty rows, the oldest first."""
    asked = dict(Dialect().query(SCOPE, 49, None, OLDEST_FIRST))
    assert asked == {
        "feature": "NOTEBOOK",
        "limit": "50",
        "offset": "49",
        "workspace_id": "a1",
        "sort_dir": "ASC",
        "sort_key": "create_at",
    }
    assert dict(Dialect().query(SCOPE, 0, "DELETING", OLDEST_FIRST))["status"] == "DELETING"


def test_rows_of_another_workspace_mean_the_older_spelling() -> None:
    """The server did not know the parameter, and showed its default workspace; it is worth a second try, once."""
    dialect = Dialect()
    assert dialect.ignored_workspace(page("0", "0"), SCOPE)
    assert ("workspaceId", "a1") in dialect.query(SCOPE, 0, None, OLDEST_FIRST)
    assert not dialect.ignored_workspace(page("0"), SCOPE)


def test_rows_that_belong_or_do_not_say_change_nothing() -> None:
    """Neither does an empty page, nor a row that cannot be read."""
    dialect = Dialect()
    for seen in (page("a1"), page(None), page(), Page((MalformedRow("x", None, "odd"),), 1)):
        assert not dialect.ignored_workspace(seen, SCOPE)
    assert ("workspace_id", "a1") in dialect.query(SCOPE, 0, None, OLDEST_FIRST)


def refused(status: int, code: str = "", kind: type[CloudError] = Rejected) -> CloudError:
    """Return a refusal."""
    return kind(f"HTTP {status} {code}", code=code, http_status=status)


def tried(dialect: Dialect, *errors: CloudError) -> list[tuple[str, str]]:
    """List the variants that are tried while each next one is refused so, and the one that is left."""
    refusals: dict[Variant, CloudError] = {}
    found = []
    for error in (*errors, None):
        variant = dialect.next_variant(refusals)
        if variant is None:
            break
        found.append((variant.listing, variant.sort_name))
        if error is not None:
            refusals[variant] = error
    return found


ALL, MINE = "/notebooks/all", "/notebooks"
BY_CREATION = [(ALL, "create_at"), (ALL, "createTime"), (ALL, "unsorted")]


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (refused(403, "ModelArts.0108", Forbidden), (MINE, "create_at")),
        (refused(404, "APIGW.0101", WrongAddress), (MINE, "create_at")),
        (refused(404, "", WrongAddress), (MINE, "create_at")),
        (refused(405), (MINE, "create_at")),
        (refused(501), (MINE, "create_at")),
        (refused(400, "ModelArts.6309", Gone), (MINE, "create_at")),
        (refused(400, "ModelArts.6404", Gone), (MINE, "create_at")),
        (refused(400, "ModelArts.6400"), (ALL, "createTime")),
        (refused(400, "ModelArts.6303", Unsortable), (ALL, "createTime")),
        (refused(400), (ALL, "createTime")),
        (refused(500, "ModelArts.0010", AnswerLost), (ALL, "createTime")),
    ],
)
def test_what_is_refused_is_asked_for_in_another_way(error: CloudError, then: tuple[str, str]) -> None:
    """A listing that is not there in the caller's own, a sort key in another."""
    assert allows_another(Variant(ALL, OLDEST_FIRST), error)
    assert tried(Dialect(), error) == [BY_CREATION[0], then]


@pytest.mark.parametrize(
    "error",
    [
        refused(401, "APIGW.0301", Unauthorized),
        refused(400, "ModelArts.6401", Unauthorized),
        refused(0, "", Unreachable),
        refused(503, "", AnswerLost),
        refused(400, "ModelArts.0102"),
        refused(400, "ModelArts.7002", WorkspaceRefused),
        refused(403, "ModelArts.0112", WorkspaceRefused),
    ],
)
def test_what_no_other_way_would_change_is_not_tried_again(error: CloudError) -> None:
    """Credentials, the connection, the workspace."""
    assert not allows_another(Variant(ALL, OLDEST_FIRST), error)


def test_a_500_of_an_unsorted_listing_is_what_it_is() -> None:
    """There is no key left that it could be about."""
    assert not allows_another(Variant(ALL, ()), refused(500, "", AnswerLost))


def test_a_400_to_every_key_may_mean_that_there_is_no_such_listing() -> None:
    """ModelArts.6400 does not say which; in the end nothing is left."""
    own = [(MINE, name) for _, name in BY_CREATION]
    assert tried(Dialect(), *[refused(400, "ModelArts.6400")] * 7) == [*BY_CREATION, *own]
    assert tried(Dialect(listing=MINE), *[refused(400)] * 7) == own


def test_what_has_worked_is_the_only_way_for_the_rest_of_the_run() -> None:
    """Half a sweep that sees everybody and half that does not would take those who are out of sight for gone."""
    dialect = Dialect()
    assert dialect.settle(Variant(ALL, OLDEST_FIRST))
    assert tried(dialect, refused(403, "ModelArts.0108", Forbidden)) == [(ALL, "create_at")]
    assert not dialect.settle(Variant(MINE, OLDEST_FIRST))
    assert dialect.listing == ALL


@pytest.mark.parametrize(
    ("variant", "conclusive"),
    [
        (Variant(ALL, SORTS[0]), True),
        (Variant(ALL, SORTS[1]), True),
        (Variant(ALL, ()), False),
        (Variant(MINE, SORTS[0]), False),
    ],
)
def test_only_a_sorted_listing_of_everybodys_proves_who_is_gone(variant: Variant, *, conclusive: bool) -> None:
    """`scope: own` may be new, and an earlier run have seen everybody's."""
    dialect = Dialect()
    dialect.settle(variant)
    assert dialect.conclusive is conclusive


def test_without_a_sort_key_none_is_sent() -> None:
    """Neither key nor direction."""
    assert not {"sort_key", "sort_dir"} & dict(Dialect().query(SCOPE, 0, None, ())).keys()


def test_a_first_page_with_fewer_rows_than_there_are_shows_the_page_size() -> None:
    """The next smaller size that the API takes is asked for; a listing that ends on its first page shows nothing."""
    dialect = Dialect()
    assert not dialect.fell_short(rows(30, total=30))
    assert (dialect.limit, dialect.paging) == (50, Paging())
    assert dialect.fell_short(rows(30, total=90))
    assert (dialect.limit, dialect.paging.size) == (20, 20)
    assert not dialect.fell_short(rows(20, total=90))
    assert dialect.fell_short(rows(7, total=90))
    assert (dialect.limit, dialect.paging.size) == (10, 7)
    assert not dialect.fell_short(rows(7, total=90))


def rows(count: int, total: int) -> Page:
    """Return a page of so many rows."""
    return Page(tuple(Notebook(f"nb{number}", Status.STOPPED) for number in range(count)), total)
