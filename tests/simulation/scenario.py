"""The scenario of a seed: fleet, configuration, cloud and network; everything else follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from simulation.cloud import Manners
from simulation.configuration import draw_config, for_many
from simulation.dialects import PLAIN, draw_dialect
from simulation.facts import Facts
from simulation.faults import Limit, NetworkConditions
from simulation.notebooks import draw_fleet
from simulation.owners import Habits, draw_habits
from simulation.text_variants import vary_texts


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a seed decides before the simulation begins."""

    seed: int
    config: Mapping[str, Any]
    manners: Manners
    network: NetworkConditions
    fleet: tuple[Facts, ...]
    workspaces: tuple[str, ...]
    user_actions_per_s: float
    churn_per_s: float
    """How often users create and delete."""
    jumps: tuple[tuple[float, float], ...]
    """When the wall clock of nbsweep is set, and by how many seconds."""
    crashes: tuple[int, ...]
    """After how many steps of the loop each process but the last is killed."""
    stops: tuple[float, ...]
    """When a process is asked to shut down, in seconds from its start; only some are."""
    sweeps: int
    """How many sweeps a process makes."""
    habits: Habits
    """The reactions of owners to our orders, and the suspensions of nbsweep's machine."""


def draw(seed: int, random: Random) -> Scenario:
    """Return the scenario of a seed, of which `random` is made."""
    request_timeout_s, grace_s = random.randint(3, 8), random.randint(12, 30)
    size = random.choices(("small", "wide", "bustle", "mass"), (56, 6, 20, 18))[0]
    network = _network(random, grace_s, size)
    workspaces = ("0",) if size in ("bustle", "mass") or random.random() < 0.8 else ("0", "w1")
    config = draw_config(random, request_timeout_s, grace_s, network)
    if size in ("bustle", "mass"):
        config = for_many(random, config, size)
    scenario = Scenario(
        seed=seed,
        config=config,
        manners=_manners(random, grace_s, size),
        network=network,
        fleet=draw_fleet(random, size, workspaces),
        workspaces=workspaces,
        user_actions_per_s=_some(random, 0.05, 1.0),
        churn_per_s=random.uniform(1, 3) if size == "bustle" else _some(random, 0.02, 0.3),
        jumps=_jumps(random),
        crashes=tuple(int(10 ** random.uniform(0.7, 3.6)) for _ in range(random.choice((0, 0, 0, 1, 1, 2, 4)))),
        stops=(random.uniform(0.1, 40),) if random.random() < 0.1 else (),
        sweeps=random.choice((1, 1, 2)),
        habits=draw_habits(seed),
    )
    fleet, config = vary_texts(scenario.fleet, scenario.config, Random(f"handwriting-{seed}"))
    if not scenario.manners.dated:
        fleet = tuple(replace(facts, odd="") if facts.odd == "date" else facts for facts in fleet)
    written = replace(scenario, fleet=fleet, config=config)
    scenario = _with_strays(_with_gaps(written, Random(f"gaps-{seed}")), Random(f"strays-{seed}"))
    return _with_dialect(scenario, Random(f"dialect-{seed}"))


def _with_dialect(scenario: Scenario, random: Random) -> Scenario:
    """Add a dialect of listings to some clouds; a workspace that is named in the configuration stays open."""
    named = "workspaces" in scenario.config["targets"][0]
    dialect = draw_dialect(random, () if named else scenario.workspaces)
    manners = replace(scenario.manners, dialect=dialect)
    # Small pages and GETs by id take time, which is not what such a scenario tests.
    patient = {**scenario.config, "service": {**scenario.config["service"], "sweep_timeout": "1h"}}
    return replace(
        scenario, manners=manners, config=patient if dialect != PLAIN or manners.list_leaves_out else scenario.config
    )


def _with_gaps(scenario: Scenario, random: Random) -> Scenario:
    """Leave fields out of the listings of some clouds, which a GET of one notebook has."""
    if random.random() < 0.7:
        return scenario
    left_out = tuple(field for field in ("tags", "update_at", "user", "lease") if random.random() < 0.5)
    return replace(scenario, manners=replace(scenario.manners, list_leaves_out=left_out))


def _with_strays(scenario: Scenario, random: Random) -> Scenario:
    """Make some clouds ignore filters of a listing, and show rows that the target does not cover."""
    if random.random() < 0.8:
        return scenario
    ignores = tuple(name for name in ("workspace_id", "feature") if random.random() < 0.7)
    unlisted = tuple(name for name in ignores if random.random() < 0.7)
    hidden = tuple(name for name in unlisted if random.random() < 0.3)
    (target,) = scenario.config["targets"]
    manners = replace(
        scenario.manners,
        ignores=ignores,
        list_leaves_out=(*scenario.manners.list_leaves_out, *unlisted),
        leaves_out=hidden,
    )
    fleet = tuple(
        replace(facts, workspace=random.choice(("0", "w1")), feature=random.choice(("NOTEBOOK", "NOTEBOOK", "DEFAULT")))
        for facts in scenario.fleet
    )
    config = {**scenario.config, "targets": [{**target, "workspaces": ["0"]}]}
    return replace(scenario, config=config, manners=manners, fleet=fleet, workspaces=("0", "w1"))


def _some(random: Random, little: float, much: float) -> float:
    """Return nothing, a little or much of something."""
    number = random.random()
    return 0.0 if number < 0.5 else random.uniform(little / 2, little) if number < 0.75 else random.uniform(little, much)


def _network(random: Random, grace_s: int, size: str) -> NetworkConditions:
    shares = {
        "error-before": _some(random, 0.03, 0.15),
        "error-after": _some(random, 0.03, 0.15),
        "reset-before": _some(random, 0.02, 0.1),
        "reset-after": _some(random, 0.02, 0.1),
        "lost": _some(random, 0.01, 0.08),
        "late": _some(random, 0.01, 0.08),
        "hang": _some(random, 0.01, 0.05),
        "garbage": _some(random, 0.01, 0.05),
        "wrong-address": random.uniform(0.003, 0.04) if random.random() < 0.2 else 0.0,
        "unauthorized": random.uniform(0.001, 0.01) if random.random() < 0.06 else 0.0,
    }
    slow = random.uniform(0.05, 1.0 if size == "bustle" else 0.3) if random.random() < 0.4 or size == "bustle" else 0.05
    limits = []
    if random.random() < 0.3 and size != "mass":
        limits.append(("delete", random.choice((Limit(1, 1.0), Limit(2, 1.0), Limit(40, 60.0)))))
    if random.random() < 0.15:
        limits.append((random.choice(("show", "list")), random.choice((Limit(2, 1.0), Limit(3, 1.0)))))
    if random.random() < 0.2 and size != "mass":
        limits.append(("total", random.choice((Limit(3, 1.0), Limit(4, 1.0), Limit(6, 1.0)))))
    return NetworkConditions(
        latency_s=(slow / 10, slow),
        connect_s=random.choice((0.0, 0.01, 0.2)),
        faults=tuple((name, share) for name, share in shares.items() if share),
        refuses=_some(random, 0.02, 0.2),
        closes=_some(random, 0.1, 0.9),
        limits=tuple(limits),
        names_limits=random.random() < 0.7,
        retry_after_s=random.choice((None, None, 1, 3)),
        refused_count=random.random() < 0.3,
        late_s=random.uniform(0.1, 0.4) * grace_s,
        token_life_s=random.uniform(5, 90) if random.random() < 0.3 else None,
        tokens_revoked_every_s=random.uniform(5, 60) if random.random() < 0.5 else None,
    )


def _manners(random: Random, grace_s: int, size: str) -> Manners:
    quick = random.uniform(5, 15) if size == "mass" else random.uniform(0.5, 20)
    return Manners(
        deletion_s=(quick, quick * random.uniform(1.0, 1.3 if size == "mass" else 3.0)),
        stop_s=(1.0, random.uniform(1.0, 15)),
        fails=_some(random, 0.1, 0.5),
        # Among many rows that vanish between pages, a skipped row shows on those that stay.
        sticks=random.uniform(0.05, 0.25) if size == "mass" else _some(random, 0.03, 0.2) if random.random() < 0.6 else 0.0,
        stale_s=_some(random, 2.0, 0.5 * grace_s),
        memory_s=random.uniform(1, 60) if random.random() < 0.2 else 0.0,
        dated=random.random() < 0.8,
        deletes_running=random.random() < 0.3,
        empty_answers=random.random() < 0.3,
    )


def _jumps(random: Random) -> tuple[tuple[float, float], ...]:
    if random.random() < 0.75:
        return ()
    sizes = (-120.0, -60.0, -20.0, -5.0, 5.0, 60.0, 600.0, 7200.0)
    return tuple((random.uniform(0, 60), random.choice(sizes)) for _ in range(random.randint(1, 3)))
