"""Acts: what people do, apart from removals and marks. The entries of their kinds differ in what they name."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.entries import AuditEntry, storable
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact_named


class Act(Struct, frozen=True):
    """What somebody did."""

    what: AuditStep
    target: str
    """Empty if no single target is concerned."""
    at: datetime
    by: str
    words: str
    """The act in words."""
    run_id: str = ""


def entry_of_act(act: Act, sequence: int) -> AuditEntry:
    """Return the entry of an act, without facts of a decision.

    Raises:
        ValueError: its time is naive.
    """
    return storable(
        AuditEntry(
            sequence=sequence,
            moment_us=microseconds(act.at),
            what=act.what.value,
            target=act.target,
            run_id=act.run_id,
            started_by=redact_named(act.by),
            notebook_id="",
            name="",
            owner="",
            policy="",
            reason=redact_named(act.words),
            requests=0,
            request_id="",
            status_before=None,
            workspace_id=None,
            feature=None,
            capacity_gb=None,
            category=None,
        )
    )
