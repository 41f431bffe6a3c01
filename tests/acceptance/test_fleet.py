"""A mixed fleet, and precisely the expected ids gone: worked out here, by code that knows no policy engine."""

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random

from acceptance.conftest import Simulate
from acceptance.support import DAY_MS, HOUR_MS, LONG_S, Desk, Json, days_ago

SIZE = 400
WORKSPACES = ("0", "a" * 32, "b" * 32)
STATUSES = (
    "INIT", "CREATING", "STARTING", "STOPPING", "DELETING", "RUNNING", "STOPPED",
    "SNAPSHOTTING", "CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "ERROR", "DELETED", "FROZEN",
)  # fmt: skip
WORKING = {"INIT", "CREATING", "STARTING", "STOPPING", "DELETING", "SNAPSHOTTING"}
WEIGHTS = {"STOPPED": 12, "RUNNING": 6, "FROZEN": 4, "ERROR": 2}
# Around every threshold of the policies, an hour to either side, and some in between.
AGES_DAYS = (0.9, 1.1, 13.9, 14.1, 29.9, 30.1, 45, 59.9, 60.1, 89.9, 90.1, 150, 179.9, 180.1, 300)
OWNERS = ("ana.lopez", "Ana.Berg", "li.zhang", "boss")
FLAVORS = ("modelarts.vm.cpu.2u", "modelarts.vm.gpu.v100", "modelarts.bm.Ascend.snt9b")
NAMES = ("keep-me", "KEEP-too", "prod-api", "not-keep-me", *("resnet", "bert", "yolo", "unet") * 4)
TAGS: tuple[dict[str, str], ...] = (
    *({}, {"team": "vision"}, {"team": "nlp"}) * 4,
    {"keep": ""},
    {"keep": "yes", "team": "nlp"},
)

CONFIGURATION: Json = {
    "policies": [
        {"name": "failed", "match": {"status": ["CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"], "age_over": "1d"}},
        {"name": "frozen", "match": {"status": "FROZEN", "owner": "ana.*", "age_over": "90d"}},
        {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d", "feature": "NOTEBOOK"}},
        {
            "name": "codelab",
            "match": {"feature": "DEFAULT", "age_over": "30d", "not": {"tags": {"team": ["vis*", "speech"]}}},
            "running": "stop",
        },
        {
            "name": "big-gpu",
            "match": {
                "all": [{"flavor": "*gpu*"}, {"volume.capacity_over": 100}],
                "workspace": ["a*"],
                "age_over": "60d",
                "lease.enabled": False,
            },
            "running": "stop",
        },
        {
            "name": "forgotten",
            "match": {"any": [{"age_over": "180d"}, {"lease_expired_over": "30d"}], "not": {"flavor": ["*ascend*"]}},
        },
    ],
    "protect": [
        {"name": ["keep-*", "prod-*"]},
        {"tags": {"keep": "*"}},
        {"owner": "boss", "volume.ownership": "DEDICATED"},
    ],
}


@dataclass(frozen=True)
class Known:
    """One notebook in plain figures; what is None is missing from its row."""

    number: int
    status: str
    feature: str
    workspace: str
    name: str
    owner: str
    flavor: str
    tags: dict[str, str] | None
    age_days: float
    changed_days: float
    lease: str
    """none, disabled, idle, timing or untyped."""
    expired_days: float
    """How long ago its lease ended; negative for one that has not."""
    capacity: int | None
    ownership: str

    @property
    def id(self) -> str:
        """Its id."""
        return f"notebook-{self.number:03d}"

    @property
    def idle_days(self) -> float:
        """Since when nobody can have used it."""
        if self.status == "RUNNING":
            return 0.0
        ended = self.lease in {"timing", "untyped"} and self.expired_days > 0
        return min(self.changed_days, self.expired_days) if ended else self.changed_days


# ---- what is expected ------------------------------------------------------------------------------------------------------


def protected(book: Known) -> bool | None:
    """Tell whether any protection holds; None when that cannot be told, as without tags."""
    if book.name.lower().startswith(("keep-", "prod-")) or (book.owner == "boss" and book.ownership == "DEDICATED"):
        return True
    if book.tags is None:
        return None
    return "keep" in book.tags


def lease_expired_over_30d(book: Known) -> bool | None:
    """Tell it of the leases whose end is documented."""
    if book.lease == "disabled":
        return False
    return book.expired_days > 30 if book.lease in {"timing", "untyped"} else None


def codelab(book: Known) -> bool | None:
    """Tell whether the policy of that name holds."""
    if book.feature != "DEFAULT" or book.age_days <= 30:
        return False
    return None if book.tags is None else not fnmatchcase(book.tags.get("team", ""), "vis*")


def big_gpu(book: Known) -> bool | None:
    """Tell whether the policy of that name holds."""
    enabled = {"none": None, "disabled": False}.get(book.lease, True)
    if "gpu" not in book.flavor or not book.workspace.startswith("a") or book.age_days <= 60 or enabled:
        return False
    if book.capacity is None or enabled is None:
        return False if book.capacity is not None and book.capacity <= 100 else None
    return book.capacity > 100


def forgotten(book: Known) -> bool | None:
    """Tell whether the policy of that name holds."""
    if "ascend" in book.flavor.lower():
        return False
    return True if book.age_days > 180 else lease_expired_over_30d(book)


def policy_for(book: Known) -> str | None:
    """Tell which policy deletes it; None when it is to be kept."""
    if book.status in WORKING or book.status == "DELETED" or protected(book) is not False:
        return None
    answers = {
        "failed": book.status in {"CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"} and book.age_days > 1,
        "frozen": book.status == "FROZEN" and book.owner.lower().startswith("ana.") and book.age_days > 90,
        "idle": book.status == "STOPPED" and book.idle_days > 14 and book.feature == "NOTEBOOK",
        "codelab": codelab(book),
        "big-gpu": big_gpu(book),
        "forgotten": forgotten(book),
    }
    winner = next((name for name, answer in answers.items() if answer is True), None)
    if book.status == "RUNNING" and winner not in {"codelab", "big-gpu"}:
        return None
    if book.status == "FROZEN" and winner != "frozen":
        return None
    return winner


# ---- the fleet -------------------------------------------------------------------------------------------------------------


def known_fleet() -> list[Known]:
    """Throw the dice, always the same."""
    dice = Random(4)  # noqa: S311  # a fleet, not a key
    weighted = [status for status in STATUSES for _ in range(WEIGHTS.get(status, 1))]
    statuses = [weighted[number % len(weighted)] for number in range(SIZE)]
    dice.shuffle(statuses)
    return [_known(dice, number, status) for number, status in enumerate(statuses)]


def _known(dice: Random, number: int, status: str) -> Known:
    age_days = dice.choice(AGES_DAYS)
    # A running notebook whose lease has ended would have been stopped by the cloud.
    leases = (
        ("none", "disabled", "idle") if status == "RUNNING" else ("none", "disabled", "idle", "timing", "timing", "untyped")
    )
    # A third is drawn to the policy that asks for most at once.
    large = number % 3 == 0
    return Known(
        number=number,
        status=status,
        feature=dice.choice(("NOTEBOOK", "NOTEBOOK", "DEFAULT")),
        workspace=WORKSPACES[1] if large and dice.random() < 0.8 else dice.choice(WORKSPACES),
        name=f"{dice.choice(NAMES)}-{number:03d}",
        owner=dice.choice(OWNERS[:2] if status == "FROZEN" else OWNERS),
        flavor=FLAVORS[1] if large and dice.random() < 0.8 else dice.choice(FLAVORS),
        tags=None if dice.random() < 0.08 else dict(dice.choice(TAGS)),
        age_days=age_days,
        changed_days=0.9 if number % 5 == 0 else dice.choice([days for days in AGES_DAYS if days <= age_days]),
        lease="disabled" if large and dice.random() < 0.6 else dice.choice(leases),
        expired_days=dice.choice([days for days in (-1, *AGES_DAYS) if days <= age_days]),
        capacity=dice.choice((None, 50, 100, 101, 500)),
        ownership=dice.choice(("MANAGED", "DEDICATED")),
    )


def described(book: Known) -> Json:
    """Describe it to the simulator."""
    # Two states would pass by themselves; these notebooks only show them, and would take a DELETE.
    only_shown = book.status in {"STOPPING", "DELETING"}
    return {
        "id": book.id,
        "name": book.name,
        "status": "STOPPED" if only_shown else book.status,
        "raw": {"status": book.status} if only_shown else {},
        "feature": book.feature,
        "workspace_id": book.workspace,
        "owner": book.owner,
        "flavor": book.flavor,
        "tags": book.tags or {},
        "drop": ["tags"] if book.tags is None else [],
        "create_at": days_ago(book.age_days),
        "update_at": days_ago(book.changed_days),
        "lease": _lease(book),
        "volume": {"capacity": book.capacity, "ownership": book.ownership},
    }


def _lease(book: Known) -> Json | None:
    if book.lease == "none":
        return None
    duration = round((book.age_days - book.expired_days) * DAY_MS) or HOUR_MS
    return {
        "create_at": days_ago(book.age_days),
        "update_at": days_ago(book.changed_days),
        "duration": -1 if book.lease == "disabled" else duration,
        "enable": book.lease != "disabled",
        "type": {"idle": "IDLE", "untyped": None}.get(book.lease, "TIMING"),
    }


# ---- the tests -------------------------------------------------------------------------------------------------------------


def test_the_fleet_has_something_of_everything() -> None:
    """All states, workspaces, features, policies and protections, so that the sweep below has to tell them apart."""
    fleet = known_fleet()
    assert len(fleet) == SIZE
    assert min(Counter(book.status for book in fleet).values()) >= 10
    assert set(Counter(book.status for book in fleet)) == set(STATUSES)
    assert len({(book.workspace, book.feature) for book in fleet}) == 6
    going = Counter(policy_for(book) for book in fleet)
    assert min(going[name] for name in ("failed", "frozen", "idle", "codelab", "big-gpu", "forgotten")) >= 2
    stopped_first = [book for book in fleet if book.status == "RUNNING" and policy_for(book)]
    assert len(stopped_first) >= 3
    assert 40 <= SIZE - going[None] <= 200
    unguarded = [book for book in fleet if policy_for(book) is None and protected(book) is None]
    assert len(unguarded) >= 10


def test_precisely_the_expected_notebooks_are_gone_and_nothing_else_was_touched(simulate: Simulate, desk: Desk) -> None:
    """400 notebooks, six policies, three protections: who goes is what plain code says, and by the policy that it names."""
    fleet = known_fleet()
    cloud = simulate(
        [described(book) for book in fleet],
        fleet={"workspaces": 1},
        timing={"create_s": LONG_S, "start_s": LONG_S, "snapshot_s": LONG_S},
        dialect={"delete_frozen": True},
    )
    desk.write(cloud, **CONFIGURATION, target={"features": ["NOTEBOOK", "DEFAULT"]})
    before = cloud.instances()

    ended = desk.sweep()

    expected = {book.id: name for book in fleet if (name := policy_for(book))}
    assert {result["id"]: result["policy"] for result in ended.document["results"]} == expected
    assert ended.code == 0, ended.err
    assert ended.document["counts"] == {"deleted": len(expected)}
    assert cloud.gone() == set(expected)

    after = cloud.instances()
    assert {key: row for key, row in after.items() if key not in expected} == {
        key: row for key, row in before.items() if key not in expected
    }
    stopped = {book.id for book in fleet if book.id in expected and book.status == "RUNNING"}
    writes = Counter((request["method"], request["notebook_id"]) for request in cloud.writes())
    assert writes == Counter([("DELETE", key) for key in expected] + [("POST", key) for key in stopped])
    assert all(request["path"].endswith("/stop") for request in cloud.writes() if request["method"] == "POST")
    seen = sum(book.status != "DELETED" for book in fleet)
    (finished,) = ended.events("sweep.finished")
    assert finished["fleet"] == seen
    assert finished["planned"] + sum(finished["kept"].values()) - finished["kept"].get("already-deleted", 0) == seen
