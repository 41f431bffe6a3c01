"""The alert rules, judged by Prometheus's own tool, and each tried when it should speak and when it should not."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, asked, eventually, free_port, idle_fleet, target
from deploy.support import DEPLOY, HISTOGRAMS, METRICS, call, documents, foreign_names
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.metrics import Metrics

PROMETHEUS = DEPLOY / "prometheus"
RULES = PROMETHEUS / "nbsweep.rules.yaml"
CASES = PROMETHEUS / "nbsweep.rules.test.yaml"
ALERTS: list[dict[str, Any]] = [rule for group in documents(RULES)[0]["groups"] for rule in group["rules"]]


def test_the_rules_are_well_formed() -> None:
    """As `promtool check rules` sees it, with its lints as errors."""
    said = call("promtool", "check", "rules", "--lint-fatal", str(RULES))
    assert said.returncode == 0, said.stderr
    assert f"{len(ALERTS)} rules found" in said.stdout


def test_each_alert_comes_and_stays_away_as_it_should() -> None:
    """The series are played through `promtool test rules`: labels and sentences must be as expected too."""
    said = call("promtool", "test", "rules", CASES.name, cwd=PROMETHEUS)
    assert said.returncode == 0, said.stdout + said.stderr


def test_an_alert_that_differs_from_what_is_expected_would_be_told(tmp_path: Path) -> None:
    """One case on its own, against a rule with another threshold."""
    (tmp_path / RULES.name).write_text(
        RULES.read_text(encoding="utf-8").replace("nbsweep_ready == 0", "nbsweep_ready == 2"), encoding="utf-8"
    )
    head, *cases = re.split(r"(?m)^(?=  - name: )", CASES.read_text(encoding="utf-8"))
    (one,) = (case for case in cases if "alertname: NbsweepNotReady" in case)
    (tmp_path / CASES.name).write_text(head + one, encoding="utf-8")
    assert call("promtool", "test", "rules", CASES.name, cwd=tmp_path).returncode


@pytest.mark.parametrize("alert", [rule["alert"] for rule in ALERTS])
def test_each_alert_has_a_case_in_which_it_comes_and_one_in_which_it_does_not(alert: str) -> None:
    """A new alert without both fails here."""
    looks = [look for case in documents(CASES)[0]["tests"] for look in case["alert_rule_test"] if look["alertname"] == alert]
    assert {bool(look["exp_alerts"]) for look in looks} == {True, False}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_asks_only_for_what_the_service_tells(rule: dict[str, Any]) -> None:
    """A metric or label that does not exist makes an alert that never comes."""
    assert list(foreign_names(rule["expr"])) == []


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_says_how_bad_it_is_and_what_it_is_about(rule: dict[str, Any]) -> None:
    """Who is woken by it reads the summary, then the description."""
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}


def test_every_trouble_that_matters_has_an_alert() -> None:
    """No success, refusals, failures, stuck removals, throttling, authentication; and the service itself."""
    asked = {name for rule in ALERTS for name in re.findall(r"nbsweep_\w+", rule["expr"])}
    assert asked >= {
        "nbsweep_build_info",
        "nbsweep_ready",
        "nbsweep_last_success_timestamp_seconds",
        "nbsweep_refusals_total",
        "nbsweep_sweeps_total",
        "nbsweep_removals_total",
        "nbsweep_removals_in_flight",
        "nbsweep_throttled_total",
        "nbsweep_authentication_failures_total",
    }


@pytest.mark.parametrize(
    ("expression", "foreign"),
    [
        ("nbsweep_sweeps", ["nbsweep_sweeps"]),
        ('nbsweep_sweeps_total{result="failed"}', ["result"]),
        ("sum by (brakes) (nbsweep_refusals_total)", ["brakes"]),
        ("rate(nbsweep_sweep_duration_seconds[5m])", ["nbsweep_sweep_duration_seconds"]),
        ("sum by (le, target) (rate(nbsweep_sweep_duration_seconds_bucket[5m]))", []),
    ],
)
def test_a_foreign_name_in_an_expression_is_found(expression: str, foreign: list[str]) -> None:
    """The search for such names finds metrics, matchers, and labels of aggregations."""
    assert list(foreign_names(expression)) == foreign


def test_the_example_of_a_scrape_is_well_formed(tmp_path: Path) -> None:
    """As `promtool check config` sees it, which looks for the token's file and for the rules too."""
    token = tmp_path / "api_token"
    token.write_text("a-token", encoding="utf-8")
    text = (PROMETHEUS / "prometheus.yaml").read_text(encoding="utf-8")
    (place,) = re.findall(r"credentials_file: (\S+)", text)
    (tmp_path / "prometheus.yaml").write_text(text.replace(place, str(token)), encoding="utf-8")
    (tmp_path / RULES.name).write_text(RULES.read_text(encoding="utf-8"), encoding="utf-8")
    said = call("promtool", "check", "config", "prometheus.yaml", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert f"{len(ALERTS)} rules found" in said.stdout


def test_what_a_running_service_tells_after_its_sweeps_is_well_formed(simulate: Simulate, desk: Desk) -> None:
    """As `promtool check metrics` sees it, with its lints as errors: real sweeps, a throttled call, a target that fails."""
    cloud = simulate(idle_fleet(12), limits={"per_api": {"delete": {"calls": 4}}})
    address = f"127.0.0.1:{free_port()}"
    every_second = {"cron": "* * * * * *"}
    desk.write(cloud, mode="enforce", schedule=every_second, service={"listen": address})
    document = json.loads(desk.config.read_text())
    document["targets"].append(target("http://127.0.0.1:1", name="lost"))
    desk.config.write_text(json.dumps(document))
    with desk.started("serve") as started:
        started.wait_for("http.throttled")
        eventually(lambda: len(cloud.gone()) == 12, "the fleet is gone")
        started.wait_for("target.backed_off")
        status, told = asked(address, "GET", "/metrics")
        started.signal(signal.SIGTERM)
        assert started.ended().code == 0
    assert status == 200
    for series in (
        'nbsweep_removals_total{outcome="deleted",policy="idle",target="lab"} 12.0',
        'nbsweep_throttled_total{lane="delete",target="lab"}',
        'nbsweep_sweeps_total{outcome="failed",target="lost"} 1.0',
    ):
        assert series in told
    said = call("promtool", "check", "metrics", given=told)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
    assert call("promtool", "check", "metrics", given=told.replace("# HELP nbsweep_ready ", "# HULP ")).returncode


def test_the_service_has_the_metrics_that_the_expressions_are_held_against() -> None:
    """Every name, with its kind, as the service writes them; no more and no fewer."""
    written = Metrics(SystemClock()).exposition().decode()
    kinds = dict(re.findall(r"(?m)^# TYPE (\S+) (\w+)$", written))
    assert set(kinds) == set(METRICS)
    assert {name for name, kind in kinds.items() if kind == "histogram"} == set(HISTOGRAMS)
    assert {name for name, kind in kinds.items() if kind == "counter"} == {name for name in METRICS if name.endswith("_total")}
