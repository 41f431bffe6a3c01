"""The composition for trying it: well-formed, closed to the outside, and of files that are there."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from deploy.support import DEPLOY, call
from nbsweep.loading.file import load_settings
from nbsweep.simulator import SimulatorOptions

FILE = DEPLOY / "compose.yaml"
COMPOSITION: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSITION["services"]
SETTINGS = load_settings(DEPLOY / "compose" / "nbsweep.yaml", SERVICES["nbsweep"]["environment"])


def written(composition: dict[str, Any]) -> str:
    """Write it with its anchors followed, as the parser wants it."""
    return yaml.safe_dump(composition)


def test_it_follows_the_specification_of_compose() -> None:
    """As a parser that knows every key reads it."""
    assert sorted(PyCompose.from_yaml(written(COMPOSITION)).service_names()) == ["nbsweep", "simulator"]


def test_a_slip_in_it_would_be_told() -> None:
    """A key that the specification does not know is an error."""
    wrong = {**COMPOSITION, "services": {"nbsweep": {**SERVICES["nbsweep"], "readonly": True}}}
    with pytest.raises(ValueError, match="readonly"):
        PyCompose.from_yaml(written(wrong))


def test_every_file_that_it_names_is_there() -> None:
    """Relative to its own folder, as Compose reads it."""
    build = SERVICES["simulator"]["build"]
    context = DEPLOY / build["context"]
    named = [
        context / build["dockerfile"],
        *(DEPLOY / volume.split(":")[0] for volume in SERVICES["nbsweep"]["volumes"] if volume.startswith(".")),
    ]
    assert [str(path) for path in named if not path.is_file()] == []
    assert (context / "pyproject.toml").is_file()


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_each_container_has_a_read_only_root_and_no_rights(service: dict[str, Any]) -> None:
    """As in production."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_simulated_cloud_and_the_service_share_a_network() -> None:
    """The simulated cloud answers on loopback only, and what is published is on the host's loopback only."""
    assert SERVICES["nbsweep"]["network_mode"] == "service:simulator"
    assert SERVICES["simulator"]["ports"] == ["127.0.0.1:9464:9464"]
    assert "ports" not in SERVICES["nbsweep"]


def test_the_configuration_fits_the_simulated_cloud() -> None:
    """Its address, its project, its keys."""
    (target,) = SETTINGS.targets
    command = SERVICES["simulator"]["command"]
    assert target.endpoint == f"http://127.0.0.1:{command[command.index('--port') + 1]}"
    access = SimulatorOptions().access
    assert target.project_id == access.project_id
    (key,) = access.access_keys
    assert SERVICES["nbsweep"]["environment"] == {"AK": key.access_key, "SK": key.secret_key}


def test_it_deletes_but_only_where_nothing_is_lost() -> None:
    """It may delete because its only target is on loopback."""
    assert SETTINGS.mode == "enforce"
    assert all(target.endpoint and target.endpoint.startswith("http://127.0.0.1:") for target in SETTINGS.targets)


def test_a_stop_leaves_more_time_than_the_drain_takes() -> None:
    """Compose must not kill before the drain is over."""
    grace = SERVICES["nbsweep"]["stop_grace_period"]
    assert float(grace.removesuffix("s")) > SETTINGS.service.drain.total_seconds()


def test_the_simulated_cloud_is_there_before_the_service() -> None:
    """Its check is Python that compiles."""
    assert SERVICES["nbsweep"]["depends_on"] == {"simulator": {"condition": "service_healthy"}}
    kind, python, option, code = SERVICES["simulator"]["healthcheck"]["test"]
    assert (kind, python, option) == ("CMD", "python", "-c")
    compile(code, "healthcheck", "exec")


def test_a_token_is_made_that_only_its_owner_may_read_and_kept(tmp_path: Path) -> None:
    """The start's own shell lines are run, twice; the program refuses a token that others may read."""
    shell, option, lines = SERVICES["nbsweep"]["entrypoint"]
    assert (shell, option) == ("sh", "-ec")
    place = SETTINGS.service.api_token_file
    assert place is not None
    assert "exec nbsweep serve" in lines
    token = tmp_path / "api_token"
    here = lines.replace("$$", "$").replace(place, str(token)).replace("exec nbsweep serve", "true")
    assert call("sh", "-ec", here).returncode == 0
    first = token.read_text(encoding="utf-8")
    assert len(first.strip()) > 40
    assert token.stat().st_mode & 0o077 == 0
    assert call("sh", "-ec", here).returncode == 0
    assert token.read_text(encoding="utf-8") == first
