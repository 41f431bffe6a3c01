"""Follows the notebook of a would-be deletion through the surveys after it."""

from dataclasses import dataclass, field

from nbsweep.core.backtest.labels import Sighting
from nbsweep.core.backtest.model import RecordedSurvey, WouldBe
from nbsweep.core.inventory.facts import KnownFacts


@dataclass(slots=True)
class Followed:
    """A would-be deletion whose notebook is followed through the surveys after it."""

    would_be: WouldBe
    sightings: list[Sighting] = field(default_factory=list)
    _last: KnownFacts | None = None
    _gone: bool = False

    def see(self, recorded: RecordedSurvey) -> None:
        """Note what a survey shows, if it is the first or something else than before."""
        if self._gone:
            return
        found, at = recorded.notebooks.get(self.would_be.notebook.id), recorded.record.at
        if found is None or is_another(found.facts, self.would_be):
            # The inventory forgets a notebook only if a complete survey no longer shows it.
            self._gone = True
            self.sightings.append(Sighting(at, gone=True))
        elif not self.sightings or found.facts is not self._last:
            self._last = found.facts
            self.sightings.append(Sighting(at, found.facts))


def is_another(facts: KnownFacts | None, would_be: WouldBe) -> bool:
    """Return whether facts are of another instance with the same id; a date of creation that is not known differs from none."""
    if facts is None or facts.notebook.created_at is None or would_be.notebook.created_at is None:
        return False
    return facts.notebook.created_at != would_be.notebook.created_at
