"""Bugs to plant in the announcing of deletions, one at a time, to see that the simulation would find them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from msgspec.structs import replace
from pytest import MonkeyPatch  # noqa: PT013 -- used as a plain name in every signature here

from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import JournalError
from nbsweep.core.facts import Moment
from nbsweep.core.judging import grace as judging
from nbsweep.core.marks import clearing
from nbsweep.core.marks import model as marks
from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.model import Notebook
from nbsweep.core.notices.channel import Receipt
from nbsweep.core.notices.digest import Digest
from nbsweep.core.notices.outbox import Listed, Message, MessageState
from nbsweep.core.planning import marking
from nbsweep.core.planning.plan import Candidate
from nbsweep.core.ports import Ports
from nbsweep.engine import announcing, current_rules
from nbsweep.engine.current_rules import CurrentRules
from nbsweep.engine.notices import composer, relay, sender, untold
from nbsweep.engine.notices.composer import Composer
from nbsweep.engine.notices.recipients import Recipient
from nbsweep.engine.notices.sender import Sender
from nbsweep.engine.planner import PlannedSweep, Planner
from nbsweep.engine.removing.decisions import Decisions
from nbsweep.engine.survey import Surveyor
from simulation.people.scenario import DAY_S, HOUR_S, Scenario

Plant = Callable[[MonkeyPatch], None]


def any_answer_counts(patch: MonkeyPatch) -> None:
    """Whatever a channel answers, its readers count as told."""

    def counts(_receipt: Receipt, *, trusted: bool) -> bool:
        return trusted or True

    patch.setattr(sender, "_counts", counts)


def grace_from_the_mark(patch: MonkeyPatch) -> None:
    """The grace begins when a notebook is marked, and not when its owner is told."""

    def due_at(mark: Mark, grace: Grace) -> datetime | None:
        return grace.ends(mark.marked_at) if mark.state is MarkState.TOLD else None

    patch.setattr(judging, "due_at", due_at)


def list_the_first_three(patch: MonkeyPatch) -> None:
    """A digest lists three notebooks, and all of the message are told."""
    every: dict[str, Sequence[Listed]] = {}
    make, accepted = Sender._digest, Sender._accepted  # noqa: SLF001 -- the place of the bug

    def short(self: Sender, message: Message, recipient: Recipient, listed: Sequence[Listed]) -> Digest:
        every[message.key] = listed
        whole = make(self, message, recipient, listed)
        return replace(whole, lines=whole.lines[:3])

    async def all_told(self: Sender, message: Message, _listed: Sequence[Listed], proof: Any) -> Message:
        return await accepted(self, message, every[message.key], proof)

    patch.setattr(Sender, "_digest", short)
    patch.setattr(Sender, "_accepted", all_told)


def sent_before_sending(patch: MonkeyPatch) -> None:
    """A message counts as sent when its sending begins."""
    promised = Sender._promised  # noqa: SLF001 -- the place of the bug

    async def hasty(self: Sender, message: Message, listed: Sequence[Listed]) -> tuple[Message, Sequence[Listed]]:
        leased, told = await promised(self, message, listed)
        now = self.ports.clock.now()
        await self.ports.journal.outbox.record(replace(leased, state=MessageState.SENT, ended_at=now), now)
        return replace(leased, version=leased.version + 1), told

    patch.setattr(Sender, "_promised", hasty)


def deadline_of_the_last_edit(patch: MonkeyPatch) -> None:
    """A shorter grace moves the deadlines of marks that were told under a longer one."""

    def due_at(mark: Mark, grace: Grace) -> datetime | None:
        if mark.state is not MarkState.TOLD or mark.told_at is None or not mark.clock_verified:
            return None
        # An hour more, as deadlines end at a full hour: only an edit shows the bug.
        return grace.ends(mark.told_at) + timedelta(hours=1)

    patch.setattr(judging, "due_at", due_at)


def revive_a_cleared_mark(patch: MonkeyPatch) -> None:
    """A notebook that is marked again counts as told by the notice of its earlier mark."""

    def revived(mark: Mark, earlier: Iterable[Mark]) -> Mark:
        told = [one for one in earlier if one.told_at and one.notebook_created_at == mark.notebook_created_at]
        if not told:
            return mark
        last = told[0]
        fields = {"told_at": last.told_at, "told_by": last.told_by, "deadline": last.deadline}
        return replace(mark, state=MarkState.TOLD, clock_verified=True, **fields)

    patch.setattr(announcing, "take_over_promise", revived)


def forget_the_promise(patch: MonkeyPatch) -> None:
    """A notebook that is marked again may get an earlier deadline."""
    patch.setattr(announcing, "take_over_promise", lambda mark, _earlier: mark)


def exemptions_at_the_survey(patch: MonkeyPatch) -> None:
    """What is granted after the survey counts from the next sweep on."""
    write = Decisions.write_order

    async def deaf(self: Decisions, *order: Any) -> bool:
        self.rules = CurrentRules(self.rules.rules)
        return await write(self, *order)

    patch.setattr(Decisions, "write_order", deaf)


def unreadable_exemptions_are_none(patch: MonkeyPatch) -> None:
    """If the exemptions cannot be read, there are none."""
    read = CurrentRules.with_exemptions

    async def bold(self: CurrentRules, target: str, ports: Ports) -> CurrentRules:
        try:
            return await read(self, target, ports)
        except JournalError:
            return CurrentRules(self.rules)

    patch.setattr(current_rules.CurrentRules, "with_exemptions", bold)


def identity_by_id(patch: MonkeyPatch) -> None:
    """A notebook that was created again with the same id keeps the mark."""
    sign = clearing.sign_of_use

    def by_id(mark: Mark, notebook: Notebook, moment: Moment) -> ClearCause | None:
        return sign(mark, replace(notebook, created_at=mark.notebook_created_at), moment)

    patch.setattr(judging, "sign_of_use", by_id)
    patch.setattr(marking, "sign_of_use", by_id)


def use_does_not_clear(patch: MonkeyPatch) -> None:
    """A mark outlives the use of its notebook, if the policy still matches."""
    sign = clearing.sign_of_use

    def unmoved(mark: Mark, notebook: Notebook, moment: Moment) -> ClearCause | None:
        found = sign(mark, notebook, moment)
        return None if found in (ClearCause.USED, ClearCause.RENEWED) else found

    patch.setattr(judging, "sign_of_use", unmoved)
    patch.setattr(marking, "sign_of_use", unmoved)


def any_clock_tells(patch: MonkeyPatch) -> None:
    """The time at which an owner was told counts, whether or not the clock was right."""
    tell = marks.tell

    def trusting(mark: Mark, now: datetime, told_by: str, **_clock: bool) -> Mark:
        return tell(mark, now, told_by, clock_verified=True)

    patch.setattr(sender, "tell", trusting)


def marking_without_brakes(patch: MonkeyPatch) -> None:
    """All notebooks that match are marked at once."""

    def free(candidates: Sequence[Candidate], *_limits: Any) -> tuple[frozenset[str], tuple[()]]:
        return frozenset(one.notebook.id for one in candidates), ()

    patch.setattr(marking, "_within_brakes", free)


def a_dry_run_marks(patch: MonkeyPatch) -> None:
    """A dry run writes its marks."""
    plan = Planner.plan

    async def eager(self: Planner, surveyor: Surveyor) -> PlannedSweep:
        planned = await plan(self, surveyor)
        if cast("Any", self.ports.journal).sweep.dry_run:
            await announcing.write_marks(planned.marks, planned.limits, self.ports)
        return planned

    patch.setattr(Planner, "plan", eager)


def proceed_always(patch: MonkeyPatch) -> None:
    """Owners who cannot be told lose their notebooks, whatever the policy says."""
    record = untold._record  # noqa: SLF001 -- the place of the bug

    async def hard(listed: Listed, why: str, grace: Grace, *rest: Any, passing: bool) -> None:
        await record(listed, why, replace(grace, unless_told=UnlessTold.PROCEED), *rest, passing=passing)

    patch.setattr(untold, "_record", hard)


def write_whenever(patch: MonkeyPatch) -> None:
    """Each round writes a message of its own, however many a recipient got that day."""
    store = Composer._store  # noqa: SLF001 -- the place of the bug

    async def often(self: Composer, recipient: Recipient, listed: Sequence[Listed], now: datetime, _slot: str) -> bool:
        return await store(self, recipient, listed, now, now.isoformat())

    patch.setattr(composer.Composer, "_store", often)


def lease_nothing(patch: MonkeyPatch) -> None:
    """A message is leased for no time at all."""
    patch.setattr(relay, "LEASE", timedelta(0))
    patch.setattr(sender, "LEASE", timedelta(0))


def deaf_to_pauses(patch: MonkeyPatch) -> None:
    """`notify pause` has no effect."""
    patch.setattr(Pause, "in_force", lambda _self, _now: False)


PLANTS: Mapping[str, tuple[Plant, tuple[int, ...]]] = {
    "any answer of a channel counts as told": (any_answer_counts, (1, 3)),
    "the grace counts from the mark": (grace_from_the_mark, (1, 2)),
    "only the first three notebooks of a digest are listed, and all are told": (list_the_first_three, (3,)),
    "a message counts as sent before it is sent": (sent_before_sending, (4,)),
    "an edited policy moves a deadline to an earlier time": (deadline_of_the_last_edit, (1, 2)),
    "a mark that was cleared is revived": (revive_a_cleared_mark, (1, 3)),
    "a new mark forgets the deadline of the one before": (forget_the_promise, (2,)),
    "exemptions are read at the survey only": (exemptions_at_the_survey, (5,)),
    "exemptions that cannot be read are taken for none": (unreadable_exemptions_are_none, (5, 9)),
    "a notebook is known by its id alone": (identity_by_id, (1,)),
    "a notebook that was used keeps its mark": (use_does_not_clear, (1,)),
    "the time of a wrong clock counts as told": (any_clock_tells, (1, 2)),
    "marking ignores the brakes": (marking_without_brakes, (8,)),
    "a dry run marks": (a_dry_run_marks, (7,)),
    "unless_told is ignored": (proceed_always, (1, 3)),
    "a recipient gets a message in each round": (write_whenever, (11,)),
    "a pause of the notices is ignored": (deaf_to_pauses, (12,)),
    "two relays send the same message": (lease_nothing, (10,)),
}
"""By what is wrong: how it is planted, and the invariants of which it breaks one first."""


def has_outage_of(*parts: str) -> Callable[[Scenario], bool]:
    """Return whether one of these parts of the journal cannot be used for an hour or more."""
    return lambda scenario: any(part in parts and for_s >= HOUR_S for _, for_s, part in scenario.outages)


def is_edited(scenario: Scenario) -> bool:
    """Return whether the policies are edited, and owners come back."""
    return len({epoch.config for epoch in scenario.epochs}) > 2 and scenario.actions_per_day >= 2


def is_slow_and_set_back(scenario: Scenario) -> bool:
    """Return whether the clock is set back for hours, and the outbox cannot be used before."""
    return len(scenario.jumps) == 2 and scenario.jumps[0][1] < -DAY_S / 2 and has_outage_of("outbox")(scenario)


NEEDS: Mapping[str, Callable[[Scenario], bool]] = {
    "a new mark forgets the deadline of the one before": is_edited,
    "exemptions are read at the survey only": lambda scenario: scenario.reacts > 0.5,
    "exemptions that cannot be read are taken for none": has_outage_of("exemptions"),
    "the time of a wrong clock counts as told": is_slow_and_set_back,
    "a dry run marks": lambda scenario: any(epoch.dry_run for epoch in scenario.epochs),
}
"""What a scenario must have before the bug can show, for those that need what few scenarios have."""
