"""Indices for the filters of the audit trail."""

from alembic.operations import Operations

revision = "0019"
down_revision = "0018"

_INDICES = (
    ("audit_by_time", "moment_us"),
    ("audit_by_step", "what"),
    ("audit_by_target", "target"),
    ("audit_by_run", "run_id"),
    ("audit_by_notebook", "notebook_id"),
    ("audit_by_policy", "policy"),
    ("audit_by_starter", "started_by"),
)


def upgrade(operations: Operations) -> None:
    """Create the indices."""
    for name, column in _INDICES:
        operations.create_index(name, "audit", [column])
