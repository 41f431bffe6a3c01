from nbsweep.adapters.cloud.dialect import Dialect
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope, Status

SCOPE = Scope("a1", "NOTEBOOK")


def page(*workspaces: str | None) -> Page:
    """Give a page of rows of these workspaces."""
    return Page(
        tuple(Notebook(f"nb{place}", Status.STOPPED, workspace_id=workspace) for place, workspace in enumerate(workspaces)), 9
    )


def test_a_page_is_asked_for_as_the_documents_of_today_say() -> None:
    """One workspace, one kind, fifty rows, the oldest first."""
    asked = dict(Dialect().query(SCOPE, 49, None))
    assert asked == {
        "feature": "NOTEBOOK",
        "limit": "50",
        "offset": "49",
        "workspace_id": "a1",
        "sort_dir": "ASC",
        "sort_key": "create_at",
    }
    assert dict(Dialect().query(SCOPE, 0, "DELETING"))["status"] == "DELETING"


def test_rows_of_another_workspace_mean_the_older_spelling() -> None:
    """The server did not know the parameter, and showed its default workspace; it is worth a second try, once."""
    dialect = Dialect()
    assert dialect.misheard(page("0", "0"), SCOPE)
    assert ("workspaceId", "a1") in dialect.query(SCOPE, 0, None)
    assert not dialect.misheard(page("0"), SCOPE)


def test_rows_that_belong_or_do_not_say_change_nothing() -> None:
    """Neither does an empty page, nor a row that cannot be read."""
    dialect = Dialect()
    for seen in (page("a1"), page(None), page(), Page((MalformedRow("x", None, "odd"),), 1)):
        assert not dialect.misheard(seen, SCOPE)
    assert ("workspace_id", "a1") in dialect.query(SCOPE, 0, None)


def test_a_refusal_of_everybodys_listing_narrows_it_to_the_callers_own() -> None:
    """Once, and for good; what it shows is then no proof of who is gone, for others may merely be out of sight."""
    dialect = Dialect()
    assert (dialect.listing, dialect.conclusive) == ("/notebooks/all", True)
    assert dialect.may_narrow("/notebooks/all")
    assert dialect.narrow()
    assert (dialect.listing, dialect.conclusive) == ("/notebooks", False)
    assert not dialect.narrow()
    assert not dialect.may_narrow("/notebooks")


def test_what_was_seen_whole_is_never_narrowed() -> None:
    """Half a sweep that sees everybody and half that does not would take those who are out of sight for gone."""
    dialect = Dialect()
    dialect.heard("/notebooks/all")
    assert not dialect.may_narrow("/notebooks/all")


def test_ones_own_listing_is_no_proof_of_who_is_gone() -> None:
    """`scope: own` may be new, and an earlier run have seen everybody's; and there is nothing less to fall back to."""
    dialect = Dialect(listing="/notebooks")
    assert (dialect.conclusive, dialect.may_narrow("/notebooks")) == (False, False)


def test_without_a_sort_key_none_is_sent() -> None:
    """Neither key nor direction."""
    dialect = Dialect()
    dialect.unsorted()
    assert not {"sort_key", "sort_dir"} & dict(dialect.query(SCOPE, 0, None)).keys()
    assert not dialect.conclusive
