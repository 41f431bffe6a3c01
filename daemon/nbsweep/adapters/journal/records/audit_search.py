"""The queries that find entries of the audit trail, each of which has an index however long the trail is."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all

from nbsweep.adapters.journal.audit_tables import AUDIT
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.model import microseconds

PLACE = AUDIT.c.id
"""The order of all entries, by which the latest are found."""
MOST_NAMES = 50
"""Of more people than these, one after the other is not asked for: whoever fits is soon met on the way back."""


def people_like(who: str) -> Select[Any]:
    """Find some of those who started runs and whose name holds a text; from the index, in which each is looked up once."""
    name = AUDIT.c.started_by
    people = select(func.min(name).label("name")).cte("people", recursive=True)
    following = select(func.min(name)).where(name > people.c.name).scalar_subquery()
    people = people.union_all(select(following).where(people.c.name.is_not(None)))
    return select(people.c.name).where(_holds(people.c.name, who)).limit(MOST_NAMES + 1)


def latest_entries(links: Select[Any], query: AuditQuery, names: Sequence[str] | None, limit: int) -> Select[Any]:
    """Find the latest entries that match; `names` are those that `people_like` has found."""
    conditions = list(_conditions(query))
    if names is None:
        return _latest(links.where(*conditions), limit)
    if len(names) > MOST_NAMES:
        return _latest(links.where(*conditions, _holds(AUDIT.c.started_by, query.who or "")), limit)
    # Each person's entries are in order in the index, those of several are not.
    parts = [select(_latest(links.where(*conditions, AUDIT.c.started_by == name), limit).subquery()) for name in names]
    found = union_all(*parts).subquery()
    return select(found).order_by(found.c[PLACE.name].desc()).limit(limit)


def _latest(links: Select[Any], limit: int) -> Select[Any]:
    return links.order_by(PLACE.desc()).limit(limit)


def _conditions(query: AuditQuery) -> Iterator[ColumnElement[bool]]:
    for name in ("target", "run_id", "notebook_id", "policy", "what"):
        value = getattr(query, name)
        if value is not None:
            yield AUDIT.c[name] == str(value)
    if query.since is not None:
        since = microseconds(query.since)
        # The earliest of those entries bounds the search, as moments nearly always grow with the order. The sums keep SQLite
        # from reading the trail from its beginning to find the minimum, and from sorting all later entries.
        yield select(func.min(PLACE + 0)).where(AUDIT.c.moment_us >= since).scalar_subquery() <= PLACE
        yield AUDIT.c.moment_us + 0 >= since
    if query.before is not None:
        yield query.before > PLACE


def _holds(column: Any, who: str) -> ColumnElement[bool]:
    """Return the condition that a name holds a text, in any case; a database may fold only ASCII letters."""
    folded = func.lower(column).contains(who.lower(), autoescape=True)
    exact: ColumnElement[bool] = folded | column.contains(who, autoescape=True)
    return exact
