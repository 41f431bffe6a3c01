"""Where the files of deploy/ are, and how the tools that judge them are called."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
"""Of the virtual environment, where the tools from PyPI are, and promtool where it was unpacked for the tests."""
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"

KEYS = {"AK": "an-access-key", "SK": "a-secret-key"}

METRICS: Mapping[str, frozenset[str]] = {
    name: frozenset(labels.split())
    for name, labels in {
        "nbsweep_build_info": "version",
        "nbsweep_sweeps_total": "target outcome",
        "nbsweep_sweep_duration_seconds": "target",
        "nbsweep_last_success_timestamp_seconds": "target",
        "nbsweep_fleet_notebooks": "target",
        "nbsweep_candidates": "target",
        "nbsweep_kept_notebooks": "target reason",
        "nbsweep_removals_total": "target policy outcome",
        "nbsweep_removals_in_flight": "target",
        "nbsweep_deletion_duration_seconds": "target",
        "nbsweep_reclaimed_bytes_total": "target category",
        "nbsweep_refusals_total": "target brake",
        "nbsweep_api_calls_total": "target lane status_class error_code",
        "nbsweep_api_call_duration_seconds": "target lane",
        "nbsweep_throttled_total": "target lane",
        "nbsweep_lane_calls_per_second": "target lane",
        "nbsweep_lane_configured_calls_per_second": "target lane",
        "nbsweep_authentication_failures_total": "target",
        "nbsweep_target_failures": "target",
        "nbsweep_target_paused": "target",
        "nbsweep_target_held_elsewhere": "target",
        "nbsweep_target_waiting_for_turn": "target",
        "nbsweep_ready": "",
        "nbsweep_reload_refused": "",
        "nbsweep_log_lines_lost_total": "",
        "nbsweep_marks": "target state",
        "nbsweep_untold": "target",
        "nbsweep_marks_made_total": "target",
        "nbsweep_marks_cleared_total": "target cause",
        "nbsweep_notifications_total": "channel kind outcome",
        "nbsweep_outbox_pending": "channel",
        "nbsweep_outbox_oldest_seconds": "channel",
        "nbsweep_outbox_waiting": "",
        "nbsweep_outbox_paused": "",
        "nbsweep_workers": "state",
        "nbsweep_workers_outdated": "",
        "nbsweep_jobs": "state",
        "nbsweep_job_wait_seconds": "",
        "nbsweep_jobs_refused": "",
        "nbsweep_account_held": "account",
        "nbsweep_fleet_led": "",
        "nbsweep_fleet_leading": "",
        "nbsweep_workspaces_refused": "target",
        "nbsweep_cloud_dialect": "target aspect value",
    }.items()
}
"""What the service tells of itself, and by which labels."""

HISTOGRAMS = ("nbsweep_sweep_duration_seconds", "nbsweep_deletion_duration_seconds", "nbsweep_api_call_duration_seconds")
GIVEN_BY_PROMETHEUS = frozenset({"le", "job", "instance", "pod"})


def call(*command: str | Path, cwd: Path = ROOT, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end, whatever its exit code; `given` is what it reads from stdin."""
    tool = shutil.which(command[0], path=PATH)
    assert tool, f"{command[0]} is missing: `make test-deploy` brings it"
    return subprocess.run(
        [tool, *command[1:]],
        cwd=cwd,
        input=given,
        env={**os.environ, "PATH": PATH, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def documents(path: Path) -> list[dict[str, Any]]:
    """Read every document of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def foreign_names(expression: str) -> Iterator[str]:
    """Find the metrics in a PromQL expression that the service does not have, and the labels that no such metric has."""
    for name, matchers in re.findall(r"\b(nbsweep_\w+)(?:\{([^}]*)\})?", expression):
        labels = _labels(name)
        if labels is None:
            yield name
            continue
        yield from sorted(set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", matchers)) - labels)
    everywhere = frozenset[str]().union(GIVEN_BY_PROMETHEUS, *METRICS.values())
    for listed in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        yield from sorted(set(re.findall(r"\w+", listed)) - everywhere)


def _labels(name: str) -> frozenset[str] | None:
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    if base in HISTOGRAMS:
        return METRICS[base] | GIVEN_BY_PROMETHEUS if base != name else None
    return METRICS[name] | GIVEN_BY_PROMETHEUS if name in METRICS else None
