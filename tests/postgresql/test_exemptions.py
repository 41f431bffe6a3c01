"""The suite that the exemptions of every journal pass, over a real PostgreSQL server: its fixture is that of this folder."""

import pytest
from psycopg import sql

import contract.test_exemptions
from contract.test_exemptions import *  # noqa: F403  # the same tests, collected here again
from nbsweep.adapters.journal import open_journal
from postgresql.conftest import Server


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_an_order_sees_a_grant_whatever_the_servers_isolation(server: Server, isolation: str) -> None:
    """A transaction that has waited for a grant sees it, although by that default it would not."""
    address = server.new_database()
    name = address.partition("@/")[2].partition("?")[0]
    with server.connected() as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = {}").format(
                sql.Identifier(name), sql.Literal(isolation)
            )
        )
    await contract.test_exemptions.test_no_order_follows_a_grant_that_it_does_not_know(lambda: open_journal(address))
