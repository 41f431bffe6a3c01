"""What `check` opens, each thing by itself."""

from pathlib import Path

import pytest

from builders import preflight_options, run_record
from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.check import check_journal, check_secret_files, make_configuration_check, without_credentials
from nbsweep.core.checks import Grade
from nbsweep.core.errors import Unauthorized
from nbsweep.settings import Settings, TargetSettings
from nbsweep.testing import RecordingTelemetry

EVERYTHING = preflight_options(target="lab", stops=True)


async def test_a_journal_is_opened_written_to_and_counted(tmp_path: Path) -> None:
    """Where it is, how many runs it has, how large it is."""
    url = f"sqlite:///{tmp_path}/journal.db"
    async with open_journal(url) as journal:
        await journal.open_run(run_record(target="lab"))
    check = await check_journal(url)
    assert check.grade is Grade.OK
    assert check.finding.startswith(f"{tmp_path}/journal.db: opened and written to; 1 run, ")
    assert check.finding.endswith(" KiB")


async def test_a_journal_that_cannot_be_opened_is_told_without_its_password() -> None:
    """In the words of the journal itself."""
    check = await check_journal("mysql://user:secret@host/database")
    assert (check.grade, check.not_allowed) == (Grade.FAILED, False)
    assert "secret" not in check.finding + check.advice


def test_without_credentials_nothing_of_a_target_is_tried() -> None:
    """All lines are there, and about the target."""
    checks = without_credentials(EVERYTHING, Unauthorized("there are none", advice="Check the endpoint of the metadata server"))
    assert [check.name for check in checks] == list(EVERYTHING.names)
    assert {check.target for check in checks} == {"lab"}
    (found,) = (check for check in checks if check.grade is Grade.FAILED)
    assert (found.name, found.finding, found.not_allowed) == ("credentials", "there are none", True)
    assert found.advice.startswith("Give the target credentials")


@pytest.mark.parametrize("limits", [{}, {"delete": "1/m"}])
async def test_a_checkup_of_targets_without_credentials_calls_nobody(tmp_path: Path, limits: dict[str, str]) -> None:
    """Configuration and journal come first, then the targets in the order of the file."""
    names = ("zebra", "ant")
    document = {
        "journal": f"sqlite:///{tmp_path}/journal.db",
        "targets": [
            {
                "name": name,
                "endpoint": "http://127.0.0.1:1",
                "project_id": str(place) * 32,
                "credentials": {"access_key": "AK", "secret_key_file": str(tmp_path / "not-there")},
                "limits": limits,
            }
            for place, name in enumerate(names)
        ],
        "policies": [{"name": "old", "match": {"age_over": "30d"}}],
    }
    configuration_check = make_configuration_check(Settings.model_validate(document), "nbsweep.yaml", {}, RecordingTelemetry())
    checks = await configuration_check.check()
    assert checks[0].finding == "nbsweep.yaml: mode dry-run, 2 targets, 1 policy, 0 protections"
    assert [check.name for check in checks[:2]] == ["configuration", "journal"]
    assert list(dict.fromkeys(check.target for check in checks)) == [None, *names]
    assert {check.name for check in checks if check.grade is Grade.FAILED} == {"credentials"}


def test_a_secret_file_that_every_user_may_read_is_a_warning(tmp_path: Path) -> None:
    """The warning names the file, the target and the remedy; without such a file there is no check of that name."""
    path = tmp_path / "sk"
    path.write_text("the-secret", encoding="utf-8")
    path.chmod(0o644)
    document = {
        "name": "lab",
        "region": "cn-north-4",
        "project_id": "0123456789abcdef0123456789abcdef",
        "credentials": {"access_key": "AK", "secret_key_file": str(path)},
    }
    target = TargetSettings.model_validate(document)
    [check] = check_secret_files(target)
    assert (check.name, check.grade, check.target) == ("secret-files", Grade.WARNING, "lab")
    assert check.finding == f"every user of this machine can read {path}"
    assert check.advice == f"Run chmod o-r {path}."
    path.chmod(0o600)
    assert list(check_secret_files(target)) == []
