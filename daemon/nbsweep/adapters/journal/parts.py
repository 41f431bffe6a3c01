"""The parts of the journal that have a port of their own."""

from functools import cached_property

from nbsweep.adapters.journal.fleet.due_sweeps import SqlDueSweeps
from nbsweep.adapters.journal.fleet.fences import SqlFences
from nbsweep.adapters.journal.fleet.workers import SqlWorkers
from nbsweep.adapters.journal.inventory.holds import SqlHolds
from nbsweep.adapters.journal.inventory.records import SqlInventory
from nbsweep.adapters.journal.notices.exemptions import SqlExemptions
from nbsweep.adapters.journal.notices.mark_writer import MarkWriter
from nbsweep.adapters.journal.notices.marks import SqlMarks
from nbsweep.adapters.journal.notices.outbox import SqlOutbox
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.records.audit import SqlTrail
from nbsweep.adapters.journal.records.control import SqlControl
from nbsweep.adapters.journal.records.plans import SqlPlans
from nbsweep.adapters.journal.records.sessions import SqlSessions
from nbsweep.adapters.journal.records.statistics import SqlStatistics
from nbsweep.adapters.journal.retention import SqlRetention


class JournalParts:
    """The parts of an open journal. Each is made when it is used first: a command needs few of them."""

    def __init__(self, access: Access) -> None:
        """Take what all parts share."""
        self._access = access

    @cached_property
    def trail(self) -> SqlTrail:
        """The audit trail, for reading."""
        return SqlTrail(self._access.rows)

    @cached_property
    def control(self) -> SqlControl:
        """The pauses, requests and due times of targets, and the records of services."""
        access = self._access
        return SqlControl(access.dialect, access.write, access.rows, access.address, access.trail)

    @cached_property
    def marks(self) -> SqlMarks:
        """The marks of all targets."""
        return SqlMarks(self._access, self._mark_writer)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The items and messages of the outbox."""
        return SqlOutbox(self._access, self._mark_writer)

    @cached_property
    def exemptions(self) -> SqlExemptions:
        """The exemptions, those that have ended included."""
        return SqlExemptions(self._access)

    @cached_property
    def inventory(self) -> SqlInventory:
        """The surveys, and the states of notebooks over time."""
        return SqlInventory(self._access)

    @cached_property
    def statistics(self) -> SqlStatistics:
        """Counts over all runs and targets."""
        return SqlStatistics(self._access)

    @cached_property
    def plans(self) -> SqlPlans:
        """The saved plans that were approved on a page or by the HTTP API."""
        return SqlPlans(self._access)

    @cached_property
    def sessions(self) -> SqlSessions:
        """The sessions of people who are signed in to the pages."""
        return SqlSessions(self._access)

    @cached_property
    def holds(self) -> SqlHolds:
        """The notebooks that are or were held out."""
        return SqlHolds(self._access)

    @cached_property
    def fences(self) -> SqlFences:
        """The fences of a fleet."""
        return SqlFences(self._access)

    @cached_property
    def due_sweeps(self) -> SqlDueSweeps:
        """The sweeps that are due, of a fleet."""
        return SqlDueSweeps(self._access)

    @cached_property
    def workers(self) -> SqlWorkers:
        """The workers of a fleet."""
        return SqlWorkers(self._access)

    @cached_property
    def retention(self) -> SqlRetention:
        """What deletes old records."""
        return SqlRetention(self._access)

    @cached_property
    def _mark_writer(self) -> MarkWriter:
        return MarkWriter(self._access.dialect, self._access.trail)
