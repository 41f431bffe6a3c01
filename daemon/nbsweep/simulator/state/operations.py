"""The operations on a notebook, and their refusals; ModelArts API, sections 2 and 8."""

from nbsweep.simulator.clock import milliseconds
from nbsweep.simulator.refusals import bad_parameter, gone, modelarts_error
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.model import Instance, Lease

HOUR_MS = 3_600_000
LONGEST_LEASE_MS = 72 * HOUR_MS
NO_LEASE = -1

_IN_TRANSITION = {
    "INIT": "6357",
    "CREATING": "6357",
    "STARTING": "6306",
    "STOPPING": "6308",
    "SNAPSHOTTING": "6357",
    "DELETING": "6357",
}
_REFUSES_STOP = {"STOPPED": "6307", "FROZEN": "6326"}
_REFUSES_START = {"RUNNING": "6305", "FROZEN": "6326", "CREATE_FAILED": "6357", "DELETE_FAILED": "6357"}


def deletable(cloud: Cloud, notebook_id: str) -> Instance:
    """Return the notebook if a DELETE would be accepted now."""
    instance = _at_rest(cloud, notebook_id)
    dialect = cloud.options.dialect
    if instance.status == "RUNNING" and dialect.delete_requires_stopped:
        raise modelarts_error("6304")
    if instance.status == "FROZEN" and not dialect.delete_frozen:
        raise modelarts_error("6326")
    return instance


def delete(cloud: Cloud, instance: Instance, at_s: float) -> None:
    """Begin the deletion of a deletable notebook; its end depends on the fault of the deletion."""
    instance.accepted_deletes += 1
    stale_s = cloud.options.timing.stale_s
    if stale_s:
        cloud.hide_changes_until(instance, at_s + stale_s)
    cloud.enter(instance, "DELETING", at_s=at_s, cause="api:delete")


def stop(cloud: Cloud, notebook_id: str, at_s: float, cause: str) -> Instance:
    """Begin to stop a running notebook."""
    instance = _at_rest(cloud, notebook_id)
    if instance.status != "RUNNING":
        raise modelarts_error(_REFUSES_STOP.get(instance.status, "6327"))
    if instance.lease:
        _rebase(instance.lease, milliseconds(at_s))
    cloud.enter(instance, "STOPPING", at_s=at_s, cause=cause)
    return instance


def start(cloud: Cloud, notebook_id: str, at_s: float, cause: str, lease: tuple[int, str]) -> Instance:
    """Begin to start a notebook, with an automatic stop after so many ms and of that type (-1: without)."""
    duration_ms, lease_type = lease
    if duration_ms != NO_LEASE:
        _check_duration(duration_ms)
    instance = _at_rest(cloud, notebook_id)
    if instance.status in _REFUSES_START:
        raise modelarts_error(_REFUSES_START[instance.status])
    _grant(instance, duration_ms, lease_type, at_s)
    instance.fail_reason = ""
    cloud.enter(instance, "STARTING", at_s=at_s, cause=cause)
    return instance


def lease_of(cloud: Cloud, notebook_id: str) -> Lease:
    """Return the lease of a running notebook; others show none."""
    instance = cloud.existing(notebook_id)
    if instance.status != "RUNNING" or instance.lease is None:
        raise modelarts_error("6327")
    return instance.lease


def renew(cloud: Cloud, notebook_id: str, at_s: float, lease: tuple[int, str]) -> Lease:
    """Delay the automatic stop of a running notebook."""
    duration_ms, lease_type = lease
    _check_duration(duration_ms)
    lease_of(cloud, notebook_id)
    instance = cloud.existing(notebook_id)
    renewed = _grant(instance, duration_ms, lease_type, at_s)
    cloud.lease_changed(instance, at_s)
    return renewed


def use(cloud: Cloud, notebook_id: str, at_s: float) -> None:
    """Set a notebook's date of change, as an edit does."""
    instance = cloud.existing(notebook_id)
    instance.update_at_ms = milliseconds(at_s)
    if instance.lease:
        instance.lease.update_at_ms = milliseconds(at_s)
    instance.encoded_row = None


def _grant(instance: Instance, duration_ms: int, lease_type: str, at_s: float) -> Lease:
    now_ms = milliseconds(at_s)
    lease = instance.lease or Lease(instance.create_at_ms, now_ms, NO_LEASE, enabled=False, type="TIMING")
    instance.lease = lease
    lease.update_at_ms = now_ms
    lease.enabled = duration_ms != NO_LEASE
    # The cloud answers the total since create_at, not what was asked for (ModelArts API, section 8).
    lease.duration_ms = now_ms - lease.create_at_ms + duration_ms if lease.enabled else NO_LEASE
    lease.type = lease_type
    return lease


def _rebase(lease: Lease, now_ms: int) -> None:
    """Move the end of a lease by the time since its last change (ModelArts API, section 12, E1)."""
    if lease.enabled:
        lease.duration_ms += now_ms - lease.update_at_ms
    lease.update_at_ms = now_ms


def _check_duration(duration_ms: int) -> None:
    if not HOUR_MS <= duration_ms <= LONGEST_LEASE_MS:
        raise modelarts_error("6349")


def lease_type(text: str) -> str:
    """Read the type of a lease."""
    if text not in {"TIMING", "IDLE"}:
        raise bad_parameter("type")
    return text


def _at_rest(cloud: Cloud, notebook_id: str) -> Instance:
    instance = cloud.existing(notebook_id)
    if instance.status == "DELETED":
        raise gone(cloud.options.dialect)
    if instance.status in _IN_TRANSITION:
        raise modelarts_error(_IN_TRANSITION[instance.status])
    return instance
