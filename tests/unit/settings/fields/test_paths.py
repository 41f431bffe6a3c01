"""`~` in the paths of the configuration."""

import pwd
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nbsweep.loading.file import find_config
from nbsweep.settings import CredentialSettings, ServiceSettings, Settings, problems
from unit.settings.test_file import POLICY, TARGET


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    for name in ("XDG_STATE_HOME",):
        monkeypatch.delenv(name, raising=False)


def journal(**groups: Any) -> str:
    """Read a configuration; give its journal, or what is wrong."""
    try:
        return Settings.model_validate({"targets": [TARGET], "policies": [POLICY], **groups}).journal
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, found.location))}: {found.message}" for found in problems(error))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sqlite:///~/x.db", "sqlite:////home/alice/x.db"),
        ("sqlite:///~root/x.db", f"sqlite:///{pwd.getpwnam('root').pw_dir}/x.db"),
        ("sqlite:///x~y.db", "sqlite:///x~y.db"),
        ("sqlite:///./~/x.db", "sqlite:///./~/x.db"),
        ("sqlite:////var/~/x.db", "sqlite:////var/~/x.db"),
        ("postgresql://user@host/~db", "postgresql://user@host/~db"),
    ],
)
def test_a_tilde_is_a_home_folder_where_a_path_begins(written: str, read: str) -> None:
    """As in a shell; anywhere else it is a sign like others."""
    assert journal(journal=written) == read


def test_files_of_secrets_may_be_in_the_home_folder() -> None:
    """Every key that names a file."""
    keys = CredentialSettings.model_validate({"access_key": "A", "secret_key_file": "~/sk", "security_token_file": "~/st"})
    user = CredentialSettings.model_validate({"username": "u", "password_file": "~/pw", "domain": "d"})
    service = ServiceSettings.model_validate({"api_token_file": "~/token"})
    files = (keys.secret_key_file, keys.security_token_file, user.password_file, service.api_token_file)
    assert files == ("/home/alice/sk", "/home/alice/st", "/home/alice/pw", "/home/alice/token")


@pytest.mark.parametrize("home", [None, ""])
@pytest.mark.parametrize("given", [{}, {"journal": "sqlite:///~/x.db"}, {"journal": "sqlite:///~nobody-of-that-name/x.db"}])
def test_without_a_home_folder_it_is_a_mistake_that_names_the_key(
    monkeypatch: pytest.MonkeyPatch, home: str | None, given: dict[str, str]
) -> None:
    """No trace, and no folder that is called `~`: a user without an entry and without $HOME has to say where the journal is."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    assert journal(**given).startswith("journal: is in a home folder that is unknown")
    assert journal(journal="sqlite:////var/x.db") == "sqlite:////var/x.db"


def test_the_configuration_itself_may_be_in_the_home_folder() -> None:
    """`--config=~/x` and `NBSWEEP_CONFIG=~/x` reach the program as they are, for no shell has looked at them."""
    assert find_config(Path("~/n.yaml"), {}) == Path("/home/alice/n.yaml")
    assert find_config(None, {"NBSWEEP_CONFIG": "~/n.yaml"}) == Path("/home/alice/n.yaml")
