"""The page Fleet, at `/`: the state of each target, and the buttons to pause and resume it, and to sweep it now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.granting.grants import one_line_reason
from nbsweep.core.judging.shown_marks import count_marks
from nbsweep.core.marks.listing import MarkQuery, TargetMarkCounts
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.marks.shown import MarkTotals
from nbsweep.core.ports import Clock, Journal
from nbsweep.core.runs import PLANNED
from nbsweep.service.control import Answer, Control, FleetSource
from nbsweep.service.mark_rules import read_mark_rules
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.routing import Moved, PageRoute, Section, Shown, Visit
from nbsweep.service.web.pages.views.fleet import LENGTHS, TargetInputs, build_fleet

TITLE = message("Fleet")
ANSWERS: Mapping[Answer, Callable[[str], Message]] = {
    Answer.ACCEPTED: lambda name: message("A sweep of %(target)s begins.", target=name),
    Answer.BUSY: lambda name: message("A sweep of %(target)s is in progress or requested already.", target=name),
    Answer.PAUSED: lambda name: message("%(target)s is paused: resume it first.", target=name),
}


MOST_PASSED = 1000
"""Marks of which the deadline has passed that are read to find those that a holdout or an exemption keeps."""
NONE = MarkTotals()


class Passed(Struct, frozen=True):
    """The marks of which the deadline has passed."""

    by_target: Mapping[str, MarkTotals]
    is_whole: bool
    """Whether all of them were read."""


class FleetPage(Struct, frozen=True):
    """Shows the targets."""

    control: Control
    journal: Journal
    clock: Clock
    fleet: FleetSource | None = None
    """Reads what the processes of a fleet do; None without a fleet."""

    def section(self) -> Section:
        """Return the entry in the navigation."""
        return Section("/", TITLE)

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (
            PageRoute("GET", "/", self.show, Needs.READING),
            PageRoute("POST", "/targets/{name}/pause", self.pause, Needs.ADMIN, fields=("lasts", "reason")),
            PageRoute("POST", "/targets/{name}/resume", self.resume, Needs.ADMIN),
            PageRoute("POST", "/targets/{name}/sweep", self.sweep, Needs.ADMIN),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show all targets."""
        targets = await self._inputs()
        may_change = visit.visitor.may(Needs.ADMIN)
        fleet = await self.fleet.read() if self.fleet else None
        view = build_fleet(targets, self.control.not_ready(), self.clock.now(), may_change=may_change, fleet=fleet)
        return Shown("fleet.html", view, TITLE)

    async def pause(self, visit: Visit) -> Moved:
        """Start no more sweeps of a target, for a time or until it is resumed.

        Raises:
            Refused: the reason or the time is none of those that the form offers.
            UnknownTargetError: there is no such target.
            JournalError: the pause holds for this process, but could not be recorded.
        """
        name, now = visit.parts["name"], self.clock.now()
        until = _end_of(visit.form.get("lasts", ""), now)
        reason = one_line_reason(visit.form.get("reason", ""))
        await self.control.pause(Pause(name, now, str(visit.actor), reason, until))
        return Moved("/", message("%(target)s is paused. A sweep that is in progress continues to its end.", target=name))

    async def resume(self, visit: Visit) -> Moved:
        """Resume a target.

        Raises:
            UnknownTargetError: there is no such target.
            JournalError: the target stays paused.
        """
        name = visit.parts["name"]
        await self.control.resume(Resumption(name, self.clock.now(), str(visit.actor)))
        return Moved("/", message("%(target)s is resumed.", target=name))

    async def sweep(self, visit: Visit) -> Moved:
        """Request a sweep.

        Raises:
            UnknownTargetError: there is no such target.
            JournalError: the sweep begins, but the request could not be recorded.
        """
        name = visit.parts["name"]
        answer = await self.control.request_sweep(SweepRequest(name, self.clock.now(), str(visit.actor)))
        return Moved("/", ANSWERS[answer](name))

    async def _inputs(self) -> Sequence[TargetInputs]:
        """Read all targets at once: a query for each of hundreds would take too long."""
        details, has_graces = await self.control.details(), bool(self.control.graces())
        # A configuration that is put in force meanwhile may have other targets.
        states = [state for state in self.control.targets() if state.name in details]
        names = [state.name for state in states]
        lasts, planned = await self.journal.last_runs(names), await self.journal.last_runs(names, PLANNED)
        counts = await self.journal.run_counts(sorted({last.run_id for last in lasts.values()}))
        of_run = {(each.run_id, each.target): each for each in counts}
        marks = {each.target: each for each in await self.journal.marks.targets(self.clock.now())}
        passed = await self._passed() if any(each.passed for each in marks.values()) else Passed({}, is_whole=True)
        return [
            TargetInputs(
                state,
                details[state.name],
                last := lasts.get(state.name),
                of_run.get((last.run_id, state.name)) if last else None,
                planned.get(state.name),
                marks.get(state.name, TargetMarkCounts(state.name)),
                has_graces,
                passed.by_target.get(state.name, NONE),
                passed.is_whole,
            )
            for state in states
        ]

    async def _passed(self) -> Passed:
        """Count the marks of which the deadline has passed, by target and state."""
        now, control = self.clock.now(), self.control
        found = await self.journal.marks.page(MarkQuery(frozenset({MarkState.TOLD}), deadline_until=now), MOST_PASSED, 0)
        rules = await read_mark_rules(self.journal, control.graces(), control.holdouts(), found.marks, now)
        by_target: dict[str, list[Mark]] = {}
        for mark in found.marks:
            by_target.setdefault(mark.target, []).append(mark)
        counts = {target: count_marks(marks, rules, now) for target, marks in by_target.items()}
        return Passed(counts, found.total <= len(found.marks))


def _end_of(lasts: str, now: datetime) -> datetime | None:
    """Return when a pause ends; None if it lasts until the target is resumed.

    Raises:
        Refused: the form offers no such length.
    """
    if not lasts:
        return None
    if lasts not in LENGTHS:
        raise Refused(Code.BAD_REQUEST, message("lasts must be empty or one of %(choices)s", choices=tuple(LENGTHS)))
    return now + LENGTHS[lasts]
