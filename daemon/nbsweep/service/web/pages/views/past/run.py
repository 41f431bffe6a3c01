"""What the page of one run shows: its sweeps, and all its removals."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.lifecycle import RemovalOutcome
from nbsweep.core.runs import RunCounts, RunRecord
from nbsweep.service.web.messages import Message
from nbsweep.service.web.pages.views.elements.paging import address
from nbsweep.service.web.pages.views.elements.sweeps import END_TITLES, SweepView, sweep_view
from nbsweep.service.web.pages.views.elements.words import reason_words
from nbsweep.service.web.pages.views.past.history_filters import PATH
from nbsweep.service.web.pages.views.past.removals import RemovalsView


class TargetSweep(Struct, frozen=True):
    """The sweep of one target."""

    target: str
    dry_run: bool
    overrides: str
    kept: Sequence[tuple[Message, int]]
    """The number of kept notebooks by reason, the most frequent first."""
    sweep: SweepView


class EndLink(Struct, frozen=True):
    """A choice of removals by outcome."""

    name: Message | None
    """None for all of them."""
    count: int
    address: str
    is_chosen: bool


class RunView(Struct, frozen=True):
    """The page."""

    run_id: str
    sweeps: Sequence[TargetSweep]
    ends: Sequence[EndLink]
    removals: RemovalsView


def build_run(records: Sequence[RunRecord], counts: Sequence[RunCounts], outcome: str, removals: RemovalsView) -> RunView:
    """Return what the page shows; there is at least one record."""
    known = {each.target: each for each in counts}
    sweeps = [_sweep(record, known.get(record.target)) for record in records]
    return RunView(records[0].run_id, sweeps, _ends(records[0].run_id, counts, outcome), removals)


def run_path(run_id: str) -> str:
    """Return the address of the page of a run."""
    return f"{PATH}/{run_id}"


def _sweep(record: RunRecord, counts: RunCounts | None) -> TargetSweep:
    kept = sorted((record.kept or {}).items(), key=lambda each: (-each[1], each[0]))
    words = [(reason_words(reason), count) for reason, count in kept]
    return TargetSweep(record.target, record.dry_run, record.overrides, words, sweep_view(record, counts))


def _ends(run_id: str, counts: Sequence[RunCounts], chosen: str) -> list[EndLink]:
    total = Counter[RemovalOutcome]()
    for each in counts:
        total.update(each.ends)
    every = EndLink(None, total.total(), run_path(run_id), is_chosen=not chosen)
    links = [
        EndLink(name, total[end], address(run_path(run_id), {"outcome": end}), is_chosen=chosen == end)
        for end, name in END_TITLES.items()
        if total[end] or chosen == end
    ]
    return [every, *links]
