"""Selects the states of the notebooks that a target covers."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, Subquery, union_all

from nbsweep.adapters.journal.inventory.tables import INVENTORY, LASTS
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.model import SurveyRecord


def covered(identity: TargetIdentity) -> Iterator[Any]:
    """Yield the conditions that a state is of a notebook that a target covers."""
    yield INVENTORY.c.project == identity.project
    yield INVENTORY.c.caller == identity.caller
    yield INVENTORY.c.feature.in_(identity.features)
    if identity.workspaces is not None:
        yield INVENTORY.c.workspace_id.in_(identity.workspaces)


def known_with(states: Select[Any], survey: SurveyRecord, identity: TargetIdentity) -> Subquery:
    """Select those of states that are of a notebook that a survey covers, and were known with it."""
    begun = states.where(*covered(identity), INVENTORY.c.first_survey <= survey.id)
    # Each has an index of its own, so that states that ended long ago are not read.
    return union_all(begun.where(LASTS), begun.where(INVENTORY.c.ended_by > survey.id)).subquery()
