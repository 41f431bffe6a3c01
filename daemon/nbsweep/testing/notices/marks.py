"""The marks in memory."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.marks.listing import MarkPage, MarkQuery, OwnerMarks, TargetMarkCounts, count_by_owner
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.notices.outbox import Item
from nbsweep.testing.notices.store import NoticeStore


class InMemoryMarks:
    """The `MarkRecords` port."""

    def __init__(self, store: NoticeStore) -> None:
        """Take the store."""
        self._store = store

    async def open_marks(self, project: str, notebook_ids: Collection[str] | None = None) -> tuple[Mark, ...]:
        """List the open marks of a project, of these notebooks if they are given, the oldest first."""
        await asyncio.sleep(0)
        named = (mark for mark in self._store.marks.values() if notebook_ids is None or mark.notebook_id in notebook_ids)
        mine = (mark for mark in named if mark.project == project and mark.open)
        return tuple(sorted(mine, key=_age))

    async def marks(
        self, limit: int, states: Collection[MarkState] = (), target: str | None = None, owner: str | None = None
    ) -> tuple[Mark, ...]:
        """List the latest marks, the newest first."""
        await asyncio.sleep(0)
        fit = (
            mark
            for mark in self._newest_first()
            if (not states or mark.state in states)
            and target in (None, mark.target)
            and (owner is None or owner.lower() in (mark.owner_id.lower(), mark.owner_name.lower()))
        )
        return tuple(fit)[:limit]

    async def page(self, query: MarkQuery, limit: int, offset: int) -> MarkPage:
        """List some of the marks that match, by owner and deadline."""
        await asyncio.sleep(0)
        found = sorted((mark for mark in self._store.marks.values() if _fits(mark, query)), key=_by_owner)
        return MarkPage(tuple(found[offset : offset + limit]), len(found))

    async def owners(self, now: datetime, target: str | None = None) -> tuple[OwnerMarks, ...]:
        """Count the open marks of each owner."""
        await asyncio.sleep(0)
        return count_by_owner([mark for mark in self._store.marks.values() if target in (None, mark.target)], now)

    async def targets(self, now: datetime) -> tuple[TargetMarkCounts, ...]:
        """Count the open marks of each target that has any, in any order."""
        await asyncio.sleep(0)
        open_ = [mark for mark in self._store.marks.values() if mark.open]
        return tuple(_counted(target, open_, now) for target in {mark.target for mark in open_})

    async def marks_of(self, notebook_id: str) -> tuple[Mark, ...]:
        """List the marks of a notebook in all projects, the newest first."""
        await asyncio.sleep(0)
        return tuple(mark for mark in self._newest_first() if mark.notebook_id == notebook_id)

    async def mark(self, mark_id: str) -> Mark | None:
        """Return a mark by its id."""
        await asyncio.sleep(0)
        return self._store.marks.get(mark_id)

    async def write(self, marks: Sequence[Mark], items: Sequence[Item] = (), dropped: str = "") -> None:
        """Store new and known marks and new items, and drop the other waiting items of these marks."""
        store = self._store
        store.check_marks(marks)
        store.check_items(items, marks)
        store.put_marks(marks)
        store.put_items(items)
        stay, written = {item.id for item in items}, {mark.id for mark in marks}
        for item in list(store.items.values()) if dropped else ():
            if item.waiting and item.mark_id in written and item.id not in stay:
                store.items[item.id] = replace(item, dropped=dropped)
        await asyncio.sleep(0)

    def _newest_first(self) -> list[Mark]:
        return sorted(self._store.marks.values(), key=_age, reverse=True)


def _counted(target: str, marks: Iterable[Mark], now: datetime) -> TargetMarkCounts:
    mine = [mark for mark in marks if mark.target == target]
    deadlines = [mark.deadline for mark in mine if mark.state is MarkState.TOLD and mark.deadline]
    later = [deadline for deadline in deadlines if deadline > now]
    return TargetMarkCounts(target, len(mine), len(deadlines) - len(later), min(later, default=None))


def _age(mark: Mark) -> tuple[datetime, str]:
    return mark.marked_at, mark.id


def _fits(mark: Mark, query: MarkQuery) -> bool:
    deadline = query.deadline_until
    return (
        (not query.states or mark.state in query.states)
        and query.target in (None, mark.target)
        and (query.owner is None or query.owner.lower() in (mark.owner_id.lower(), mark.owner_name.lower()))
        and (not query.untold or bool(mark.untold))
        and (deadline is None or (mark.deadline is not None and mark.deadline <= deadline))
    )


def _by_owner(mark: Mark) -> tuple[str, str, bool, float, str]:
    deadline = mark.deadline
    return mark.owner_name, mark.owner_id, deadline is None, deadline.timestamp() if deadline else 0.0, mark.id
