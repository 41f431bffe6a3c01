"""The notebooks of a scenario: many are near a threshold of a policy."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from simulation.cloud import default_term
from simulation.facts import DAY_MS, HOUR_MS, START_MS, Facts

FLAVORS = ("cpu.2u", "cpu.8u", "ascend.1p", "gpu.v100")
OWNERS = ("ann", "bob", "cho", "dee")
THRESHOLDS_D = (1, 14, 30, 180)


def draw_fleet(random: Random, size: str, workspaces: Sequence[str]) -> tuple[Facts, ...]:
    """Draw the notebooks of a fleet."""
    count = random.randint(*{"small": (4, 40), "wide": (55, 100), "bustle": (90, 110), "mass": (100, 160)}[size])
    fleet = (draw_notebook(random, random.choice(workspaces)) for _ in range(count))
    share = {"bustle": 0.5, "mass": 0.7}.get(size, 0.0)
    return tuple(_forgotten(random, one) if random.random() < share else one for one in fleet)


def _forgotten(random: Random, facts: Facts) -> Facts:
    """Return a notebook changed so that the policies delete it."""
    idle_ms = random.randint(20 * DAY_MS, 100 * DAY_MS)
    create_ms, update_ms = facts.create_ms - idle_ms, facts.update_ms - idle_ms
    dated = replace(facts, create_ms=create_ms, update_ms=update_ms, term=None, odd="")
    return replace(dated, status="STOPPED", name="exp-0", owner="ann", tags=())


def draw_notebook(random: Random, workspace: str) -> Facts:
    """Draw a notebook; many are near a threshold, some pass one within a minute."""
    status = random.choices(
        ("STOPPED", "RUNNING", "ERROR", "CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "FROZEN", "SNAPSHOTTING"),
        (60, 14, 5, 4, 4, 6, 4, 2),
    )[0]
    idle_ms = _age_ms(random)
    update_ms = START_MS - idle_ms
    create_ms = update_ms - (_age_ms(random) if random.random() < 0.7 else random.randint(0, HOUR_MS))
    name = f"{random.choice(('exp', 'exp', 'trial', 'keep', 'Prod'))}-{random.randint(1, 999)}"
    tags = (("keep", "yes"),) if random.random() < 0.08 else (("team", "a"),) if random.random() < 0.3 else ()
    term = default_term(random, create_ms, update_ms) if random.random() < 0.9 else None
    return Facts(
        id="",
        name=name,
        status=status,
        workspace=workspace,
        owner=random.choice(OWNERS),
        flavor=random.choice(FLAVORS),
        tags=tags,
        create_ms=create_ms,
        update_ms=update_ms,
        term=term,
        odd=random.choice(("status", "date", "tags")) if random.random() < 0.04 else "",
    )


def _age_ms(random: Random) -> int:
    near_ms = random.choice(THRESHOLDS_D) * DAY_MS + random.randint(-90_000, 90_000)
    return random.choice((near_ms, random.randint(0, 2 * DAY_MS), random.randint(15 * DAY_MS, 300 * DAY_MS)))
