"""The notebooks of one account in memory, in virtual time: what people and the cloud do with them."""

import heapq
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from msgspec.structs import replace

from nbsweep.core.errors import CloudError, Gone, MalformedAnswer, Rejected
from nbsweep.core.model import MalformedRow, Notebook, Scope, Status
from nbsweep.core.ports import Clock
from nbsweep.testing.faults import (
    DELETE_REFUSALS,
    STOP_REFUSALS,
    Fault,
    Pace,
)


class FakeAccount:
    """Holds notebooks and their operations; has no calls, which are those of `FakeCloud`."""

    def __init__(self, clock: Clock, notebooks: Iterable[Notebook], *, workspaces: Iterable[str], pace: Pace) -> None:
        """Hold these notebooks in these workspaces."""
        self.accepted: list[str] = []
        """The ids of all DELETEs that were accepted."""
        self.unlisted: frozenset[Status] = frozenset()
        """The states that a listing leaves out, unless its filter names the state."""
        self.pace = pace
        self._clock = clock
        self._now_s = clock.steady_s()
        self._workspaces = tuple(workspaces)
        self._notebooks = {notebook.id: notebook for notebook in notebooks}
        self._malformed: list[tuple[Scope, MalformedRow]] = []
        self._stale: dict[str, tuple[float, Notebook]] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._serials = count()

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Run a function at a time of the steady clock."""
        heapq.heappush(self._agenda, (seconds, next(self._serials), act))

    def add(self, *notebooks: Notebook) -> None:
        """Add notebooks."""
        self._notebooks.update({notebook.id: notebook for notebook in notebooks})

    def add_malformed(self, row: MalformedRow, scope: Scope) -> None:
        """Add a row that cannot be read, before all other rows of its scope."""
        self._malformed.append((scope, row))

    def put(self, notebook: Notebook) -> None:
        """Add a notebook, or replace the one with its id."""
        self._notebooks[notebook.id] = notebook

    def change(self, notebook_id: str, **fields: Any) -> None:
        """Change fields of a notebook, and its date of change."""
        moment = self._clock.now() + timedelta(seconds=self._now_s - self._clock.steady_s())
        self._notebooks[notebook_id] = replace(self._notebooks[notebook_id], **{"updated_at": moment, **fields})

    def vanish(self, notebook_id: str) -> None:
        """Remove a notebook, as the end of a deletion by someone else does."""
        self._notebooks.pop(notebook_id, None)

    def truth(self, notebook_id: str) -> Notebook | None:
        """Return a notebook as it is now, also while reads are stale; None if it is gone."""
        self.advance()
        return self._notebooks.get(notebook_id)

    def advance(self) -> None:
        """Run every function whose time has come, in order."""
        now_s = self._clock.steady_s()
        while self._agenda and self._agenda[0][0] <= now_s:
            self._now_s, _, act = heapq.heappop(self._agenda)
            act()
        self._now_s = now_s

    def listed(self, scope: Scope, status: str | None) -> list[Notebook | MalformedRow]:
        """Return the rows of a listing, oldest first."""
        if scope.workspace_id not in self._workspaces:
            raise refused(Rejected, "ModelArts.0102")
        oldest_first = sorted(self._visible(), key=lambda row: (row.created_at or datetime.max.replace(tzinfo=UTC), row.id))
        rows = [row for row in oldest_first if Scope(row.workspace_id or "0", row.feature or "NOTEBOOK") == scope]
        if status is not None:
            return [row for row in rows if row.status == status]
        shown = [row for row in rows if row.status not in self.unlisted]
        return [*(row for where, row in self._malformed if where == scope), *shown]

    def _visible(self) -> list[Notebook]:
        stale = {key: row for key, (until_s, row) in self._stale.items() if self._now_s < until_s}
        return list((self._notebooks | stale).values())

    def shown(self, notebook_id: str) -> Notebook:
        """Return a notebook as reads show it."""
        if any(row.id == notebook_id for _, row in self._malformed):
            raise MalformedAnswer("the cloud's answer is not a notebook")
        until_s, row = self._stale.get(notebook_id, (0.0, None))
        return row if row and self._now_s < until_s else self._existing(notebook_id)

    def _existing(self, notebook_id: str) -> Notebook:
        if notebook_id not in self._notebooks:
            raise refused(Gone, "ModelArts.6309")
        return self._notebooks[notebook_id]

    def begin_stop(self, notebook_id: str, fault: Fault) -> Notebook | None:
        """Stop a running notebook, or raise the refusal."""
        notebook = self._existing(notebook_id)
        if notebook.status in STOP_REFUSALS:
            raise refused(*STOP_REFUSALS[notebook.status])
        if fault.ends_in is Status.RUNNING:
            return None
        self._enter(notebook, Status.STOPPING, fault)
        if fault.ends_in is None:
            self.at(self._now_s + self.pace.stop_s, lambda: self._leave(notebook_id, Status.STOPPING, Status.STOPPED))
        return self._notebooks[notebook_id]

    def begin_deletion(self, notebook_id: str, fault: Fault) -> str:
        """Delete a notebook, or raise the refusal; return the request id."""
        notebook = self._existing(notebook_id)
        if notebook.status in DELETE_REFUSALS:
            raise refused(*DELETE_REFUSALS[notebook.status])
        self.accepted.append(notebook_id)
        self._enter(notebook, Status.DELETING, fault)
        if fault.ends_in is not Status.DELETING:
            end = fault.ends_in or Status.DELETED
            self.at(self._now_s + self.pace.deletion_s, lambda: self._leave(notebook_id, Status.DELETING, end))
        return f"request-{len(self.accepted)}"

    def _enter(self, notebook: Notebook, status: Status, fault: Fault) -> None:
        if fault.stale_s:
            self._stale[notebook.id] = (self._now_s + fault.stale_s, notebook)
        self.change(notebook.id, status=status)

    def _leave(self, notebook_id: str, status: Status, end: Status) -> None:
        """End an operation, unless the notebook has another status by now."""
        notebook = self._notebooks.get(notebook_id)
        if notebook is None or notebook.status is not status:
            return
        if end is Status.DELETED:
            self.vanish(notebook_id)
        elif end is Status.DELETE_FAILED:
            self.change(notebook_id, status=end, fail_reason="Failed to delete the storage resources of the instance.")
        else:
            self.change(notebook_id, status=end)


def refused(kind: type[CloudError], code: str) -> CloudError:
    """Return the error of a refused call."""
    return kind(f"the cloud refused: HTTP 400 {code}", code=code, http_status=400)
