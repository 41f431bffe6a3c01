"""Any record that a journal may be given, for the suites about it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar, get_type_hints

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nbsweep.core.exemptions.model import GrantedBy, Selector
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.model import ClearCause, MarkState
from nbsweep.core.model import Status
from nbsweep.core.notices.outbox import ItemKind, MessageKind, MessageState
from nbsweep.core.pacing import LaneState
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.runs import Outcome

Record = TypeVar("Record")

# The journal of a test is shared by the examples that hypothesis tries in it: each takes a run of its own.
examples = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
numbers = st.integers(0, 2**63 - 1)
zones = st.one_of(st.just(UTC), st.builds(timezone, st.timedeltas(timedelta(hours=-14), timedelta(hours=14))))
moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001  # made aware by `timezones`
rates = st.floats(0.001, 1e6)
lane_states = st.builds(LaneState, texts, st.none() | rates, rates, st.none() | texts)
params = st.dictionaries(texts, texts | numbers, max_size=3)
parts = st.builds(Statement, texts, params, st.just(()), texts)
statements = st.builds(Statement, texts, params, st.lists(parts, max_size=2).map(tuple), texts)
VALUES: Mapping[object, st.SearchStrategy[object]] = {
    str: texts,
    str | None: st.none() | texts,
    int: numbers,
    int | None: st.none() | numbers,
    bool: st.booleans(),
    datetime: moments,
    datetime | None: st.none() | moments,
    Status: st.sampled_from(Status),
    Outcome: st.sampled_from(Outcome),
    State: st.sampled_from(State),
    MarkState: st.sampled_from(MarkState),
    ClearCause | None: st.none() | st.sampled_from(ClearCause),
    ItemKind: st.sampled_from(ItemKind),
    MessageKind: st.sampled_from(MessageKind),
    MessageState: st.sampled_from(MessageState),
    GrantedBy: st.sampled_from(GrantedBy),
    Selector: st.builds(Selector, *[st.none() | texts, st.none() | moments, st.none() | texts, st.none() | texts]),
    tuple[str, ...]: st.lists(texts, max_size=4).map(tuple),
    Mapping[str, str]: st.dictionaries(texts, texts, max_size=5),
    tuple[LaneState, ...] | None: st.none() | st.lists(lane_states, max_size=4).map(tuple),
    tuple[Statement, ...] | None: st.none() | st.lists(statements, max_size=3).map(tuple),
    Mapping[str, int] | None: st.none() | st.dictionaries(texts, numbers, max_size=5),
}


def any_of(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Make records whose every field may hold whatever it can."""
    return st.builds(kind, **{name: VALUES[hint] for name, hint in get_type_hints(kind).items()})
