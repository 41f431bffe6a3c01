"""The filters of the page History, and the addresses that keep them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec import Struct

from nbsweep.service.web.messages import Message
from nbsweep.service.web.pages.views.elements.paging import address
from nbsweep.service.web.pages.views.elements.sweeps import END_TITLES

PATH = "/history"
USUAL = "30d"
AGES = {"7d": timedelta(days=7), USUAL: timedelta(days=30), "90d": timedelta(days=90), "365d": timedelta(days=365)}
"""The lengths of time that the page offers."""
ENDED = [end for end in END_TITLES if end != "unfinished"]
"""The outcomes that the page offers."""


class Filters(Struct, frozen=True):
    """What is chosen; empty texts choose everything."""

    since: str
    age: timedelta
    target: str = ""
    outcome: str = ""
    page: int = 1

    def address(self, path: str = PATH, page: int = 1) -> str:
        """Return the address of the same choice, on another page or as a file."""
        since = "" if self.since == USUAL else self.since
        paged = "" if page == 1 else str(page)
        return address(path, {"target": self.target, "since": since, "outcome": self.outcome, "page": paged})


class AgeChoice(Struct, frozen=True):
    """A length of time."""

    value: str
    age: timedelta


class OutcomeChoice(Struct, frozen=True):
    """An outcome."""

    value: str
    name: Message


class FilterView(Struct, frozen=True):
    """The form of the filters."""

    target: str
    targets: Sequence[str]
    since: str
    ages: Sequence[AgeChoice]
    outcome: str
    outcomes: Sequence[OutcomeChoice]


def build_filters(chosen: Filters, targets: Iterable[str]) -> FilterView:
    """Return the form; what is chosen is among the choices, also if the page does not offer it."""
    ages = {**AGES, chosen.since: chosen.age}
    return FilterView(
        target=chosen.target,
        targets=[*dict.fromkeys([*targets, *filter(None, [chosen.target])])],
        since=chosen.since,
        ages=[AgeChoice(value, age) for value, age in sorted(ages.items(), key=lambda each: each[1])],
        outcome=chosen.outcome,
        outcomes=[OutcomeChoice(end, END_TITLES[end]) for end in ENDED],
    )
