"""The marks of a replay: made, confirmed and cleared as a sweep does, by owners who are told shortly after the survey."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nbsweep.core.marks.model import Mark, promise, take_over_promise, tell
from nbsweep.core.notices.deadlines import deadline_to_write
from nbsweep.core.planning.marking import Marking, MarkLimits, SurveyedMarks, mark_survey

TOLD_AFTER = timedelta(minutes=1)
"""When owners are told after a survey, so that the grace has not ended at a survey exactly that much later, as in reality."""
TOLD_BY = "assumed by the back-test"


@dataclass(slots=True)
class ReplayedMarks:
    """The marks of one target during a replay."""

    open: dict[str, Mark] = field(default_factory=dict)
    """By notebook id."""
    made: int = 0
    _promised: dict[str, list[Mark]] = field(default_factory=dict)
    """Ended marks whose owners were told a deadline, which binds the next mark of the same instance."""

    def update(self, seen: SurveyedMarks, limits: MarkLimits) -> None:
        """Bring the marks up to date after a survey, and tell the owners of those that are to be announced."""
        marking = mark_survey(seen, limits)
        for mark in marking.ended:
            self._end(mark.notebook_id)
        self.open |= {mark.notebook_id: mark for mark in marking.kept}
        for mark in marking.new:
            self.open[mark.notebook_id] = take_over_promise(mark, self._promised.get(mark.notebook_id, ()))
        self.made += len(marking.new)
        self._announce(marking, seen)

    def _end(self, notebook_id: str) -> None:
        mark = self.open.pop(notebook_id)
        if mark.deadline is not None:
            self._promised.setdefault(notebook_id, []).append(mark)

    def _announce(self, marking: Marking, seen: SurveyedMarks) -> None:
        now = seen.moment.now + TOLD_AFTER
        for mark in marking.to_announce:
            self.open[mark.notebook_id] = _told(self.open[mark.notebook_id], now, seen)


def _told(mark: Mark, now: datetime, seen: SurveyedMarks) -> Mark:
    deadline = deadline_to_write(mark, seen.rules.graces[mark.policy], now)
    return tell(promise(mark, deadline), now, TOLD_BY, clock_verified=True)
