"""Says in words what the figures of a back-test assume, and what limits them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.facts import format_age

SIGNS = (
    "the notebook was used, its lease was renewed, it was kept by a tag, a name or an exemption, renamed, or given to another "
    "owner"
)
AS_A_SWEEP = (
    "A sweep takes place at each recorded survey, and its deletions succeed at once. Each notebook counts at its first "
    "deletion."
)


def assumptions(trial: Trial, period: Period, coverages: Sequence[Coverage], replayed: Sequence[Replayed]) -> tuple[str, ...]:
    """Return one sentence or two for each assumption, the most important first."""
    return (
        *_of_horizon(period, coverages),
        *_of_reality(coverages),
        *_of_brakes(coverages, replayed),
        *_of_graces(trial),
        *_of_records(coverages, replayed),
        f"Came back: within {format_age(period.horizon)} {SIGNS}. Later returns are not counted.",
        AS_A_SWEEP,
    )


def _of_horizon(period: Period, coverages: Sequence[Coverage]) -> Iterator[str]:
    """Yield that no notebook can have stayed idle for the whole horizon, so that the rate has no base."""
    spans = [coverage.last - coverage.first for coverage in coverages if coverage.first and coverage.last]
    if spans and max(spans) < period.horizon:
        yield (
            f"The surveys cover {format_age(max(spans))}, less than the horizon of {format_age(period.horizon)}. Only early "
            "returns and removals can be judged, so the rate means nothing: use a shorter --horizon, or record for longer."
        )


def _of_reality(coverages: Sequence[Coverage]) -> Iterator[str]:
    ordered = sum(coverage.ordered for coverage in coverages)
    if ordered:
        yield (
            f"{_notebooks(ordered)} really got an order of nbsweep in this time. Nobody can come back to a notebook that was "
            "deleted: it is not judged, and it is not there for other rules. A past of dry runs shows more."
        )


def _of_brakes(coverages: Sequence[Coverage], replayed: Sequence[Replayed]) -> Iterator[str]:
    refused = sum((Counter(one.refused) for one in replayed), Counter[str]())
    surveys = sum(coverage.surveys for coverage in coverages)
    for brake, count in sorted(refused.items(), key=lambda pair: (-pair[1], pair[0])):
        yield f"brakes.{brake} refused the plans of {count} of {surveys} surveys: nothing is deleted at those."


def _of_graces(trial: Trial) -> Iterator[str]:
    if trial.rules.graces:
        yield (
            "Every owner of a notebook with grace is told, a minute after the survey that announces the deletion. In reality, "
            "unless_told: keep keeps the notebook of an owner who cannot be told; and a notice brings owners back whom nobody "
            "had told in the past."
        )


def _of_records(coverages: Sequence[Coverage], replayed: Sequence[Replayed]) -> Iterator[str]:
    incomplete = sum(coverage.incomplete for coverage in coverages)
    ahead = sum(coverage.clock_ahead for coverage in coverages)
    unreadable = sum(coverage.unreadable for coverage in coverages)
    lacking = sum(one.lacking for one in replayed)
    if incomplete:
        yield f"{_surveys(incomplete)} did not show every notebook: nothing is planned on those."
    if ahead:
        yield f"{_surveys(ahead)} had a time later than that of a following one: nothing is planned on those."
    if unreadable:
        yield f"{unreadable} recorded states have no facts that this version of nbsweep can read: those notebooks are kept."
    if lacking:
        were = "was" if lacking == 1 else "were"
        yield f"{_notebooks(lacking)} {were} kept because the inventory lacks a fact that the rules ask for."


def _notebooks(count: int) -> str:
    return f"{count} notebook{'' if count == 1 else 's'}"


def _surveys(count: int) -> str:
    return f"{count} survey{'' if count == 1 else 's'}"
