"""The write statements of the journal."""

from typing import Any

from sqlalchemy import Dialect, bindparam, func, insert, literal_column, select, update

from nbsweep.adapters.journal.dialects import compiled, upsert
from nbsweep.adapters.journal.rows import RowMapper
from nbsweep.adapters.journal.tables import REMOVALS, RUNS
from nbsweep.core.lifecycle import Removal
from nbsweep.core.runs import RunRecord

_RUN_MAPPER = RowMapper(RunRecord, RUNS)
_REMOVAL_MAPPER = RowMapper(Removal, REMOVALS)


class Statements:
    """The compiled write statements; compiled once, because a sweep executes each thousands of times."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile the statements for one kind of database."""
        mine = (RUNS.c.run_id == bindparam("of_run")) & (RUNS.c.target == bindparam("of_target"))
        removals = upsert(dialect.name, REMOVALS, frozen=["position"]).values(position=_next_position())
        self.open_run = compiled(dialect, insert(RUNS), _RUN_MAPPER.names)
        self.close_run = compiled(dialect, update(RUNS).where(mine), _RUN_MAPPER.names)
        self.upsert_removal = compiled(dialect, removals, _REMOVAL_MAPPER.names)


def _next_position() -> Any:
    earlier = REMOVALS.alias("earlier")
    # Literals, because all parameters in the text are taken from the rows.
    following = func.coalesce(func.max(earlier.c.position) + literal_column("1"), literal_column("0"))
    return select(following).where(earlier.c.run_id == bindparam("of_run")).scalar_subquery()
