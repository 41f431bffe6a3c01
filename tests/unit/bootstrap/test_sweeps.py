"""How the sweepers of a configuration are built."""

from pathlib import Path

import pytest

from nbsweep.bootstrap import sweeps
from nbsweep.engine.shutdown import Shutdown
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_all
from nbsweep.testing import RecordingTelemetry


async def test_the_digest_of_a_configuration_is_computed_once_for_all_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads all targets: for each of a thousand of them, it would take most of a minute at every start."""
    asked: list[str] = []

    def counted(settings: Settings) -> str:
        asked.append(digest_of_all(settings))
        return asked[-1]

    monkeypatch.setattr(sweeps, "digest_of_all", counted)
    targets = [{"name": f"t{each}", "endpoint": "http://127.0.0.1:1", "project_id": f"{each:032x}"} for each in range(5)]
    policies = [{"name": "idle", "match": {"idle_over": "14d"}}]
    journal = f"sqlite:///{tmp_path}/journal.db"
    settings = Settings.model_validate({"mode": "dry-run", "journal": journal, "targets": targets, "policies": policies})
    environment = {"HUAWEICLOUD_SDK_AK": "KEY", "HUAWEICLOUD_SDK_SK": "SECRET"}
    async with sweeps.open_all(settings, environment, RecordingTelemetry(), Shutdown()) as opened:
        found = [each.options.inventory for each in opened.sweepers]
    assert asked == [digest_of_all(settings)]
    assert [each.config for each in found if each is not None] == asked * 5
