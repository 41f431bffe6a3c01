"""The workspaces of the project."""

from dataclasses import dataclass
from typing import Any

from nbsweep.simulator.state.catalogue import TEAMS

_ROOT = "0"


@dataclass(frozen=True)
class Workspace:
    """One workspace of the project."""

    id: str
    name: str
    owner: str
    update_at_ms: int
    status: str = "NORMAL"
    enterprise_project_id: str = "0"

    def row(self, *, integer_id: bool) -> dict[str, Any]:
        """Return the workspace as the API writes it; the documentation's own example has a number for an id."""
        return {
            "id": int(self.id) if integer_id and self.id == _ROOT else self.id,
            "name": self.name,
            "description": "",
            "owner": self.owner,
            "auth_type": "public" if integer_id else "PUBLIC",
            "enterprise_project_id": self.enterprise_project_id,
            "enterprise_project_name": "default",
            "create_time": self.update_at_ms,
            "update_time": self.update_at_ms,
            "status": self.status,
            "status_info": "",
        }


def made_up_workspaces(ids: tuple[str, ...], now_ms: int) -> dict[str, Workspace]:
    """Return the workspaces with these ids."""
    names = [_name(id_, number) for number, id_ in enumerate(ids)]
    return {id_: Workspace(id_, name, "acct", now_ms) for id_, name in zip(ids, names, strict=True)}


def _name(workspace_id: str, number: int) -> str:
    return "default" if workspace_id == _ROOT else f"{TEAMS[number % len(TEAMS)]}-{workspace_id[:4]}"
