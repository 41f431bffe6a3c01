"""Described notebooks: in the options, or over the admin interface while the cloud runs."""

from nbsweep.simulator.clock import milliseconds
from nbsweep.simulator.descriptions import LeaseSpec, NotebookChange, NotebookSpec
from nbsweep.simulator.state import catalogue, operations
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.model import Instance, Lease, Person, uuid_like


def described_notebook(spec: NotebookSpec, notebook_id: str, now_s: float) -> Instance:
    """Return the notebook of a description; `notebook_id` is for one that names no id."""
    create_at_ms = milliseconds(now_s) if spec.create_at is None else spec.create_at
    update_at_ms = create_at_ms if spec.update_at is None else spec.update_at
    return Instance(
        id=spec.id or notebook_id,
        name=spec.name,
        status=spec.status,
        feature=spec.feature,
        workspace_id=spec.workspace_id,
        owner=Person(spec.owner),
        flavor=spec.flavor,
        create_at_ms=create_at_ms,
        update_at_ms=update_at_ms,
        lease=_lease(spec.lease, create_at_ms, update_at_ms),
        volume=catalogue.plain_volume() | spec.volume,
        image=catalogue.plain_image() | spec.image,
        description=spec.description,
        fail_reason=spec.fail_reason,
        pool=spec.pool,
        ip=spec.ip,
        tags=dict(spec.tags),
        raw=spec.raw,
        drop=spec.drop,
    )


def create(cloud: Cloud, spec: NotebookSpec, *, at_s: float, cause: str) -> Instance:
    """Add a described notebook to the cloud."""
    notebook_id = uuid_like("described", cloud.options.seed, len(cloud.instances))
    instance = described_notebook(spec, notebook_id, at_s)
    if instance.id in cloud.instances:
        raise ValueError(f"there is a notebook {instance.id} already")
    cloud.add(instance, at_s=at_s, cause=cause)
    return instance


def change(cloud: Cloud, notebook_id: str, wanted: NotebookChange, at_s: float) -> Instance:
    """Apply a change by the owner to a notebook."""
    instance = cloud.existing(notebook_id)
    _act(cloud, notebook_id, wanted, at_s)
    if wanted.status is not None:
        cloud.enter(instance, wanted.status, at_s=at_s, cause="user")
    _describe_anew(instance, wanted)
    if wanted.lease is None or isinstance(wanted.lease, LeaseSpec):
        instance.lease = _lease(wanted.lease, instance.create_at_ms, milliseconds(at_s))
        cloud.lease_changed(instance, at_s)
    if wanted.gone:
        cloud.end(instance, at_s=at_s, cause="user")
    return instance


def _act(cloud: Cloud, notebook_id: str, wanted: NotebookChange, at_s: float) -> None:
    if wanted.action == "start":
        operations.start(cloud, notebook_id, at_s, "user", (operations.HOUR_MS, "TIMING"))
    elif wanted.action == "stop":
        operations.stop(cloud, notebook_id, at_s, "user")
    elif wanted.action == "use":
        operations.use(cloud, notebook_id, at_s)


def _describe_anew(instance: Instance, wanted: NotebookChange) -> None:
    if wanted.name is not None:
        instance.name = wanted.name
    if wanted.owner is not None:
        instance.owner = Person(wanted.owner)
    if wanted.tags is not None:
        instance.tags = dict(wanted.tags)
    if wanted.update_at is not None:
        instance.update_at_ms = wanted.update_at
    if wanted.raw is not None:
        instance.raw = wanted.raw
    if wanted.drop is not None:
        instance.drop = wanted.drop
    instance.encoded_row = None


def _lease(spec: LeaseSpec | None, create_at_ms: int, update_at_ms: int) -> Lease | None:
    if spec is None:
        return None
    return Lease(
        create_at_ms=create_at_ms if spec.create_at is None else spec.create_at,
        update_at_ms=update_at_ms if spec.update_at is None else spec.update_at,
        duration_ms=spec.duration,
        enabled=spec.enable,
        type=spec.type,
    )
