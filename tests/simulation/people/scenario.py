"""The scenario of a seed: notebooks, owners, policies and their edits, channels, crashes and clocks."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random

from msgspec.structs import replace as changed

from builders import NOON, lease, notebook, over, policy, text
from nbsweep.core.judging.rules import Policy
from nbsweep.core.marks.grace import OWNER, Grace, UnlessTold
from nbsweep.core.model import Named, Notebook
from nbsweep.core.planning.brakes import Brakes, OnExcess

DAY_S = 86_400.0
HOUR_S = 3_600.0
WORKSPACES = ("0", "1")
"""Each is a target of the same project; many scenarios have the first only."""
CHAT = "chat"
"""The channel with one fixed place; the other one, mail, takes addresses."""
MAIL = "mail"
FREE = Brakes(max_deletions=None, max_share=None, max_fleet_drop=None)


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy as the judge reads it; the engine gets `to_policy`."""

    name: str
    days: float
    """How long a notebook must be idle, or how old it must be."""
    by_age: bool = False
    owner: str = ""
    """The only owner whose notebooks it selects; empty for all."""
    grace: Grace | None = None

    def to_policy(self) -> Policy:
        """Return the policy of the engine."""
        since = over("age" if self.by_age else "idle", days=self.days)
        plain = policy(since, text("owner", self.owner), name=self.name) if self.owner else policy(since, name=self.name)
        unless_told = self.grace.unless_told if self.grace else ""
        return changed(plain, grace=self.grace, digest=f"{self.days}-{self.by_age}-{self.owner}-{unless_told}")

    def selects(self, one: Notebook, idle_since: datetime | None, now: datetime) -> bool:
        """Return whether the policy matches a notebook, as an oracle that shares no code with nbsweep."""
        if one.status.value not in ("STOPPED", "DELETE_FAILED") or (self.owner and one.owner.name != self.owner):
            return False
        since = one.created_at if self.by_age else idle_since
        return since is not None and now - since > timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration file says for a while."""

    rules: tuple[Rule, ...]
    brakes: Brakes
    max_new: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One process: its configuration, how long it lives, and how it ends."""

    config: Config
    days: float
    absent_days: float
    """How long no process runs after it."""
    sweeps_per_day: float
    dry_run: bool = False
    crash_at_write: int = 0
    """The process is killed at this write to the journal; 0 for not."""
    crash_at_step: int = 0
    """The process is killed so many steps after one of its sweeps or rounds has begun; 0 for not."""
    second_relay: bool = False


@dataclass(frozen=True, slots=True)
class PostHabits:
    """How channels and the directory behave, as shares of letters or of owners."""

    later: float
    """Failures that pass."""
    lost: float
    """Accepted, and the answer is lost."""
    slow: float
    """Accepted hours after the beginning."""
    hangs: float
    crash: float
    """Accepted, and the process is killed before it can record that."""
    jumps: float
    """The wall clock is set while the letter is on its way."""
    refused: float
    """Refused for good, this one letter."""
    unproven: bool
    """Whether the channel for addresses never proves an acceptance."""
    trusted: bool
    limit_bytes: int
    outages: tuple[tuple[float, float, bool], ...]
    """From when, for how long, in seconds, and whether it looks as if the channel were misconfigured."""
    unknown: tuple[str, ...]
    """Owners whom the directory does not know at first."""
    known_from_s: float
    passing: float
    """How often the directory cannot answer."""
    fallback: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a seed decides before it begins."""

    seed: int
    notebooks: tuple[Notebook, ...]
    targets: tuple[str, ...]
    epochs: tuple[Epoch, ...]
    post: PostHabits
    actions_per_day: float
    """Of owners."""
    reacts: float
    """The share of second looks to which an owner reacts within seconds."""
    exempts_per_day: float
    jumps: tuple[tuple[float, float], ...]
    """When the wall clock is set, and by how many seconds."""
    outages: tuple[tuple[float, float, str], ...]
    """From when and for how long a part of the journal cannot be used."""
    pauses: tuple[tuple[float, float], ...]
    """From when and for how long nothing is sent."""
    delete_faults: float
    left_out: tuple[str, ...]
    """Facts that listings leave out."""

    @property
    def lasts_s(self) -> float:
        """How long it lasts until all is calm."""
        return sum(epoch.days + epoch.absent_days for epoch in self.epochs) * DAY_S

    @property
    def steady(self) -> bool:
        """Whether the wall clock is always right."""
        return not self.jumps and not self.post.jumps


def draw(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    random = Random(f"people-{seed}")
    owners = [f"owner{number}" for number in range(1, random.choice((2, 3, 4, 6, 12)))]
    targets = WORKSPACES[: random.choice((1, 1, 2))]
    epochs = _epochs(random, owners)
    lasts_s = sum(epoch.days + epoch.absent_days for epoch in epochs) * DAY_S
    jumps, outages = _jumps(random, lasts_s), _windows(random, lasts_s, ("all", "marks", "outbox", "exemptions"))
    if jumps and random.random() < 0.4:
        jumps, outages = _set_back(random, lasts_s)
    return Scenario(
        seed=seed,
        notebooks=tuple(_notebook(random, number, owners, targets) for number in range(1, random.choice((4, 8, 12, 16)))),
        targets=targets,
        epochs=epochs,
        post=_post(random, owners, lasts_s),
        actions_per_day=random.choice((0.0, 0.5, 2.0, 5.0)),
        reacts=random.choice((0.0, 0.2, 0.6)),
        exempts_per_day=random.choice((0.0, 0.1, 0.5)),
        jumps=jumps,
        outages=outages,
        pauses=tuple((at, lasts) for at, lasts, _ in _windows(random, lasts_s, ("",))),
        delete_faults=random.choice((0.0, 0.0, 0.2)),
        left_out=random.choice(((), (), ("tags",), ("updated_at",), ("lease", "tags"))),
    )


def _notebook(random: Random, number: int, owners: list[str], targets: tuple[str, ...]) -> Notebook:
    owner = random.choice(owners)
    idle = timedelta(days=random.uniform(0, 30))
    since = NOON - idle
    return notebook(
        number,
        name=f"{owner}-nb{number}-1",
        owner=Named(f"id-{owner}", owner) if random.random() > 0.03 else Named(),
        workspace_id=random.choice(targets),
        created_at=since - timedelta(days=random.uniform(0, 60), seconds=number),
        updated_at=since,
        lease=lease(created_at=since, updated_at=since),
        tags={"keep": "yes"} if random.random() < 0.1 else {"team": "vision"},
    )


# ---- policies and their edits ---------------------------------------------------------------------------------------------


def _grace(random: Random) -> Grace:
    lasts = timedelta(hours=random.choice((6, 24, 72, 168)))
    return Grace(
        lasts,
        remind=lasts / 3 if random.random() < 0.5 else None,
        surveys=random.choice((1, 1, 2)),
        tell=random.choices(((OWNER,), (CHAT,), (OWNER, CHAT)), (8, 1, 1))[0],
        unless_told=random.choices((UnlessTold.KEEP, UnlessTold.FALLBACK, UnlessTold.PROCEED), (6, 2, 1))[0],
    )


def _config(random: Random, owners: list[str]) -> Config:
    rules = [Rule("idle", random.choice((1, 3, 7, 14)), grace=_grace(random))]
    if random.random() < 0.5:
        grace = _grace(random) if random.random() < 0.7 else None
        rules.append(Rule("old", random.choice((20, 40)), by_age=True, grace=grace))
    if random.random() < 0.3:
        rules.insert(0, Rule("at-once", random.choice((2, 10)), owner=random.choice(owners)))
    return Config(tuple(rules), _brakes(random), random.choice((1, 2, 50, 50, 50)))


def _brakes(random: Random) -> Brakes:
    if random.random() < 0.4:
        return FREE
    return Brakes(
        max_deletions=random.choice((None, 2, 5)),
        max_share=random.choice((None, Fraction(1, 2), Fraction(1, 4))),
        on_excess=random.choice((OnExcess.REFUSE, OnExcess.TRIM)),
        max_fleet_drop=None,
    )


def _edited(random: Random, config: Config, owners: list[str]) -> Config:
    """Return a configuration after an edit: another grace or threshold, a policy less, or another name."""
    rules = list(config.rules)
    place = random.randrange(len(rules))
    rule = rules[place]
    match random.choice(("grace", "grace", "days", "remove", "rename", "brakes", "anew")):
        case "grace" if rule.grace:
            rules[place] = replace(rule, grace=changed(_grace(random), surveys=rule.grace.surveys))
        case "days":
            rules[place] = replace(rule, days=random.choice((1, 3, 7)))
        case "remove" if len(rules) > 1:
            del rules[place]
        case "rename":
            rules[place] = replace(rule, name=f"{rule.name}-2")
        case "brakes":
            return replace(config, brakes=_brakes(random))
        case _:
            return _config(random, owners)
    return replace(config, rules=tuple(rules))


def _epochs(random: Random, owners: list[str]) -> tuple[Epoch, ...]:
    first = config = _config(random, owners)
    often = random.choice((1.0, 1.0, 2.0, 4.0))
    crashes, relays = random.choice((0.0, 0.5, 0.9)), random.choice((0.0, 0.0, 1.0))
    edits = random.choice((0.0, 0.3, 0.7))
    epochs = []
    for _ in range(random.randint(3, 8)):
        crash = random.random() < crashes
        epochs.append(
            Epoch(
                config,
                days=random.uniform(0.5, 6),
                absent_days=random.choices((0.0, 0.01, 1.0, random.uniform(5, 25)), (6, 4, 2, 1))[0],
                sweeps_per_day=often,
                dry_run=random.random() < 0.05,
                crash_at_write=int(10 ** random.uniform(0, 2.3)) if crash else 0,
                crash_at_step=int(10 ** random.uniform(0, 2.8)) if crash and random.random() < 0.5 else 0,
                second_relay=random.random() < relays,
            )
        )
        if random.random() < edits:
            config = first if random.random() < 0.2 else _edited(random, config, owners)
    return tuple(epochs)


# ---- what goes wrong ------------------------------------------------------------------------------------------------------


def _some(random: Random, much: float) -> float:
    return random.uniform(0, much) if random.random() < 0.3 else 0.0


def _windows(random: Random, lasts_s: float, kinds: tuple[str, ...]) -> tuple[tuple[float, float, str], ...]:
    if random.random() < 0.6:
        return ()
    lengths = (1.0, 600.0, HOUR_S, DAY_S, 3 * DAY_S)
    return tuple(
        (random.uniform(0, lasts_s), random.choice(lengths), random.choice(kinds)) for _ in range(random.randint(1, 4))
    )


def _post(random: Random, owners: list[str], lasts_s: float) -> PostHabits:
    outages = tuple((at, lasts, kind == "bad") for at, lasts, kind in _windows(random, lasts_s, ("down", "bad")))
    return PostHabits(
        later=_some(random, 0.5),
        lost=_some(random, 0.3),
        slow=_some(random, 0.3),
        hangs=_some(random, 0.1),
        crash=_some(random, 0.4),
        jumps=_some(random, 0.2) if random.random() < 0.3 else 0.0,
        refused=_some(random, 0.2),
        unproven=random.random() < 0.1,
        trusted=random.random() < 0.5,
        limit_bytes=random.choice((10**6, 10**6, 400, 170)),
        outages=outages,
        unknown=tuple(owner for owner in owners if random.random() < 0.2) if random.random() < 0.4 else (),
        known_from_s=random.uniform(0, lasts_s),
        passing=_some(random, 0.4),
        fallback=random.random() < 0.7,
    )


def _jumps(random: Random, lasts_s: float) -> tuple[tuple[float, float], ...]:
    """Return when the clock is set; each time it is put right again later."""
    if random.random() < 0.65:
        return ()
    jumps: list[tuple[float, float]] = []
    for _ in range(random.randint(1, 3)):
        at_s = random.uniform(0, lasts_s)
        by_s = random.choice((-1, 1)) * random.choice((20.0, 90.0, 3 * HOUR_S, 2 * DAY_S, 6 * DAY_S, 15 * DAY_S))
        jumps += [(at_s, by_s), (at_s + random.choice((0.2, 60.0, 5 * HOUR_S, DAY_S)), -by_s)]
    return tuple(sorted(jumps))


def _set_back(random: Random, lasts_s: float) -> tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float, str], ...]]:
    """Return a clock that is days behind when the outbox can be used again, so that what waited is told at a wrong time."""
    at_s, for_s = random.uniform(0, 0.7) * lasts_s, random.uniform(1, 4) * DAY_S
    jumps = ((at_s + for_s - 60, -0.8 * for_s), (at_s + for_s + random.uniform(3, 12) * HOUR_S, 0.8 * for_s))
    return jumps, ((at_s, for_s, "outbox"),)
