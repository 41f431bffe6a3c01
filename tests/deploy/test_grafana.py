"""The dashboard: its queries are PromQL, and ask only for what the service tells."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.support import DEPLOY, METRICS, call, foreign_names

DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "nbsweep.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
VARIABLES: list[dict[str, Any]] = DASHBOARD["templating"]["list"]


def queries() -> Iterator[tuple[str, str]]:
    """Name every expression of the dashboard, as Prometheus gets it."""
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield f"{panel['id']}{target['refId']}", _filled_in(target["expr"])
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], _filled_in(annotation["expr"])


def _filled_in(expression: str) -> str:
    return expression.replace("$__rate_interval", "5m").replace("$target", ".*")


@pytest.mark.parametrize(("name", "expression"), list(queries()))
def test_each_query_asks_only_for_what_the_service_tells(name: str, expression: str) -> None:
    """A metric or label that does not exist makes a panel that stays empty."""
    assert list(foreign_names(expression)) == [], name


def test_each_query_is_promql(tmp_path: Path) -> None:
    """Prometheus's own tool parses them, as recording rules."""
    rules = [{"record": "panel:query", "labels": {"panel": name}, "expr": expression} for name, expression in queries()]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    said = call("promtool", "check", "rules", str(file))
    assert said.returncode == 0, said.stderr


def test_every_metric_is_shown_somewhere() -> None:
    """What is counted for nobody need not be counted."""
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for _, query in queries() for name in re.findall(r"nbsweep_\w+", query)}
    assert shown == set(METRICS)


def test_the_choice_of_targets_comes_from_a_metric_that_every_target_has() -> None:
    """Also from one that was never swept."""
    (choice,) = (variable for variable in VARIABLES if variable["name"] == "target")
    assert re.fullmatch(r"label_values\((\w+), target\)", choice["query"]["query"])
    assert list(foreign_names(choice["query"]["query"].split("(")[1].split(",")[0])) == []


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    """Grafana would take one of two with the same id, and lay one over the other."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations((panel["gridPos"] for panel in PANELS), 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, (one, other)
        assert one["x"] + one["w"] <= 24


def test_the_dashboard_works_with_any_data_source() -> None:
    """It names none: who imports it chooses."""
    assert [variable["type"] for variable in VARIABLES if variable["name"] == "datasource"] == ["datasource"]
    sources = [
        part["datasource"]["uid"] for panel in PANELS for part in (panel, *panel.get("targets", ())) if "datasource" in part
    ]
    assert set(sources) == {"${datasource}"}
