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
CPU_BESIDE_TEXTBOOK = 0.55
CPU_OF_MANY = 0.6
KB_FOR_EACH = 5.0
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


def checks(results: Mapping[str, Result], textbook: Mapping[str, Result], cold: ColdStart | None) -> list[Check]:
    """Hold nbsweep's results, by scenario, against the targets of each, and against the textbook's of the same run."""
    found = [check for name, result in results.items() for check in (_sound(result), *_OF_SCENARIO[name](result))]
    if "shared" in results:
        found.append(_cpu_beside_the_textbook(results["shared"], textbook.get("shared")))
    if "many" in results:
        found.append(_cpu_at_any_size(results["many"], results.get("thousand")))
        found.append(_memory_for_each(results["many"], results.get("one")))
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
        _at_most(about, "calls per notebook", 1.12, _in_full(result, found.calls_per_notebook)),
        _below(about, "throttled", 0.5, found),
        _at_most(about, "lag of the end noticed last", POLLING_INTERVAL_S + 1, found.last_lag_s, " s"),
        _at_most(about, "peak memory", 95, found.peak_mb, " MB"),
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


def _cpu_beside_the_textbook(ours: Result, textbook: Result | None) -> Check:
    target = f"CPU per notebook ≤ {CPU_BESIDE_TEXTBOOK:g} times that of the textbook, start included"
    return _cpu_ratio("shared", target, (ours, textbook), CPU_BESIDE_TEXTBOOK)


def _cpu_at_any_size(many: Result, thousand: Result | None) -> Check:
    target = f"CPU per notebook ≤ {CPU_OF_MANY:g} times that of `thousand`"
    return _cpu_ratio("many", target, (many, thousand), CPU_OF_MANY)


def _cpu_ratio(about: str, target: str, runs: tuple[Result, Result | None], most: float) -> Check:
    """Compare the CPU time of two runs; both have to be sound."""
    first, second = runs
    if second is None or first.problem or second.problem:
        return Check(about, target, "needs a sound run of both", None if second is None else False)
    ours, other = first.figures.cpu_ms_per_notebook, second.figures.cpu_ms_per_notebook
    return Check(about, target, f"{ours:.2f} ms / {other:.2f} ms = {ours / other:.2f} times", ours <= most * other)


def _memory_for_each(many: Result, one: Result | None) -> Check:
    target = f"peak memory beyond that of `one` ≤ {KB_FOR_EACH:g} kB for each planned notebook, with full rows"
    if one is None or many.problem or one.problem:
        return Check("many", target, "needs a sound run of both", None if one is None else False)
    kb = (many.figures.peak_mb - one.figures.peak_mb) * 1000 / many.scenario.notebooks
    figure = f"({many.figures.peak_mb:.1f} MB - {one.figures.peak_mb:.1f} MB) / {many.scenario.notebooks:,} = {kb:.2f} kB"
    return Check("many", target, figure, kb <= KB_FOR_EACH)


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
    "many": _nothing_more,
    "one": _nothing_more,
    "comeback": _comeback,
    "token": _token,
}
