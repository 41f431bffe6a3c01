"""Bugs to plant in the inventory and in back-tests, one at a time, to see that the simulated past would show them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from pytest import MonkeyPatch  # noqa: PT013 -- used as a plain name in every signature here

from nbsweep.core.backtest import deciding, following, labels, past, reading, replay
from nbsweep.core.backtest.announcing import ReplayedMarks
from nbsweep.core.backtest.model import CensorCause, Labelled, RecordedSurvey, WouldBe
from nbsweep.core.backtest.replay import Replay
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.inventory import recording
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes, Recorder
from nbsweep.core.model import Notebook, Scope
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import ORDINARY, Circumstances, Plan, Survey, build_plan
from simulation.past.judge import LAST
from simulation.past.scenario import FREE, INCOMPLETE, Kind, Scenario

Plant = Callable[[MonkeyPatch], None]


def an_incomplete_survey_closes(patch: MonkeyPatch) -> None:
    """A survey that did not show every notebook closes the states of the others."""
    patch.setattr(Changes, "__post_init__", _complete)


def _complete(changes: Changes) -> None:
    changes.complete = True
    for place, listing in enumerate(changes.listed if len(changes.listed) > 1 else ()):
        for notebook_id in listing.shown:
            changes._first.setdefault(notebook_id, place)  # noqa: SLF001 -- as the function that this replaces


def times_are_rounded(patch: MonkeyPatch) -> None:
    """The times of a notebook at rest are recorded by the day, so that it looks idle earlier."""
    see = Recorder.see

    def rounded(self: Recorder, one: Notebook, scope: Scope, active: datetime | None, *, provisional: bool = False) -> None:
        at = one.updated_at and one.updated_at.replace(hour=0, minute=0, second=0, microsecond=0)
        lease = one.lease and replace(one.lease, updated_at=at)
        see(self, replace(one, updated_at=at, lease=lease), scope, active, provisional=provisional)

    patch.setattr(Recorder, "see", rounded)


def sightings_are_forgotten(patch: MonkeyPatch) -> None:
    """When nbsweep had seen a notebook in use is not recorded."""
    see = Recorder.see

    def blind(self: Recorder, one: Notebook, scope: Scope, _active: datetime | None, *, provisional: bool = False) -> None:
        see(self, one, scope, None, provisional=provisional)

    patch.setattr(Recorder, "see", blind)


def unread_rows_keep_their_facts(patch: MonkeyPatch) -> None:
    """A notebook whose row cannot be read counts as an earlier survey showed it."""
    patch.setattr(recording.Recorder, "see_unread", lambda *_: None)


def a_longer_horizon(patch: MonkeyPatch) -> None:
    """The horizon is counted from the end of the day of the survey."""
    label = labels.label

    def late(would_be: WouldBe, after: Any, rules: Any, horizon: timedelta) -> Labelled:
        ends = (would_be.at + horizon).replace(hour=23, minute=59)
        return label(would_be, after, rules, max(horizon, ends - would_be.at))

    patch.setattr(replay, "label", late)
    take = Replay.take
    patch.setattr(Replay, "take", lambda self, recorded, horizon: take(self, recorded, horizon + timedelta(days=1)))


def labels_beyond_the_horizon(patch: MonkeyPatch) -> None:
    """A return at any time counts."""
    first, take = labels._first_return, Replay.take  # noqa: SLF001 -- the place of the bug

    def ever(would_be: WouldBe, _within: Any, after: Any, rules: Any, _until: datetime) -> Any:
        return first(would_be, after.sightings, after, rules, LAST)

    patch.setattr(labels, "_first_return", ever)
    patch.setattr(Replay, "take", lambda self, recorded, horizon: take(self, recorded, horizon * 10))


def censored_is_right(patch: MonkeyPatch) -> None:
    """If nobody can say what became of a notebook, the deletion counts as right."""

    def never(*_: Any) -> CensorCause | None:
        return None

    patch.setattr(labels, "_censored", never)


def gaps_do_not_matter(patch: MonkeyPatch) -> None:
    """Surveys that are missing for weeks censor nothing."""
    patch.setattr(labels, "MOST_GAP", timedelta(days=400))


def identity_by_id(patch: MonkeyPatch) -> None:
    """A notebook that was created again with the same id is taken for the old one."""
    patch.setattr(following, "is_another", lambda *_: False)
    patch.setattr(replay, "is_another", lambda *_: False)


def exemptions_of_now(patch: MonkeyPatch) -> None:
    """The exemptions count that are in force at the end."""

    def now(exemptions: Iterable[Exemption], target: str, _at: datetime) -> tuple[Exemption, ...]:
        return in_force(exemptions, target, datetime(2027, 2, 28, tzinfo=LAST.tzinfo))

    in_force = past.in_force_at
    patch.setattr(past, "in_force_at", now)
    patch.setattr(replay, "in_force_at", now)


def revoked_ones_never_counted(patch: MonkeyPatch) -> None:
    """An exemption that was revoked later counts as if it had never been granted."""
    in_force = past.in_force_at

    def clean(exemptions: Iterable[Exemption], target: str, at: datetime) -> tuple[Exemption, ...]:
        return in_force([each for each in exemptions if each.revoked_at is None], target, at)

    patch.setattr(past, "in_force_at", clean)
    patch.setattr(replay, "in_force_at", clean)


def no_brakes(patch: MonkeyPatch) -> None:
    """The brakes are ignored."""

    def unbraked(survey: Survey, _brakes: Brakes, circumstances: Circumstances = ORDINARY) -> Plan:
        return build_plan(survey, FREE, circumstances)

    patch.setattr(deciding, "build_plan", unbraked)
    patch.setattr(replay, "build_plan", unbraked)


def a_day_forgets(patch: MonkeyPatch) -> None:
    """What the replay deleted in the last 24 hours does not count."""

    def forgetful(self: Replay, at: datetime) -> Circumstances:
        found = circumstances(self, at)
        return replace(found, history=replace(found.history, requested=0))

    circumstances = Replay._circumstances  # noqa: SLF001 -- the place of the bug
    patch.setattr(Replay, "_circumstances", forgetful)


def without_grace(patch: MonkeyPatch) -> None:
    """A policy with grace deletes as soon as it matches."""
    rules_at = Replay._rules_at  # noqa: SLF001 -- the place of the bug

    def unannounced(self: Replay, recorded: RecordedSurvey) -> Any:
        rules = rules_at(self, recorded)
        return replace(rules, policies=tuple(replace(each, grace=None) for each in rules.policies))

    patch.setattr(Replay, "_rules_at", unannounced)


def marks_last(patch: MonkeyPatch) -> None:
    """Marks are never cleared in a replay."""
    patch.setattr(ReplayedMarks, "_end", lambda *_: None)


def a_deletion_changes_nothing(patch: MonkeyPatch) -> None:
    """A notebook that would have been deleted stays in the fleet of the replay."""
    patch.setattr(Replay, "_without_gone", lambda _self, recorded: recorded)


def nobody_but_owners_deletes(patch: MonkeyPatch) -> None:
    """A notebook that nbsweep really deleted counts as removed by its owner."""
    patch.setattr(labels, "_is_ordered", lambda *_: False)


def unreadable_facts_are_left_out(patch: MonkeyPatch) -> None:
    """A notebook whose facts cannot be decoded counts as gone."""
    at = reading.Fleet.at

    def without(self: reading.Fleet, survey: SurveyRecord, *, clock_trusted: bool = True) -> RecordedSurvey:
        found = at(self, survey, clock_trusted=clock_trusted)
        return replace(found, notebooks={key: one for key, one in found.notebooks.items() if one.facts})

    patch.setattr(reading.Fleet, "at", without)


PLANTS: Mapping[str, tuple[Plant, tuple[int, ...]]] = {
    "an incomplete survey closes states": (an_incomplete_survey_closes, (2,)),
    "times at rest are recorded by the day": (times_are_rounded, (1,)),
    "sightings in use are not recorded": (sightings_are_forgotten, (1,)),
    "a row that cannot be read keeps its earlier facts": (unread_rows_keep_their_facts, (1,)),
    "the horizon ends with its day": (a_longer_horizon, (3,)),
    "labels read beyond the horizon": (labels_beyond_the_horizon, (3,)),
    "censored deletions count as right": (censored_is_right, (3,)),
    "missing surveys do not matter": (gaps_do_not_matter, (3,)),
    "an instance is known by its id alone": (identity_by_id, (3, 4)),
    "the exemptions of now count": (exemptions_of_now, (1,)),
    "exemptions that were revoked later never counted": (revoked_ones_never_counted, (1,)),
    "the brakes are ignored": (no_brakes, (1,)),
    "the replay forgets its deletions of the day": (a_day_forgets, (4,)),
    "the replay ignores grace": (without_grace, (4,)),
    "marks of the replay are never cleared": (marks_last, (4,)),
    "what would be gone stays in the fleet": (a_deletion_changes_nothing, (3, 4)),
    "what nbsweep deleted was removed by its owner": (nobody_but_owners_deletes, (3,)),
    "facts that cannot be decoded are left out": (unreadable_facts_are_left_out, (1, 2, 3)),
}
"""By what is wrong: how it is planted, and the invariants of which it breaks one first."""


def is_of(kind: Kind) -> Callable[[Scenario], bool]:
    """Return whether a scenario is of a kind."""
    return lambda scenario: scenario.kind is kind


def is_tampered_with(scenario: Scenario) -> bool:
    """Return whether many recorded states seem to be of other versions."""
    return scenario.kind is Kind.WATCHED and scenario.tampered > 0.05


def is_often_incomplete(scenario: Scenario) -> bool:
    """Return whether surveys are often incomplete."""
    return sum(sweep.trouble in INCOMPLETE for sweep in scenario.sweeps) > 5


def has_grace(scenario: Scenario) -> bool:
    """Return whether two years are compared in which a policy has a grace."""
    return scenario.kind is Kind.TWICE and any(policy.grace for policy in scenario.config.policies)


def has_limit_of_day(scenario: Scenario) -> bool:
    """Return whether two years are compared in which few may go in a day, and sweeps are frequent."""
    return scenario.kind is Kind.TWICE and scenario.config.brakes.max_per_day is not None


NEEDS: Mapping[str, Callable[[Scenario], bool]] = {
    "an incomplete survey closes states": is_often_incomplete,
    "the replay forgets its deletions of the day": has_limit_of_day,
    "the replay ignores grace": has_grace,
    "marks of the replay are never cleared": has_grace,
    "what nbsweep deleted was removed by its owner": is_of(Kind.SWEPT),
    "facts that cannot be decoded are left out": is_tampered_with,
}
"""What a scenario must have before the bug can show, for those that need what few scenarios have."""
