"""The JSON documents of the inventory."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.model import Status
from nbsweep.documents.base import Count, Document, Time, moment_text

UNKNOWN = "unknown"
"""The owner of a notebook whose row could not be read, as for one that shows none."""


class StateDocument(Document, frozen=True):
    """The state of a notebook, from the survey that showed it first to the one that showed it no more."""

    target: str
    id: Annotated[str, Meta(description="The ID of the notebook.")]
    name: str | None
    owner: str
    status: Annotated[Status | None, Meta(description="null, like all facts, if the row of the notebook could not be read.")]
    workspace: str
    capacity_gb: Count | None
    created_at: Time | None
    updated_at: Annotated[Time | None, Meta(description="The latest in this state.")]
    last_active: Annotated[Time | None, Meta(description="When nbsweep had last seen a notebook at rest in use.")]
    seen_from: Time
    seen_until: Annotated[Time | None, Meta(description="null while the state lasts.")]


class InventorySurveyDocument(Document, frozen=True):
    """The survey that answers for a moment."""

    survey: Annotated[Count, Meta(description="The number of the survey.")]
    target: str
    at: Time
    complete: Annotated[bool, Meta(description="Whether notebooks that it did not show counted as gone.")]
    fleet: Count


class InventoryDocument(Document, frozen=True):
    """The states of one notebook over time, or the fleet as of a moment."""

    surveys: Annotated[Sequence[InventorySurveyDocument], Meta(description="The surveys that answer for a moment.")]
    notebooks: Sequence[StateDocument]


def state_document(state: NotebookState, survey: int | None = None) -> StateDocument:
    """Return the document of a state, as a survey knew it, or as the latest one did."""
    facts = state.known_at(state.first_survey + 1 if survey is None else survey)
    notebook = facts.notebook if facts else None
    volume = notebook.volume if notebook else None
    return StateDocument(
        target=state.target,
        id=state.notebook_id,
        name=notebook.name if notebook else None,
        owner=notebook.owner_label if notebook else UNKNOWN,
        status=notebook.status if notebook else None,
        workspace=state.workspace_id,
        capacity_gb=volume.capacity_gb if volume else None,
        created_at=moment_text(notebook.created_at if notebook else None),
        updated_at=moment_text(notebook.updated_at if notebook else None),
        last_active=moment_text(facts.last_active if facts else None),
        seen_from=moment_text(state.seen_from),
        seen_until=moment_text(state.seen_until),
    )


def survey_document(survey: SurveyRecord) -> InventorySurveyDocument:
    """Return the document of a survey."""
    return InventorySurveyDocument(survey.id, survey.target, moment_text(survey.at), survey.complete, survey.fleet)
