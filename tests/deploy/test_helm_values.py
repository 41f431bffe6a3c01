"""The values of the Helm chart: which are refused, what reaches the program, and what the notes say of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.chart import (
    CHART,
    CRON_JOB,
    ENFORCING,
    EVERYTHING,
    MANIFESTS,
    POSTGRESQL,
    SERVICE,
    configuration_file,
    rendered,
    written,
)
from deploy.support import DEPLOY, KEYS, call, documents
from nbsweep.loading.file import load_settings


def refusal(folder: Path, values: dict[str, Any]) -> str:
    """Return what helm says of values that it must not take."""
    said = call("helm", "template", "nbsweep", CHART, "--values", written(folder, values))
    assert said.returncode, said.stdout
    return said.stderr


def test_the_default_configuration_is_that_of_the_manifests(tmp_path: Path) -> None:
    """And deletes nothing until it says so."""
    settings = load_settings(configuration_file(tmp_path, rendered(tmp_path, SERVICE)), KEYS)
    assert settings == load_settings(MANIFESTS / "base" / "nbsweep.yaml", KEYS)
    assert settings.mode == "dry-run"


def test_a_configuration_reaches_the_program_unchanged(tmp_path: Path) -> None:
    """Texts that look like numbers, large numbers and references survive helm's reading and writing."""
    configuration = {
        "targets": [
            {
                "name": "research",
                "region": "cn-north-4",
                "project_id": "01234567890123456789012345678901",
                "credentials": {"username": "sweeper", "domain": "0123", "password": "${PASSWORD}"},
            }
        ],
        "brakes": {"max_deletions": 1_000_000, "max_share": "25%"},
        "schedule": {"cron": "0 3 * * *", "timezone": "UTC"},
    }
    objects = rendered(tmp_path, {"configuration": configuration})
    read = yaml.safe_load(objects["ConfigMap"]["data"]["nbsweep.yaml"])
    assert read["targets"] == configuration["targets"]
    settings = load_settings(configuration_file(tmp_path, objects), {**KEYS, "PASSWORD": "a-password"})
    assert settings.brakes.max_deletions == 1_000_000


def test_the_program_validates_what_the_chart_cannot(tmp_path: Path) -> None:
    """The command reads the configuration of the ConfigMap, and names the mistake below the first level."""
    wrong = {"configuration": {"brakes": {"max_deletion": 1}}}
    file = configuration_file(tmp_path, rendered(tmp_path, wrong))
    said = call("nbsweep", "--config", file, "history", AK="an-access-key")
    assert said.returncode == 2
    assert "max_deletion" in said.stderr


def test_the_schema_knows_the_sections_of_the_configuration() -> None:
    """As many as the program's own schema."""
    theirs = json.loads(call("nbsweep", "schema").stdout)["properties"]
    ours = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]["configuration"]["properties"]
    assert set(ours) == set(theirs)


def test_every_value_is_in_the_schema_and_no_object_of_it_is_open() -> None:
    """Every object of values.yaml has its properties there, and refuses others."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    (values,) = documents(CHART / "values.yaml")
    assert set(values) == set(schema["properties"]) - {"global"}
    for name, value in values.items():
        section = schema["properties"][name]
        if isinstance(value, dict) and "properties" in section:
            assert section["additionalProperties"] is False
            assert set(value) <= set(section["properties"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replicas": 2}, "additional properties 'replicas' not allowed"),
        ({"image": {"tags": "1"}}, "at '/image': additional properties 'tags' not allowed"),
        ({"mode": "daemon"}, "at '/mode': value must be one of 'service', 'cronjob'"),
        ({"configuration": {"mode": "delete"}}, "at '/configuration/mode': value must be one of 'dry-run', 'enforce'"),
        ({"configuration": {"policy": []}}, "at '/configuration': additional properties 'policy' not allowed"),
        ({"configuration": {"policies": []}}, "at '/configuration/policies': minItems: got 0, want 1"),
        ({"configuration": {"targets": None}}, "at '/configuration': missing property 'targets'"),
        ({"existingSecret": {"name": None}}, "at '/existingSecret': missing property 'name'"),
        ({"environment": {"A B": "1"}}, "invalid propertyName 'A B'"),
        ({"persistence": {"size": "1G"}}, "at '/persistence/size': '1G' does not match pattern"),
        ({"cronjob": {"schedule": "daily"}}, "at '/cronjob/schedule': 'daily' does not match pattern"),
        (
            {"ingress": {"host": "https://nbsweep.example.com"}},
            "at '/ingress/host': 'https://nbsweep.example.com' does not match",
        ),
        ({"networkPolicy": {"egressPorts": [0]}}, "at '/networkPolicy/egressPorts/0': minimum: got 0, want 1"),
        ({"podLabels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName 'app.kubernetes.io/name'"),
        ({"resources": {"requests": {"cpu": []}}}, "at '/resources/requests/cpu'"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path: Path, values: dict[str, Any], sentence: str) -> None:
    """By `helm template` and by `helm lint`, with the place."""
    assert sentence in refusal(tmp_path, values)
    said = call("helm", "lint", CHART, "--values", written(tmp_path, values))
    assert said.returncode
    assert sentence in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"configuration": {"journal": "sqlite:////tmp/journal.db"}}, "must be sqlite:////var/lib/nbsweep/FILE"),
        ({"configuration": {"journal": "postgresql://nbsweep:geheim@db/nbsweep"}}, "configuration.journal holds a password"),
        (
            {"configuration": {"targets": [{"name": "a", "credentials": {"access_key": "a", "secret_key": "geheim"}}]}},
            "credentials.secret_key holds a secret: use secret_key_file",
        ),
        ({"configuration": {"service": {"listen": "127.0.0.1:9464"}}}, "configuration.service.listen must be 0.0.0.0:9464"),
        ({"configuration": {"service": {"api_token_file": "/tmp/token"}}}, "must be /run/secrets/nbsweep/api_token"),  # noqa: S108
        ({"mode": "cronjob", "serviceMonitor": {"enabled": True}}, "serviceMonitor.enabled needs mode service"),
        ({"mode": "cronjob", "ingress": {"enabled": True}}, "ingress.enabled needs mode service"),
        (
            {"ingress": {"enabled": True, "host": "nbsweep.example.com"}},
            "ingress.enabled needs ingress.host and ingress.tlsSecret",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(tmp_path: Path, values: dict[str, Any], sentence: str) -> None:
    """By `helm template`, `install` and `upgrade`; and no secret is repeated in the message."""
    said = refusal(tmp_path, values)
    assert sentence in said
    assert "geheim" not in said


@pytest.mark.parametrize("version", ["1.27.9", "1.28.0", "1.37.0"])
def test_only_a_kubernetes_that_is_too_old_is_refused(version: str) -> None:
    """Managed clusters add a suffix to their version."""
    said = call("helm", "template", "nbsweep", CHART, "--kube-version", f"v{version}-r2")
    assert (said.returncode == 0) is (version != "1.27.9"), said.stderr


@pytest.mark.parametrize(
    ("values", "present", "absent"),
    [
        (SERVICE, ["deletes nothing", "access_key secret_key api_token", "nbsweep check", "mode=enforce"], "IT DELETES"),
        (SERVICE, ["port-forward deployment/nbsweep 9464", "http://localhost:9464/"], "https://"),
        (EVERYTHING, ["https://nbsweep.example.com/"], "port-forward"),
        (CRON_JOB, ["deletes nothing", "create job --from=cronjob/nbsweep", "--set configuration.mode=enforce"], "api_token"),
        (ENFORCING, ["IT DELETES"], "--set configuration.mode=enforce"),
        (POSTGRESQL, ["access_key journal secret_key"], "claim"),
        ({"configuration": {"journal": "postgresql://nbsweep@db/nbsweep"}}, ["networkPolicy.extraEgress"], "claim"),
    ],
)  # fmt: skip
def test_the_notes_say_what_to_do_first(tmp_path: Path, values: dict[str, Any], present: list[str], absent: str) -> None:
    """Which Secret, where the plan is, and how to let it delete."""
    file = written(tmp_path, values)
    said = call("helm", "install", "nbsweep", CHART, "--namespace", "nbsweep", "--dry-run=client", "--values", file)
    assert said.returncode == 0, said.stderr
    notes = said.stdout.partition("NOTES:")[2]
    assert all(text in notes for text in present), notes
    assert absent not in notes


def test_the_notes_name_commands_that_exist(tmp_path: Path) -> None:
    """Of nbsweep."""
    text = (CHART / "templates" / "NOTES.txt").read_text(encoding="utf-8")
    commands = set(re.findall(r"-- nbsweep (\w+)", text))
    assert commands == {"check", "plan"}
    assert all(call("nbsweep", command, "--help", cwd=tmp_path).returncode == 0 for command in commands)


def test_the_example_of_the_readme_is_enough(tmp_path: Path) -> None:
    """Its values make a configuration that the program takes."""
    (example,) = re.findall(r"(?ms)^```yaml\n(image: .*?)^```", (DEPLOY / "README.md").read_text(encoding="utf-8"))
    settings = load_settings(configuration_file(tmp_path, rendered(tmp_path, yaml.safe_load(example))), KEYS)
    assert [target.name for target in settings.targets] == ["research"]
    assert settings.mode == "dry-run"
