"""No statement of the journal reads a whole large table, as PostgreSQL plans it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.filling import Amount, fill_journal
from journal_calls import ALLOWED, CALLS, SHORT, SMALL, Call, make
from nbsweep.adapters.journal import open_journal

FEW = Amount(removals=20_000, targets=10, nights=40, marks=20_000, states=10_000)
"""Enough that reading all of a table costs much more than an index."""
INDEX_SCANS = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
Statement = tuple[str, Any]


@pytest.fixture
def statements() -> Iterator[list[Statement]]:
    """Yield what is sent to the server meanwhile, with its parameters."""
    found: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        found.append((statement, parameters[0] if isinstance(parameters, list) else parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def scans(connection: "psycopg.Connection[Any]", statement: Statement) -> set[str]:
    """Return which tables a statement reads as a whole if the server can help it; small tables do not count."""
    text, parameters = statement
    if text.lstrip().partition(" ")[0] not in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
        return set()
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {text}", parameters).fetchone()
    assert row is not None
    return set(_read(row[0][0]["Plan"], in_order=False)) - SMALL


def _read(node: dict[str, Any], *, in_order: bool) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if kind == "Seq Scan":
        yield table
    # The first rows in the order of an index are few rows, if nothing is left out.
    few = in_order and "Filter" not in node
    if kind in INDEX_SCANS and "Index Cond" not in node and node["Index Name"] not in SHORT and not few:
        yield table or node["Index Name"]
    follows = kind in {"Limit", "Incremental Sort"}
    for each in node.get("Plans", ()):
        yield from _read(each, in_order=follows)


@pytest.fixture
def filled(address: str) -> str:
    """Return the address of a journal with some thousands of rows in each large table, of which the server has statistics."""
    fill_journal(address, FEW)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return address


async def test_no_statement_reads_all_rows_of_a_large_table(filled: str, statements: list[Statement]) -> None:
    """Whatever is asked, an index leads to it; what may read everything is listed with its reason."""
    read: dict[tuple[str, str], set[str]] = {}
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        async with open_journal(filled) as journal:
            for each in CALLS:
                statements.clear()
                await make(journal, each)
                for statement in list(statements):
                    read.setdefault((each.part, each.method), set()).update(scans(connection, statement))
    assert {key: tables for key, tables in read.items() if not tables <= set(ALLOWED.get(key, ()))} == {}


async def test_a_statement_without_an_index_is_found(filled: str, statements: list[Statement]) -> None:
    """The check sees what it is for: without its index, the search of a name reads all removals."""
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("DROP INDEX removals_by_name")
        connection.execute("SET enable_seqscan = off")
        async with open_journal(filled) as journal:
            statements.clear()
            await make(journal, Call("", "notebooks", lambda target: target.notebooks("bert-eval-1", 10)))
        assert {table for statement in statements for table in scans(connection, statement)} == {"removals"}
