"""The generated fleet: each notebook depends on the seed, its number and the start time."""

from dataclasses import dataclass
from random import Random

from nbsweep.simulator.clock import DAY_S, milliseconds
from nbsweep.simulator.options import FleetOptions, SimulatorOptions
from nbsweep.simulator.randomness import Randomness
from nbsweep.simulator.state import catalogue
from nbsweep.simulator.state.model import Instance, Lease, Person, identity, uuid_like

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_LEASE_HOURS = (1, 1, 2, 4, 8, 24, 72)
_SETTLED_MS = 300_000
# How common these are in the field is not known; the shares make sure that each sort is there.
_POOL_SHARE = 0.2
_TEAM_TAG_SHARE = 0.5
_ENV_TAG_SHARE = 0.3
_LEASE_KINDS = {"TIMING": 60, "IDLE": 15, "disabled": 15, "untyped": 10}
_IN_TRANSITION = frozenset({"INIT", "CREATING", "STARTING", "STOPPING", "SNAPSHOTTING", "DELETING"})


@dataclass(frozen=True)
class _Dates:
    """The dates of one notebook in epoch ms: created, last started, last changed."""

    create_ms: int
    start_ms: int
    update_ms: int


def workspace_ids(options: SimulatorOptions) -> tuple[str, ...]:
    """Return the ids of all workspaces, the default one first."""
    others = range(1, options.fleet.workspaces)
    return ("0", *(identity("workspace", options.seed, number) for number in others))


def made_up_notebook(options: SimulatorOptions, number: int, now_s: float) -> Instance:
    """Return the notebook of that number."""
    random = Randomness(options.seed).stream("notebook", number)
    fleet = options.fleet
    status = random.choices(list(fleet.statuses), list(fleet.statuses.values()))[0]
    lease_ms = random.choice(_LEASE_HOURS) * _HOUR_MS
    dates = _dates(random, fleet, status, lease_ms, milliseconds(now_s))
    codelab = random.random() < fleet.codelab_share
    return Instance(
        id=uuid_like("notebook", options.seed, number),
        name=_name(random, fleet, number),
        status=status,
        feature="DEFAULT" if codelab else "NOTEBOOK",
        workspace_id=random.choice(workspace_ids(options)),
        owner=Person(catalogue.owner_name(random.randrange(fleet.owners))),
        flavor=catalogue.CODELAB_FLAVOR if codelab else random.choice(catalogue.FLAVORS),
        create_at_ms=dates.create_ms,
        update_at_ms=dates.update_ms,
        lease=_lease(random, dates, lease_ms),
        volume=catalogue.volume(random),
        image=catalogue.image(random),
        description=random.choice(("", "", "scratch", "weekly evaluation", "please ask before deleting")),
        fail_reason=random.choice(catalogue.FAIL_REASONS.get(status, ("",))),
        pool=catalogue.dedicated_pool(1) if random.random() < _POOL_SHARE else None,
        ip=f"192.168.{random.randrange(256)}.{random.randrange(1, 255)}" if status == "RUNNING" else "",
        tags=_tags(random, fleet),
    )


def _name(random: Random, fleet: FleetOptions, number: int) -> str:
    name = catalogue.notebook_name(random, number)
    if random.random() < fleet.protected_name_share:
        return f"{random.choice(('keep', 'prod'))}-{name}"
    return name


def _tags(random: Random, fleet: FleetOptions) -> dict[str, str]:
    tags = {}
    if random.random() < fleet.protected_tag_share:
        tags["keep"] = random.choice(("true", "until-2027"))
    if random.random() < _TEAM_TAG_SHARE:
        tags["team"] = random.choice(catalogue.TEAMS)
    if random.random() < _ENV_TAG_SHARE:
        tags["env"] = random.choice(("dev", "test"))
    return tags


def _dates(random: Random, fleet: FleetOptions, status: str, lease_ms: int, now_ms: int) -> _Dates:
    age_ms = round(random.uniform(fleet.min_age_days, fleet.max_age_days) * DAY_S * 1000)
    if status == "RUNNING":
        # Started less than a lease ago, or it would have been stopped already.
        start_ms = now_ms - round(random.uniform(0.05, 0.9) * min(lease_ms, age_ms))
        return _Dates(now_ms - age_ms, start_ms, start_ms)
    if status in _IN_TRANSITION:
        return _Dates(now_ms - age_ms, now_ms - min(age_ms, _HOUR_MS // 2), now_ms)
    if status == "CREATE_FAILED":
        create_ms = now_ms - age_ms
        return _Dates(create_ms, create_ms, min(create_ms + _SETTLED_MS, now_ms))
    start_ms = now_ms - round(age_ms * random.random())
    ran_ms = _SETTLED_MS if status == "START_FAILED" else round(lease_ms * random.choice((1, 1, random.random())))
    return _Dates(now_ms - age_ms, start_ms, min(start_ms + ran_ms, now_ms))


def _lease(random: Random, dates: _Dates, lease_ms: int) -> Lease:
    # The total since create_at: section 8 of the ModelArts API.
    total_ms = dates.start_ms - dates.create_ms + lease_ms
    kind = random.choices(list(_LEASE_KINDS), list(_LEASE_KINDS.values()))[0]
    if kind == "disabled":
        duration_ms = random.choice((-1, total_ms))
        return Lease(dates.create_ms, dates.update_ms, duration_ms, enabled=False, type="TIMING")
    return Lease(dates.create_ms, dates.update_ms, total_ms, enabled=True, type=None if kind == "untyped" else kind)
