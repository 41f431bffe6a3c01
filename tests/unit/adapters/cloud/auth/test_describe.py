"""Where credentials come from, in words that hold no secret."""

from pathlib import Path
from typing import Any

import pytest

from nbsweep.adapters.cloud.auth.describe import AGENCY, exposed_files, source_of
from nbsweep.settings import TargetSettings

SECRET = "a-secret-that-nobody-may-see"
KEYS = {"access_key": f"AK-{SECRET}", "secret_key": SECRET}
PROJECT = "0123456789abcdef0123456789abcdef"


def target(credentials: dict[str, Any] | None) -> TargetSettings:
    """Return a target with these credentials."""
    document = {"name": "lab", "region": "cn-north-4", "project_id": PROJECT, "credentials": credentials}
    return TargetSettings.model_validate(document)


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (KEYS, "a pair of keys, from the configuration"),
        (KEYS | {"security_token": SECRET}, "temporary keys, from the configuration"),
        (
            {"access_key": "AK", "secret_key_file": "/run/secrets/sk"},
            "a pair of keys, from the configuration and /run/secrets/sk",
        ),
        (
            {"username": SECRET, "password": SECRET, "domain": SECRET},
            "an IAM user's name and password, from the configuration",
        ),
        ({"agency": "metadata"}, AGENCY),
    ],
)
def test_those_of_the_configuration_are_told_by_their_kind(credentials: dict[str, Any], words: str) -> None:
    """And by the files that hold the secrets, if there are any."""
    assert source_of(target(credentials), {}) == words
    assert SECRET not in words


def test_those_of_the_chain_are_told_by_their_place(tmp_path: Path) -> None:
    """The environment goes before the file of profiles, and that before the agency."""
    home = {"HOME": str(tmp_path)}
    assert source_of(target(None), home) == AGENCY
    path = tmp_path / ".huaweicloud" / "credentials"
    path.parent.mkdir()
    path.write_text(f"[basic]\nak = AK\nsk = {SECRET}\n", encoding="utf-8")
    assert source_of(target(None), home) == f"a pair of keys, from the section [basic] of {path}"
    keys = {"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": SECRET}
    assert "from the environment" in source_of(target(None), home | keys)


def test_secret_files_that_every_user_may_read_are_listed(tmp_path: Path) -> None:
    """A file for the owner and the group is not, and neither is one that is missing."""
    open_to_all, private = tmp_path / "sk", tmp_path / "token"
    for path, mode in ((open_to_all, 0o604), (private, 0o640)):
        path.write_text(SECRET, encoding="utf-8")
        path.chmod(mode)
    files = {"secret_key_file": str(open_to_all), "security_token_file": str(private)}
    assert list(exposed_files(target({"access_key": "AK"} | files))) == [str(open_to_all)]
    assert list(exposed_files(target({"access_key": "AK", "secret_key_file": str(tmp_path / "none")}))) == []
    assert list(exposed_files(target(None))) == []
