"""The port `FenceRecords` on SQLAlchemy Core.

Each write is one statement with its conditions in it, which therefore takes no lock beyond its row, and not that of the audit
trail. The caller reads the record afterwards: the epoch grows with each holder, so what is still in the record was in it.
"""

from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Text,
    bindparam,
    case,
    false,
    func,
    literal_column,
    select,
    true,
    type_coerce,
    update,
)

from nbsweep.adapters.journal.dialects import compiled, now_us
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.fleet.tables import FENCES
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.sql.inserts import insert_of
from nbsweep.adapters.journal.transaction import Change
from nbsweep.core.fences.model import Fence
from nbsweep.core.lease import Holder

_STORED = ("name", "epoch", "taken_at", "beat_at", "held", "memory")
_OF_HOLDER = Holder.__struct_fields__
_MICROSECOND = timedelta(microseconds=1)


class SqlFences:
    """The fences, in a table of the journal."""

    def __init__(self, access: Access) -> None:
        """Compile the statements."""
        dialect = access.dialect
        now = now_us(dialect.name)
        self._access = access
        self._now = now
        self._take = compiled(dialect, _taking(dialect.name, now), ["name", *_OF_HOLDER])
        self._beat = compiled(dialect, _writing(now), [])
        self._release = compiled(dialect, _writing(now).values(held=false()), [])

    async def take(self, name: str, holder: Holder, lasts: timedelta) -> Fence:
        """Take a fence if nobody holds it, and return what is stored afterwards."""
        row = {"name": name, **asdict(holder), "lasts_us": lasts // _MICROSECOND}
        await self._access.write(Change(self._take, [row], dict))
        [fence] = await self._fences(FENCES.c.name == name)
        return fence

    async def beat(self, fence: Fence, memory: str | None = None) -> bool:
        """Renew a fence; return whether the same process still holds it."""
        await self._access.write(Change(self._beat, [_row(fence, memory)], dict))
        same = await self._fences(FENCES.c.name == fence.name)
        return any(now.is_of(fence.holder) and now.epoch == fence.epoch for now in same)

    async def release(self, fence: Fence, memory: str | None = None) -> None:
        """Release a fence; one that this process does not hold any more stays."""
        await self._access.write(Change(self._release, [_row(fence, memory)], dict))

    async def all(self, prefix: str = "") -> tuple[Fence, ...]:
        """List the fences whose name begins with a text, sorted by name."""
        return await self._fences(func.substr(FENCES.c.name, 1, len(prefix)) == prefix)

    async def _fences(self, wanted: ColumnElement[bool]) -> tuple[Fence, ...]:
        ages = [_since(FENCES.c.beat_at, self._now).label("age_us"), _since(FENCES.c.memory_at, self._now).label("memory_us")]
        rows = await self._access.rows(select(FENCES, *ages).where(wanted).order_by(FENCES.c.name))
        with journal_errors(self._access.address):
            return tuple(sorted(map(_fence_of, rows), key=lambda fence: fence.name))


def _taking(dialect: str, now: ColumnElement[int]) -> Any:
    """Build the statement that takes a fence, unless another process holds it."""
    one: ColumnElement[int] = literal_column("1", BigInteger)
    nothing = {"memory": literal_column("''", Text), "memory_at": literal_column("0", BigInteger)}
    insert = insert_of(dialect, FENCES).values(epoch=one, taken_at=now, beat_at=now, held=true(), **nothing)
    mine = FENCES.c.held & (FENCES.c.owner == insert.excluded.owner)
    silent = func.abs(_since(FENCES.c.beat_at, now)) >= bindparam("lasts_us", type_=BigInteger)
    changed = {
        **{name: insert.excluded[name] for name in _OF_HOLDER},
        "epoch": case((mine, FENCES.c.epoch), else_=FENCES.c.epoch + one),
        "taken_at": case((mine, FENCES.c.taken_at), else_=now),
        "beat_at": now,
        "held": true(),
    }
    return insert.on_conflict_do_update(index_elements=["name"], set_=changed, where=mine | ~FENCES.c.held | silent)


def _writing(now: ColumnElement[int]) -> Any:
    """Build the statement that writes a beat and a memory, if the same process still holds the fence."""
    same = (FENCES.c.name == bindparam("of_name")) & (FENCES.c.owner == bindparam("of_owner"))
    still = FENCES.c.held & (FENCES.c.epoch == bindparam("of_epoch"))
    memory: ColumnElement[Any] = bindparam("of_memory", type_=Text)
    return (
        update(FENCES)
        .where(same & still)
        .values(
            beat_at=now,
            memory=func.coalesce(memory, FENCES.c.memory),
            memory_at=case((memory.is_(None), FENCES.c.memory_at), else_=now),
        )
    )


def _row(fence: Fence, memory: str | None) -> Row:
    return {"of_name": fence.name, "of_owner": fence.holder.owner, "of_epoch": fence.epoch, "of_memory": memory}


def _since(moment: ColumnElement[Any], now: ColumnElement[int]) -> ColumnElement[int]:
    return now - type_coerce(moment, BigInteger)


def _fence_of(row: RowMapping) -> Fence:
    """Convert a row to a fence.

    Raises:
        msgspec.ValidationError: it holds something that a fence cannot have.
    """
    own = {name: row[name] for name in _STORED}
    memory_age_s = row["memory_us"] / 1e6 if row["memory_at"].timestamp() else 0.0
    ages = {"age_s": row["age_us"] / 1e6, "memory_age_s": memory_age_s}
    return msgspec.convert({**own, **ages, "holder": {name: row[name] for name in _OF_HOLDER}}, Fence)
