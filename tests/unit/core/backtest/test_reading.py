"""States of the inventory, as surveys knew them."""

from builders import NOON, ago, identity, notebook
from nbsweep.core.backtest.reading import Fleet, Lasting, facts_of
from nbsweep.core.inventory.facts import encode, fact_values
from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.model import Notebook, Status, microseconds


def state(row: Notebook, first: int = 1, ended_by: int | None = None) -> NotebookState:
    """Return a state that a survey showed first, at `NOON`; of one in use, a later survey has moved its date."""
    uses = row.status is Status.RUNNING
    first_us, latest_us = (microseconds(ago(hours=2)), microseconds(ago(hours=1))) if uses else (None, None)
    facts = encode(fact_values(row, None)).decode()
    spans = (first, NOON, ended_by, NOON if ended_by else None)
    return NotebookState(row.id, "research", "0", "NOTEBOOK", *spans, first_us, None, latest_us, None, facts)


def survey(number: int) -> SurveyRecord:
    """Return a survey."""
    return SurveyRecord(identity().project, "research", identity().extent, NOON, complete=True, fleet=1, config="", id=number)


def test_a_notebook_in_use_is_as_its_first_survey_showed_it_and_then_as_the_latest_did() -> None:
    """So that it never looks idle for longer than a survey knew."""
    lasting = Lasting(state(notebook(status=Status.RUNNING)))
    dates = [facts.notebook.updated_at for number in (1, 2, 3) if (facts := lasting.at(number).facts)]
    assert dates == [ago(hours=2), ago(hours=1), ago(hours=1)]


def test_the_same_facts_stay_the_same_object() -> None:
    """What follows a notebook notices a change by that."""
    lasting = Lasting(state(notebook()))
    assert lasting.at(1) is lasting.at(2)
    assert lasting.at(2) is lasting.at(3)


def test_a_fleet_is_what_lasts_at_a_survey() -> None:
    """A state ends with the survey that ended it; the next state of the same notebook takes its place."""
    fleet = Fleet()
    fleet.begin([state(notebook(1), 1, 3), state(notebook(2), 1, 2)])
    assert sorted(fleet.at(survey(1)).notebooks) == ["nb1", "nb2"]
    assert sorted(fleet.at(survey(2)).notebooks) == ["nb1"]
    fleet.begin([state(notebook(1, name="gpt"), 3)])
    [one] = fleet.at(survey(3)).notebooks.values()
    assert one.facts is not None
    assert one.facts.notebook.name == "gpt"


def test_facts_of_another_schema_are_not_read() -> None:
    """Neither an unknown status, nor what is no JSON at all."""
    good = state(notebook())
    for text in ('{"status":"HIBERNATING"}', "{}", "what?", '{"status":"STOPPED","c":"yesterday"}'):
        broken = NotebookState(**{**{name: getattr(good, name) for name in good.__struct_fields__}, "facts": text})
        assert facts_of(broken, 1) is None
