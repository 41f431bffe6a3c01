"""The notebooks that reads can find, kept in order for each workspace and feature."""

from bisect import bisect_left, insort

from nbsweep.simulator.state.model import Instance

_Entry = tuple[int, str, Instance]
_Key = tuple[str, str]


class Index:
    """One list for each (feature, workspace), oldest first; a page is a slice."""

    def __init__(self) -> None:
        self._shelves: dict[_Key, list[_Entry]] = {}

    def put(self, instance: Instance) -> None:
        """Add a notebook at its place by creation time and id."""
        insort(self._shelves.setdefault(_key(instance), []), _entry(instance))

    def take(self, instance: Instance) -> None:
        """Remove a notebook; its creation time must be the same as when it was added."""
        shelf = self._shelves[_key(instance)]
        del shelf[bisect_left(shelf, _entry(instance))]

    def size(self, feature: str, workspace_id: str) -> int:
        """Return the number of notebooks."""
        return len(self._shelves.get((feature, workspace_id), ()))

    def page(self, feature: str, workspace_id: str, wanted: slice) -> list[Instance]:
        """Return a slice, oldest first."""
        return [entry[2] for entry in self._shelves.get((feature, workspace_id), [])[wanted]]


def _key(instance: Instance) -> _Key:
    return (instance.feature, instance.workspace_id)


def _entry(instance: Instance) -> _Entry:
    # Ids are unique, so comparing two entries never reaches the notebooks themselves.
    return (instance.create_at_ms, instance.id, instance)
