"""The configuration of the served demo, which is in no file that another command reads."""

from pathlib import Path
from typing import Any

from msgspec import Struct

from nbsweep.demo.lives import RESEARCH
from nbsweep.settings import Settings

ZONE = "Asia/Shanghai"
SWEEP_AT = "0 3 * * *"
"""At 19:00 UTC."""
UNKNOWN_OWNERS = ("tomas.silva",)
"""Owners whom the owners' file does not name, so that they cannot be told."""
ADMIN_TOKEN = "demo-admin"  # noqa: S105  # of a service on loopback that has nothing but the simulated cloud
VIEWER_TOKEN = "demo-viewer"  # noqa: S105  # likewise
WEBHOOK_SECRET = "whsec_" + "ZGVtbw" * 6 + "ZGU="


class Addresses(Struct, frozen=True):
    """The addresses, on loopback, with which the demo works."""

    cloud: str
    messages: str
    listen: str


class Files(Struct, frozen=True):
    """The files of the demo, in one temporary folder."""

    folder: Path

    @property
    def journal(self) -> str:
        """Return the URL of the journal."""
        return f"sqlite:///{self.folder}/journal.db"

    def of(self, name: str) -> Path:
        """Return the path of a file."""
        return self.folder / name


NOWHERE = Addresses("http://127.0.0.1:1", "http://127.0.0.1:1", "127.0.0.1:0")


def demo_settings(addresses: Addresses, files: Files, teaching: str) -> Settings:
    """Return the configuration; `teaching` is the workspace of the target `teaching`."""
    return Settings.model_validate(demo_document(addresses, files, teaching))


def demo_document(addresses: Addresses, files: Files, teaching: str) -> dict[str, Any]:
    """Return the configuration as its file would hold it."""
    return {
        "mode": "enforce",
        "journal": files.journal,
        "schedule": {"cron": SWEEP_AT, "timezone": ZONE},
        "targets": [_target(addresses, "research", RESEARCH), _target(addresses, "teaching", teaching)],
        "policies": _policies(),
        "protect": [{"name": ["keep-*", "prod-*"]}, {"tags": {"keep": "*"}}],
        "brakes": {"max_deletions": 30, "max_share": "45%", "max_per_day": 40},
        "marks": {"max_new_per_sweep": 12},
        "holdout": {"share": "5%", "for": "30d"},
        "owners": [{"file": str(files.of("owners.yaml"))}],
        "channels": {"mail": _channel(addresses, "mail", addressed=True), "ops": _channel(addresses, "ops", addressed=False)},
        "notify": {event: ["ops"] for event in ("sweep.refused", "sweep.failed", "marks.untold", "authentication.failed")},
        "calendar": {"timezone": ZONE},
        "polling": {"interval": "1s", "max_interval": "5s"},
        "removal": {"grace": "5s"},
        "logging": {"level": "error"},
        "service": _service(addresses, files),
    }


def _target(addresses: Addresses, name: str, workspace: str) -> dict[str, Any]:
    return {
        "name": name,
        "endpoint": addresses.cloud,
        "project_id": "0123456789abcdef0123456789abcdef",
        "proxy": "none",
        "credentials": {"access_key": "SIMULATEDACCESSKEY01", "secret_key": "simulatedSecretKeySimulatedSecretKey0001"},
        "workspaces": [workspace],
    }


def _policies() -> list[dict[str, Any]]:
    told = {"remind": "2d", "surveys": 2, "tell": "owner", "unless_told": "keep"}
    return [
        {
            "name": "failed",
            "match": {"status": ["CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"], "idle_over": "2d"},
        },
        {
            "name": "idle-gpu",
            "match": {"status": "STOPPED", "flavor": "*gpu*", "idle_over": "10d"},
            "grace": {"for": "4d", **told},
        },
        {
            "name": "forgotten",
            "match": {"status": "STOPPED", "flavor": "*ascend*", "age_over": "60d", "idle_over": "30d"},
            "grace": {"for": "5d", "tell": ["owner", "ops"]},
            "windows": [{"days": "mon-fri", "hours": "00:00-08:00", "timezone": ZONE}],
        },
        {
            "name": "idle",
            "match": {"status": "STOPPED", "idle_over": "14d", "not": {"flavor": "*ascend*"}},
            "grace": {"for": "7d", **told},
        },
    ]


def _channel(addresses: Addresses, name: str, *, addressed: bool) -> dict[str, Any]:
    return {
        "kind": "webhook",
        "url": f"{addresses.messages}/{name}",
        "proxy": "none",
        "secret": WEBHOOK_SECRET,
        "addressed": addressed,
    }


def _service(addresses: Addresses, files: Files) -> dict[str, Any]:
    tokens = {"admin": "mei.wang", "viewer": "guest"}
    return {
        "listen": addresses.listen,
        "drain": "2s",
        "api_tokens": [{"file": str(files.of(role)), "role": role, "name": name} for role, name in tokens.items()],
        "trusted_proxies": ["127.0.0.1"],
        "proxy_secret_file": str(files.of("proxy-secret")),
    }
