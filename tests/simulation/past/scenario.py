"""The scenario of a seed: owners and their year, sweeps and what disturbs them, rules and clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from fractions import Fraction
from random import Random

from msgspec.structs import replace

from builders import NOON, lease, notebook, over, policy, protection, tag, text
from nbsweep.core.calendar.business_days import BusinessCalendar, Year
from nbsweep.core.calendar.length import BusinessDays
from nbsweep.core.judging.rules import Policy, Running
from nbsweep.core.marks.grace import Grace
from nbsweep.core.model import Named, Notebook
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.windows.window import Window
from simulation.past.habits import CHINA, DAY_S, DAYS, GERMANY, Act, Owner, draw_acts, draw_owner

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")
WORKSPACES = ("0", "1")
FREE = Brakes(None, None, None, max_fleet_drop=None)
KEPT_FOR_EVER = notebook(0, name="keep-me", owner=Named("id-ops", "ops"), created_at=NOON - timedelta(days=999))
"""The first row of each listing, in slot 0."""
PROTECTIONS = (protection(text("name", "keep-*"), name="kept-names"), protection(tag("keep", "*"), name="kept-tags"))


class Trouble(StrEnum):
    """What disturbs a survey."""

    NONE = "nothing"
    TORN = "a listing is torn each time"
    REFUSED = "a workspace is refused"
    NAMELESS = "a row has no id"
    MALFORMED = "the row of a notebook cannot be read"
    STRAY = "a row of another workspace is shown"
    SHIFTED = "a listing is torn once"
    FAILED = "the cloud fails"


INCOMPLETE = frozenset({Trouble.TORN, Trouble.REFUSED, Trouble.NAMELESS})


class Kind(StrEnum):
    """What is compared."""

    WATCHED = "dry runs"
    SWEPT = "sweeps, of which some deletions fail"
    TWICE = "the same year with sweeps and with dry runs"
    STEPPED = "the same year with a right clock and with one that is set"


@dataclass(frozen=True, slots=True)
class SweepTime:
    """When a sweep takes place, and what disturbs it."""

    at_s: float
    trouble: Trouble
    victim: int
    """The slot of the notebook whose row cannot be read."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration says, in one time zone."""

    policies: tuple[Policy, ...]
    brakes: Brakes

    def in_zone(self, zone: str) -> "Config":
        """Return the same configuration with another time zone."""
        return Config(tuple(_in_zone(each, zone) for each in self.policies), self.brakes)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a seed decides before it begins."""

    seed: int
    kind: Kind
    owners: tuple[Owner, ...]
    notebooks: tuple[Notebook, ...]
    acts: tuple[Act, ...]
    sweeps: tuple[SweepTime, ...]
    config: Config
    zones: tuple[tuple[float, str], ...]
    """From when each zone of the configuration holds."""
    jumps: tuple[tuple[float, float], ...]
    left_out: tuple[str, ...]
    delete_faults: float
    horizon: timedelta
    tampered: float
    """The share of recorded states that another version seems to have written."""

    @property
    def ahead_from(self) -> float | None:
        """From when the clock is ahead until the end; None if it is not."""
        off, since = 0.0, None
        for at_s, by_s in self.jumps:
            since = at_s if off <= 0 < off + by_s else since
            off += by_s
        return since if off > 0 else None

    def config_at(self, at_s: float) -> Config:
        """Return the configuration at a time."""
        return self.config.in_zone([zone for since_s, zone in self.zones if since_s <= at_s][-1])


def draw(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    random = Random(f"past-{seed}")
    kind = random.choice(tuple(Kind))
    owners = tuple(draw_owner(random, number) for number in range(1, random.choice((2, 3, 5))))
    slots = range(1, random.choice((5, 9, 14)))
    of_slot = {slot: random.choice(owners) for slot in slots}
    notebooks = (KEPT_FOR_EVER, *(_notebook(random, slot, owner) for slot, owner in of_slot.items()))
    acts = [act for slot, owner in of_slot.items() for act in draw_acts(random, slot, owner)]
    steps = kind is Kind.STEPPED
    return Scenario(
        seed,
        kind,
        owners,
        notebooks,
        tuple(sorted(acts, key=lambda act: act.at_s)),
        tuple(_sweeps(random, slots, kind)),
        _config(random, owners, free=steps),
        _zones(random)[: 1 if kind is Kind.TWICE else None],  # a back-test tries one configuration
        _jumps(random) if steps or (kind is not Kind.TWICE and random.random() < 0.2) else (),
        ("lease",) if kind is not Kind.STEPPED and random.random() < 0.15 else (),
        random.choice((0.0, 0.1, 0.4)) if kind is Kind.SWEPT else 0.0,
        timedelta(days=random.choice((7, 14, 30, 45))),
        random.choice((0.0, 0.02, 0.1)),
    )


def _notebook(random: Random, slot: int, owner: Owner) -> Notebook:
    since = NOON - timedelta(days=random.uniform(0, 40))
    created = since - timedelta(days=random.choice((0, 1, 30, 200)), seconds=slot)
    return notebook(
        slot,
        name=f"exp-{slot}",
        owner=Named(f"id-{owner.name}", owner.name),
        workspace_id=random.choice(WORKSPACES),
        created_at=created,
        updated_at=since,
        lease=lease(created_at=created, updated_at=since, duration=since - created + timedelta(hours=3)),
    )


# ---- when sweeps take place, and what goes wrong --------------------------------------------------------------------------


def _sweeps(random: Random, slots: Sequence[int], kind: Kind) -> list[SweepTime]:
    """Return the sweeps of a year: each day or several times, with days and weeks without any."""
    hours = random.choice(((3,), (3,), (3, 15), (19,)))
    calm = random.choice((0.0, 0.05, 0.2))
    gaps = [(day, day + random.choice((2, 5, 12))) for day in random.sample(range(DAYS), random.choice((0, 1, 4)))]
    found = []
    for day in range(DAYS):
        often = (3, 9, 15, 21) if random.random() < 0.02 else hours
        for hour in often:
            if not any(first <= day <= last for first, last in gaps) and random.random() < 0.97:
                trouble = random.choice(_troubles(kind)) if random.random() < calm else Trouble.NONE
                at_s = day * DAY_S + hour * 3600 + random.uniform(2400, 2700)
                found.append(SweepTime(at_s, trouble, random.choice(slots)))
    return found


def _troubles(kind: Kind) -> tuple[Trouble, ...]:
    """Return what may disturb a survey; where a sweep goes on and a back-test does not, two years cannot be compared."""
    if kind is Kind.TWICE:
        return (Trouble.TORN, Trouble.SHIFTED, Trouble.STRAY, Trouble.FAILED)
    return tuple(each for each in Trouble if each is not Trouble.NONE)


def _zones(random: Random) -> tuple[tuple[float, str], ...]:
    changes = sorted(random.uniform(0, DAYS * DAY_S) for _ in range(random.choice((0, 0, 1, 3))))
    return tuple((at_s, random.choice(ZONES)) for at_s in (0.0, *changes))


def _jumps(random: Random) -> tuple[tuple[float, float], ...]:
    """Return when the clock is set, and by how much; most are put right again."""
    found = []
    for _ in range(random.choice((1, 2, 4))):
        at_s = random.uniform(0, DAYS) * DAY_S
        by_s = random.choice((-1, 1)) * random.choice((30.0, 1200.0, 5 * 3600.0, 3 * DAY_S, 20 * DAY_S))
        found.append((at_s, by_s))
        if random.random() < 0.9:
            found.append((at_s + random.choice((3600.0, DAY_S, 6 * DAY_S)), -by_s))
    return tuple(sorted(found))


# ---- rules ----------------------------------------------------------------------------------------------------------------


def _config(random: Random, owners: Sequence[Owner], *, free: bool) -> Config:
    idle = policy(over("idle", days=random.choice((3, 7, 14, 30))), name="idle", digest="idle")
    rules = [_timed(random, idle)]
    if random.random() < 0.4:
        old = policy(over("age", days=random.choice((40, 120))), over("idle", days=2), name="old", digest="old")
        rules.append(_timed(random, old))
    if random.random() < 0.3:
        mine = policy(over("age", days=20), text("owner", random.choice(owners).name), name="running", digest="running")
        rules.insert(0, replace(mine, running=Running.STOP))
    if random.random() < 0.3:
        rules.insert(0, policy(text("status", "ERROR", "*_FAILED"), over("idle", days=1), name="failed", digest="failed"))
    return Config(tuple(rules), FREE if free else _brakes(random))


def _timed(random: Random, rule: Policy) -> Policy:
    """Return a policy, perhaps with a grace and windows, whose zone is that of the configuration."""
    if random.random() < 0.4:
        days = random.choice((2, 5))
        lasts = timedelta(days=days) if random.random() < 0.5 else BusinessDays(days, _calendar(random))
        rule = replace(rule, grace=Grace(lasts, surveys=random.choice((1, 2))))
    if random.random() < 0.3:
        window = Window(frozenset(range(5)), time(9), time(random.choice((5, 17))), calendar=_calendar(random))
        rule = replace(rule, windows=(window,))
    return rule


def _calendar(random: Random) -> BusinessCalendar:
    country = random.choice((CHINA, GERMANY))
    years = {year: Year(frozenset(day for day in country.holidays if day.year == year)) for year in (2026, 2027)}
    return BusinessCalendar(country.zone, years, extra_open=frozenset({date(2026, 10, 10)}))


def _in_zone(rule: Policy, zone: str) -> Policy:
    windows = tuple(replace(window, zone=zone) for window in rule.windows)
    grace = rule.grace
    if grace and isinstance(grace.lasts, BusinessDays):
        moved = replace(grace.lasts, calendar=replace(grace.lasts.calendar, zone=zone))
        grace = replace(grace, lasts=moved)
    return replace(rule, windows=windows, grace=grace)


def _brakes(random: Random) -> Brakes:
    if random.random() < 0.3:
        return FREE
    return Brakes(
        max_deletions=random.choice((None, 1, 3)),
        max_share=random.choice((None, Fraction(1, 2), Fraction(1, 4))),
        max_per_owner=random.choice((None, 1, 2)),
        on_excess=random.choice((OnExcess.REFUSE, OnExcess.TRIM)),
        max_per_day=random.choice((None, 1, 3)),
        max_fleet_drop=random.choice((None, Fraction(1, 2))),
    )
