"""What the page of a back-test shows: plain values, which its template only arranges."""

from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct


class CountsRow(Struct, frozen=True):
    """The deletions of one policy, owner, week, threshold or side of a comparison."""

    name: str
    bar: Markup
    """Drawn by `charts`, which escapes every text."""
    deletions: int
    came_back: int
    regret: str
    interval: str
    removed: int
    idle: int
    censored: int
    capacity_gb: int


class CountsTable(Struct, frozen=True):
    """A table of counts, and the sentence below it."""

    title: str
    heading: str
    """Of the first column."""
    rows: Sequence[CountsRow]
    note: str = ""
    chart: Markup = Markup()
    """Beside the table; empty for none."""


class RegretRow(Struct, frozen=True):
    """A notebook that somebody came back for."""

    name: str
    id: str
    owner: str
    target: str
    policy: str
    reason: str
    capacity_gb: int
    at: str
    back: str
    after: str
    how: str


class ReturnRow(Struct, frozen=True):
    """How many came back within a time after the deletion."""

    time: str
    count: int


class RecreatedRow(Struct, frozen=True):
    """A notebook that nbsweep really deleted, and the one that its owner created after that."""

    name: str
    id: str
    owner: str
    policy: str
    deleted: str
    new: str
    created: str
    same: str
    """What both have in common, besides the owner."""


class RealitySection(Struct, frozen=True):
    """What really came of the notebooks that nbsweep deleted, and of those that were held out."""

    deleted: str
    """In one sentence; empty if nothing was deleted."""
    recreated: Sequence[RecreatedRow]
    recreated_note: str
    held: str
    """In one sentence; empty if nothing was held out."""
    held_rows: Sequence[CountsRow]


class PastRow(Struct, frozen=True):
    """What is known of the past of one target."""

    target: str
    surveys: int
    unusable: int
    first: str
    last: str
    refused: int
    ordered: int
    kept: int
    """Notebooks and states that were kept because the inventory lacks a fact or cannot be read."""


class Report(Struct, frozen=True):
    """The page."""

    policies: str
    since: str
    until: str
    horizon: str
    surveys: str
    headline: str
    breakdown: str
    warning: str
    limit: str
    limit_kept: bool
    facts: Sequence[tuple[str, str]]
    """The most important figures, each with its name; none if nothing would have been deleted."""
    tables: Sequence[CountsTable]
    regrets: Sequence[RegretRow]
    regrets_note: str
    returns: Sequence[ReturnRow]
    return_chart: Markup
    reality: RealitySection | None
    """None if nothing was really deleted or held out."""
    past: Sequence[PastRow]
    assumptions: Sequence[str]
