"""What is measured: accounts, notebooks, limits, and the processes that share the work."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acceptance.support import Cloud, Json, cloud_options, idle_fleet, target

LEASE = "60s"
WINDOW_S = 15
"""The clouds count calls in windows of this length: a busy machine delays single calls."""
CONCURRENCY = 4
TOKEN = "bench-token"  # it opens a service on loopback, while the bench runs


@dataclass(frozen=True, slots=True)
class Shape:
    """One run."""

    accounts: int
    notebooks: int
    """Of each account; all of them have to go."""
    workers: int
    at_once: int = 4
    """Accounts that a worker sweeps at the same time."""
    per_minute: Mapping[str, int] = field(default_factory=lambda: {"delete": 20, "list": 120, "show": 120})
    """The limits of each account, in calls, by lane."""
    deletion_s: float = 3.0
    polling: tuple[str, str] = ("2s", "5s")
    """The shortest and the longest interval."""

    @property
    def floor_s(self) -> float:
        """Return the makespan if nothing but DELETEs and the last deletion took time."""
        rounds = -(-self.accounts // (self.workers * self.at_once))
        return rounds * ((self.notebooks - 1) / (self.per_minute["delete"] / 60) + self.deletion_s)


def simulated(shape: Shape) -> list[Json]:
    """Return the options of the clouds, one for each account."""
    kinds = {**shape.per_minute, "list_all": shape.per_minute["list"]}
    per_api = {kind: {"calls": rate * WINDOW_S // 60, "window_s": WINDOW_S} for kind, rate in kinds.items()}
    timing = {"deletion_median_s": shape.deletion_s, "deletion_spread": 0, "latency_median_s": 0.03}
    options = cloud_options(idle_fleet(shape.notebooks), timing=timing, limits={"per_api": per_api})
    return [options] * shape.accounts


def configuration(shape: Shape, clouds: list[Cloud], journal: str, listen: str, token_file: str) -> Json:
    """Return the configuration of all processes."""
    limits = {lane: f"{rate}/m" for lane, rate in shape.per_minute.items()} | {"concurrency": CONCURRENCY}
    return {
        "journal": journal,
        "targets": [target(cloud.url, name=f"t{number:04d}", limits=limits) for number, cloud in enumerate(clouds)],
        "service": {
            "fleet": True,
            "listen": listen,
            "api_token_file": token_file,
            "lease": LEASE,
            "accounts_at_once": shape.at_once,
        },
        "polling": dict(zip(("interval", "max_interval"), shape.polling, strict=True)),
    }
