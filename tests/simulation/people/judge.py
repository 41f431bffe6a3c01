"""The judge of announced deletions: holds what nbsweep does against what truly happened, at the moment of each event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.model import Notebook
from nbsweep.core.notices.channel import Acceptance, Receipt
from nbsweep.core.notices.outbox import Item, Message
from simulation.people import brakes
from simulation.people.life import LifeJournal, SweepNotes
from simulation.people.post import TEAM, address_of
from simulation.people.scenario import Rule
from simulation.people.truth import Arrival, Truth

if TYPE_CHECKING:
    from simulation.people.world import World

FRESH = timedelta(seconds=11)
"""Facts behind a DELETE may be ten seconds old."""
CLOCKS = timedelta(seconds=125)
"""How far two readings of a clock that counts as right may be off together."""
ROUNDED = timedelta(hours=1, minutes=5)
"""An oracle cannot know the hour by which the end of a lease moves the idle time."""
A_MOMENT = timedelta(minutes=1)
"""A letter may have left before the process knew what another one, which it sent at the same time, has promised."""
GIVES_UP_AFTER = 10
"""After so many failed attempts a message has failed."""


@dataclass(slots=True)
class Judge:
    """Collects violations: the number of the invariant, and what happened."""

    world: "World"
    truth: Truth
    found: list[tuple[int, str]] = field(default_factory=list)
    states: dict[str, MarkState] = field(default_factory=dict)
    """The state of each mark, as it was written last."""
    cleared: set[str] = field(default_factory=set)
    """The marks that were given up."""
    recorded: dict[str, datetime] = field(default_factory=dict)
    """When the acceptance of an item was recorded."""
    pending: dict[tuple[int, str], Arrival] = field(default_factory=dict)
    """The letter that was accepted last, and is not recorded, by life and message."""
    failures: dict[str, int] = field(default_factory=dict)
    """Failed attempts in a row of each message."""
    exemptions: dict[str, tuple[Exemption, datetime, datetime | None]] = field(default_factory=dict)
    """Each exemption, when it was granted, and when it was revoked."""
    rounds: dict[int, datetime] = field(default_factory=dict)
    """When each process began its last round of sending."""
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when until when nothing is to be sent; a later one replaces those before."""
    days: dict[tuple[str, str, Any], str] = field(default_factory=dict)
    """The message of a recipient, channel and day."""

    def violation(self, number: int, what: str) -> None:
        """Record a violation."""
        self.found.append((number, what))
        self.truth.note(self.world.now(), f"VIOLATION {number}: {what}")

    # ---- deletions ----------------------------------------------------------------------------------------------------------

    def deletes(self, one: Notebook, sweep: SweepNotes | None) -> None:
        """Check a DELETE that the cloud has just accepted."""
        now, name = self.world.now(), one.name or ""
        self.truth.note(now, f"DELETE of {one.id} ({name}) by {sweep.run_id if sweep else 'nobody'}")
        self.truth.deleted.append((now, one))
        requested = sweep.requested.get(one.id) if sweep else None
        if sweep is None or requested is None:
            self.violation(5, f"{name} was deleted without a REQUESTED")
            return
        if sweep.dry_run:
            self.violation(7, f"{name} was deleted by a dry run")
        sweep.deletes.add(one.id)
        for problem in brakes.of_deletions(self.world, sweep):
            self.violation(8, problem)
        for part in ("marks", "exemptions"):
            if part in sweep.unreadable and sweep.unreadable[part] < requested[0]:
                self.violation(9, f"{name} was deleted although the {part} could not be read")
        if one.created_at is None or one.created_at > now - FRESH:
            return
        self._check_kept(one, requested[0], now)
        rules = list(self._rules(one, sweep, now))
        if not rules:
            self.violation(5, f"{name} was deleted, and no policy selects it")
        self._check_deadlines(name, now, announced=all(rule.grace for rule in rules))
        if rules and not any(rule.grace is None or self._has_notice(one, rule.grace, now) for rule in rules):
            self.violation(1, f"{name} was deleted under {', '.join(rule.name for rule in rules)} without a notice in time")

    def _check_kept(self, one: Notebook, requested_at: datetime, now: datetime) -> None:
        """Check that nothing keeps a notebook: neither a tag nor an exemption."""
        name = one.name or ""
        tagged = self.truth.tagged.get(name)
        if tagged and tagged <= now - FRESH:
            self.violation(5, f"{name} was deleted in spite of its tag")
        for exemption, granted, revoked in self.exemptions.values():
            holds = granted < requested_at and now < exemption.until - CLOCKS and (revoked is None or revoked > now)
            if holds and covers(exemption, one):
                self.violation(5, f"{name} was deleted in spite of exemption {exemption.id}")

    def _check_deadlines(self, name: str, now: datetime, *, announced: bool) -> None:
        """Check that no deadline that somebody may have read lies ahead.

        A policy without grace is bound only as long as the mark is open.
        """
        for letter in self.truth.letters:
            for line in letter.lines:
                binds = letter.at and (announced or self.truth.item_marks.get(line.item_id, "") not in self.cleared)
                if binds and line.name == name and line.deadline and line.deadline > now + CLOCKS:
                    self.violation(2, f"{name} was deleted before {line.deadline}, which a letter of {letter.begun} shows")
                    return

    def _rules(self, one: Notebook, sweep: SweepNotes, now: datetime) -> Iterator[Rule]:
        """Yield the policies that may have decided."""
        idle_since = max((used for used in self.truth.uses(one.name or "") if used <= now - FRESH), default=None)
        # A deletion that failed is a change, too, and a policy may wait again.
        orders = [at for at, other in self.truth.deleted if other.name == one.name and at < now]
        since_order = max(orders, default=idle_since)
        for rule in sweep.config.rules:
            if rule.selects(one, idle_since, now + CLOCKS):
                yield rule
            if rule.selects(one, since_order, now - ROUNDED):
                return

    def _has_notice(self, one: Notebook, grace: Grace, now: datetime) -> bool:
        name, until = one.name or "", now + CLOCKS
        last_used = max((used for used in self.truth.uses(name) if used <= now - FRESH), default=None)
        for letter in self.truth.letters:
            if (
                not letter.counts
                or letter.at is None
                or letter.at + grace.about > until
                or not self._reaches(letter, one, grace)
            ):
                continue
            for line in letter.lines:
                if line.name == name and line.kind == "announce" and self._holds(line.item_id, last_used):
                    return True
        return grace.unless_told is UnlessTold.PROCEED and self._proceeds(one, grace, until)

    def _holds(self, item_id: str, last_used: datetime | None) -> bool:
        """Return whether the mark of an item was neither cleared nor made before the notebook was used last."""
        mark = self.truth.item_marks.get(item_id, "")
        return mark not in self.cleared and (last_used is None or last_used <= self.truth.marked[mark])

    def _reaches(self, letter: Arrival, one: Notebook, grace: Grace) -> bool:
        """Return whether a letter went to somebody whom the policy names."""
        if not letter.to:
            return letter.channel in self.world.tells_instead
        if letter.to == TEAM:
            return grace.unless_told is UnlessTold.FALLBACK
        return letter.to == address_of(one.owner.name or "")

    def _proceeds(self, one: Notebook, grace: Grace, until: datetime) -> bool:
        times = [*self.truth.unreachable.get(one.owner.name or "", []), *self.truth.unreachable.get(one.name or "", [])]
        return one.owner.name is None or any(time + grace.about <= until for time in times)

    # ---- letters ------------------------------------------------------------------------------------------------------------

    def sends(self, letter: Arrival) -> Arrival:
        """Take note of a letter whose sending begins."""
        self.truth.letters.append(letter)
        words = "; ".join(f"{line.kind} {line.name} {line.deadline}" for line in letter.lines)
        self.truth.note(
            letter.begun, f"life {letter.life} sends {letter.message[:8]} to {letter.to or letter.channel}: {words}"
        )
        for line in letter.lines:
            if line.item_id in self.recorded:
                self.violation(10, f"{line.kind} {line.name} is sent again after its acceptance was recorded")
            owner = line.name.partition("-")[0]
            if letter.to and letter.to not in (TEAM, address_of(owner)):
                self.violation(3, f"{letter.to} is told of {line.name}")
        for problem in self._at_once(letter):
            self.violation(10, problem)
        if self._is_paused(self.rounds[letter.life]):
            self.violation(12, f"message {letter.message[:8]} is sent while notices are paused")
        return letter

    def _is_paused(self, at: datetime) -> bool:
        """Return whether a round that began at a moment had to see a pause."""
        begun = [pause for pause in self.pauses if pause[0] < at - timedelta(seconds=1)]
        return bool(begun) and at + timedelta(seconds=2) < begun[-1][1] and self.world.scenario.steady and not self.world.calm

    def _at_once(self, letter: Arrival) -> Iterator[str]:
        """Yield each other process that is sending the same message at the same time, although its lease has not ended."""
        for other in self.truth.letters:
            fresh = letter.begun - other.begun < timedelta(minutes=4)
            same = other.message == letter.message and other.life != letter.life and not other.answered
            if same and fresh and self.world.is_alive(other.life) and self.world.scenario.steady:
                yield f"lives {other.life} and {letter.life} send message {letter.message[:8]} at once"

    def arrives(self, letter: Arrival) -> None:
        """Take note of a letter that the other side has accepted."""
        letter.at = self.world.now()
        self.truth.note(letter.at, f"{letter.message[:8]} to {letter.to or letter.channel} is accepted")
        for line in letter.lines:
            for other in self.truth.letters:
                if other.at and other is not letter and line.deadline:
                    self._compare_deadlines(line.item_id, line.deadline, letter, other)

    def _compare_deadlines(self, item_id: str, deadline: datetime, letter: Arrival, other: Arrival) -> None:
        mark = self.truth.item_marks.get(item_id)
        for line in other.lines:
            if line.deadline is None or self.truth.item_marks.get(line.item_id) != mark:
                continue
            if other.at and other.at < letter.begun - A_MOMENT and deadline < line.deadline:
                self.violation(2, f"a later letter about {line.name} shows {deadline} after {line.deadline}")

    def answered(self, letter: Arrival, receipt: Receipt) -> None:
        """Take note of what the process was told about a letter."""
        letter.answered = True
        self.truth.note(self.world.now(), f"{letter.message[:8]}: {receipt.acceptance} {receipt.detail}")
        if letter.counts:
            letter.at = letter.at or self.world.now()
            self.pending[letter.life, letter.message] = letter
            self.failures.pop(letter.message, None)
            return
        if receipt.attempted:
            self.failures[letter.message] = self.failures.get(letter.message, 0) + 1
        final = receipt.acceptance in (Acceptance.REFUSED, Acceptance.UNPROVEN)
        if final or self.failures.get(letter.message, 0) >= GIVES_UP_AFTER:
            # The parts that were not sent yet would go to the same address.
            listed = [item for item in self.world.store.notices.items.values() if item.message_key == letter.message]
            for name in {self.truth.mark_names[item.mark_id] for item in listed if item.id not in self.recorded}:
                self.unreachable(name)

    def unreachable(self, name: str) -> None:
        """Take note that an owner, or the owner of an instance, cannot be told."""
        self.truth.unreachable.setdefault(name, []).append(self.world.now())

    # ---- the journal --------------------------------------------------------------------------------------------------------

    def wrote(
        self, by: LifeJournal, part: str, name: str, given: Sequence[Any], named: Mapping[str, Any], result: object
    ) -> None:
        """Take note of what a process has written."""
        match (part, name):
            case ("", "write") if by.sweep:
                for removal in given[0]:
                    self._removal_written(removal, by.sweep)
            case ("marks", "write"):
                self._marks_written(by, *given, **named)
            case ("outbox", "lease"):
                # A new attempt: if the record of the last one failed, nothing counts as told.
                for message in cast("Sequence[Message]", result):
                    self.pending.pop((by.life.number, message.key), None)
            case ("outbox", "record") if result:
                self._recorded(by, *given, **named)
            case ("outbox", "compose") if result:
                self._composed(*given)

    def _removal_written(self, removal: Removal, sweep: SweepNotes) -> None:
        if removal.state is State.REQUESTED:
            sweep.requested[removal.notebook_id] = (self.world.now(), removal)

    def _marks_written(self, by: LifeJournal, marks: Sequence[Mark], items: Sequence[Item] = (), **_dropped: str) -> None:
        now, sweep = self.world.now(), by.sweep
        if sweep and sweep.dry_run and (marks or items):
            self.violation(7, f"a dry run wrote {len(marks)} marks and {len(items)} items")
        self._note_items(items)
        for mark in marks:
            self.truth.note(now, f"mark {mark.id[:6]} of {mark.name}: {mark.state} {mark.cleared or ''} {mark.deadline or ''}")
            if mark.version == 0:
                self._new_mark(mark, sweep, now)
            if self._is_told_now(mark) and not mark.told_by.startswith("nobody"):
                self.violation(3, f"{mark.name} is told, although nothing was sent")
            if mark.state is MarkState.CLEARED:
                self.cleared.add(mark.id)
        if sweep and any(mark.version == 0 for mark in marks):
            for problem in brakes.of_marks(self.world, sweep):
                self.violation(8, problem)

    def _new_mark(self, mark: Mark, sweep: SweepNotes | None, now: datetime) -> None:
        self.truth.marked[mark.id] = now
        self.truth.mark_names[mark.id] = mark.name
        if sweep:
            sweep.marked.append(mark.id)

    def _note_items(self, items: Sequence[Item]) -> None:
        self.truth.item_marks |= {item.id: item.mark_id for item in items}

    def _recorded(
        self,
        by: LifeJournal,
        message: Message,
        _now: datetime,
        accepted: Sequence[str] = (),
        marks: Sequence[Mark] = (),
        items: Sequence[Item] = (),
    ) -> None:
        """Check that what is recorded as told is what the accepted part listed."""
        self._note_items(items)
        letter = self.pending.pop((by.life.number, message.key), None)
        listed = {line.item_id for line in letter.lines} if letter else set()
        if set(accepted) != listed:
            self.violation(3, f"message {message.key[:8]}: {sorted(accepted)} is told, and {sorted(listed)} was listed")
        told = {mark.id for mark in marks if self._is_told_now(mark)}
        if told - {self.truth.item_marks[item] for item in listed}:
            self.violation(3, f"message {message.key[:8]} tells marks that no accepted part listed")
        self.recorded |= {item: self.world.now() for item in accepted}

    def _is_told_now(self, mark: Mark) -> bool:
        """Return whether a mark is written as told that was not told before."""
        before, self.states[mark.id] = self.states.get(mark.id), mark.state
        return mark.state is MarkState.TOLD and before is not MarkState.TOLD

    def _composed(self, message: Message, item_ids: Sequence[str]) -> None:
        """Check that a recipient gets one message a day in each channel, apart from urgent reminders."""
        store = self.world.store.notices
        kinds = {store.items[item].kind.value for item in item_ids}
        if kinds == {"remind"} or not self.world.scenario.steady:
            return
        day = message.created_at.astimezone(self.world.zone).date()
        place = (message.recipient, message.channel, day)
        if place in self.days:
            self.violation(11, f"{message.recipient} gets a second message by {message.channel} on {day}")
        self.days[place] = message.key


def covers(exemption: Exemption, one: Notebook) -> bool:
    """Return whether an exemption covers a notebook, as an oracle."""
    wanted = exemption.selector
    if wanted.notebook_id is not None:
        return wanted.notebook_id == one.id and wanted.notebook_created_at == one.created_at
    if wanted.owner is not None:
        # The owner of some notebooks is not shown, and may be anybody.
        return one.owner.name in (wanted.owner, None)
    return wanted.name is not None and (one.name or "").startswith(wanted.name.rstrip("*"))


def lasts_of(grace: Grace) -> timedelta:
    """Return the length of a grace, which here is never in business days."""
    assert isinstance(grace.lasts, timedelta)
    return grace.lasts
