"""The targets, each held against its figure; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.cold_start import ColdStart
from bench.figures import Figures
from bench.runs import Result
from bench.scenarios import TOKEN_LIFETIME_S

POLLING_INTERVAL_S = 5.0
"""nbsweep's default, which the bench leaves alone."""
COLD_START_S = 0.15
NEVER_FOR_A_PLAN = frozenset({"apscheduler", "aiohttp.web"})
"""A plan has no schedule and serves nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One target and what came of it."""

    about: str
    target: str
    figure: str
    met: bool | None
    """None: it was not measured."""


def checks(results: Mapping[str, Result], cold: ColdStart | None) -> list[Check]:
    """Hold nbsweep's results, by scenario, against the targets of each."""
    found = [check for name, result in results.items() for check in (_sound(result), *_OF_SCENARIO[name](result))]
    if "many" in results:
        found.append(_same_at_any_size(results["many"], results.get("thousand")))
    return found + (_cold_start(cold) if cold else [])


def _sound(result: Result) -> Check:
    figure = result.problem or f"{result.scenario.expected} gone, each claimed after it happened"
    return Check(result.scenario.name, "does all it should, and tells the truth", figure, not result.problem)


def _at_most(about: str, what: str, most: float, value: float | None, unit: str = "") -> Check:
    """Compare a figure with its upper bound; one that could not be worked out meets nothing."""
    figure = "none" if value is None else f"{value:.4g}{unit}"
    return Check(about, f"{what} ≤ {most:g}{unit}", figure, value is not None and value <= most)


def _shared(result: Result) -> list[Check]:
    about, found = "shared", result.figures
    return [
        _at_most(about, "last DELETE accepted, over the floor", 1.06, _in_full(result, found.over_floor), " times"),
        _at_most(about, "calls per notebook", 1.15, _in_full(result, found.calls_per_notebook)),
        _below(about, "throttled", 0.5, found),
        _at_most(about, "lag of the end noticed last", POLLING_INTERVAL_S + 1, found.last_lag_s, " s"),
        _at_most(about, "CPU per notebook", 2.5, found.cpu_ms_per_notebook, " ms"),
        _at_most(about, "peak memory", 90, found.peak_mb, " MB"),
    ]


def _below(about: str, what: str, percent: float, found: Figures) -> Check:
    share = found.throttled_share * 100
    return Check(about, f"{what} < {percent:g} %", f"{share:.2f} %", found.calls > 0 and share < percent)


def _in_full(result: Result, value: float | None) -> float | None:
    """Let a figure count only where every DELETE was accepted: half the work is quickly done."""
    return value if result.figures.accepted >= result.scenario.expected else None


def _by_api(result: Result) -> list[Check]:
    found, limit = result.figures, result.scenario.ceilings["delete"]
    rate = _in_full(result, found.delete_rate) or 0.0
    lasted_s = found.accepted / rate if rate else 0.0
    figure = f"{rate / limit:.3f} of {limit}/s, lists and shows meanwhile: {found.others_meanwhile}"
    target = "DELETEs ≥ 0.9 of their own limit, a look at least every 5 s on average"
    goes_on = found.others_meanwhile >= max(1, int(lasted_s / POLLING_INTERVAL_S))
    return [Check("by-api", target, figure, rate >= 0.9 * limit and goes_on)]


def _unknown(result: Result) -> list[Check]:
    over_floor = _in_full(result, result.figures.over_floor)
    return [
        _at_most("unknown", "last DELETE accepted, over the floor", 1.25, over_floor, " times"),
        _below("unknown", "throttled", 15, result.figures),
    ]


def _many(result: Result) -> list[Check]:
    return [_at_most("many", "peak memory", 160, result.figures.peak_mb, " MB")]


def _same_at_any_size(many: Result, thousand: Result | None) -> Check:
    target = "CPU per notebook ≤ 1.25 times that of `thousand`"
    if thousand is None or many.problem or thousand.problem:
        return Check("many", target, "needs a sound run of both", None if thousand is None else False)
    large, small = many.figures.cpu_ms_per_notebook, thousand.figures.cpu_ms_per_notebook
    return Check("many", target, f"{large:.2f} ms / {small:.2f} ms = {large / small:.2f} times", large <= 1.25 * small)


def _comeback(result: Result) -> list[Check]:
    found, wanted = result.comeback, result.scenario.used_again
    if found is None or found.used < wanted or found.too_late:
        why = f"{found.too_late} owners came too late" if found and found.used else "the end of its survey was not seen"
        return [Check("comeback", "none used again is deleted", f"not put to the test: {why}", met=False)]
    return [
        Check("comeback", "none used again is deleted", f"{found.deleted} of {found.used} deleted", found.deleted == 0),
        Check("comeback", "each is spared with a reason", f"{found.spared} of {found.used}", found.spared == found.used),
    ]


def _token(result: Result) -> list[Check]:
    found = result.figures
    asked = found.by_kind.get("iam", 0)
    figure = f"{found.lasted_s:.1f} s of calls, {asked} calls to IAM"
    carried = not result.problem and found.lasted_s > 2 * TOKEN_LIFETIME_S and asked > 1
    return [Check("token", f"a token that lives {TOKEN_LIFETIME_S:g} s carries a whole sweep", figure, carried)]


def _nothing_more(_result: Result) -> list[Check]:
    return []


def _cold_start(cold: ColdStart) -> list[Check]:
    figure = f"--version {cold.version_s:.3f} s, --help {cold.help_s:.3f} s, bare {cold.bare_s:.3f} s"
    needless = NEVER_FOR_A_PLAN & set(cold.plan_imports)
    return [
        Check("cold", f"≤ {COLD_START_S:g} s over a bare interpreter", figure, cold.over_bare_s <= COLD_START_S),
        Check(
            "cold", "`plan` imports no schedule and no web server", f"it imports {', '.join(cold.plan_imports)}", not needless
        ),
    ]


_OF_SCENARIO: Mapping[str, Callable[[Result], list[Check]]] = {
    "shared": _shared,
    "by-api": _by_api,
    "unknown": _unknown,
    "thousand": _nothing_more,
    "many": _many,
    "comeback": _comeback,
    "token": _token,
}
