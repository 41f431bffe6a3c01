"""Makes of a recorded survey the very plan that a sweep made, or would have made, of that survey.

The functions are those of a sweep; only the rows come from the inventory instead of the cloud.
"""

from msgspec import Struct

from nbsweep.core.backtest.model import RecordedNotebook, RecordedSurvey
from nbsweep.core.facts import Moment
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Rules
from nbsweep.core.listing.belonging import Coverage
from nbsweep.core.model import MalformedRow, Notebook, Scope
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import ORDINARY, Circumstances, Plan, Survey, build_plan
from nbsweep.core.planning.tally import Tally, join_tallies

UNREADABLE = "its recorded facts cannot be read by this version of nbsweep"
NOT_RECORDED = MalformedRow(None, None, "it was counted, and its row was not recorded, because it could not be read")
NOWHERE = Scope("", "")
NOT_COMPLETE = "it is recorded as not complete"
"""The gap of a survey that is not complete: as in a sweep, nothing is deleted or marked, and marks may still be cleared."""


class Surveyed(Struct, frozen=True):
    """A recorded survey, judged by rules."""

    survey: Survey
    moment: Moment
    undecided: frozenset[str]
    """Ids of the notebooks that are kept because the inventory lacks a fact."""


def plan_at(recorded: RecordedSurvey, rules: Rules, brakes: Brakes, circumstances: Circumstances = ORDINARY) -> Plan:
    """Return the plan of a recorded survey; `rules` hold the exemptions and marks of that moment."""
    return build_plan(survey_at(recorded, rules).survey, brakes, circumstances)


def survey_at(recorded: RecordedSurvey, rules: Rules) -> Surveyed:
    """Judge the notebooks of a recorded survey."""
    moment, tally = moment_at(recorded), Tally()
    for notebook in recorded.notebooks.values():
        tally.add(row_of(notebook), notebook.scope, rules, moment)
    # A row that could not be read and has no earlier state is only in the number of notebooks.
    for _ in range(recorded.record.fleet - len(recorded.notebooks)):
        tally.add(NOT_RECORDED, NOWHERE, rules, moment)
    gaps = () if recorded.record.complete else (NOT_COMPLETE,)
    survey = join_tallies(recorded.record.target, moment.now, [tally], gaps)
    return Surveyed(survey, moment, frozenset(tally.undecided))


def row_of(notebook: RecordedNotebook) -> Notebook | MalformedRow:
    """Return the row of a listing; facts that cannot be read are a row that cannot be read, whose notebook is kept."""
    return notebook.facts.notebook if notebook.facts else MalformedRow(notebook.notebook_id, None, UNREADABLE)


def moment_at(recorded: RecordedSurvey) -> Moment:
    """Return the time of a survey, and when notebooks had been seen in use until then."""
    known = ((key, each.facts.last_active) for key, each in recorded.notebooks.items() if each.facts)
    return Moment(recorded.record.at, {key: last_active for key, last_active in known if last_active})


def coverage_of(identity: TargetIdentity) -> Coverage:
    """Return what a recorded target covered."""
    return Coverage(identity.workspaces, identity.features)
