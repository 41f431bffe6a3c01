"""The JSON document of a back-test, byte for byte, as the charts and other programs read it."""

from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOON, ago, labelled
from nbsweep.cli.text import json_text
from nbsweep.core.backtest.model import CensorCause, Label, Labelled, Period
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.model import Named
from nbsweep.core.reasons.statement import recorded_statement
from nbsweep.documents.past.backtest_result import BacktestResult, ThresholdResult, backtest_document

EXPECTED = Path(__file__).parents[1] / "expected" / "backtest.json"
PERIOD = Period(ago(days=14), NOON, timedelta(days=30))
BACK, IDLE, CENSORED = Label.CAME_BACK, Label.STILL_IDLE, Label.CENSORED


def result(*found: Labelled, other: tuple[Labelled, ...] = ()) -> BacktestResult:
    """Return the result of one target, compared with other policies."""
    return BacktestResult(
        policies="new.yaml",
        period=PERIOD,
        coverages=[Coverage("research", 15, 1, 0, ago(days=14), NOON, 0, 2)],
        replayed=[Replayed(found, {"max_share": 3}, marked=1, lacking=2)],
        thresholds=[ThresholdResult("7d", timedelta(days=7), [Replayed(found[:2], {"max_share": 5})])],
        other=("current", [Replayed(other)]),
        max_regret=0.02,
        assumptions=[recorded_statement("A sweep takes place at each recorded survey.")],
    )


def test_the_document_is_as_expected() -> None:
    """Counts by policy, owner, week and threshold, each deletion with its label, and the differences."""
    found = (
        labelled(1, BACK),
        labelled(2, IDLE, policy="idle", at=ago(days=9)),
        labelled(3, CENSORED, owner=Named("u2", "bob")),
    )
    text = json_text(backtest_document(result(*found, other=(labelled(2, IDLE), labelled(4, BACK)))))
    if not EXPECTED.exists():
        EXPECTED.write_text(f"{text}\n", encoding="utf-8")
        pytest.fail(f"{EXPECTED} was missing, and was written now")
    assert f"{text}\n" == EXPECTED.read_text(encoding="utf-8")


def test_the_causes_are_in_the_order_of_their_list() -> None:
    """And only those that occur."""
    missing = Labelled(labelled(5, CENSORED).would_be, CENSORED, cause=CensorCause.SURVEYS_MISSING)
    document = backtest_document(result(missing, labelled(1, CENSORED)))
    assert list(document.total.censored_by) == ["horizon-not-over", "surveys-missing"]
    assert document.few_labels
    assert document.max_regret is not None
    assert not document.max_regret.passed
