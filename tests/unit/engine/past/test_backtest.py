"""Back-tests over hand-made journals: what would have been deleted when, and what is said of the past."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from msgspec.structs import replace

from builders import NOON, announcing, exemption, identity, notebook, over, policy, protection, removal, rules, tag
from nbsweep.core.backtest.model import CensorCause, Label, Period, ReturnSign, Trial
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.backtest.thresholds import asks_for_idle_time, with_idle_over
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.judging.rules import Policy, Protection
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.grace import Grace
from nbsweep.core.matching.conditions import AllOf, AnyOf, Not
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.cool_down import CoolDown
from nbsweep.core.planning.marking import MarkLimits
from nbsweep.engine.past import backtest as module
from nbsweep.engine.past.backtest import backtest
from nbsweep.testing import InMemoryJournal
from unit.engine.world import virtual_time

pytestmark = virtual_time

DAY = timedelta(days=1)
FREE = Brakes(None, None, None, max_fleet_drop=None)
IDLE = policy(over("idle", days=14), name="idle")
MINE = identity()
ELSEWHERE = identity(workspaces=("0",))


def day(number: float) -> datetime:
    """Return the time of a survey."""
    return NOON + number * DAY


def idle_at(number: int, last_used: float, /, **changes: object) -> Notebook:
    """Return a stopped notebook that was used last on a day."""
    return notebook(number, updated_at=day(last_used), lease=None, listed=False, **changes)


class Past:
    """A journal with surveys that are written one by one."""

    def __init__(self) -> None:
        """Begin without a survey."""
        self.journal = InMemoryJournal()

    async def survey(
        self,
        number: float,
        *shown: Notebook,
        complete: bool = True,
        mine: TargetIdentity = MINE,
        fleet: int | None = None,
        last_active: datetime | None = None,
    ) -> None:
        """Record a survey that shows these notebooks; `fleet` also counts rows that could not be read."""
        known = await self.journal.inventory.open_states(mine)
        recorder = Recorder(known)
        for row in shown:
            recorder.see(row, Scope("0", "NOTEBOOK"), last_active)
        count = len(shown) if fleet is None else fleet
        record = SurveyRecord(mine.project, "research", mine.extent, day(number), complete, count, "c0ffee")
        changes = Changes((Listed(recorder, tuple(row.id for row in shown)),), known, complete)
        await self.journal.inventory.record(record, changes)

    async def daily(self, first: int, last: int, *shown: Notebook) -> None:
        """Record a survey each day, that show the same."""
        for number in range(first, last + 1):
            await self.survey(number, *shown)

    async def tried(
        self,
        *policies: Policy,
        brakes: Brakes = FREE,
        protect: tuple[Protection, ...] = (),
        until: float = 100,
        horizon: float = 30,
    ) -> tuple[Coverage, Replayed]:
        """Try policies on all that is recorded."""
        trial = Trial(rules(*(policies or (IDLE,)), protect=protect), MarkLimits(brakes))
        coverage, [replayed] = await backtest(self.journal, "research", [trial], Period(NOON, day(until), horizon * DAY))
        return coverage, replayed


def deletions(replayed: Replayed) -> list[tuple[str, datetime]]:
    """Return what would have been deleted when."""
    return [(each.would_be.notebook.id, each.would_be.at) for each in replayed.found]


def labels(replayed: Replayed) -> list[Label]:
    """Return the labels in the order of the deletions."""
    return [each.label for each in replayed.found]


# ---- when something would have been deleted ---------------------------------------------------------------------------------


async def test_a_notebook_goes_at_the_first_survey_that_matches_and_counts_once() -> None:
    """It was idle for 14 days on the 14th, which is not more than 14 days."""
    past = Past()
    await past.daily(10, 60, idle_at(1, 0))
    _, replayed = await past.tried()
    assert deletions(replayed) == [("nb1", day(15))]
    assert labels(replayed) == [Label.STILL_IDLE]
    [found] = replayed.found
    assert found.would_be.reason == "policy idle: idle 15d (over 14d)"
    assert (found.would_be.survey, found.would_be.policy) == (6, "idle")


async def test_what_nbsweep_had_seen_in_use_counts_as_a_sweep_would_have_counted_it() -> None:
    """The cloud's dates are older than the last time that a survey saw it run."""
    past = Past()
    await past.survey(0, idle_at(1, -20), last_active=day(-10))
    await past.survey(5, idle_at(1, -20), last_active=day(-10))
    _, replayed = await past.tried()
    assert deletions(replayed) == [("nb1", day(5))]


async def test_an_id_that_was_created_again_is_another_notebook() -> None:
    """The first was removed by its owner; the second would go in its own time."""
    past = Past()
    await past.daily(15, 20, idle_at(1, 0))
    await past.daily(21, 70, idle_at(1, 20, created_at=day(20)))
    _, replayed = await past.tried()
    assert deletions(replayed) == [("nb1", day(15)), ("nb1", day(35))]
    assert labels(replayed) == [Label.REMOVED_BY_OWNER, Label.STILL_IDLE]


async def test_an_exemption_keeps_a_notebook_as_long_as_it_was_in_force() -> None:
    """Not before its grant, not after its revocation, and not after its end."""
    past = Past()
    for key, granted, until in (("e1", 14, 50), ("e2", 14, 17), ("e3", 15.5, 50)):
        granted_one = exemption(id=key, notebook_id=f"nb{key[1]}", granted_at=day(granted), until=day(until))
        await past.journal.exemptions.grant(granted_one)
    await past.journal.exemptions.revoke("e1", day(18.5), "carol")
    await past.daily(13, 60, *(idle_at(number, 0) for number in (1, 2, 3)))
    _, replayed = await past.tried()
    assert deletions(replayed) == [("nb3", day(15)), ("nb2", day(17)), ("nb1", day(19))]
    assert replayed.found[0].sign is ReturnSign.EXEMPTED


async def test_an_exemption_of_another_target_keeps_nothing() -> None:
    """One that names no target does."""
    past = Past()
    for number, target in ((1, "teaching"), (2, "")):
        granted = exemption(id=f"e{number}", notebook_id=f"nb{number}", granted_at=day(1), until=day(90), target=target)
        await past.journal.exemptions.grant(granted)
    await past.daily(13, 20, idle_at(1, 0), idle_at(2, 0))
    assert deletions((await past.tried())[1]) == [("nb1", day(15))]


# ---- what a survey is good for ----------------------------------------------------------------------------------------------


async def test_an_incomplete_survey_plans_nothing_and_is_counted() -> None:
    """The next complete one does."""
    past = Past()
    await past.survey(14, idle_at(1, 0))
    await past.survey(15, idle_at(1, 0), complete=False)
    await past.survey(16, idle_at(1, 0))
    coverage, replayed = await past.tried()
    assert deletions(replayed) == [("nb1", day(16))]
    assert (coverage.surveys, coverage.incomplete) == (3, 1)
    assert replayed.refused == {}


async def test_a_survey_whose_clock_was_ahead_plans_nothing() -> None:
    """The surveys after it were earlier; all notebooks looked older than they were."""
    past = Past()
    await past.survey(1, idle_at(1, 0))
    await past.survey(200, idle_at(1, 0))
    await past.daily(2, 60, idle_at(1, 0))
    coverage, replayed = await past.tried(until=300)
    assert deletions(replayed) == [("nb1", day(15))]
    assert labels(replayed) == [Label.STILL_IDLE]
    assert (coverage.clock_ahead, coverage.first, coverage.last) == (1, day(1), day(60))


async def test_two_surveys_at_the_same_time_may_be_recorded_in_either_order() -> None:
    """A sweep and a dry run, half an hour apart."""
    past = Past()
    await past.survey(15, idle_at(1, 0))
    await past.survey(15 - 1 / 48, idle_at(1, 0))
    coverage, replayed = await past.tried()
    assert coverage.clock_ahead == 0
    assert deletions(replayed) == [("nb1", day(15))]


async def test_facts_that_cannot_be_read_keep_the_notebook_and_are_counted() -> None:
    """Of a later version, whose states this one does not know."""
    past = Past()
    await past.daily(13, 14, idle_at(1, 0), idle_at(2, 0))
    break_facts(past.journal, "nb2")
    await past.daily(15, 20, idle_at(1, 0), idle_at(2, 0))
    coverage, replayed = await past.tried()
    assert deletions(replayed) == [("nb1", day(15))]
    assert coverage.unreadable == 1


def break_facts(journal: InMemoryJournal, notebook_id: str) -> None:
    """Let the facts of a notebook be those of a status that is not known."""
    stored = journal.inventory._stored  # noqa: SLF001  # no survey of this version writes such facts
    for key, one in list(stored.items()):
        if key[0] == notebook_id:
            facts = one.state.facts.replace('"STOPPED"', '"HIBERNATING"')
            assert facts != one.state.facts
            stored[key] = replace(one, state=replace(one.state, facts=facts))


async def test_a_notebook_that_lacks_a_fact_is_kept_and_counted() -> None:
    """The row of a listing without a lease: its idle time is not known."""
    past = Past()
    await past.daily(15, 20, replace(idle_at(1, 0), listed=True), idle_at(2, 0))
    _, replayed = await past.tried()
    assert deletions(replayed) == [("nb2", day(15))]
    assert replayed.lacking == 1


async def test_rows_that_could_not_be_read_belong_to_the_fleet() -> None:
    """Half of the fleet may go: one of two, and of three with a row that was never read, also one."""
    half = Brakes(None, Fraction(1, 2), None, OnExcess.TRIM, max_fleet_drop=None)
    for fleet, going in ((2, 1), (3, 1), (4, 2)):
        past = Past()
        await past.survey(15, idle_at(1, 0), idle_at(2, 0), fleet=fleet)
        assert len((await past.tried(brakes=half))[1].found) == going


async def test_each_part_of_a_past_is_replayed_as_it_was_covered() -> None:
    """The target covered one workspace at first, and then all: nobody can say what came after the change."""
    past = Past()
    await past.survey(15, idle_at(1, 0), mine=ELSEWHERE)
    await past.survey(16, idle_at(1, 0), mine=MINE)
    coverage, replayed = await past.tried()
    assert deletions(replayed) == [("nb1", day(15)), ("nb1", day(16))]
    assert coverage.surveys == 2
    assert {each.cause for each in replayed.found} == {CensorCause.SURVEYS_MISSING}


async def test_another_target_of_the_journal_is_not_replayed() -> None:
    """Nor is anything before the period."""
    past = Past()
    await past.survey(15, idle_at(1, 0))
    trial = Trial(rules(IDLE), MarkLimits(FREE))
    coverage, [replayed] = await backtest(past.journal, "other", [trial], Period(NOON, day(90), DAY))
    assert (coverage, replayed) == (Coverage("other"), Replayed())
    coverage, _ = await backtest(past.journal, "research", [trial], Period(day(16), day(90), DAY))
    assert coverage.surveys == 0


async def test_the_states_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time, and the result is the same."""
    past = Past()
    await past.daily(10, 12, *(idle_at(number, 0) for number in range(1, 8)))
    await past.daily(13, 20, *(idle_at(number, 0, name="renamed") for number in range(1, 8)))
    whole = await past.tried()
    monkeypatch.setattr(module, "STATES_AT_ONCE", 2)
    assert await past.tried() == whole
    assert len(whole[1].found) == 7


# ---- brakes -----------------------------------------------------------------------------------------------------------------


async def test_a_brake_that_refuses_is_counted_and_sees_what_would_be_left() -> None:
    """Three of nine are too many at a quarter; after one was removed, two of eight are not."""
    past = Past()
    quarter = Brakes(None, Fraction(1, 4), None, max_fleet_drop=None)
    young = [idle_at(number, 14) for number in range(4, 10)]
    await past.survey(15, *(idle_at(number, 0) for number in (1, 2, 3)), *young)
    await past.survey(16, *(idle_at(number, 0) for number in (1, 2)), *young)
    await past.survey(17, *(idle_at(number, 0) for number in (1, 2)), *young)
    _, replayed = await past.tried(brakes=quarter)
    assert deletions(replayed) == [("nb1", day(16)), ("nb2", day(16))]
    assert replayed.refused == {"max_share": 1}


async def test_max_per_day_counts_the_deletions_of_the_replay_and_real_ones() -> None:
    """Two in 24 hours: one really went half a day before the first survey, and counts until it is a day old."""
    past = Past()
    two = Brakes(None, None, None, OnExcess.TRIM, max_per_day=2, max_fleet_drop=None)
    real = removal(9, state=State.DELETED, requested_at=day(14.5), sent_at=day(14.5), ended_at=day(14.5), requests=1)
    await past.journal.write([replace(real, project=MINE.project)])
    shown = [idle_at(number, 0) for number in range(1, 7)]
    for at in (15, 15.4, 15.6, 16.1, 16.7):
        await past.survey(at, *shown)
    coverage, replayed = await past.tried(brakes=two)
    assert deletions(replayed) == [
        ("nb1", day(15)),
        ("nb2", day(15.6)),
        ("nb3", day(16.1)),
        ("nb4", day(16.7)),
    ]
    assert coverage.ordered == 1


async def test_what_both_deleted_counts_once_in_max_per_day() -> None:
    """The first one was really deleted just after the survey at which the replay did."""
    past = Past()
    two = Brakes(None, None, None, OnExcess.TRIM, max_per_day=2, max_fleet_drop=None)
    real = removal(1, state=State.DELETED, requested_at=day(15.01), sent_at=day(15.01), ended_at=day(15.01), requests=1)
    await past.journal.write([replace(real, project=MINE.project)])
    await past.survey(15, idle_at(1, 0))
    await past.survey(15.5, idle_at(2, 0), idle_at(3, 0))
    _, replayed = await past.tried(brakes=two)
    assert deletions(replayed) == [("nb1", day(15)), ("nb2", day(15.5))]


async def test_a_share_is_of_what_would_be_left() -> None:
    """A quarter of eight, of six, of five, of four, and so on."""
    past = Past()
    quarter = Brakes(None, Fraction(1, 4), None, OnExcess.TRIM, max_fleet_drop=None)
    await past.daily(15, 18, *(idle_at(number, 0) for number in range(1, 9)))
    _, replayed = await past.tried(brakes=quarter)
    assert [sum(at == day(number) for _, at in deletions(replayed)) for number in range(15, 19)] == [2, 1, 1, 1]


async def test_what_nbsweep_really_deleted_is_no_drop_of_the_fleet() -> None:
    """Twenty of thirty are gone because sweeps have deleted them."""
    past = Past()
    ordered = [removal(number, planned_at=day(14), requested_at=day(14), requests=1) for number in range(3, 23)]
    await past.journal.write([replace(each, project=MINE.project, state=State.DELETED, ended_at=day(14)) for each in ordered])
    await past.survey(14, *(idle_at(number, 0) for number in range(1, 31)))
    await past.survey(15, *(idle_at(number, 0) for number in (1, 2, *range(23, 31))))
    _, replayed = await past.tried(brakes=Brakes(None, None, None))
    assert replayed.refused == {}


async def test_a_notebook_whose_deletion_has_really_failed_cools_down() -> None:
    """For three and a half days after it failed, and not at the next survey; it had failed before the period began."""
    past = Past()
    failed = removal(1, state=State.FAILED, requested_at=day(12), sent_at=day(12), ended_at=day(12), requests=1)
    await past.journal.write([replace(failed, project=MINE.project)])
    await past.daily(15, 16, idle_at(1, 0))
    cooling = CoolDown(timedelta(days=3.5), timedelta(days=7))
    expected = {cooling: [("nb1", day(16))], None: [("nb1", day(15))]}
    for cool_down, found in expected.items():
        trial = Trial(rules(IDLE), MarkLimits(FREE), cool_down)
        _, [replayed] = await backtest(past.journal, "research", [trial], Period(day(15), day(90), DAY))
        assert deletions(replayed) == found


async def test_a_fleet_that_drops_refuses_one_survey() -> None:
    """A person releases that brake once; afterwards the fleet is compared with the smaller one."""
    past = Past()
    await past.survey(14, *(idle_at(number, 0) for number in range(1, 31)))
    await past.daily(15, 17, *(idle_at(number, 0) for number in (1, 2)))
    _, replayed = await past.tried(brakes=Brakes(None, None, None))
    assert replayed.refused == {"max_fleet_drop": 1}
    assert deletions(replayed) == [("nb1", day(16)), ("nb2", day(16))]


async def test_its_own_deletions_are_no_drop_of_the_fleet() -> None:
    """Twenty of thirty go at once, and the rest a day later."""
    past = Past()
    old, young = [idle_at(number, 0) for number in range(1, 21)], [idle_at(number, 1) for number in range(21, 31)]
    await past.daily(15, 17, *old, *young)
    _, replayed = await past.tried(brakes=Brakes(None, None, None))
    assert replayed.refused == {}
    assert len(replayed.found) == 30


# ---- grace ------------------------------------------------------------------------------------------------------------------


async def test_a_grace_begins_a_minute_after_the_survey_that_announces() -> None:
    """Marked on the 15th, told then, and due on the 22nd at the next full hour: the survey of that noon is too early."""
    past = Past()
    await past.daily(14, 60, idle_at(1, 0))
    week = announcing(over("idle", days=14), name="idle", days=7)
    _, replayed = await past.tried(week)
    assert deletions(replayed) == [("nb1", day(23))]
    assert replayed.marked == 1


async def test_with_two_surveys_the_second_announces_and_a_use_begins_anew() -> None:
    """Marked on the 15th, told on the 16th, cleared on the 21st; marked on the 35th, told on the 36th, due after the 45th."""
    past = Past()
    await past.daily(14, 20, idle_at(1, 0))
    await past.daily(21, 70, idle_at(1, 20))
    _, replayed = await past.tried(announcing(over("idle", days=14), grace=Grace(timedelta(days=9), surveys=2)))
    assert deletions(replayed) == [("nb1", day(46))]
    assert replayed.marked == 2


async def test_a_deadline_that_was_told_binds_the_next_mark_of_the_instance() -> None:
    """Told on the 15th that it goes on the 35th; from the 17th on, a policy with a grace of a day matches first."""
    past = Past()
    old = announcing(over("age", days=30), name="old", days=1)
    idle = announcing(over("idle", days=14), name="idle", days=20)
    await past.daily(14, 60, idle_at(1, 0, created_at=day(-13.5)))
    _, replayed = await past.tried(old, idle)
    assert deletions(replayed) == [("nb1", day(36))]
    assert (replayed.marked, replayed.found[0].would_be.policy) == (2, "old")


async def test_brakes_bind_new_marks_too() -> None:
    """One new mark in a sweep; the longest idle first."""
    past = Past()
    await past.daily(20, 26, idle_at(1, 0), idle_at(2, 1))
    trial = Trial(rules(announcing(over("idle", days=14), days=2)), MarkLimits(FREE, 1))
    _, [replayed] = await backtest(past.journal, "research", [trial], Period(NOON, day(60), DAY))
    assert deletions(replayed) == [("nb1", day(23)), ("nb2", day(24))]


# ---- what became of it --------------------------------------------------------------------------------------------------


async def test_labels_follow_the_surveys_after_the_deletion() -> None:
    """Used again, removed, tagged, really deleted, untouched, and too young for a label."""
    past = Past()
    kept = protection(tag("keep", "*"))
    real = removal(4, state=State.DELETED, requested_at=day(20), sent_at=day(20), requests=1)
    await past.journal.write([replace(real, project=MINE.project)])
    first = [idle_at(number, 0) for number in range(1, 6)]
    late = idle_at(6, 40)
    await past.daily(15, 19, *first, late)
    for number in range(20, 61):
        ran = idle_at(1, 0) if number < 25 else idle_at(1, 25, status=Status.RUNNING) if number < 27 else idle_at(1, 27)
        tagged = idle_at(3, 30, tags={"keep": "please"}) if number >= 30 else idle_at(3, 0)
        removed = [idle_at(2, 0)] if number < 22 else []
        deleted = [idle_at(4, 0)] if number < 21 else []
        await past.survey(number, ran, *removed, tagged, *deleted, idle_at(5, 0), late)
    _, replayed = await past.tried(protect=(kept,), until=60)
    found = {each.would_be.notebook.id: (each.label, each.sign or each.cause, each.label_at) for each in replayed.found}
    assert found == {
        "nb1": (Label.CAME_BACK, ReturnSign.STARTED, day(25)),
        "nb2": (Label.REMOVED_BY_OWNER, None, day(22)),
        "nb3": (Label.CAME_BACK, ReturnSign.PROTECTED, day(30)),
        "nb4": (Label.CENSORED, CensorCause.DELETED_BY_NBSWEEP, None),
        "nb5": (Label.STILL_IDLE, None, None),
        "nb6": (Label.CENSORED, CensorCause.HORIZON_NOT_OVER, None),
    }


async def test_an_exemption_of_another_target_is_no_return() -> None:
    """It was granted after the deletion, for the notebooks of another target."""
    past = Past()
    granted = exemption(notebook_id="nb1", granted_at=day(20), until=day(90), target="teaching")
    await past.journal.exemptions.grant(granted)
    await past.daily(15, 50, idle_at(1, 0))
    assert labels((await past.tried())[1]) == [Label.STILL_IDLE]


async def test_a_return_that_an_incomplete_survey_shows_counts() -> None:
    """It shows less than there is, and not what is not there."""
    past = Past()
    await past.survey(15, idle_at(1, 0), idle_at(2, 0))
    await past.survey(16, idle_at(1, 16, status=Status.RUNNING), complete=False)
    await past.survey(17, idle_at(1, 17), idle_at(2, 0))
    _, replayed = await past.tried()
    assert [each.label_at for each in replayed.found if each.label is Label.CAME_BACK] == [day(16)]


# ---- thresholds ---------------------------------------------------------------------------------------------------------


async def test_other_thresholds_are_replayed_in_the_same_pass() -> None:
    """A week, two and a month; the result of each is its own."""
    past = Past()
    await past.daily(5, 80, idle_at(1, 0))
    trial = Trial(rules(IDLE), MarkLimits(FREE))
    lengths = [timedelta(days=days) for days in (7, 14, 30)]
    trials = [with_idle_over(trial, length) for length in lengths]
    _, results = await backtest(past.journal, "research", trials, Period(NOON, day(80), 30 * DAY))
    assert [deletions(each) for each in results] == [[("nb1", day(8))], [("nb1", day(15))], [("nb1", day(31))]]


def test_each_idle_time_of_the_policies_is_replaced_wherever_it_stands() -> None:
    """In `all`, `any` and `not`; ages and protections stay."""
    nested = AllOf((AnyOf((over("idle", days=14), over("age", days=9))), Not(AllOf((over("idle", days=60),)))))
    trial = Trial(rules(policy(nested), protect=(protection(over("idle", days=3)),)), MarkLimits(FREE))
    [changed] = with_idle_over(trial, timedelta(days=7)).rules.policies
    expected = AllOf((AnyOf((over("idle", days=7), over("age", days=9))), Not(AllOf((over("idle", days=7),)))))
    assert changed.match == AllOf((expected,))
    assert with_idle_over(trial, timedelta(days=7)).rules.protections == trial.rules.protections
    assert asks_for_idle_time(trial)
    assert not asks_for_idle_time(Trial(rules(policy(over("age", days=9))), MarkLimits(FREE)))
