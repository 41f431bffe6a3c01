"""The configuration of nbsweep in a scenario: limits, policies, protections and brakes."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from simulation.faults import NetworkConditions

PROJECT = "0123456789abcdef0123456789abcdef"
COOL_DOWNS = ({"first": "1h", "longest": "7d"}, {"first": "20s", "longest": "40s"})
IDLE = {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}


def draw_config(random: Random, request_timeout_s: int, grace_s: int, network: NetworkConditions) -> Mapping[str, Any]:
    """Draw a configuration file."""
    keys = {"access_key": "AK", "secret_key": "SK"}
    user = {"username": "sweeper", "password": "pw", "domain": "acct", "iam_endpoint": "https://iam.test"}
    limits = {
        "delete": random.choice(("2/s", "3/s", "5/s", "10/s", "90/m")),
        "list": random.choice(("2/s", "5/s", "10/s")),
        "show": random.choice(("3/s", "5/s", "10/s")),
        "total": random.choice((None, None, None, "6/s", "12/s")),
        "concurrency": random.choice((2, 8, 16)),
        "request_timeout": f"{request_timeout_s}s",
    }
    interval_s = random.randint(2, 5)
    return {
        "targets": [
            {
                "name": "research",
                "endpoint": "https://cloud.test",
                "project_id": PROJECT,
                "credentials": keys if network.token_life_s is None else user,
                "limits": limits,
            }
        ],
        **_rules(random),
        "brakes": _brakes(random),
        "removal": {
            "deadline": f"{random.choice((60, 90, 150, 240))}s",
            "retries": random.choice((0, 1, 1, 2)),
            "fresh_for": f"{random.choice((1, 2, 5, 10))}s",
            "grace": f"{grace_s}s",
            "cool_down": random.choice((None, None, None, *COOL_DOWNS)),
        },
        "polling": {"interval": f"{interval_s}s", "max_interval": f"{interval_s * random.choice((2, 4))}s"},
        "service": {"drain": "20s", "sweep_timeout": random.choice(("30s", "1h", "1h", "1h", "1h")), "lease": "60s"},
    }


def _rules(random: Random) -> Mapping[str, Any]:
    running = random.choice(("skip", "stop", "stop"))
    policies: Sequence[Mapping[str, Any]] = (
        {"name": "failed", "match": {"status": ["CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"], "age_over": "1d"}},
        IDLE,
        {
            "name": "forgotten",
            "match": {
                "any": [{"age_over": "180d"}, {"lease_expired_over": "30d"}],
                "not": {"flavor": ["*ascend*"]},
            },
            "running": running,
        },
        {"name": "frozen", "match": {"status": ["FROZEN"], "age_over": "30d"}},
        {"name": "trials", "match": {"name": ["trial-*"], "age_over": "1d", "not": {"tags": {"team": "*"}}}},
    )
    protect = ({"name": ["keep-*", "prod-*"]}, {"tags": {"keep": "*"}}, {"owner": ["dee"]})
    chosen = [policy for policy in policies if random.random() < 0.75]
    return {"policies": chosen or [IDLE], "protect": [rule for rule in protect if random.random() < 0.85]}


def _brakes(random: Random) -> Mapping[str, Any]:
    trust = {"max_failures": random.choice((None, "25%", "25%", "10%"))}
    if random.random() < 0.7:
        return {"max_deletions": None, "max_share": None, **trust}
    return {
        **trust,
        "max_per_day": random.choice((None, None, 4, 12)),
        "max_deletions": random.choice((None, 3, 8)),
        "max_share": random.choice((None, "25%", "40%")),
        "max_per_owner": random.choice((None, None, 2)),
        "on_excess": random.choice(("trim", "trim", "trim", "refuse")),
    }


def for_many(random: Random, config: Mapping[str, Any], size: str) -> Mapping[str, Any]:
    """Change the configuration so that many notebooks go; in a mass, faster than their listing is read."""
    policies = [IDLE, *(policy for policy in config["policies"] if policy is not IDLE)]
    (target,) = config["targets"]
    quick = {"delete": "20/s", "list": "60/m", "show": "20/s", "total": None, "concurrency": 16}
    limits = {**target["limits"], **(quick if size == "mass" else {"list": random.choice(("60/m", "2/s"))})}
    brakes = {"max_deletions": None, "max_share": None, "max_failures": None}
    return {**config, "policies": policies, "brakes": brakes, "targets": [{**target, "limits": limits}]}
