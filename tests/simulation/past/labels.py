"""Labels would-be deletions by the true history of the year, as an oracle that shares no code with nbsweep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from nbsweep.core.backtest.model import Labelled, WouldBe
from nbsweep.core.model import MalformedRow, Notebook, Status
from simulation.past.truth import Glimpse, Instance, Truth, instance_of

LONGEST_GAP = timedelta(days=8)
IN_USE = frozenset({Status.RUNNING, Status.STARTING, Status.STOPPING, Status.CREATING})
KEPT_NAME = "keep-"


@dataclass(frozen=True, slots=True)
class TrueLabel:
    """What became of a notebook, in the words of the documents."""

    label: str
    cause: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Follower:
    """Follows one instance through the surveys after its would-be deletion."""

    truth: Truth
    base: Notebook
    since: datetime
    """The true time from which what its owner does counts as a return."""
    rested: bool
    at: datetime
    """When it would have been deleted."""
    came_back: datetime | None = None
    gone: datetime | None = None
    ran: bool = False
    unreadable: bool = False

    def see(self, glimpse: Glimpse) -> None:
        """Take note of what a survey was shown, until the end is known."""
        if self.came_back or self.gone:
            return
        row = glimpse.rows.get(self.base.id)
        if isinstance(row, MalformedRow):
            self.unreadable = True
        elif row is None:
            self.gone = glimpse.at if glimpse.complete else None
        elif row.created_at != self.base.created_at:
            self.gone = glimpse.at
        elif self._returned(row, glimpse):
            self.came_back = glimpse.at
        else:
            self.ran |= row.status in IN_USE
            if not self.rested and row.status not in IN_USE:
                self.rested, self.since, self.base = True, glimpse.true_at, row

    def _returned(self, row: Notebook, glimpse: Glimpse) -> bool:
        """Return whether the owner has done something since that this survey could show."""
        mine = instance_of(self.base)
        used = self.rested and any(self.since < at <= glimpse.true_at for at in self.truth.used.get(mine, ()))
        # An order of nbsweep moves the date, too: from then on only what is seen in use was surely used.
        seen_used = used and (row.status in IN_USE or row.status is Status.START_FAILED or not self._is_ordered(glimpse))
        renewed = any(self.since < at <= glimpse.true_at for at in self.truth.renewed.get(mine, ())) and row.lease is not None
        kept = _is_kept(row) and not _is_kept(self.base)
        return seen_used or renewed or kept or row.name != self.base.name or row.owner != self.base.owner

    def _is_ordered(self, glimpse: Glimpse) -> bool:
        return any(self.at <= at <= glimpse.at for at in self.truth.ordered.get(self.base.id, ()))


def _is_kept(row: Notebook) -> bool:
    return "keep" in (row.tags or {}) or (row.name or "").startswith(KEPT_NAME)


def true_label(would_be: WouldBe, truth: Truth, horizon: timedelta, known_until: datetime) -> TrueLabel:
    """Return the label of a would-be deletion by the truth."""
    ends = would_be.at + horizon
    glimpses = list(truth.glimpses)
    here = next(each for each in glimpses if each.at == would_be.at)
    row = here.rows[would_be.notebook.id]
    assert isinstance(row, Notebook)
    follower = Follower(truth, row, here.true_at, row.status not in IN_USE, would_be.at)
    later = [each for each in glimpses if each.number > here.number]
    for glimpse in later:
        if glimpse.at <= ends:
            follower.see(glimpse)
    granted = min(_grants(row, truth, would_be.at, follower.gone or ends), default=None)
    back = min(filter(None, (follower.came_back, granted)), default=None)
    if back is not None:
        return TrueLabel("came-back", at=back)
    if cause := _doubt(would_be, follower, later, ends, known_until):
        return TrueLabel("censored", cause)
    return TrueLabel("removed-by-owner", at=follower.gone) if follower.gone else TrueLabel("still-idle")


def _grants(row: Notebook, truth: Truth, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield when exemptions were granted that cover a notebook."""
    mine: Instance = instance_of(row)
    for at, instance, owner in truth.grants:
        if after < at <= until and (instance == mine if instance else owner == row.owner.name):
            yield at


def _doubt(would_be: WouldBe, follower: Follower, later: Sequence[Glimpse], ends: datetime, known_until: datetime) -> str:
    """Return why nobody can say what became of the notebook; empty if it is known."""
    gone = follower.gone
    orders = follower.truth.ordered.get(would_be.notebook.id, ())
    if gone and any(would_be.at <= at <= gone for at in orders):
        return "deleted-by-nbsweep"
    if gone is None and known_until < ends:
        return "horizon-not-over"
    times = [would_be.at]
    for glimpse in later:
        if glimpse.complete:
            times.append(glimpse.at)
            if glimpse.at >= (gone or ends):
                break
    if times[-1] < (gone or ends) or any(after - before > LONGEST_GAP for before, after in pairwise(times)):
        return "surveys-missing"
    if follower.unreadable:
        return "facts-unreadable"
    return "ran-on" if would_be.stop_first and follower.ran else ""


def check_labels(
    found: Sequence[Labelled], truth: Truth, horizon: timedelta, known_until: datetime
) -> Iterator[tuple[int, str]]:
    """Yield each label that does not agree with the truth."""
    for each in found:
        expected = true_label(each.would_be, truth, horizon, known_until)
        said = TrueLabel(str(each.label), str(each.cause or ""), each.label_at)
        if said != expected:
            one = each.would_be
            yield 3, f"{one.notebook.id} would be deleted at {one.at} and is {said} ({each.sign}), but truly {expected}"
