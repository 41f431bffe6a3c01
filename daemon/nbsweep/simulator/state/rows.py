"""Notebooks as the API writes them; ModelArts API, section 1.3."""

from typing import Any

import msgspec

from nbsweep.simulator.options import AccessOptions, DialectOptions
from nbsweep.simulator.state.model import Instance, Lease, Person, identity

_WORK_URL = "https://authoring-modelarts.example.com"


class RowWriter:
    """Writes rows in one dialect of the API."""

    def __init__(self, dialect: DialectOptions, access: AccessOptions) -> None:
        self._dialect = dialect
        self._domain = {"id": identity("domain", access.account), "name": access.account}

    def listed(self, instance: Instance) -> msgspec.Raw:
        """Return the row for a list, encoded; it is kept until the notebook changes."""
        if instance.encoded_row is None:
            row = self._row(instance)
            if self._dialect.list_timestamps:
                row |= _timestamps(instance)
            shown = _without(_overlaid(row, instance), (*self._dialect.omits, *self._dialect.list_omits))
            instance.encoded_row = msgspec.Raw(msgspec.json.encode(shown))
        return instance.encoded_row

    def single(self, instance: Instance, now_ms: int) -> dict[str, Any]:
        """Return the notebook as GET, DELETE, stop and start answer it."""
        row = self._row(instance) | _timestamps(instance) | {"current_time": now_ms}
        return _without(_overlaid(row, instance), self._dialect.omits)

    def lease(self, lease: Lease) -> dict[str, Any]:
        """Return a lease."""
        row: dict[str, Any] = {
            "create_at": lease.create_at_ms,
            "duration": lease.duration_ms,
            "enable": lease.enabled,
            "update_at": lease.update_at_ms,
        }
        if self._dialect.lease_type and lease.type is not None:
            row["type"] = lease.type
        return row

    def _row(self, instance: Instance) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": instance.id,
            "name": instance.name,
            "description": instance.description,
            "status": instance.shown_status,
            "feature": instance.feature,
            "flavor": instance.flavor,
            "workspace_id": instance.workspace_id,
            "volume": instance.volume,
            "data_volumes": [],
            "image": instance.image,
            "tags": [{"key": key, "value": value} for key, value in instance.tags.items()],
            "billing_items": instance.billing_items,
            "endpoints": [],
            "action_progress": [],
            "token": f"token-secret-{instance.id}",
            "url": f"{_WORK_URL}/{instance.id}/lab?token=token-secret-{instance.id}",
        }
        return row | self._optional(instance) | self._dialect.extra_fields

    def _optional(self, instance: Instance) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if instance.lease is not None:
            fields["lease"] = self.lease(instance.lease)
        if self._dialect.row_user:
            fields |= self._user(instance.owner)
        for name in ("fail_reason", "pool", "ip"):
            if value := getattr(instance, name):
                fields[name] = value
        return fields

    def _user(self, owner: Person) -> dict[str, Any]:
        return {"user": {"id": owner.id, "name": owner.name, "domain": self._domain}, "user_id": owner.id}


def _timestamps(instance: Instance) -> dict[str, Any]:
    return {"create_at": instance.create_at_ms, "update_at": instance.update_at_ms}


def _overlaid(row: dict[str, Any], instance: Instance) -> dict[str, Any]:
    return _without(row | instance.raw, instance.drop)


def _without(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names} if names else row
