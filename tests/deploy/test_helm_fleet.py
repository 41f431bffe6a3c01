"""The Helm chart with a fleet: like the manifests of one, and refused where it cannot work."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.chart import CHART, FLEET, MANIFESTS, POSTGRESQL, rendered_file, written
from deploy.support import call, documents

Named = dict[tuple[str, str], dict[str, Any]]


def rendered(folder: Path, values: dict[str, Any]) -> Named:
    """Return the rendered objects by kind and name."""
    return {(found["kind"], found["metadata"]["name"]): found for found in documents(rendered_file(folder, values))}


def test_a_fleet_has_a_service_and_workers_with_a_budget_each(tmp_path: Path) -> None:
    """And as many of each as the values say; no volume, because the journal is elsewhere."""
    objects = rendered(tmp_path, FLEET)
    serve, workers = objects["Deployment", "nbsweep"]["spec"], objects["Deployment", "nbsweep-worker"]["spec"]
    assert (serve["replicas"], workers["replicas"]) == (2, 5)
    assert "strategy" not in serve
    for name in ("nbsweep", "nbsweep-worker"):
        for kind in ("PodDisruptionBudget", "Service", "ServiceMonitor"):
            assert (kind, name) in objects
    assert not [kind for kind, _ in objects if kind == "PersistentVolumeClaim"]


def test_the_pod_of_a_worker_is_that_of_the_manifests(tmp_path: Path) -> None:
    """Arguments, ports, probes, environment, mounts, limits and the time for the drain."""
    ours = rendered(tmp_path, FLEET)["Deployment", "nbsweep-worker"]["spec"]["template"]["spec"]
    (theirs,) = (each["spec"]["template"]["spec"] for each in documents(MANIFESTS / "fleet" / "workers.yaml"))
    for key in ("args", "ports", "env", "startupProbe", "livenessProbe", "readinessProbe", "volumeMounts", "resources"):
        assert ours["containers"][0][key] == theirs["containers"][0][key], key
    assert ours["terminationGracePeriodSeconds"] == theirs["terminationGracePeriodSeconds"]
    assert ours["securityContext"] == theirs["securityContext"]


def test_no_selector_of_the_service_finds_a_worker(tmp_path: Path) -> None:
    """The network policy holds for both, and Prometheus reaches both."""
    objects = rendered(tmp_path, FLEET)
    serve, workers = objects["Deployment", "nbsweep"]["spec"], objects["Deployment", "nbsweep-worker"]["spec"]
    labels = workers["template"]["metadata"]["labels"]
    assert workers["selector"]["matchLabels"].items() <= labels.items()
    for selector in (serve["selector"]["matchLabels"], objects["Service", "nbsweep"]["spec"]["selector"]):
        assert not selector.items() <= labels.items()
    policy = objects["NetworkPolicy", "nbsweep"]["spec"]
    (names,) = policy["podSelector"]["matchExpressions"]
    assert names["values"] == ["nbsweep", "nbsweep-worker"]
    assert [port["port"] for port in policy["ingress"][0]["ports"]] == [9464, 9465]


def test_an_autoscaler_may_decide_how_many_workers_there_are(tmp_path: Path) -> None:
    """The Deployment then says no number, which each upgrade would set back."""
    values = {**FLEET, "fleet": {"enabled": True, "workers": {"replicas": None}}}
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    said = call("helm", "template", "nbsweep", CHART, "--values", file)
    (workers,) = (each for each in yaml.safe_load_all(said.stdout) if each and each["metadata"]["name"] == "nbsweep-worker" and each["kind"] == "Deployment")  # fmt: skip  # noqa: E501
    assert workers["spec"].get("replicas") is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({**FLEET, "configuration": {"journal": "${JOURNAL}"}}, "fleet.enabled needs configuration.service.fleet"),
        ({**POSTGRESQL, "configuration": {"journal": "${JOURNAL}", "service": {"fleet": True}}}, "needs fleet.enabled"),
        ({"configuration": {"service": {"fleet": True}}, "fleet": {"enabled": True}}, "needs a journal on PostgreSQL"),
        ({"mode": "cronjob", "fleet": {"enabled": True}}, "fleet.enabled needs mode service"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    """With what to change."""
    said = call("helm", "template", "nbsweep", CHART, "--values", written(tmp_path, values))
    assert said.returncode
    assert words in said.stderr
