"""The planted bugs, the invariants that each of them breaks, and the scenarios in which it can."""

from collections.abc import Callable, Mapping

from simulation.dialects import PLAIN
from simulation.planted import (
    Plant,
    age_by_the_steady_clock,
    believe_a_stale_failure,
    compare_to_the_letter,
    drop_requested,
    forget_a_429,
    forget_the_day,
    forget_what_a_crash_left,
    go_by_the_name,
    ignore_the_brakes,
    ignore_the_deadline,
    ignore_the_overlap_of_a_snapshot,
    ignore_the_overlap_of_a_survey,
    judge_by_old_dates,
    let_a_snapshot_overrule_its_tick,
    never_cool_down,
    no_tags_are_none,
    retry_without_a_policy,
    retry_without_end,
    send_a_lost_delete_again,
    send_again_after_a_crash,
    skip_the_second_look,
    take_a_refusal_for_nothing,
    take_rounded_pages_for_rows,
    the_last_of_two_tags_counts,
    trust_a_lost_journal,
    trust_any_clock,
    whatever_is_listed_belongs,
    wrong_address_is_gone,
)
from simulation.scenario import Scenario

PLANTS: Mapping[str, tuple[Plant, tuple[int, ...]]] = {
    "the second look is skipped": (skip_the_second_look, (1,)),
    "REQUESTED is not written": (drop_requested, (5,)),
    "a journal that was moved away is trusted": (trust_a_lost_journal, (5,)),
    "404 with APIGW.0101 counts as gone": (wrong_address_is_gone, (5, 6)),
    "the overlap of a survey's pages is ignored": (ignore_the_overlap_of_a_survey, (6,)),
    "the overlap of a snapshot's pages is ignored": (ignore_the_overlap_of_a_snapshot, (5,)),
    "a 429 is forgotten": (forget_a_429, (3,)),
    "the brakes are ignored": (ignore_the_brakes, (7,)),
    "what was requested earlier in the day is forgotten": (forget_the_day, (7,)),
    "a clock that is off is believed": (trust_any_clock, (7,)),
    "the cool-down is ignored": (never_cool_down, (8,)),
    "the deadline is ignored": (ignore_the_deadline, (4,)),
    "recovery sends again without a look": (send_again_after_a_crash, (1, 2, 5)),
    "recovery forgets what a crash left": (forget_what_a_crash_left, (4, 5)),
    "a stale read counts as a failure": (believe_a_stale_failure, (2, 5)),
    "a DELETE whose answer was lost is sent again at once": (send_a_lost_delete_again, (2,)),
    "a failed deletion is repeated without end": (retry_without_end, (2,)),
    "a listing without tags is taken for no tags": (no_tags_are_none, (1,)),
    "text is compared to the letter": (compare_to_the_letter, (1,)),
    "the last of two tags counts, and one without a value is empty": (the_last_of_two_tags_counts, (1,)),
    "a page rounded down is taken for a row offset": (take_rounded_pages_for_rows, (6,)),
    "a refusing workspace is taken for empty": (take_a_refusal_for_nothing, (6,)),
    "rows of others are taken for the target's": (whatever_is_listed_belongs, (1,)),
    "facts age by the steady clock alone": (age_by_the_steady_clock, (1,)),
    "a retry asks no policy": (retry_without_a_policy, (1,)),
    "what the owner does after a stop counts for nothing": (judge_by_old_dates, (1,)),
    "the identity of a target is not compared": (go_by_the_name, (9,)),
    "a snapshot overrules the page of its tick": (let_a_snapshot_overrule_its_tick, (5,)),
}
"""By what is wrong: how it is planted, and the invariants of which it breaks one first."""


def shows_vanishing_rows(scenario: Scenario) -> bool:
    """Return whether many rows vanish while a snapshot is read, from listings that can be one."""
    manners, habits = scenario.manners, scenario.habits
    plain = manners.dialect == PLAIN and not manners.ignores and not manners.list_leaves_out
    return len(scenario.fleet) >= 100 and plain and not habits.hides_deleting and not habits.undated and not habits.sleeps


def bounds_the_day(scenario: Scenario) -> bool:
    """Return whether a day allows fewer DELETEs than several sweeps may ask for."""
    return scenario.config["brakes"].get("max_per_day") is not None and scenario.manners.dialect == PLAIN


def fails_to_delete_again(scenario: Scenario) -> bool:
    """Return whether deletions fail and more than one sweep is made."""
    return bool(scenario.manners.fails) and scenario.sweeps > 1


def refuses_a_workspace(scenario: Scenario) -> bool:
    """Return whether a workspace is shown and cannot be listed."""
    return bool(scenario.manners.dialect.closed)


def brings_owners_back(scenario: Scenario) -> bool:
    """Return whether owners react to orders."""
    return bool(scenario.habits.comes_back)


def wants_failed(scenario: Scenario) -> bool:
    """Return whether a policy deletes failed notebooks."""
    return any("ERROR" in policy["match"].get("status", ()) for policy in scenario.config["policies"])


def starts_fail_unwanted(scenario: Scenario) -> bool:
    """Return whether owners start what a DELETE has not deleted, and no policy wants what fails then."""
    return bool(scenario.habits.loses) and not wants_failed(scenario)


def sleeps_on_fresh_facts(scenario: Scenario) -> bool:
    """Return whether a sleep meets facts that stay fresh for long, and a use meanwhile keeps what a policy wanted."""
    long = scenario.config["removal"]["fresh_for"] == "10s" and len(scenario.fleet) >= 24
    return bool(scenario.habits.sleeps) and long and wants_failed(scenario)


def has_fault(name: str) -> Callable[[Scenario], bool]:
    """Return whether a kind of fault strikes."""
    return lambda scenario: name in dict(scenario.network.faults)


NEEDS: Mapping[str, Callable[[Scenario], bool]] = {
    "404 with APIGW.0101 counts as gone": has_fault("wrong-address"),
    "the overlap of a snapshot's pages is ignored": shows_vanishing_rows,
    "what was requested earlier in the day is forgotten": bounds_the_day,
    "the cool-down is ignored": fails_to_delete_again,
    "a DELETE whose answer was lost is sent again at once": has_fault("late"),
    "a refusing workspace is taken for empty": refuses_a_workspace,
    "facts age by the steady clock alone": sleeps_on_fresh_facts,
    "a retry asks no policy": starts_fail_unwanted,
    "what the owner does after a stop counts for nothing": brings_owners_back,
}
"""What a scenario must have before the bug can show, for those that need what few scenarios have."""
