"""The tables of a fleet; a part of `METADATA`."""

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from nbsweep.adapters.journal.tables import METADATA, UtcDateTime

FENCES = Table(
    "fences",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("memory", Text, nullable=False),
    Column("memory_at", UtcDateTime, nullable=False),
)
"""The fences of a fleet: the fields of `Fence` and of its holder, and when the memory was written (1970: never)."""

DUE_SWEEPS = Table(
    "due_sweeps",
    METADATA,
    Column("target", Text, primary_key=True),
    Column("plan_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("begun_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)
"""The latest due sweep of each target and plan: the fields of `DueSweep`."""

WORKERS = Table(
    "workers",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("drain", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)
"""The workers of a fleet: `WorkerRecord` as a document, and whether somebody wants the worker to take no more jobs."""
