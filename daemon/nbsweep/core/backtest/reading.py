"""Reads the recorded states of notebooks as surveys knew them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from nbsweep.core.backtest.model import RecordedNotebook, RecordedSurvey
from nbsweep.core.inventory.facts import KnownFacts
from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.model import Scope


@dataclass(slots=True)
class Lasting:
    """A state that lasts, with its facts, which are decoded once for its first survey and once for all others."""

    state: NotebookState
    _first: RecordedNotebook | None = None
    _later: RecordedNotebook | None = None

    def at(self, survey: int) -> RecordedNotebook:
        """Return the notebook as a survey knew it."""
        if survey <= self.state.first_survey:
            self._first = self._first or self._read(survey)
            return self._first
        if self._later is None:
            later = self._read(survey)
            # The same facts stay the same object, so that a change can be noticed at once.
            self._later = self._first if self._first and self._first.facts == later.facts else later
        return self._later

    def _read(self, survey: int) -> RecordedNotebook:
        return RecordedNotebook(
            self.state.notebook_id, Scope(self.state.workspace_id, self.state.feature), facts_of(self.state, survey)
        )


def facts_of(state: NotebookState, survey: int) -> KnownFacts | None:
    """Return the facts of a state as a survey knew them; None if this version cannot read them."""
    return state.known_at(survey)


@dataclass(slots=True)
class Fleet:
    """The states that last at a survey, as one survey follows another."""

    unreadable: int = 0
    """The number of states so far whose facts cannot be read."""
    _lasting: dict[str, Lasting] = field(default_factory=dict)

    def begin(self, states: Iterable[NotebookState]) -> None:
        """Add states that begin."""
        for state in states:
            self._lasting[state.notebook_id] = Lasting(state)
            self.unreadable += facts_of(state, state.first_survey) is None

    def at(self, survey: SurveyRecord, *, clock_trusted: bool = True) -> RecordedSurvey:
        """Return a survey with its notebooks, and forget the states that have ended."""
        self._lasting = {key: each for key, each in self._lasting.items() if each.state.lasts_at(survey.id)}
        notebooks = {key: each.at(survey.id) for key, each in self._lasting.items()}
        return RecordedSurvey(survey, notebooks, clock_trusted)
