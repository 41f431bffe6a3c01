"""The tables of marks, of the outbox and of exemptions; a part of `METADATA`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, false, text

from nbsweep.adapters.journal.tables import METADATA, UtcDateTime, partial_index, prefix_index

# Literals and no parameters, because a database uses a partial index only for a query with the same literals.
OPEN = text("state IN ('MARKED', 'TOLD')")
"""The condition that a mark is open."""
WAITING = text("message_key = '' AND dropped = ''")
"""The condition that an item is waiting."""
COMPOSED = text("message_key <> ''")
"""The condition that an item is in a message."""
UNSENT = text("state IN ('PENDING', 'LEASED')")
"""The condition that a message is not sent yet."""

FAILED = text("state = 'FAILED'")
"""The condition that a message was given up."""


MARKS = Table(
    "marks",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("notebook_id", Text, nullable=False),
    Column("notebook_created_at", UtcDateTime, nullable=False),
    Column("name", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("owner_name", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_digest", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("updated_at", UtcDateTime),
    Column("lease_updated_at", UtcDateTime),
    Column("marked_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("surveys", BigInteger, nullable=False),
    Column("last_survey_at", UtcDateTime),
    Column("told_at", UtcDateTime),
    Column("told_by", Text, nullable=False),
    Column("clock_verified", Boolean, nullable=False),
    Column("deadline", UtcDateTime),
    Column("notices", BigInteger, nullable=False),
    Column("untold", Text, nullable=False),
    Column("remedies", Text, nullable=False),
    Column("capacity_gb", BigInteger),
    Column("tell", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("cleared", Text),
    Column("run_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("untold_at", UtcDateTime),
    Column("retried", Boolean, nullable=False, server_default=false()),
    partial_index("marks_open", "project", "notebook_id", where=OPEN, unique=True),
    prefix_index("marks_by_notebook", "notebook_id"),
    Index("marks_by_name", text("lower(name)")),
    Index("marks_by_owner", text("lower(owner_id)")),
    Index("marks_by_owner_name", text("lower(owner_name)")),
    Index("marks_by_time", "marked_at", "id"),
    Index("marks_by_target", "target", "marked_at", "id"),
    Index("marks_by_state", "state", "marked_at", "id"),
)
"""The marks: the fields of `Mark`; at most one of a notebook is open. Remedies, places to tell and tags are JSON."""

ITEMS = Table(
    "outbox_items",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mark_id", Text, ForeignKey("marks.id"), nullable=False),
    Column("tell", Text, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime),
    Column("message_key", Text, nullable=False),
    Column("accepted_at", UtcDateTime),
    Column("dropped", Text, nullable=False),
    partial_index("outbox_items_waiting", "not_before", where=WAITING),
    Index("outbox_items_by_mark", "mark_id"),
    partial_index("outbox_items_by_message", "message_key", where=COMPOSED),
)
"""The items of the outbox: the fields of `Item`."""

MESSAGES = Table(
    "outbox_messages",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("slot", Text, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("leased_until", UtcDateTime),
    Column("leased_by", Text, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("proof", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("outbox_messages_by_slot", "recipient", "channel", "slot", unique=True),
    Index("outbox_messages_by_time", "created_at", "key"),
    partial_index("outbox_messages_failed", "created_at", "key", where=FAILED),
    prefix_index("outbox_messages_by_key", "key"),
    partial_index("outbox_messages_unsent", "next_at", where=UNSENT),
)
"""The messages of the outbox: the fields of `Message`."""

EXEMPTIONS = Table(
    "exemptions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("notebook_id", Text),
    Column("notebook_created_at", UtcDateTime),
    Column("owner", Text),
    Column("name", Text),
    Column("reason", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_as", Text, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", Text, nullable=False),
    Column("revoked_reason", Text, nullable=False),
)
"""The exemptions: the fields of `Exemption` and of its selector. Only `SqlRetention` deletes rows, and notes how many."""
