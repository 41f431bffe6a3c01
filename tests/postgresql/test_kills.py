"""Kill -9 at every write of marks, of the outbox and of exemptions, on a real PostgreSQL server."""

import pytest

from acceptance.test_kill_at_every_notice import MOMENTS, check_every_kill
from postgresql.conftest import Server

# Some twenty processes, one after the other.
pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_killed_at_any_notice_has_stored_all_of_a_step_or_nothing(moment: str, server: Server) -> None:
    """Each in a database of its own."""
    addresses: dict[int, str] = {}

    def address_of(number: int) -> str:
        if number not in addresses:
            addresses[number] = server.new_database()
        return addresses[number]

    check_every_kill(moment, address_of)
