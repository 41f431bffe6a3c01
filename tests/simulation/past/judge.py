"""Judges a year: runs back-tests over what it has recorded, and compares them with what truly happened."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from builders import NOON, over, policy
from nbsweep.core.backtest.model import Labelled, Past, Period, RecordedSurvey, Trial
from nbsweep.core.backtest.past import with_clock_ahead
from nbsweep.core.backtest.reading import Fleet
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.planning.marking import MarkLimits
from nbsweep.engine.past import backtest
from nbsweep.engine.past.backtest import read_past, recorded_surveys
from simulation.past.labels import check_labels
from simulation.past.plans import Finding, check_plans
from simulation.past.scenario import FREE, PROTECTIONS, Config, Scenario
from simulation.past.tampering import Tampering
from simulation.past.world import IDENTITY, TARGET, World

EAGER = Config(
    (policy(over("idle", days=5), name="eager"), policy(over("age", days=10), name="eager-too", running=Running.STOP)), FREE
)
"""Rules that make many mistakes."""
FIRST, LAST = NOON - timedelta(days=100), NOON + timedelta(days=500)
"""A time in which all surveys are, also those with a wrong clock."""


LATE = timedelta(days=14)
"""How much later the same deletion may be in another replay: the longest time without a survey, and a day."""


@dataclass(slots=True)
class Judge:
    """What is found in the years of one seed."""

    scenario: Scenario
    found: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def period(self) -> Period:
        """All surveys."""
        return Period(FIRST, LAST, self.scenario.horizon)

    async def judge_year(self, world: World) -> None:
        """Compare the plans of sweeps, and what is recorded; without steps of the clock also the labels."""
        right_clock = world.right_clock or not self.scenario.jumps
        recorded, past = await self._recorded(world)
        self._add(check_plans(recorded, world.truth.swept, past, right_clock=right_clock))
        self.counts["plans compared"] += len(recorded)
        if right_clock:
            for config in (self.scenario.config_at(0), EAGER):
                self._check_labels(world, await self.replay(world, config))

    async def judge_tampered(self, world: World) -> None:
        """Compare a back-test of states that other versions seem to have written with one of the states as they are."""
        free = Config(self.scenario.config_at(0).policies, FREE)  # a brake lets another notebook go if one is kept
        before = await self.replay(world, free)
        tampering = Tampering(world.journal.inventory, self.scenario)
        self.counts["states tampered with"] += tampering.begin()
        after = await self.replay(world, free)
        tampering.end()
        self._check_harm(before, after, "with states of other versions")

    async def judge_twin(self, swept: World, dry: World) -> None:
        """Compare what sweeps deleted with what a back-test of dry runs would have deleted."""
        by_time = {each.glimpse.at: each.glimpse.number for each in dry.truth.swept}
        replayed = await self.replay(dry)
        would_be = {
            (by_time[each.would_be.at], (each.would_be.notebook.id, each.would_be.notebook.created_at)) for each in replayed
        }
        self.counts["deletions compared"] += len(would_be)
        for what, some in (
            ("a sweep deleted", set(swept.truth.deleted) - would_be),
            ("would be deleted", would_be - set(swept.truth.deleted)),
        ):
            self._add((4, f"only {what} {key[0]} (created {key[1]}) at sweep {number}") for number, key in sorted(some)[:3])

    async def judge_stepped(self, right: World, stepped: World) -> None:
        """Compare a year with a clock that is set with the same year with a right clock.

        Nothing shows that a clock is ahead if it stays so until the end.
        """
        ends = self.scenario.ahead_from
        found = [
            each for each in await self.replay(stepped) if ends is None or each.would_be.at < NOON + timedelta(seconds=ends)
        ]
        self._check_harm(await self.replay(right), found, "with a clock that was set")

    # ---- back-tests ---------------------------------------------------------------------------------------------------------

    async def replay(self, world: World, config: Config | None = None) -> Sequence[Labelled]:
        """Return the would-be deletions of the configuration of the beginning, with their labels."""
        tried = config or self.scenario.config_at(0)
        trial = Trial(Rules(tried.policies, PROTECTIONS), MarkLimits(tried.brakes))
        _, (replayed,) = await backtest.backtest(world.journal, TARGET, [trial], self.period)
        return replayed.found

    async def _recorded(self, world: World) -> tuple[list[RecordedSurvey], Past]:
        journal = world.journal
        surveys = await journal.inventory.surveys(FIRST, LAST, TARGET)
        options = world.options(self.scenario.config)
        tried = Trial(options.rules, MarkLimits(self.scenario.config.brakes), options.cool_down)
        past = await read_past(journal, TARGET, IDENTITY, [tried], self.period)
        if not surveys:
            return [], past
        found = recorded_surveys(journal, IDENTITY, surveys, Fleet(), with_clock_ahead(surveys))
        return [each async for each in found], past

    # ---- what is wrong ------------------------------------------------------------------------------------------------------

    def _check_labels(self, world: World, found: Sequence[Labelled]) -> None:
        self.counts["labels compared"] += len(found)
        self.counts.update(f"label: {each.label} {each.cause or each.sign or ''}".strip() for each in found)
        self._add(check_labels(found, world.truth, self.scenario.horizon, LAST))

    def _check_harm(self, before: Sequence[Labelled], after: Sequence[Labelled], what: str) -> None:
        """Take note of deletions that would not be without a disturbance, unless nobody can say what became of them."""
        known = {(each.would_be.notebook.id, each.would_be.notebook.created_at): each.would_be.at for each in before}
        self.counts[f"deletions {what}"] += len(after)
        for each in after:
            one = each.would_be
            at = known.get((one.notebook.id, one.notebook.created_at))
            if (at is None or at > one.at + LATE) and each.cause is None:
                self.found.append(
                    (5, f"{what}, {one.notebook.id} would be deleted at {one.at} ({one.reason}), and otherwise at {at}")
                )

    def _add(self, found: Iterator[Finding]) -> None:
        self.found += found
