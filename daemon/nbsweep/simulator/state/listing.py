"""One page of notebooks: select, sort, cut; ModelArts API, section 1.2."""

from collections.abc import Callable
from typing import Any

from nbsweep.simulator.state.index import Index
from nbsweep.simulator.state.model import Instance
from nbsweep.simulator.state.query import Condition, Query

_SORT_VALUES: dict[str, Callable[[Instance], Any]] = {
    "create_at": lambda instance: instance.create_at_ms,
    "createTime": lambda instance: instance.create_at_ms,
    "update_at": lambda instance: instance.update_at_ms,
    "name": lambda instance: instance.name,
    "status": lambda instance: instance.shown_status,
    "id": lambda instance: instance.id,
    "feature": lambda instance: instance.feature,
    "flavor": lambda instance: instance.flavor,
    "owner": lambda instance: instance.owner.name,
}


def page(shelves: Index, query: Query, only: Condition | None) -> tuple[list[Instance], int]:
    """Return the page's notebooks, and how many there are on all pages; `only` narrows to the caller's own."""
    if not query.conditions and only is None and query.sort_keys == ("create_at",) and len(query.features) == 1:
        return _slice(shelves, query)
    everything = [found for feature in query.features for found in shelves.page(feature, query.workspace_id, slice(None))]
    if len(query.features) > 1:
        everything.sort(key=lambda instance: (instance.create_at_ms, instance.id))
    conditions = query.conditions if only is None else (only, *query.conditions)
    found = _matching(everything, conditions)
    if query.sort_keys != ("create_at",):
        values = [_SORT_VALUES[key] for key in (*query.sort_keys, "id")]
        found.sort(key=lambda instance: tuple(value(instance) for value in values))
    if query.descending:
        found.reverse()
    return found[query.offset : query.offset + query.limit], len(found)


def envelope(query: Query, total: int, rows: list[Any]) -> dict[str, Any]:
    """Return the answer around a page; `current` counts from 0 and `size` is the page size, as in the examples."""
    return {
        "current": query.offset // query.limit,
        "data": rows,
        "pages": -(-total // query.limit),
        "size": query.limit,
        "total": total,
    }


def _slice(shelves: Index, query: Query) -> tuple[list[Instance], int]:
    total = shelves.size(query.features[0], query.workspace_id)
    first, last = query.offset, min(query.offset + query.limit, total)
    if not query.descending:
        return shelves.page(query.features[0], query.workspace_id, slice(first, last)), total
    found = shelves.page(query.features[0], query.workspace_id, slice(max(total - last, 0), max(total - first, 0)))
    found.reverse()
    return found, total


def _matching(instances: list[Instance], conditions: tuple[Condition, ...]) -> list[Instance]:
    for condition in conditions:
        instances = [instance for instance in instances if condition(instance)]
    return instances
