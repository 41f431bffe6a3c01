"""`inventory`: the states of one notebook over time, or the fleet as of a moment, from the journal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import typer
from msgspec import Struct

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.cli.text import csv_pieces
from nbsweep.cli.views.past.inventory import inventory_view
from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.ports import Journal
from nbsweep.documents.past.inventory import InventoryDocument, StateDocument, state_document, survey_document

ONE = timedelta(milliseconds=1)
"""The times of surveys are shown to the millisecond, so that a time that was shown includes its survey."""


class InventoryOptions(Struct, frozen=True):
    """The options of `inventory`; exactly one of the first two is set."""

    notebook: str | None
    at: datetime | None
    target: str | None = None
    format: Literal["table", "json", "csv"] = "table"


def options_of(notebook: str | None, at: str | None) -> InventoryOptions:
    """Read the options.

    Raises:
        typer.BadParameter: `at` is no time, or not exactly one of both is given.
    """
    if (notebook is None) == (at is None):
        raise typer.BadParameter("give either a notebook or --at", param_hint="NOTEBOOK")
    return InventoryOptions(notebook, None if at is None else _moment(at))


def _moment(text: str) -> datetime:
    """Read a date, or a date and time; without a time zone it is in UTC, and a date is its beginning."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        problem = f"{text!r} is no date or time such as 2026-11-01 or 2026-11-01T09:30Z"
        raise typer.BadParameter(problem, param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def inventory_command(session: Session, options: InventoryOptions) -> Exit:
    """Show the states of a notebook, or the fleet as of a moment; not found is the exit code for wrong usage."""
    async with open_journal(session.settings.journal) as journal:
        document = await _of_moment(journal, options) if options.at else await _of_notebook(journal, options)
    if options.format == "json":
        session.write_json(document)
    elif options.format == "csv":
        session.write_pieces(csv_pieces(document.notebooks, StateDocument.__struct_fields__))
    elif document.notebooks or document.surveys:
        session.show_result(inventory_view(document))
    else:
        session.write_result(_nothing(options))
    return Exit.DONE


async def _of_notebook(journal: Journal, options: InventoryOptions) -> InventoryDocument:
    found = await journal.inventory.states_of(options.notebook or "")
    states = [state_document(state) for state in found if options.target in (None, state.target)]
    return InventoryDocument((), states)


async def _of_moment(journal: Journal, options: InventoryOptions) -> InventoryDocument:
    at = (options.at or datetime.now(UTC)) + ONE
    surveys = await journal.inventory.surveys_at(at, options.target)
    states = [(survey, await journal.inventory.states_at(survey)) for survey in surveys]
    return InventoryDocument([survey_document(survey) for survey in surveys], _documents(states))


def _documents(found: Sequence[tuple[SurveyRecord, Sequence[NotebookState]]]) -> list[StateDocument]:
    return [state_document(state, survey.id) for survey, states in found for state in states]


def _nothing(options: InventoryOptions) -> str:
    if options.at:
        return "No survey was recorded until then."
    return (
        f"No survey has shown a notebook whose ID is or begins with {options.notebook}. Notebooks are found by their IDs, not "
        "by their names: `nbsweep inventory --at DATE` lists both."
    )
