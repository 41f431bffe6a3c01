"""The Helm chart as helm renders it, with the values that the tests render it with."""

import json
from pathlib import Path
from typing import Any

from deploy.support import DEPLOY, call, documents

CHART = DEPLOY / "helm"
MANIFESTS = DEPLOY / "kubernetes"
Objects = dict[str, dict[str, Any]]

SERVICE: dict[str, Any] = {}
CRON_JOB: dict[str, Any] = {"mode": "cronjob"}
ENFORCING: dict[str, Any] = {"mode": "cronjob", "configuration": {"mode": "enforce"}}
POSTGRESQL: dict[str, Any] = {
    "configuration": {"journal": "${JOURNAL}"},
    "existingSecret": {"environment": {"JOURNAL": "journal"}},
    "networkPolicy": {
        "extraEgress": [{"to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}], "ports": [{"protocol": "TCP", "port": 5432}]}]
    },
}
EVERYTHING: dict[str, Any] = {
    "image": {
        "repository": "registry.example.com/nbsweep",
        "digest": f"sha256:{'0' * 64}",
        "pullSecrets": [{"name": "registry"}],
    },
    "environment": {"HTTPS_PROXY": "http://proxy.example.com:3128"},
    "certificateAuthority": {"existingConfigMap": "authority"},
    "persistence": {"storageClass": "ssd", "size": "2Gi"},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "nbsweep.example.com",
        "tlsSecret": "nbsweep-tls",
        "annotations": {"nginx.ingress.kubernetes.io/auth-url": "https://login.example.com/oauth2/auth"},
    },
    "networkPolicy": {"ingressNamespaces": [], "egressPorts": [443, 3128]},
    "podAnnotations": {"example.com/team": "platform"},
    "podLabels": {"team": "platform"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "platform", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    ]}}},
    "fullnameOverride": "sweeper",
}  # fmt: skip
FLEET: dict[str, Any] = {
    **POSTGRESQL,
    "configuration": {"journal": "${JOURNAL}", "service": {"fleet": True}},
    "fleet": {"enabled": True, "workers": {"replicas": 5}},
    "serviceMonitor": {"enabled": True},
}
CASES = {
    "service": SERVICE,
    "cronjob": CRON_JOB,
    "enforcing": ENFORCING,
    "postgresql": POSTGRESQL,
    "everything": EVERYTHING,
    "fleet": FLEET,
    "existing": {"persistence": {"existingClaim": "journal"}, "serviceAccount": {"existingName": "sweeper"}},
    "open": {"networkPolicy": {"enabled": False}},
}


def written(folder: Path, values: dict[str, Any]) -> Path:
    """Write a values file: as JSON, which leaves no doubt about what is a text."""
    file = folder / "values.yaml"
    file.write_text(json.dumps(values), encoding="utf-8")
    return file


def rendered_file(folder: Path, values: dict[str, Any], *options: str) -> Path:
    """Let helm render the chart into a file of manifests."""
    said = call("helm", "template", "nbsweep", CHART, "--namespace", "nbsweep", "--values", written(folder, values), *options)
    assert said.returncode == 0, said.stderr
    file = folder / "rendered.yaml"
    file.write_text(said.stdout, encoding="utf-8")
    return file


def rendered(folder: Path, values: dict[str, Any]) -> Objects:
    """Return the rendered objects by kind."""
    return {found["kind"]: found for found in documents(rendered_file(folder, values))}


def pod_template(objects: Objects) -> dict[str, Any]:
    """Return the pod template of the Deployment or the CronJob."""
    if "Deployment" in objects:
        template = objects["Deployment"]["spec"]["template"]
    else:
        template = objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    assert isinstance(template, dict)
    return template


def container(objects: Objects) -> dict[str, Any]:
    """Return the only container."""
    (only,) = pod_template(objects)["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def configuration_file(folder: Path, objects: Objects) -> Path:
    """Write the configuration of the ConfigMap as the pod sees it."""
    file = folder / "nbsweep.yaml"
    file.write_text(objects["ConfigMap"]["data"]["nbsweep.yaml"], encoding="utf-8")
    return file
