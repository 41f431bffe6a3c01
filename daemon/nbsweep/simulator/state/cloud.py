"""The state of the simulated cloud: all notebooks, deleted ones included, and their changes over time."""

from functools import partial

from nbsweep.simulator.clock import Clock, milliseconds
from nbsweep.simulator.options import SimulatorOptions
from nbsweep.simulator.randomness import Randomness
from nbsweep.simulator.refusals import gone
from nbsweep.simulator.state.fleet import workspace_ids
from nbsweep.simulator.state.index import Index
from nbsweep.simulator.state.model import Instance, Moment
from nbsweep.simulator.state.timers import Timers
from nbsweep.simulator.state.workspaces import made_up_workspaces

#: What a status becomes by itself.
_FOLLOW_UPS = {
    "INIT": "CREATING",
    "CREATING": "RUNNING",
    "STARTING": "RUNNING",
    "STOPPING": "STOPPED",
    "SNAPSHOTTING": "STOPPED",
}


class Cloud:
    """All notebooks of one project; callers call `advance` before they read."""

    def __init__(self, options: SimulatorOptions, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.randomness = Randomness(options.seed)
        self.instances: dict[str, Instance] = {}
        self.shelves = Index()
        self.workspaces = made_up_workspaces(workspace_ids(options), milliseconds(clock.now_s()))
        self._timers = Timers()

    def advance(self) -> float:
        """Run everything that is due, and return the time."""
        now_s = self.clock.now_s()
        self._timers.run_due(now_s)
        return now_s

    def add(self, instance: Instance, *, at_s: float, cause: str) -> None:
        """Add a notebook with its timers, and its workspace if that is new."""
        if instance.workspace_id not in self.workspaces:
            self.workspaces |= made_up_workspaces((instance.workspace_id,), milliseconds(at_s))
        self.instances[instance.id] = instance
        instance.shown_status = instance.status
        instance.history.append(Moment(at_s, instance.status, cause))
        self.shelves.put(instance)
        self._plan_next(instance, at_s)

    def listed(self, notebook_id: str) -> Instance:
        """Return a notebook that reads can find."""
        instance = self.instances.get(notebook_id)
        if instance is None or not instance.listed:
            raise gone(self.options.dialect)
        return instance

    def existing(self, notebook_id: str) -> Instance:
        """Return a notebook that can be acted upon, whatever stale reads show."""
        instance = self.instances.get(notebook_id)
        if instance is None or instance.gone:
            raise gone(self.options.dialect)
        return instance

    def enter(self, instance: Instance, status: str, *, at_s: float, cause: str) -> None:
        """Set a notebook's status, with its date, history and timer."""
        instance.generation += 1
        instance.status = status
        instance.update_at_ms = milliseconds(at_s)
        instance.history.append(Moment(at_s, status, cause))
        self._show(instance, at_s)
        self._plan_next(instance, at_s)

    def hide_changes_until(self, instance: Instance, until_s: float) -> None:
        """Make reads show the present status for a while."""
        instance.stale_until_s = until_s
        self._timers.add(until_s, partial(self._show, instance))

    def end(self, instance: Instance, *, at_s: float, cause: str) -> None:
        """Finish a deletion; the row vanishes now or later."""
        self.enter(instance, "DELETED", at_s=at_s, cause=cause)
        instance.gone = True
        lingers = self.options.dialect.gone_answer == "DELETED"
        unlisted_at_s = at_s + (self.options.timing.deleted_row_s if lingers else 0)
        unlisted_at_s = max(unlisted_at_s, instance.stale_until_s)
        if unlisted_at_s > at_s:
            self._timers.add(unlisted_at_s, partial(self._unlist, instance))
        else:
            self._unlist(instance, at_s)

    def lease_changed(self, instance: Instance, at_s: float) -> None:
        """Set the timer of a running notebook to the new end of its lease."""
        instance.encoded_row = None
        if instance.status == "RUNNING":
            instance.generation += 1
            self._plan_next(instance, at_s)

    def _plan_next(self, instance: Instance, at_s: float) -> None:
        status = instance.status
        if status in _FOLLOW_UPS:
            self._later(instance, at_s + self._transition_s(status), _FOLLOW_UPS[status])
        elif status == "RUNNING" and instance.lease and (ends_at_s := instance.lease.ends_at_s) is not None:
            self._later(instance, max(ends_at_s, at_s), "STOPPED")
        elif status == "DELETING" and instance.deletion_fault != "stuck_deleting":
            self._later(instance, at_s + self._deletion_s(instance), "DELETED")

    def _later(self, instance: Instance, due_s: float, status: str) -> None:
        self._timers.add(due_s, partial(self._follow_up, instance, instance.generation, status))

    def _follow_up(self, instance: Instance, generation: int, status: str, at_s: float) -> None:
        if instance.generation != generation:
            return
        if status != "DELETED":
            self.enter(instance, status, at_s=at_s, cause="timer")
        elif instance.deletion_fault == "delete_failed":
            instance.fail_reason = instance.fate_reason
            self.enter(instance, "DELETE_FAILED", at_s=at_s, cause="timer")
        else:
            self.end(instance, at_s=at_s, cause="timer")

    def _show(self, instance: Instance, at_s: float) -> None:
        if at_s >= instance.stale_until_s:
            instance.shown_status = instance.status
        instance.encoded_row = None

    def _unlist(self, instance: Instance, _at_s: float) -> None:
        instance.listed = False
        self.shelves.take(instance)

    def _transition_s(self, status: str) -> float:
        timing = self.options.timing
        seconds = {"STARTING": timing.start_s, "STOPPING": timing.stop_s, "SNAPSHOTTING": timing.snapshot_s}
        return seconds.get(status, timing.create_s)

    def _deletion_s(self, instance: Instance) -> float:
        timing = self.options.timing
        attempt = instance.accepted_deletes
        return self.randomness.lognormal(timing.deletion_median_s, timing.deletion_spread, "deletion", instance.id, attempt)
