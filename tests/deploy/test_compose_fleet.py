"""The composition of a fleet for trying it: well-formed, closed to the outside, with a configuration that fits."""

from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from deploy.support import DEPLOY
from nbsweep.loading.file import load_settings

COMPOSITION: dict[str, Any] = yaml.safe_load((DEPLOY / "compose-fleet.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSITION["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgresql"}
WORKERS = [SERVICES["worker-1"], SERVICES["worker-2"]]
SETTINGS = load_settings(DEPLOY / "compose" / "nbsweep-fleet.yaml", SERVICES["serve"]["environment"])


def test_it_follows_the_specification_of_compose() -> None:
    """As a parser that knows every key reads it, with its anchors followed."""
    names = PyCompose.from_yaml(yaml.safe_dump(COMPOSITION)).service_names()
    assert sorted(names) == ["postgresql", "serve", "simulator", "worker-1", "worker-2"]


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_each_container_of_ours_has_a_read_only_root_and_no_rights(service: dict[str, Any]) -> None:
    """As in production."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_all_of_them_share_the_network_of_the_simulated_cloud() -> None:
    """Only `serve` is published, on the host's loopback."""
    assert {service.get("network_mode") for name, service in SERVICES.items() if name != "simulator"} == {"service:simulator"}
    assert [service["ports"] for service in SERVICES.values() if "ports" in service] == [["127.0.0.1:9464:9464"]]


def test_the_configuration_is_that_of_a_fleet_on_this_database() -> None:
    """Two accounts, of which each worker can take one; it may delete, because the cloud is simulated."""
    database = SERVICES["postgresql"]["environment"]
    assert SETTINGS.service.fleet
    assert SETTINGS.journal == f"postgresql://{database['POSTGRES_USER']}@127.0.0.1/{database['POSTGRES_DB']}"
    assert len({target.account for target in SETTINGS.targets}) == 2
    assert all(target.endpoint and target.endpoint.startswith("http://127.0.0.1:") for target in SETTINGS.targets)
    assert SERVICES["simulator"]["build"]["args"] == {"EXTRAS": "[fleet]"}


def test_each_worker_serves_its_health_at_an_address_of_its_own() -> None:
    """They share a network; each check asks its own worker, and is Python that compiles."""
    addresses = [worker["command"][2] for worker in WORKERS]
    assert len(set(addresses)) == 2
    for worker, address in zip(WORKERS, addresses, strict=True):
        code = worker["healthcheck"]["test"][3]
        compile(code, "healthcheck", "exec")
        assert f"'127.0.0.1', {address.partition(':')[2]}," in code
        assert "'/readyz'" in code


@pytest.mark.parametrize("name", ["serve", "worker-1", "worker-2"])
def test_a_stop_leaves_more_time_than_the_drain_takes(name: str) -> None:
    """And none of them starts before the database is there."""
    assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) > SETTINGS.service.drain.total_seconds()
    assert SERVICES[name]["depends_on"]["postgresql"] == {"condition": "service_healthy"}
