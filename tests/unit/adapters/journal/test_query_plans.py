"""No statement of the journal reads a whole large table, as SQLite plans it; PostgreSQL's plans are tested in `postgresql`."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.pool import Pool

from journal_calls import ALLOWED, CALLS, SHORT, SMALL, Call, make, methods
from nbsweep.adapters.journal import open_journal

SCAN = re.compile(r"^SCAN (?!CONSTANT ROW)(\w+)(?: USING (?:COVERING )?INDEX (\w+))?")


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Yield what SQLite has carried out so far, with all values, on connections that are made meanwhile."""
    found: list[str] = []

    def trace(connection: AdaptedConnection, *_: object) -> None:
        connection.run_async(lambda driver: driver.set_trace_callback(found.append))

    event.listen(Pool, "connect", trace)
    yield found
    event.remove(Pool, "connect", trace)


def scans(connection: sqlite3.Connection, statement: str) -> set[str]:
    """Return which tables a statement reads as a whole, by the plan that SQLite makes for it; small tables do not count."""
    if statement.lstrip().partition(" ")[0] not in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
        return set()
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    read = {(match[1], match[2]) for match in map(SCAN.match, plan) if match}
    # The first rows in the order of an index are few rows, if nothing is left out.
    in_order = "LIMIT" in statement and "WHERE" not in statement and "USE TEMP B-TREE FOR ORDER BY" not in plan
    made = {line.split()[1] for line in plan if line.startswith(("CO-ROUTINE", "MATERIALIZE"))}
    names = set() if in_order else {table for table, index in read if index not in SHORT}
    return {name for name in names - made if name not in SMALL and not name.startswith(("json_", "anon_"))}


async def test_no_statement_reads_all_rows_of_a_large_table(tmp_path: Path, statements: list[str]) -> None:
    """Whatever is asked, an index leads to it; what may read everything is listed with its reason."""
    path = tmp_path / "journal.db"
    read: dict[tuple[str, str], set[str]] = {}
    async with open_journal(f"sqlite:///{path}") as journal:
        with closing(sqlite3.connect(path)) as connection:
            for each in CALLS:
                statements.clear()
                await make(journal, each)
                for statement in list(statements):
                    read.setdefault((each.part, each.method), set()).update(scans(connection, statement))
    assert {key: tables for key, tables in read.items() if not tables <= set(ALLOWED.get(key, ()))} == {}


async def test_every_method_of_the_journal_is_among_those_calls(tmp_path: Path) -> None:
    """A new method has to be added there."""
    async with open_journal(f"sqlite:///{tmp_path}/journal.db") as journal:
        assert methods(journal) == {(each.part, each.method) for each in CALLS}


async def test_a_statement_without_an_index_is_found(tmp_path: Path, statements: list[str]) -> None:
    """The check sees what it is for: without its index, the search of an interrupted run reads all runs."""
    path = tmp_path / "journal.db"
    async with open_journal(f"sqlite:///{path}") as journal:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP INDEX runs_open")
            statements.clear()
            await make(journal, Call("", "open_runs", lambda target: target.open_runs()))
            assert {table for text in statements for table in scans(connection, text)} == {"runs"}
