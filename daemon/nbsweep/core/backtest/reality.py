"""What really came of a target's notebooks: those that nbsweep deleted and owners created again, and those that were held out.

A would-be deletion of the past shows who came back only if the notebook was still there. These two show it after real sweeps.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from nbsweep.core.backtest.following import Followed
from nbsweep.core.backtest.labels import Aftermath, label
from nbsweep.core.backtest.model import Labelled, Past, RecordedNotebook, RecordedSurvey, WouldBe
from nbsweep.core.backtest.recreated import Created, Deleted, Recreated, find_recreated
from nbsweep.core.holdout.model import Hold
from nbsweep.core.judging.rules import Rules
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Notebook


class Reality(Struct, frozen=True):
    """What really came of notebooks."""

    deleted: int = 0
    """How many notebooks nbsweep really deleted."""
    recreated: tuple[Recreated, ...] = ()
    held: tuple[Labelled, ...] = ()
    """The notebooks that were held out, as deletions that would have been, with their labels: the live estimate."""


@dataclass(slots=True)
class RealityReader:
    """Follows the notebooks of a target through its surveys, in the order of their numbers."""

    project: str
    past: Past
    holds: Collection[Hold]
    since: datetime
    """Only a notebook that was created after this can be a new one."""
    _followed: list[tuple[Hold, Followed]] = field(default_factory=list)
    _complete: list[tuple[int, datetime]] = field(default_factory=list)
    _last: dict[str, Notebook] = field(default_factory=dict)
    """The latest facts of each notebook that was deleted."""
    _created: dict[tuple[str, datetime], Created] = field(default_factory=dict)

    def take(self, recorded: RecordedSurvey) -> None:
        """Look at a survey; one whose clock was ahead says nothing."""
        if not recorded.clock_trusted:
            return
        if recorded.record.complete:
            self._complete.append((recorded.record.id, recorded.record.at))
        for hold, followed in self._followed:
            if recorded.record.at <= hold.until:
                followed.see(recorded)
        self._followed += [(hold, Followed(would_be)) for hold in self.holds if (would_be := _would_be(hold, recorded))]
        ordered = {removal.notebook_id for removal in self.past.orders}
        for notebook in recorded.notebooks.values():
            self._note(notebook, ordered)

    def _note(self, recorded: RecordedNotebook, ordered: Collection[str]) -> None:
        notebook = recorded.facts.notebook if recorded.facts else None
        if notebook is None:
            return
        if notebook.id in ordered:
            self._last[notebook.id] = notebook
        if notebook.created_at is not None and notebook.created_at > self.since:
            self._created.setdefault((notebook.id, notebook.created_at), Created(self.project, notebook))

    def result(self, rules: Rules, known_until: datetime) -> Reality:
        """Return what came of the notebooks; `rules` say which tags and names keep one."""
        deleted = [removal for removal in self.past.orders if removal.state is State.DELETED]
        return Reality(
            len(deleted),
            find_recreated(_deleted(deleted, self._last), self._created.values()),
            tuple(self._labelled(hold, followed, rules, known_until) for hold, followed in self._followed),
        )

    def _labelled(self, hold: Hold, followed: Followed, rules: Rules, known_until: datetime) -> Labelled:
        later = [at for number, at in self._complete if number > followed.would_be.survey]
        after = Aftermath(followed.sightings, later, known_until, self.past)
        return label(followed.would_be, after, rules, hold.until - hold.since)


def _deleted(removals: Sequence[Removal], facts: Mapping[str, Notebook]) -> list[Deleted]:
    return [Deleted(removal, facts.get(removal.notebook_id)) for removal in removals]


def _would_be(hold: Hold, recorded: RecordedSurvey) -> WouldBe | None:
    """Return the deletion that a hold spared, if it began with this survey."""
    found = recorded.notebooks.get(hold.notebook_id)
    if hold.since != recorded.record.at or found is None or found.facts is None:
        return None
    notebook = found.facts.notebook
    if notebook.created_at != hold.notebook_created_at:
        return None
    return WouldBe(hold.target, recorded.record.id, hold.since, notebook, hold.policy, "held out", found.facts.last_active)
