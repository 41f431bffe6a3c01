"""What reads the status of a fleet where the package of its queue is not installed."""

from pathlib import Path

import pytest

from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap import fleet
from nbsweep.settings import Settings


async def test_without_the_package_of_the_queue_the_status_of_a_fleet_has_no_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the journal knows is read: here, that no worker runs."""
    target = {"name": "research", "endpoint": "https://cloud.example", "project_id": "0" * 32}
    policies = [{"name": "p", "match": {"name": "a"}}]
    settings = Settings.model_validate(
        {"targets": [target], "policies": policies, "service": {"fleet": True}, "journal": "postgresql://db.example/nbsweep"}
    )
    monkeypatch.setattr(fleet, "find_spec", lambda _: None)
    async with open_journal(f"sqlite:///{tmp_path}/journal.db") as journal:
        status = await (await fleet.open_fleet_reader(settings, journal)).read()
    assert status.jobs == ()
    assert any("no worker is running" in problem for problem in status.problems)
