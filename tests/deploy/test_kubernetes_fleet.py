"""The manifests of a fleet: `serve` and workers, like the service of one process where nothing else is wanted."""

from typing import Any

import pytest

from deploy.support import DEPLOY, call, documents, foreign_names
from nbsweep.loading.file import load_settings

FLEET = DEPLOY / "kubernetes" / "fleet"
ONE = DEPLOY / "kubernetes"
MANIFESTS = sorted(path for path in FLEET.glob("*.yaml") if path.stem not in {"kustomization", "nbsweep"})
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (manifest["kind"], manifest["metadata"]["name"]): manifest for path in MANIFESTS for manifest in documents(path)
}
SERVE = OBJECTS["Deployment", "nbsweep"]["spec"]
WORKER = OBJECTS["Deployment", "nbsweep-worker"]["spec"]
SETTINGS = load_settings(FLEET / "nbsweep.yaml", {"AK": "a", "JOURNAL": "postgresql://nbsweep@database/nbsweep"})
both = pytest.mark.parametrize("deployment", [SERVE, WORKER], ids=["serve", "worker"])


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return the only container."""
    (only,) = deployment["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def alone() -> dict[str, Any]:
    """Return the pod of the service of one process."""
    (deployment,) = documents(ONE / "service" / "deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    assert isinstance(pod, dict)
    return pod


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_every_manifest_fits_the_schemas(version: str) -> None:
    """In strict mode, in which a key that Kubernetes does not know is an error."""
    said = call("kubernetes-validate", "--strict", "--kubernetes-version", version, *map(str, MANIFESTS))
    assert said.returncode == 0, said.stdout + said.stderr
    assert (said.stdout + said.stderr).count("passed") == len(OBJECTS)


@pytest.mark.parametrize("name", ["namespace.yaml", "serviceaccount.yaml"])
def test_what_is_the_same_as_for_one_process_is_the_same(name: str) -> None:
    """A kustomization may not read files above its folder, so they are there twice."""
    assert documents(FLEET / name) == documents(ONE / "base" / name)


@both
def test_a_pod_has_no_more_rights_than_that_of_one_process(deployment: dict[str, Any]) -> None:
    """The same user, the same limits; and without a volume, because the journal is on PostgreSQL."""
    pod, theirs = deployment["template"]["spec"], alone()
    for key in ("securityContext", "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks"):
        assert pod[key] == theirs[key]
    for key in ("securityContext", "resources"):
        assert container(deployment)[key] == theirs["containers"][0][key]
    assert not [volume for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert sorted(each["name"] for each in pod["volumes"]) == sorted(
        each["name"] for each in container(deployment)["volumeMounts"]
    )


@both
def test_a_stop_leaves_more_time_than_the_drain_takes(deployment: dict[str, Any]) -> None:
    """Kubernetes must not kill before the drain is over."""
    assert deployment["template"]["spec"]["terminationGracePeriodSeconds"] > SETTINGS.service.drain.total_seconds()


@both
def test_each_deployment_and_its_budget_select_their_own_pods(deployment: dict[str, Any]) -> None:
    """And leave something running when a node is drained."""
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    budgets = [each["spec"] for (kind, _), each in OBJECTS.items() if kind == "PodDisruptionBudget"]
    assert [budget["maxUnavailable"] for budget in budgets if budget["selector"]["matchLabels"] == labels] in ([1], ["50%"])
    services = [each["spec"] for (kind, _), each in OBJECTS.items() if kind == "Service"]
    (service,) = (each for each in services if each["selector"] == labels)
    assert container(deployment)["ports"] == [{"name": "http", "containerPort": service["ports"][0]["port"]}]


@both
def test_every_process_has_the_journal_and_the_keys(deployment: dict[str, Any]) -> None:
    """By the same Secret."""
    assert {each["name"]: each["valueFrom"]["secretKeyRef"]["key"] for each in container(deployment)["env"]} == {
        "AK": "access_key",
        "JOURNAL": "journal",
    }


def test_workers_are_asked_for_their_health_without_a_token() -> None:
    """At the address where they listen."""
    assert container(WORKER)["args"] == ["worker", "--listen", "0.0.0.0:9465"]
    probes = {key: container(WORKER)[f"{key}Probe"]["httpGet"]["path"] for key in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_the_configuration_is_that_of_a_fleet() -> None:
    """It deletes nothing until it is told to."""
    assert SETTINGS.service.fleet
    assert SETTINGS.mode == "dry-run"
    assert SETTINGS.service.listen == "0.0.0.0:9464"
    assert container(SERVE)["args"] == ["serve"]


def test_prometheus_reaches_both_and_both_reach_the_database() -> None:
    """By the network policy."""
    policy = OBJECTS["NetworkPolicy", "nbsweep"]["spec"]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [9464, 9465]
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [53, 53, 443, 5432]


def test_the_example_of_an_autoscaler_counts_jobs_that_the_service_tells() -> None:
    """As many for each worker as it sweeps at a time; it scales the Deployment of the workers."""
    (scaled,) = documents(FLEET / "autoscaler" / "scaledobject.yaml")
    assert scaled["spec"]["scaleTargetRef"] == {"name": "nbsweep-worker"}
    (trigger,) = scaled["spec"]["triggers"]
    assert list(foreign_names(trigger["metadata"]["query"])) == []
    assert trigger["metadata"]["threshold"] == str(SETTINGS.service.accounts_at_once)
