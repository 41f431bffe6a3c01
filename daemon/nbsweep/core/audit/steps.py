"""The steps in the audit trail; a module of its own, because the command line imports it at every start."""

from enum import StrEnum


class AuditStep(StrEnum):
    """The step that an entry records."""

    DECIDED = "decided"
    """The removal was planned: the verdict was DELETE, no brake refused the plan, and the plan was approved."""
    STOPPING = "stopping"
    """A stop was about to be sent."""
    REQUESTED = "requested"
    """A DELETE was about to be sent."""
    WITHDRAWN = "withdrawn"
    """The DELETE had no effect: it was never sent, or the cloud refused it for now."""
    ACCEPTED = "accepted"
    DELETE_FAILED = "delete_failed"
    """The deletion began and failed; later entries show whether another DELETE was sent."""
    DELETED = "deleted"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SPARED = "spared"
    MARKED = "marked"
    """A policy with grace matched: the intention to delete the notebook was recorded."""
    TOLD = "told"
    """A channel accepted a message that lists the notebook."""
    CLEARED = "cleared"
    """The intention was given up; the reason says why."""
    EXEMPTED = "exempted"
    """An exemption was granted; the notebook, the owner and the name are those of its selector."""
    REVOKED = "revoked"
    """An exemption was revoked."""
