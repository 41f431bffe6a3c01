"""The Helm chart: rendered by helm itself, and held against the manifests and the schemas of Kubernetes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, SECRET_KEY, Desk, idle_fleet, target
from deploy.chart import (
    CASES,
    CHART,
    CRON_JOB,
    ENFORCING,
    EVERYTHING,
    MANIFESTS,
    POSTGRESQL,
    SERVICE,
    configuration_file,
    container,
    pod_template,
    rendered,
    rendered_file,
    written,
)
from deploy.support import KEYS, ROOT, call, documents
from nbsweep import __version__
from nbsweep.loading.file import load_settings

OLDEST, NEWEST = "1.28", "1.37"
each_case = pytest.mark.parametrize("values", CASES.values(), ids=CASES)


def manifest(name: str) -> dict[str, Any]:
    """Read a manifest of deploy/kubernetes."""
    (only,) = documents(MANIFESTS / name)
    return only


@each_case
def test_the_linter_has_nothing_to_say(tmp_path: Path, values: dict[str, Any]) -> None:
    """In strict mode, in which a warning is an error."""
    said = call("helm", "lint", "--strict", CHART, "--values", written(tmp_path, values))
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.findall(r"\[\w+\] .*", said.stdout) == ["[INFO] Chart.yaml: icon is recommended"]


@each_case
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_what_is_rendered_fits_the_schemas(tmp_path: Path, values: dict[str, Any], version: str) -> None:
    """In strict mode. The ServiceMonitor is not Kubernetes's own, and has a test of its own."""
    objects = [found for found in documents(rendered_file(tmp_path, values)) if found["kind"] != "ServiceMonitor"]
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    said = call("kubernetes-validate", "--strict", "--kubernetes-version", version, file)
    assert said.returncode == 0, said.stdout + said.stderr
    assert (said.stdout + said.stderr).count("passed") == len(objects)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (SERVICE, {"Deployment", "Service", "PodDisruptionBudget", "PersistentVolumeClaim"}),
        (CRON_JOB, {"CronJob", "PersistentVolumeClaim"}),
        (POSTGRESQL, {"Deployment", "Service", "PodDisruptionBudget"}),
    ],
    ids=["service", "cronjob", "postgresql"],
)
def test_each_mode_has_its_objects(tmp_path: Path, values: dict[str, Any], kinds: set[str]) -> None:
    """Never a Secret; and a volume only for SQLite."""
    assert set(rendered(tmp_path, values)) == kinds | {"ConfigMap", "NetworkPolicy", "ServiceAccount"}


@pytest.mark.parametrize(
    ("values", "file", "path"),
    [
        (SERVICE, "service/deployment.yaml", ("Deployment", "spec", "template", "spec")),
        (ENFORCING, "cronjob/cronjob.yaml", ("CronJob", "spec", "jobTemplate", "spec", "template", "spec")),
    ],
    ids=["service", "cronjob"],
)
def test_the_pod_is_that_of_the_manifests(tmp_path: Path, values: dict[str, Any], file: str, path: tuple[str, ...]) -> None:
    """Security context, probes, arguments, volumes and resources: all is equal but the image, which kustomize sets there."""
    kind, *keys = path
    ours, theirs = rendered(tmp_path, values)[kind], manifest(file)
    for key in keys:
        ours, theirs = ours[key], theirs[key]
    (program,) = ours["containers"]
    assert program.pop("image") == f"nbsweep:{__version__}"
    assert program.pop("imagePullPolicy") == "IfNotPresent"
    assert theirs["containers"][0].pop("image") == "nbsweep"
    assert ours.pop("restartPolicy") == theirs.pop("restartPolicy", "Always")
    assert ours == theirs


@pytest.mark.parametrize(
    ("values", "file"),
    [
        (SERVICE, "service/deployment.yaml"),
        (SERVICE, "service/service.yaml"),
        (SERVICE, "service/poddisruptionbudget.yaml"),
        (SERVICE, "base/persistentvolumeclaim.yaml"),
        (SERVICE, "base/networkpolicy.yaml"),
        (CRON_JOB, "cronjob/cronjob.yaml"),
    ],
)
def test_the_other_objects_are_those_of_the_manifests(tmp_path: Path, values: dict[str, Any], file: str) -> None:
    """Without the pods, and but for the label of the release, by which two releases are told apart."""
    expected = manifest(file)
    spec = rendered(tmp_path, values)[expected["kind"]]["spec"]
    for whole in (spec, expected["spec"]):
        whole.pop("template", None)
        whole.get("jobTemplate", {}).get("spec", {}).pop("template", None)
    release = "app.kubernetes.io/instance: nbsweep\n"
    assert yaml.safe_load(re.sub(rf" *{release}", "", yaml.safe_dump(spec))) == expected["spec"]


@pytest.mark.parametrize(("values", "option"), [(CRON_JOB, "--dry-run"), (ENFORCING, "--yes")], ids=["dry-run", "enforce"])
def test_a_cron_job_deletes_only_in_mode_enforce(tmp_path: Path, values: dict[str, Any], option: str) -> None:
    """`run` does not look at the configuration's mode, and so the chart does."""
    assert container(rendered(tmp_path, values))["args"] == ["run", option, "--format", "json"]


@pytest.mark.parametrize(("mode", "gone"), [("dry-run", 0), ("enforce", 6)])
def test_the_command_of_a_cron_job_sweeps_a_simulated_cloud(simulate: Simulate, desk: Desk, mode: str, gone: int) -> None:
    """With the configuration of the ConfigMap, whose journal is put into a folder of the test."""
    cloud = simulate(idle_fleet(6))
    keys = {"access_key": "${AK}", "secret_key": "${SK}"}
    configuration = {
        "mode": mode,
        "targets": [target(cloud.url, credentials=keys)],
        "brakes": {"max_share": None},
        "polling": {"interval": "60ms"},
    }
    objects = rendered(desk.folder, {"mode": "cronjob", "configuration": configuration})
    text = configuration_file(desk.folder, objects).read_text(encoding="utf-8")
    desk.config.write_text(text.replace("/var/lib/nbsweep", str(desk.folder)), encoding="utf-8")
    desk.environment |= {"AK": ACCESS_KEY, "SK": SECRET_KEY}
    ended = desk.run(*container(objects)["args"])
    assert ended.code == 0, ended
    assert len(cloud.gone()) == gone


def test_a_changed_configuration_restarts_the_pod_and_nothing_else_does(tmp_path: Path) -> None:
    """By an annotation of the pod with the configuration's digest."""

    def digest(values: dict[str, Any]) -> str:
        annotation = pod_template(rendered(tmp_path, values))["metadata"]["annotations"]["checksum/config"]
        assert isinstance(annotation, str)
        return annotation

    assert digest(SERVICE) == digest({"networkPolicy": {"enabled": False}})
    assert digest(SERVICE) != digest({"configuration": {"brakes": {"max_deletions": 5}}})


def test_postgresql_needs_no_volume_and_its_url_is_a_secret(tmp_path: Path) -> None:
    """The URL comes from the Secret, and the network policy lets the database's port out."""
    objects = rendered(tmp_path, POSTGRESQL)
    assert "journal" not in {volume["name"] for volume in pod_template(objects)["spec"]["volumes"]}
    journal = {"name": "JOURNAL", "valueFrom": {"secretKeyRef": {"name": "nbsweep", "key": "journal"}}}
    assert journal in container(objects)["env"]
    assert objects["NetworkPolicy"]["spec"]["egress"][-1]["ports"] == [{"protocol": "TCP", "port": 5432}]
    url = "postgresql://nbsweep@db/nbsweep"
    assert load_settings(configuration_file(tmp_path, objects), {**KEYS, "JOURNAL": url}).journal == url


def test_the_claim_outlives_the_release(tmp_path: Path) -> None:
    """The journal is the only record of open deletions."""
    claim = rendered(tmp_path, SERVICE)["PersistentVolumeClaim"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_every_option_reaches_the_pod(tmp_path: Path) -> None:
    """Image, proxy, authority, place."""
    objects = rendered(tmp_path, EVERYTHING)
    template, program = pod_template(objects), container(objects)
    assert program["image"] == f"registry.example.com/nbsweep@sha256:{'0' * 64}"
    variables = {variable["name"]: variable.get("value") for variable in program["env"]}
    assert variables["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    assert variables["SSL_CERT_FILE"] == "/etc/nbsweep-authority/ca.crt"
    mounted = {mount["name"] for mount in program["volumeMounts"]}
    assert mounted == {volume["name"] for volume in template["spec"]["volumes"]}
    assert {"nodeSelector", "tolerations", "affinity", "imagePullSecrets"} <= set(template["spec"])
    assert template["metadata"]["labels"]["team"] == template["metadata"]["annotations"]["example.com/team"] == "platform"
    assert {found["metadata"]["name"] for found in objects.values()} == {"sweeper"}


def test_an_ingress_leads_to_the_service_by_https_and_only_its_controller_gets_through(tmp_path: Path) -> None:
    """The network policy lets its controller's namespace in, and no other where none is named."""
    objects = rendered(tmp_path, EVERYTHING)
    ingress, service = objects["Ingress"], objects["Service"]
    assert ingress["metadata"]["annotations"] == EVERYTHING["ingress"]["annotations"]
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": ["nbsweep.example.com"], "secretName": "nbsweep-tls"}]
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("nbsweep.example.com", "/", "Prefix")
    backend = {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    assert path["backend"] == {"service": backend}
    (allowed,) = objects["NetworkPolicy"]["spec"]["ingress"]
    labels = {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert allowed["from"] == [{"namespaceSelector": {"matchLabels": labels}}]


def test_without_an_ingress_and_namespaces_nobody_gets_through(tmp_path: Path) -> None:
    """Not even the controller of an Ingress that is not there."""
    objects = rendered(tmp_path, {"networkPolicy": {"ingressNamespaces": []}})
    assert objects["NetworkPolicy"]["spec"]["ingress"] == []


def test_the_service_monitor_shows_the_token_and_selects_the_service(tmp_path: Path) -> None:
    """With the port's name and the job's name that the alert rules expect."""
    objects = rendered(tmp_path, EVERYTHING)
    monitor, service = objects["ServiceMonitor"], objects["Service"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "nbsweep"
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["path"] == "/metrics"
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": {"name": "nbsweep", "key": "api_token"}}


def test_the_selectors_are_those_of_the_pods(tmp_path: Path) -> None:
    """Of this release only, and without labels that change with a version."""
    objects = rendered(tmp_path, SERVICE)
    label = {"app.kubernetes.io/name": "nbsweep", "app.kubernetes.io/instance": "nbsweep"}
    assert label.items() <= pod_template(objects)["metadata"]["labels"].items()
    assert objects["Deployment"]["spec"]["selector"]["matchLabels"] == label
    assert objects["Service"]["spec"]["selector"] == label
    assert objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == label


def test_the_chart_has_the_version_of_the_program() -> None:
    """Both of its versions, so that the tag of the image follows."""
    (chart,) = documents(CHART / "Chart.yaml")
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_chart_can_be_packaged_and_installed_from_the_package(tmp_path: Path) -> None:
    """With everything that rendering needs in it."""
    assert call("helm", "package", CHART, "--destination", tmp_path).returncode == 0
    package = tmp_path / f"nbsweep-{__version__}.tgz"
    said = call("helm", "template", "nbsweep", package, "--namespace", "nbsweep")
    assert said.stdout == call("helm", "template", "nbsweep", CHART, "--namespace", "nbsweep").stdout


def test_the_chart_is_named_in_the_readme_by_its_place() -> None:
    """`helm install` with the folder."""
    assert "helm install nbsweep deploy/helm" in (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
