"""What a person reads of a back-test: the verdict first."""

from datetime import timedelta

from builders import NOON, ago, labelled, notebook, removal
from nbsweep.cli.views.past.backtest import OWNERS_SHOWN, REGRETS_SHOWN, backtest_view
from nbsweep.core.backtest.model import Label, Labelled, Period
from nbsweep.core.backtest.reality import Reality
from nbsweep.core.backtest.recreated import Recreated, Resemblance
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.model import Named
from nbsweep.core.reasons.statement import recorded_statement
from nbsweep.documents.past.backtest_result import BacktestResult, ThresholdResult, backtest_document
from rendering import rendered

REST = (
    "4 deletions of 200 GB: 1 came back, 1 removed by their owners, 1 still idle at the horizon; 1 cannot be judged "
    "(the horizon is not over: 1)."
)
BACK, REMOVED, IDLE, CENSORED = Label.CAME_BACK, Label.REMOVED_BY_OWNER, Label.STILL_IDLE, Label.CENSORED


def shown(*found: Labelled, max_regret: float | None = None, other: tuple[Labelled, ...] | None = None) -> list[str]:
    """Return the lines of a view."""
    result = BacktestResult(
        policies="new.yaml",
        period=Period(ago(days=90), NOON, timedelta(days=30)),
        coverages=[Coverage("research", 90, 0, 0, ago(days=90), NOON), Coverage("empty")],
        replayed=[Replayed(found), Replayed()],
        thresholds=[ThresholdResult("7d", timedelta(days=7), [Replayed(found)])] if other else [],
        other=("current", [Replayed(other)]) if other else None,
        max_regret=max_regret,
        assumptions=[recorded_statement("A sweep takes place at each recorded survey.")],
    )
    return [line.strip() for line in rendered(backtest_view(backtest_document(result))).splitlines()]


def test_the_verdict_is_the_first_line() -> None:
    """The rate with its interval, then what the deletions came to, then where and when."""
    lines = shown(labelled(1, BACK), labelled(2, REMOVED), labelled(3, IDLE), labelled(4, CENSORED))
    assert lines[:5] == [
        "1 of 3 deletions would be regretted: 33.3 % (95 % interval 6.1-79.2 %).",
        REST,
        "research: 90 surveys from 2025-12-01 to 2026-03-01.",
        "empty: no survey in this time.",
        "Policies: new.yaml. Horizon: 30d.",
    ]
    assert "With 3 judged deletions, the rate says little: look at its interval." in lines
    assert lines[-2:] == ["What this assumes", "- A sweep takes place at each recorded survey."]


def test_what_really_happened_is_said_besides() -> None:
    """Who created a notebook again, and how many of the held-out ones came back."""
    again = Recreated(removal(1, requested_at=ago(days=9)), notebook(2, name="bert"), ago(days=7), Resemblance.IMAGE)
    result = BacktestResult(
        policies="current",
        period=Period(ago(days=90), NOON, timedelta(days=30)),
        coverages=[],
        replayed=[],
        realities=[Reality(12, (again,), (labelled(1, BACK), labelled(2, IDLE))), Reality()],
    )
    text = rendered(backtest_view(backtest_document(result)))
    assert "Really deleted: 12 notebooks, of which 1 created again by their owners." in text
    assert "experiment-1 of alice, deleted on 2026-02-20: created bert on 2026-02-22 (same image)" in text
    assert "Held out: 2 notebooks. 1 of 2 deletions would be regretted: 50.0 %" in text


def test_nothing_to_judge_is_said() -> None:
    """No deletion at all, or none that can be judged; a limit is not kept by either."""
    assert shown(max_regret=0.02)[0] == "Nothing would have been deleted."
    lines = shown(labelled(1, CENSORED), max_regret=0.02)
    assert lines[0] == "1 deletion, of which none can be judged."
    assert "The limit of 2.0 % is not kept: no deletion can be judged." in lines


def test_a_limit_is_kept_or_not() -> None:
    """One of two is 50 %."""
    for most, words in ((0.5, "The limit of 50.0 % is kept."), (0.49, "The limit of 49.0 % is not kept.")):
        assert words in shown(labelled(1, BACK), labelled(2, IDLE), max_regret=most)


def test_regrets_are_named_with_how_and_when_the_latest_first() -> None:
    """So many of them, and a count of the others; owners in the same way."""
    many = REGRETS_SHOWN + 3
    found = [
        labelled(place, BACK, owner=Named(f"u{place}", f"owner-{place:02d}"), at=ago(days=80 - place)) for place in range(many)
    ]
    text = "\n".join(shown(*found))
    assert f"experiment-{many - 1} " in text
    assert "experiment-2 " not in text
    assert "and 3 earlier ones; --format json has all." in text
    assert f"and {many - OWNERS_SHOWN} more owners who came back." in text
    assert "2026-03-04" in text
    assert "started" in text


def test_differences_and_thresholds_have_tables() -> None:
    """Only by these, only by the others, and by both."""
    text = "\n".join(shown(labelled(1, BACK), labelled(2, IDLE), other=(labelled(2, IDLE), labelled(3, IDLE))))
    for words in (
        "IDLE OVER",
        "only by new.yaml",
        "only by current",
        "by both, new.yaml",
        "All of current: 2 deletions; regret: 0.0 %",
    ):
        assert words in text
