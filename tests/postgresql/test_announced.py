"""Announced deletions with the journal on a real PostgreSQL server: the stories of the acceptance tests."""

from pathlib import Path

import pytest

from acceptance import test_announced, test_announced_service, test_kill_while_telling
from acceptance.conftest import Simulate
from acceptance.support import Desk, running_cloud
from acceptance.told import People, Place
from postgresql.conftest import Server

pytestmark = pytest.mark.timeout(400)


def test_a_fleet_is_told_and_deleted(simulate: Simulate, desk: Desk, told: People, address: str) -> None:
    """The same notebooks go, and the same mails arrive, as with a file."""
    place = Place(desk, simulate(test_announced.FLEET, timing={"start_s": 20}))
    test_announced.configure(place, told, journal=address)
    test_announced.check_story(place, told)


def test_two_services_send_each_mail_once(simulate: Simulate, desk: Desk, told: People, address: str) -> None:
    """Two processes with connections of their own."""
    place = Place(desk, simulate(test_announced_service.FLEET, timing={"start_s": 1}))
    test_announced_service.configure(place, told, journal=address)
    test_announced_service.check_two_services(place, told)


@pytest.mark.parametrize("moment", ["before-commit", "after-commit"])
def test_a_run_killed_at_any_write_loses_no_message(moment: str, tmp_path: Path, told: People, server: Server) -> None:
    """A run afterwards tells the rest: each owner has one mail, or copies of it."""
    with running_cloud(test_kill_while_telling.options()) as cloud:
        start = Place(Desk(tmp_path), cloud)
        test_kill_while_telling.check_every_kill(moment, tmp_path, start, told, server.new_database)
