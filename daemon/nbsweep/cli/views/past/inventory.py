"""The view of `inventory`: the states of notebooks, and the surveys that answer."""

from collections.abc import Sequence

from rich.console import Group, RenderableType

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.lookup import short_ids
from nbsweep.documents.past.inventory import InventoryDocument, InventorySurveyDocument, StateDocument

COLUMNS = (
    Column("ID", leaves=3),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME),
    Column("TARGET", most=SHORT_NAME, leaves=2),
    Column("STATUS"),
    Column("GB", right=True, leaves=4),
    Column("CHANGED", leaves=1),
    Column("SEEN FROM"),
    Column("UNTIL"),
)
UNREADABLE = "unreadable"
MINUTE = 16
"""The number of characters of a time to the minute."""


def inventory_view(document: InventoryDocument) -> RenderableType:
    """Return the table of states, and below it the surveys that answer."""
    ids = short_ids(state.id for state in document.notebooks)
    table = make_table(COLUMNS, lambda: (_row(state, ids[state.id]) for state in document.notebooks))
    return Group(table, *describe_surveys(document.surveys))


def describe_surveys(surveys: Sequence[InventorySurveyDocument]) -> list[RenderableType]:
    """Return a line for each survey that answers."""
    return [
        cell(f"{one.target}: as of survey {one.survey}, {_minute(one.at)}.", "bold")
        if one.complete
        else cell(
            f"{one.target}: as of survey {one.survey}, {_minute(one.at)}, which was not complete: notebooks that it did not "
            "show are shown as earlier surveys did.",
            "yellow",
        )
        for one in surveys
    ]


def _row(state: StateDocument, short_id: str) -> Row:
    return (
        cell(short_id),
        cell(state.name or "-"),
        cell(state.owner),
        cell(state.target),
        cell(state.status or UNREADABLE),
        cell("-" if state.capacity_gb is None else f"{state.capacity_gb}"),
        cell(_minute(state.updated_at)),
        cell(_minute(state.seen_from)),
        cell(_minute(state.seen_until)),
    )


def _minute(time: str | None) -> str:
    return f"{time[:MINUTE].replace('T', ' ')}Z" if time else "-"
