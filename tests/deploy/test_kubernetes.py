"""The manifests: they fit Kubernetes's schemas, and run what they run with no more rights than it needs."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.support import DEPLOY, KEYS, call, documents
from nbsweep import __version__
from nbsweep.loading.file import load_settings

KUBERNETES = DEPLOY / "kubernetes"
KUSTOMIZATIONS = sorted(KUBERNETES.rglob("kustomization.yaml"))
SETTINGS_FILE = KUBERNETES / "base" / "nbsweep.yaml"
OF_FLEET = {*(KUBERNETES / "fleet").rglob("*.yaml")}
"""Those of a fleet have tests of their own."""
MANIFESTS = sorted(set(KUBERNETES.rglob("*.yaml")) - {*KUSTOMIZATIONS, SETTINGS_FILE, *OF_FLEET})
OBJECTS: dict[str, dict[str, Any]] = {manifest["kind"]: manifest for path in MANIFESTS for manifest in documents(path)}
DEPLOYMENT = OBJECTS["Deployment"]["spec"]
CRON_JOB = OBJECTS["CronJob"]["spec"]
PODS: dict[str, dict[str, Any]] = {
    "Deployment": DEPLOYMENT["template"]["spec"],
    "CronJob": CRON_JOB["jobTemplate"]["spec"]["template"]["spec"],
}
OLDEST, NEWEST = "1.28", "1.37"

each_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def container(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the only container."""
    (only,) = pod["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_fits_the_schemas(version: str) -> None:
    """In strict mode, in which a key that Kubernetes does not know is an error."""
    said = call("kubernetes-validate", "--strict", "--kubernetes-version", version, *map(str, MANIFESTS))
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("passed") + said.stderr.count("passed") == len(MANIFESTS)


def test_a_slip_in_a_manifest_would_be_told(tmp_path: Path) -> None:
    """The schemas bind down to the container's keys."""
    text = (KUBERNETES / "service" / "deployment.yaml").read_text(encoding="utf-8")
    assert "readOnlyRootFilesystem" in text
    wrong = tmp_path / "deployment.yaml"
    wrong.write_text(text.replace("readOnlyRootFilesystem", "readonlyRootFilesystem"), encoding="utf-8")
    assert call("kubernetes-validate", "--strict", "--kubernetes-version", NEWEST, str(wrong)).returncode


@pytest.mark.parametrize("file", KUSTOMIZATIONS, ids=lambda file: file.parent.name)
def test_a_kustomization_lists_every_file_of_its_folder(file: Path) -> None:
    """And whatever it lists is there: a file or a folder with a kustomization."""
    (kustomization,) = documents(file)
    generated = [name for generator in kustomization.get("configMapGenerator", ()) for name in generator["files"]]
    listed = {*kustomization["resources"], *generated}
    beside = {path.name for path in file.parent.glob("*.yaml")} - {file.name}
    assert beside <= listed
    for name in listed - beside:
        assert (file.parent / name / "kustomization.yaml").is_file(), name


def test_there_is_what_was_asked_for() -> None:
    """The Secret is made by hand, so that none is in the repository; the ConfigMap is made of its file."""
    assert set(OBJECTS) == {
        "CronJob",
        "Deployment",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }


@each_pod
def test_it_runs_as_somebody_without_rights(pod: dict[str, Any]) -> None:
    """As the user of the image, by number, with the runtime's filter of system calls, and nothing to climb by."""
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)


@each_pod
def test_it_has_no_token_of_kubernetes(pod: dict[str, Any]) -> None:
    """Neither by the account nor by the pod."""
    assert pod["automountServiceAccountToken"] is False
    account = OBJECTS["ServiceAccount"]
    assert account["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == account["metadata"]["name"]


@each_pod
def test_it_says_what_it_needs_and_is_held_to_it(pod: dict[str, Any]) -> None:
    """Memory is bounded; processor time is not, for a throttled sweep only takes longer."""
    resources = container(pod)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


@each_pod
def test_only_the_journal_and_a_small_tmp_can_be_written(pod: dict[str, Any]) -> None:
    """The journal is on a claim that outlives the pod."""
    writable = {mount["name"] for mount in container(pod)["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"journal", "tmp"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["journal"]["persistentVolumeClaim"]["claimName"] == OBJECTS["PersistentVolumeClaim"]["metadata"]["name"]
    assert "sizeLimit" in volumes["tmp"]["emptyDir"]


@each_pod
def test_every_mount_has_its_volume(pod: dict[str, Any]) -> None:
    """And every volume is mounted."""
    mounted = [mount["name"] for mount in container(pod)["volumeMounts"]]
    assert sorted(mounted) == sorted(volume["name"] for volume in pod["volumes"])


@each_pod
def test_secrets_come_by_reference(pod: dict[str, Any]) -> None:
    """No value of the environment is written down, and all of them are of the one Secret that the README makes."""
    for variable in container(pod)["env"]:
        assert variable["valueFrom"]["secretKeyRef"]["name"] == "nbsweep"
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    assert secret["secretName"] == "nbsweep"
    assert secret["defaultMode"] == 0o440


@each_pod
def test_a_stop_leaves_more_time_than_the_drain_takes(pod: dict[str, Any]) -> None:
    """Whatever the configuration beside it says of the drain."""
    drain = load_settings(SETTINGS_FILE, KEYS).service.drain
    assert pod["terminationGracePeriodSeconds"] > drain.total_seconds()


def test_the_configuration_is_one_that_the_program_takes() -> None:
    """The file that becomes the ConfigMap is loaded without a mistake, and deletes nothing until somebody says so."""
    settings = load_settings(SETTINGS_FILE, KEYS)
    assert settings.mode == "dry-run"
    assert settings.service.listen == "0.0.0.0:9464"


@each_pod
def test_the_configuration_names_only_places_that_the_pod_has(pod: dict[str, Any]) -> None:
    """Of the secrets the one-off form has no API token, for it has no API."""
    text = SETTINGS_FILE.read_text(encoding="utf-8")
    mounts = {mount["name"]: mount["mountPath"] for mount in container(pod)["volumeMounts"]}
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    for item in secret["items"]:
        assert f"{mounts['secret']}/{item['path']}" in text
    assert f"sqlite:///{mounts['journal']}/" in text
    assert mounts["config"] == "/etc/nbsweep"


def test_there_is_never_more_than_one_at_a_time() -> None:
    """Two would sweep the same targets, over one journal."""
    assert DEPLOYMENT["replicas"] == 1
    assert DEPLOYMENT["strategy"] == {"type": "Recreate"}
    assert CRON_JOB["concurrencyPolicy"] == "Forbid"


def test_a_sweep_that_failed_is_not_repeated_blindly() -> None:
    """The next one comes at its time."""
    assert CRON_JOB["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert PODS["CronJob"]["restartPolicy"] == "Never"


def test_each_form_calls_the_program_as_it_is_meant() -> None:
    """The service, and the one-off without a question."""
    assert container(PODS["Deployment"])["args"] == ["serve"]
    assert container(PODS["CronJob"])["args"] == ["run", "--yes", "--format", "json"]


def test_start_and_life_are_asked_without_the_token() -> None:
    """/healthz answers everybody."""
    for probe in ("startupProbe", "livenessProbe"):
        assert container(PODS["Deployment"])[probe]["httpGet"] == {"path": "/healthz", "port": "http"}


@contextmanager
def web_face(status: HTTPStatus, token: str) -> Iterator[int]:
    """Answer /readyz with a status to whoever has the token; give the port."""

    class Face(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers["Authorization"] == f"Bearer {token}" and self.path == "/readyz"
            self.send_response(status if allowed else HTTPStatus.UNAUTHORIZED)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Face) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "token", "ready"),
    [
        (HTTPStatus.OK, "the-token", True),
        (HTTPStatus.SERVICE_UNAVAILABLE, "the-token", False),
        (HTTPStatus.OK, "another", False),
    ],
)
def test_readiness_is_what_readyz_says_to_the_bearer_of_the_token(
    tmp_path: Path, status: HTTPStatus, token: str, *, ready: bool
) -> None:
    """The probe's own code is run, with a proxy in the environment that must not matter, and a line feed after the token."""
    python, option, code = container(PODS["Deployment"])["readinessProbe"]["exec"]["command"]
    assert (python, option) == ("python", "-c")
    place = load_settings(SETTINGS_FILE, KEYS).service.api_token_file
    assert place is not None
    assert place in code
    file = tmp_path / "api_token"
    file.write_text("the-token\n", encoding="utf-8")
    with web_face(status, token) as port:
        here = code.replace(place, str(file)).replace("9464", str(port))
        said = call(sys.executable, "-c", here, http_proxy="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")
    assert (said.returncode == 0) is ready, said.stderr


def test_the_port_is_the_same_everywhere() -> None:
    """Container, Service, network policy and configuration."""
    assert container(PODS["Deployment"])["ports"] == [{"name": "http", "containerPort": 9464}]
    assert OBJECTS["Service"]["spec"]["ports"] == [{"name": "http", "port": 9464, "targetPort": "http"}]
    (rule,) = OBJECTS["NetworkPolicy"]["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 9464}]


def test_one_that_is_not_ready_is_scraped_all_the_same() -> None:
    """Failing sweeps make it unready, and then its metrics matter most."""
    assert OBJECTS["Service"]["spec"]["publishNotReadyAddresses"] is True


def test_the_network_is_closed_but_for_scrapes_names_and_https() -> None:
    """The metadata server, which hands out the node's own keys, is out of reach."""
    spec = OBJECTS["NetworkPolicy"]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    names, cloud = spec["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert cloud["ports"] == [{"protocol": "TCP", "port": 443}]
    assert cloud["to"][0]["ipBlock"]["except"] == ["169.254.0.0/16"]


def test_a_drained_node_need_not_wait() -> None:
    """With one pod, a budget that keeps it would block the drain for ever; the journal makes giving way safe."""
    spec = OBJECTS["PodDisruptionBudget"]["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_whoever_selects_pods_selects_ours() -> None:
    """By the one label that the pods of both forms carry."""
    label = {"app.kubernetes.io/name": "nbsweep"}
    assert DEPLOYMENT["template"]["metadata"]["labels"] == label
    assert CRON_JOB["jobTemplate"]["spec"]["template"]["metadata"]["labels"] == label
    assert DEPLOYMENT["selector"] == {"matchLabels": label}
    assert OBJECTS["Service"]["spec"]["selector"] == label
    assert OBJECTS["NetworkPolicy"]["spec"]["podSelector"] == {"matchLabels": label}
    assert OBJECTS["PodDisruptionBudget"]["spec"]["selector"] == {"matchLabels": label}


def test_the_namespace_lets_nothing_laxer_in() -> None:
    """Kubernetes itself holds the pods to its restricted standard."""
    labels = OBJECTS["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("form", ["service", "cronjob"])
def test_the_image_is_of_this_version(form: str) -> None:
    """A tag that moves would change the program under a running manifest."""
    kustomization = yaml.safe_load((KUBERNETES / form / "kustomization.yaml").read_text(encoding="utf-8"))
    assert kustomization["images"] == [{"name": "nbsweep", "newTag": __version__}]
