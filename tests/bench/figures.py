"""From what the cloud logged and what a program said to the figures of the table; pure. Moments are epoch seconds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ACCEPTED = frozenset({200, 204})
THROTTLED = 429
LISTS_AND_SHOWS = frozenset({"list", "list_all", "show"})
ROUNDING_S = 0.002
"""Programs may write their moments in whole milliseconds."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived at the cloud."""

    at: float
    kind: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel says of a process that has ended."""

    code: int
    ended_at: float
    cpu_s: float
    """User and system time, from the start of the interpreter on."""
    peak_kib: int
    cut_off: bool
    """Whether it was ended because it took too long."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a program says became of the notebooks."""

    noticed: Mapping[str, float]
    """When it knew of each one that it was gone."""
    spared: Mapping[str, str]
    """Why it left the others."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One program's run in one scenario."""

    accepted: int
    """How many DELETEs were accepted."""
    to_last_s: float
    """From the first call of any kind to the arrival of the last DELETE that was accepted; to the end where none was."""
    floor_s: float | None
    """Notebooks over rate; None without a limit."""
    calls: int
    calls_per_notebook: float
    throttled_share: float
    delete_rate: float | None
    """DELETEs accepted per second, between the first and the last."""
    others_meanwhile: int
    """Lists and shows between the first and the last DELETE accepted."""
    last_lag_s: float | None
    """Of the end that was noticed last: from when it happened to when the program knew."""
    worst_lag_s: float | None
    least_lag_s: float | None
    """Below zero: an end was claimed before it happened."""
    cpu_ms_per_notebook: float
    peak_mb: float
    """In millions of bytes."""
    lasted_s: float
    """From the first call to the last."""
    by_kind: Mapping[str, int]

    @property
    def over_floor(self) -> float | None:
        """How many times the floor it took."""
        return self.to_last_s / self.floor_s if self.floor_s else None


def figures(
    calls: Sequence[Call], ended: Mapping[str, float], told: Told, usage: Usage, notebooks: int, best_rate: float | None
) -> Figures:
    """Work out all figures; `ended` has when each deletion ended in truth, `notebooks` is how many had to go."""
    accepted = accepted_at(calls)
    begun = min((call.at for call in calls), default=usage.ended_at)
    lags = lags_s(told.noticed, ended)
    return Figures(
        accepted=len(accepted),
        to_last_s=(accepted[-1] if len(accepted) >= notebooks > 0 else usage.ended_at) - begun,
        floor_s=floor_s(notebooks, best_rate),
        calls=len(calls),
        calls_per_notebook=len(calls) / notebooks,
        throttled_share=throttled_share(calls),
        delete_rate=rate_between(accepted),
        others_meanwhile=others_between(calls, accepted),
        last_lag_s=lags[-1] if lags else None,
        worst_lag_s=max(lags, default=None),
        least_lag_s=min(lags, default=None),
        cpu_ms_per_notebook=usage.cpu_s * 1000 / notebooks,
        peak_mb=usage.peak_kib * 1024 / 1_000_000,
        lasted_s=max((call.at for call in calls), default=begun) - begun,
        by_kind=Counter(call.kind for call in calls),
    )


def accepted_at(calls: Iterable[Call]) -> list[float]:
    """List when the DELETEs arrived that were accepted, in order."""
    return sorted(call.at for call in calls if call.kind == "delete" and call.status in ACCEPTED)


def floor_s(notebooks: int, rate: float | None) -> float | None:
    """Return the seconds that so many DELETEs take at that rate when nothing else is called."""
    return notebooks / rate if rate else None


def throttled_share(calls: Sequence[Call]) -> float:
    """Return the share of calls that were answered 429."""
    return sum(call.status == THROTTLED for call in calls) / len(calls) if calls else 0.0


def rate_between(moments: Sequence[float]) -> float | None:
    """Return how many a second followed upon the first of these ordered moments."""
    if len(moments) < 2 or moments[-1] <= moments[0]:
        return None
    return (len(moments) - 1) / (moments[-1] - moments[0])


def others_between(calls: Iterable[Call], accepted: Sequence[float]) -> int:
    """Count the lists and shows that were answered well or not, but not throttled, between the first and the last DELETE."""
    if not accepted:
        return 0
    meanwhile = (call for call in calls if accepted[0] <= call.at <= accepted[-1])
    return sum(call.kind in LISTS_AND_SHOWS and call.status != THROTTLED for call in meanwhile)


def lags_s(noticed: Mapping[str, float], ended: Mapping[str, float]) -> list[float]:
    """List how long after each end the program knew of it, in the order in which it came to know."""
    known = sorted((at, at - ended[notebook_id]) for notebook_id, at in noticed.items() if notebook_id in ended)
    return [lag for _, lag in known]


def problem(usage: Usage, told: Told, ended: Mapping[str, float], notebooks: int) -> str:
    """Return what makes a run's figures worth less than they look; nothing when it did what it should, and what it says."""
    lags = lags_s(told.noticed, ended)
    faults = (
        (usage.cut_off, "it was cut off for taking too long"),
        (usage.code != 0 and not usage.cut_off, f"it ended with exit code {usage.code}"),
        (len(ended) != notebooks, f"{len(ended)} notebooks are gone in truth, {notebooks} should be"),
        (set(told.noticed) != set(ended), f"it says that {len(told.noticed)} are gone, in truth {len(ended)} are"),
        (bool(lags) and min(lags) < -ROUNDING_S, "it claimed an end before it happened"),
    )
    return "; ".join(sentence for found, sentence in faults if found)
