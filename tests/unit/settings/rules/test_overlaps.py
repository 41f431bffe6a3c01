"""Targets that cover the same notebooks."""

import pytest
from pydantic import ValidationError

from nbsweep.settings import Settings


def test_a_target_is_refused_once_however_many_targets_it_overlaps_with() -> None:
    """The first of them is named: a mistake for each pair of hundreds of targets is more than anybody reads, or a log takes."""
    targets = [{"name": f"t{each}", "endpoint": "http://127.0.0.1:1", "project_id": f"{1:032x}"} for each in range(4)]
    policies = [{"name": "idle", "match": {"idle_over": "14d"}}]
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({"mode": "dry-run", "targets": targets, "policies": policies})
    found = [(error["loc"], "notebooks of target t0, number 1" in error["msg"]) for error in raised.value.errors()]
    assert found == [(("targets", place), True) for place in (1, 2, 3)]
