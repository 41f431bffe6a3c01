"""What is measured: fleets, limits and delays, as values. Durations are seconds, rates are calls a second."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from acceptance.support import DAY_MS, LONG_S, Json

OLDEST_DAYS = 400
YOUNGEST_DAYS = 30
TOKEN_LIFETIME_S = 6.0
USED_AGAIN = 40


@dataclass(frozen=True, slots=True)
class Scenario:
    """One cloud, and how both programs are told to call it."""

    name: str
    title: str
    notebooks: int
    ceilings: Mapping[str, int]
    """Calls a second that the programs are told to keep to, by lane."""
    limits: Json = field(default_factory=dict)
    """What the cloud enforces, as the simulator's options say it."""
    best_rate: float | None = None
    """DELETEs a second that the cloud's limits allow; None without limits."""
    latency_s: float = 0.03
    deletion_s: float = 20.0
    """Median of the time that a deletion takes."""
    concurrency: int = 32
    """nbsweep's calls under way at once; the textbook has 64 slots throughout."""
    against_textbook: bool = True
    used_again: int = 0
    """How many notebooks their owners come back to, right after the survey."""
    runs: int = 1
    """How many times nbsweep is run; shown is the run that the machine disturbed least."""
    full_rows: bool = False
    """Whether rows hold every field that the API documents, and each notebook has texts of its own in them."""
    by_token: bool = False
    """Whether nbsweep signs in with name and password, for a token of a short life."""

    @property
    def expected(self) -> int:
        """How many notebooks have to be gone in the end."""
        return self.notebooks - self.used_again


def all_lanes(rate: int) -> dict[str, int]:
    """Return one rate to every lane and to all of them together."""
    return dict.fromkeys(("delete", "list", "show", "total"), rate)


def shared_limit(rate: int) -> Json:
    """Limit a user's calls of all kinds together, in any second."""
    return {"per_user": {"calls": rate}}


def limit_by_api(rates: Mapping[str, int]) -> Json:
    """Limit each kind of call for itself, in any second; listing one's own and listing all are two kinds, with one rate."""
    kinds = dict(rates) | {"list_all": rates["list"]}
    return {"per_api": {kind: {"calls": rate} for kind, rate in kinds.items()}}


BY_API = {"delete": 20, "list": 5, "show": 5}

SCENARIOS = (
    Scenario(
        "shared",
        "one limit of 50/s for all calls, known",
        1000,
        all_lanes(50),
        limits=shared_limit(50),
        best_rate=50,
        runs=3,
    ),
    Scenario(
        "by-api",
        "a limit per API: delete 20/s, list 5/s, show 5/s",
        400,
        BY_API,
        limits=limit_by_api(BY_API),
        best_rate=20,
        deletion_s=10,
    ),
    Scenario(
        "unknown",
        "one limit of 20/s that nobody was told of, ceilings at 200/s",
        400,
        all_lanes(200),
        limits=shared_limit(20),
        best_rate=20,
        deletion_s=10,
    ),
    Scenario("thousand", "no limit, ceilings at 2,000/s", 1000, all_lanes(2000), concurrency=64),
    Scenario(
        "one",
        "no limit, ceilings at 2,000/s, a full row",
        1,
        all_lanes(2000),
        concurrency=64,
        against_textbook=False,
        full_rows=True,
    ),
    Scenario(
        "many",
        "no limit, ceilings at 2,000/s, full rows",
        20_000,
        all_lanes(2000),
        concurrency=64,
        against_textbook=False,
        full_rows=True,
    ),
    Scenario(
        "comeback",
        "a tenth of the notebooks used again right after the survey",
        400,
        all_lanes(50),
        limits=shared_limit(50),
        best_rate=50,
        latency_s=1.0,  # leaves half a second from the survey's end to the first second look
        deletion_s=2,
        concurrency=64,
        used_again=USED_AGAIN,
    ),
    Scenario(
        "token",
        "a token that lives 6 s",
        200,
        all_lanes(20),
        limits=shared_limit(20),
        best_rate=20,
        deletion_s=3,
        against_textbook=False,
        by_token=True,
    ),
)


def fleet(count: int, *, full: bool = False) -> list[Json]:
    """Describe so many stopped notebooks, untouched since their creation, each younger than the one before."""
    now_ms = round(time.time() * 1000)
    step_ms = (OLDEST_DAYS - YOUNGEST_DAYS) * DAY_MS / count
    return [
        {
            "id": str(uuid.UUID(int=number + 1)),
            "name": f"notebook-{number:05d}",
            "status": "STOPPED",
            "create_at": round(now_ms - OLDEST_DAYS * DAY_MS + number * step_ms),
            **(full_row(number, round(now_ms - OLDEST_DAYS * DAY_MS + number * step_ms)) if full else {}),
        }
        for number in range(count)
    ]


def full_row(number: int, created_ms: int) -> Json:
    """Fill every field that the API documents; some texts are those of many notebooks, and some are the notebook's own."""
    return {
        "description": f"Experiment {number} on the data of {number % 365} days ago. " * 6,
        "owner": f"person-{number % 200:03d}.of-a-department-with-a-long-name",
        "flavor": ("modelarts.vm.gpu.v100.4", "modelarts.vm.cpu.8u", "modelarts.bm.ascend.snt9b")[number % 3],
        "tags": {
            "team": f"team-{number % 20}",
            "cost-center": f"{number % 50:08d}",
            "ticket": f"https://tickets.example.com/browse/LAB-{number}",
            "purpose": "ablation study of the third quarter",
            "expires": f"2027-{number % 12 + 1:02d}-01",
        },
        "lease": {
            "create_at": created_ms,
            "update_at": created_ms + number,
            "duration": 3_600_000 + number,
            "enable": True,
            "type": "TIMING",
        },
        "volume": {"category": "EFS", "ownership": "DEDICATED", "capacity": 50, "uri": f"192.168.0.12:/share/{number}"},
        "image": {
            "id": str(uuid.UUID(int=number % 500 + 1)),
            "name": f"custom-image-{number % 500}",
            "swr_path": f"swr.cn-north-4.myhuaweicloud.com/research/custom-image-{number % 500}:1.{number % 7}.0",
        },
        "pool": {"id": f"pool-{number % 5:012d}", "name": f"research-{number % 5}"},
        "ip": f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}",
        "raw": {
            "billing_items": ["STORAGE"],
            "endpoints": [{"service": "SSH", "allowed_access_ips": ["10.0.0.0/8"], "uri": f"ssh://lab.example.com:{number}"}],
            "action_progress": [{"step": step, "status": "SUCCEEDED", "description": "done"} for step in range(4)],
            "data_volumes": [
                {"category": "OBS", "mount_path": f"/data/{number}", "uri": f"obs://lab/{number}", "status": "MOUNTED"}
            ],
        },
    }


def simulator_options(scenario: Scenario) -> Json:
    """Return the options of the cloud."""
    return {
        "fleet": {"notebooks": 0, "instances": fleet(scenario.notebooks, full=scenario.full_rows), "workspaces": 1},
        "timing": {
            "latency_median_s": scenario.latency_s,
            "deletion_median_s": scenario.deletion_s,
            "create_s": LONG_S,
            "start_s": LONG_S,
            "snapshot_s": LONG_S,
        },
        "limits": scenario.limits,
        "access": {"token_lifetime_s": TOKEN_LIFETIME_S} if scenario.by_token else {},
    }
