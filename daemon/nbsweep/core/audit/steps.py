"""The steps of a removal that the audit trail tells of; by themselves, for the command line names them at every start."""

from enum import StrEnum


class AuditStep(StrEnum):
    """What an entry is about."""

    DECIDED = "decided"
    """It was planned: a verdict said DELETE, no brake refused the plan, and the plan was approved."""
    STOPPING = "stopping"
    """A stop was about to leave."""
    REQUESTED = "requested"
    """A DELETE was about to leave."""
    WITHDRAWN = "withdrawn"
    """That DELETE did nothing: it never left, or the cloud refused it for now."""
    ACCEPTED = "accepted"
    DELETE_FAILED = "delete_failed"
    """The cloud began to delete, and failed; what follows says whether another DELETE was tried."""
    DELETED = "deleted"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SPARED = "spared"
