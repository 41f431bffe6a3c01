import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from builders import NOON, fence, notebook, removal, worker_record
from nbsweep import __version__
from nbsweep.adapters.cloud.responses import KNOWN_CODES
from nbsweep.adapters.metrics import Metrics
from nbsweep.adapters.telemetry import Log, Telemetry
from nbsweep.core.control.requests import Pause
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.events.base import Event
from nbsweep.core.events.http import DialectFound, HttpAnswered, HttpThrottled
from nbsweep.core.events.marks import MarksMade
from nbsweep.core.events.outbox import OutboxCounted
from nbsweep.core.events.removal import RecoveryFinished, RecoveryStarted, RemovalAgain, RemovalFinished, RemovalRequested
from nbsweep.core.events.service import ServiceReloaded, ServiceReloadRefused
from nbsweep.core.events.sweep import PlanBuilt, PlanRefused, SurveyFinished, SweepFinished, SweepStarted
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import FleetInputs
from nbsweep.core.freshness import ClockReading
from nbsweep.core.model import Status
from nbsweep.core.pacing import LaneState
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.runs import Outcome
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Phase, TargetState
from nbsweep.testing import Fault
from unit.engine.world import options, virtual_time, world

LABELS = {
    "nbsweep_build_info": ("gauge", {"version"}),
    "nbsweep_sweeps_total": ("counter", {"target", "outcome"}),
    "nbsweep_sweep_duration_seconds": ("histogram", {"target"}),
    "nbsweep_last_success_timestamp_seconds": ("gauge", {"target"}),
    "nbsweep_fleet_notebooks": ("gauge", {"target"}),
    "nbsweep_candidates": ("gauge", {"target"}),
    "nbsweep_kept_notebooks": ("gauge", {"target", "reason"}),
    "nbsweep_removals_total": ("counter", {"target", "policy", "outcome"}),
    "nbsweep_removals_in_flight": ("gauge", {"target"}),
    "nbsweep_deletion_duration_seconds": ("histogram", {"target"}),
    "nbsweep_reclaimed_bytes_total": ("counter", {"target", "category"}),
    "nbsweep_refusals_total": ("counter", {"target", "brake"}),
    "nbsweep_api_calls_total": ("counter", {"target", "lane", "status_class", "error_code"}),
    "nbsweep_api_call_duration_seconds": ("histogram", {"target", "lane"}),
    "nbsweep_throttled_total": ("counter", {"target", "lane"}),
    "nbsweep_lane_calls_per_second": ("gauge", {"target", "lane"}),
    "nbsweep_lane_configured_calls_per_second": ("gauge", {"target", "lane"}),
    "nbsweep_workspaces_refused": ("gauge", {"target"}),
    "nbsweep_cloud_dialect": ("gauge", {"target", "aspect", "value"}),
    "nbsweep_marks": ("gauge", {"target", "state"}),
    "nbsweep_untold": ("gauge", {"target"}),
    "nbsweep_marks_made_total": ("counter", {"target"}),
    "nbsweep_marks_cleared_total": ("counter", {"target", "cause"}),
    "nbsweep_notifications_total": ("counter", {"channel", "kind", "outcome"}),
    "nbsweep_outbox_pending": ("gauge", {"channel"}),
    "nbsweep_outbox_oldest_seconds": ("gauge", {"channel"}),
    "nbsweep_outbox_waiting": ("gauge", set()),
    "nbsweep_outbox_paused": ("gauge", set()),
    "nbsweep_authentication_failures_total": ("counter", {"target"}),
    "nbsweep_target_failures": ("gauge", {"target"}),
    "nbsweep_target_paused": ("gauge", {"target"}),
    "nbsweep_target_held_elsewhere": ("gauge", {"target"}),
    "nbsweep_target_waiting_for_turn": ("gauge", {"target"}),
    "nbsweep_ready": ("gauge", set()),
    "nbsweep_reload_refused": ("gauge", set()),
    "nbsweep_log_lines_lost_total": ("counter", set()),
    "nbsweep_workers": ("gauge", {"state"}),
    "nbsweep_workers_outdated": ("gauge", set()),
    "nbsweep_jobs": ("gauge", {"state"}),
    "nbsweep_job_wait_seconds": ("gauge", set()),
    "nbsweep_jobs_refused": ("gauge", set()),
    "nbsweep_account_held": ("gauge", {"account"}),
    "nbsweep_fleet_led": ("gauge", set()),
    "nbsweep_fleet_leading": ("gauge", set()),
}
"""As others write alerts against them."""
SWEPT = SweepFinished("finished", "", "", 40, 2, {"deleted": 2}, {}, 100, 90.0)
DELETED = replace(
    RemovalFinished.of(removal()),
    outcome="deleted",
    capacity_gb=50,
    category="EVS",
    accepted_after_s=2.0,
    ended_after_s=27.0,
)


class OneMoment:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the one moment."""
        return NOON

    def steady_s(self) -> float:
        """Return no seconds."""
        return 0.0

    def read(self) -> ClockReading:
        """Read all clocks."""
        return ClockReading(NOON, 0.0, 0.0)


@dataclass
class FakeService:
    """A service whose targets stand so."""

    states: tuple[TargetState, ...] = ()
    problems: tuple[str, ...] = ()

    def targets(self) -> tuple[TargetState, ...]:
        """Return how they stand."""
        return self.states

    def not_ready(self) -> tuple[str, ...]:
        """Return what is wrong."""
        return self.problems


class Heard:
    """Metrics that have heard some events, and what they show."""

    def __init__(self, *events: Event, service: FakeService | None = None) -> None:
        self.metrics = Metrics(OneMoment(), KNOWN_CODES)
        if service:
            self.metrics.watch(service)
        self.hear(*events)

    def hear(self, *events: Event, **context: str) -> None:
        """Hear of events about a notebook of the target `research`, unless something else is bound around them."""
        about = {"target": "research", "policy": "old", "notebook_id": "nb1", "run_id": "run1", **context}
        for event in events:
            self.metrics(event, about)

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """Return all values of a metric, by its labels in the order of their names."""
        families = text_string_to_metric_families(self.metrics.exposition().decode())
        found = [sample for family in families for sample in family.samples if sample.name == name]
        return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in found}


def call(status: int | None = 200, code: str = "", lane: str = "show", duration_s: float = 0.03) -> HttpAnswered:
    """Return a call that was answered so."""
    return HttpAnswered(lane, "GET", status, code, duration_s)


def target(name: str = "research", **changes: object) -> TargetState:
    """Return a target with which all is well."""
    plain = TargetState(
        name, Phase.WAITING, dry_run=False, pause=None, next_run=None, last_success=None, failures=0, problem=""
    )
    return replace(plain, **changes)


def test_the_names_types_and_labels_are_those_of_the_contract() -> None:
    """Exactly these: a metric that is renamed breaks somebody's alert, and one that is added belongs in the README."""
    heard = Heard(
        call(),
        call(401),
        HttpThrottled("show", "", None, 1.0),
        DialectFound("offsets", "rows", "a page begins at any row"),
        SurveyFinished(40, 2, complete=True, duration_s=1.0),
        PlanBuilt(40, 2, {}, None),
        PlanRefused("max_share", "too many"),
        DELETED,
        SWEPT,
        MarksMade(2, 1, 6, 0, 3, 1, 1),
        OutboxCounted({"mail": 2}, {"mail": 7200.0}, paused=False, waiting=0),
        service=FakeService((target(lanes=(LaneState("show", 10.0, 10.0, None),)),)),
    )
    jobs = (Job("acct", JobState.WAITING, "c1", NOON),)
    inputs = FleetInputs(NOON, "c1", timedelta(seconds=60), (worker_record(),), fence(), jobs=jobs)
    heard.metrics.fleet.show(judge_fleet(inputs), "a")
    found = {}
    for family in text_string_to_metric_families(heard.metrics.exposition().decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = [set(sample.labels) - {"le"} for sample in family.samples]
        assert all(each == labels[0] for each in labels)
        assert family.documentation
        found[name] = (family.type, labels[0])
    assert found == LABELS


def test_nothing_else_is_shown_than_what_the_contract_names() -> None:
    """When each counter was begun is left out: that would be another series for each."""
    lane = LaneState("show", 10.0, 10.0, None)
    heard = Heard(call(), DELETED, SWEPT, service=FakeService((target(lanes=(lane,)),)))
    names = set(re.findall(r"^# TYPE (\S+)", heard.metrics.exposition().decode(), re.MULTILINE))
    assert names == set(LABELS)


def test_the_registry_is_its_own() -> None:
    """Two in one process do not meet, and nothing global knows of either."""
    first, second = Heard(SWEPT), Heard()
    assert first.samples("nbsweep_sweeps_total") == {("finished", "research"): 1}
    assert second.samples("nbsweep_sweeps_total") == {}
    assert [metric.name for metric in REGISTRY.collect() if metric.name.startswith("nbsweep")] == []


def test_it_listens_to_the_telemetry_also_to_what_the_log_leaves_out() -> None:
    """With what is bound around the work."""
    heard = Heard()
    lines: list[str] = []
    telemetry = Telemetry(Log(lines.append, "error", console=False), (heard.metrics,))
    with telemetry.bound(target="training"):
        telemetry.emit(call())
    assert heard.samples("nbsweep_api_calls_total") == {("", "show", "2xx", "training"): 1}
    assert lines == []


def test_an_event_that_is_not_counted_changes_nothing() -> None:
    """There are many of them."""
    heard = Heard()
    before = heard.metrics.exposition()
    heard.hear(SweepStarted(dry_run=False))
    assert heard.metrics.exposition() == before


def test_the_version_is_shown() -> None:
    """As a label, as is the custom."""
    assert Heard().samples("nbsweep_build_info") == {(__version__,): 1}


# ---- sweeps ---------------------------------------------------------------------------------------------------------------


def test_sweeps_are_counted_and_timed() -> None:
    """By outcome, each of which happened."""
    heard = Heard(SWEPT, SWEPT, replace(SWEPT, outcome=Outcome.FAILED, problem="the cloud is away", duration_s=4000.0))
    assert heard.samples("nbsweep_sweeps_total") == {("finished", "research"): 2, ("failed", "research"): 1}
    assert heard.samples("nbsweep_sweep_duration_seconds_count") == {("research",): 3}
    assert heard.samples("nbsweep_sweep_duration_seconds_sum") == {("research",): 4180}
    buckets = heard.samples("nbsweep_sweep_duration_seconds_bucket")
    assert (buckets["60.0", "research"], buckets["300.0", "research"], buckets["7200.0", "research"]) == (0, 2, 3)


@pytest.mark.parametrize(
    ("outcome", "problem", "counts"),
    [
        ("finished", "", True),
        ("dry-run", "", True),
        ("refused", "", False),
        ("declined", "", False),
        ("interrupted", "", False),
        ("failed", "the cloud is away", False),
        ("finished", "its end could not be written", False),
    ],
)
def test_the_last_success_is_a_sweep_that_did_its_work(outcome: str, problem: str, counts: bool) -> None:  # noqa: FBT001
    """1772366400 is 2026-03-01 12:00 UTC."""
    heard = Heard(replace(SWEPT, outcome=outcome, problem=problem), service=FakeService((target(),)))
    assert heard.samples("nbsweep_last_success_timestamp_seconds") == {("research",): 1772366400.0 if counts else 0.0}
    assert datetime.fromtimestamp(1772366400, UTC) == NOON


def test_what_has_not_happened_yet_is_shown_as_nothing() -> None:
    """An alert on an increase would not see the first one otherwise."""
    heard = Heard(service=FakeService((target(), target("training"))))
    assert heard.samples("nbsweep_last_success_timestamp_seconds") == {("research",): 0, ("training",): 0}
    assert heard.samples("nbsweep_sweeps_total") == {
        (outcome, name): 0
        for outcome in ("finished", "dry-run", "refused", "interrupted", "failed", "held-elsewhere")
        for name in ("research", "training")
    }
    assert heard.samples("nbsweep_authentication_failures_total") == {("research",): 0, ("training",): 0}
    assert heard.samples("nbsweep_removals_in_flight") == {("research",): 0, ("training",): 0}


@virtual_time
async def test_a_real_sweep_moves_what_it_should() -> None:
    """One is deleted, one comes back to life before its DELETE, one keeps failing, one is kept; nothing is left in flight."""
    scene = world(*[notebook(number) for number in (1, 2, 3)], notebook(4, name="keep-it"))
    failing = Fault(ends_in=Status.DELETE_FAILED)
    scene.cloud.inject("delete", failing, failing, notebook_id="nb3")
    sweeper = Sweeper(
        Area("research", None, ("NOTEBOOK",)), scene.ports, options(retries=1), Brakes(None, None), scene.shutdown
    )

    async def agree(_plan: object, _spared: object) -> bool:
        scene.cloud.change("nb2", status=Status.RUNNING)
        return True

    report = await sweeper.sweep(Run("run1", "cron", dry_run=False), agree)
    heard = Heard()
    most = 0.0
    for event, context in scene.telemetry.records:
        heard.metrics(event, context)
        most = max(most, heard.samples("nbsweep_removals_in_flight").get(("research",), 0))
    assert report.counts == {"deleted": 1, "spared": 1, "failed": 1}
    assert {key[0]: count for key, count in heard.samples("nbsweep_removals_total").items()} == report.counts
    assert (most, in_flight(heard)) == (2, 0)
    assert heard.samples("nbsweep_deletion_duration_seconds_count") == {("research",): 2}
    assert heard.samples("nbsweep_sweeps_total") == {("finished", "research"): 1}
    assert heard.samples("nbsweep_fleet_notebooks") == {("research",): 4}
    assert heard.samples("nbsweep_candidates") == {("research",): 3}


# ---- surveys and plans ----------------------------------------------------------------------------------------------------


def test_the_last_survey_is_shown() -> None:
    """How many there are, and how many may go."""
    heard = Heard(SurveyFinished(40, 2, complete=True, duration_s=1.0), SurveyFinished(38, 1, complete=True, duration_s=1.0))
    assert heard.samples("nbsweep_fleet_notebooks") == {("research",): 38}
    assert heard.samples("nbsweep_candidates") == {("research",): 1}


def test_what_was_kept_at_an_earlier_survey_is_not_shown_any_more() -> None:
    """Every reason is shown each time, those that nobody is kept for as nothing."""
    heard = Heard(PlanBuilt(40, 0, {"no-policy": 30, "protected": 10}, None), PlanBuilt(40, 0, {"no-policy": 40}, None))
    assert heard.samples("nbsweep_kept_notebooks") == {
        (reason, "research"): 40 if reason == "no-policy" else 0
        for reason in (
            "no-policy",
            "protected",
            "unknown-fact",
            "in-transition",
            "running",
            "frozen",
            "malformed",
            "over-brake",
            "not-in-plan",
            "cooling-down",
            "used-since",
            "elsewhere",
            "excluded",
            "policy-not-chosen",
            "exempt",
            "outside-window",
            "held-out",
            "unannounced",
            "marked",
            "told",
        )
    }


def test_refusals_are_counted_by_brake() -> None:
    """One that did not see everything is one of them."""
    heard = Heard(PlanRefused("max_share", "a"), PlanRefused("max_share", "b"), PlanRefused("incomplete-survey", "c"))
    assert heard.samples("nbsweep_refusals_total") == {("max_share", "research"): 2, ("incomplete-survey", "research"): 1}


# ---- removals -------------------------------------------------------------------------------------------------------------


def test_removals_are_counted_by_policy_and_outcome() -> None:
    """As the line about their end says."""
    heard = Heard(DELETED, DELETED)
    heard.hear(replace(DELETED, outcome="spared"), policy="failed")
    assert heard.samples("nbsweep_removals_total") == {("deleted", "old", "research"): 2, ("spared", "failed", "research"): 1}


def test_a_deletion_is_timed_from_its_acceptance_to_its_end() -> None:
    """25 s of the 27; what was never accepted is not timed, and a clock that was set back makes no time negative."""
    never = replace(DELETED, outcome="spared", accepted_after_s=None)
    heard = Heard(DELETED, never, replace(DELETED, accepted_after_s=30.0))
    assert heard.samples("nbsweep_deletion_duration_seconds_count") == {("research",): 2}
    assert heard.samples("nbsweep_deletion_duration_seconds_sum") == {("research",): 25}
    buckets = heard.samples("nbsweep_deletion_duration_seconds_bucket")
    assert [float(edge) for edge, _ in buckets][0::12] == [1.0, 3600.0]
    assert (buckets["20.0", "research"], buckets["30.0", "research"]) == (1, 2)


def test_disks_that_are_gone_are_counted_in_bytes() -> None:
    """By the kinds that there are; what is no known kind, or none at all, is another. What was spared is still there."""
    heard = Heard(
        DELETED,
        DELETED,
        replace(DELETED, category="OBSFS", capacity_gb=1),
        replace(DELETED, category="made-up", capacity_gb=2),
        replace(DELETED, category=None, capacity_gb=3),
        replace(DELETED, capacity_gb=None),
        replace(DELETED, outcome="spared"),
    )
    assert heard.samples("nbsweep_reclaimed_bytes_total") == {
        ("EVS", "research"): 107_374_182_400,
        ("OBSFS", "research"): 1_073_741_824,
        ("other", "research"): 5_368_709_120,
    }


def in_flight(heard: Heard) -> float:
    """Return how many are shown as being in flight on `research`."""
    return heard.samples("nbsweep_removals_in_flight")["research",]


def test_a_removal_is_in_flight_from_its_request_to_its_end() -> None:
    """A DELETE that is sent again is the same removal; one that was spared before its DELETE never was in flight."""
    heard = Heard()
    heard.hear(RemovalRequested(1), notebook_id="nb1")
    heard.hear(RemovalRequested(1), notebook_id="nb2")
    heard.hear(RemovalRequested(2), notebook_id="nb2")
    assert in_flight(heard) == 2
    heard.hear(replace(DELETED, outcome="spared"), notebook_id="nb3")
    assert in_flight(heard) == 2
    heard.hear(RemovalAgain("STOPPED"), notebook_id="nb1")
    assert in_flight(heard) == 1
    heard.hear(RemovalRequested(2), notebook_id="nb1")
    heard.hear(DELETED, notebook_id="nb1")
    heard.hear(DELETED, notebook_id="nb2")
    assert in_flight(heard) == 0


def test_what_an_earlier_run_left_is_in_flight_until_recovery_is_through_with_it() -> None:
    """Only its end is heard of."""
    heard = Heard(RecoveryStarted(3))
    assert in_flight(heard) == 3
    heard.hear(DELETED)
    assert in_flight(heard) == 2
    heard.hear(RecoveryFinished({"deleted": 1}))
    assert in_flight(heard) == 0


def test_nothing_is_in_flight_when_the_sweep_is_over() -> None:
    """What was interrupted is followed by nobody until the next one; another target's go on."""
    heard = Heard(RemovalRequested(1), RecoveryStarted(2))
    heard.hear(RemovalRequested(1), target="training")
    heard.hear(replace(SWEPT, outcome=Outcome.INTERRUPTED))
    assert heard.samples("nbsweep_removals_in_flight") == {("research",): 0, ("training",): 1}


# ---- calls ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "labels"),
    [
        (200, "", ("", "show", "2xx", "research")),
        (204, "", ("", "show", "2xx", "research")),
        (400, "ModelArts.6309", ("ModelArts.6309", "show", "4xx", "research")),
        (400, "ModelArts.6357", ("ModelArts.6357", "show", "4xx", "research")),
        (429, "APIGW.0308", ("APIGW.0308", "show", "4xx", "research")),
        (500, "ModelArts.0010", ("ModelArts.0010", "show", "5xx", "research")),
        (502, "", ("", "show", "5xx", "research")),
        (400, "ModelArts.9999", ("other", "show", "4xx", "research")),
        (418, "<script>", ("other", "show", "4xx", "research")),
        (None, "", ("", "show", "none", "research")),
    ],
)
def test_calls_are_counted_by_what_came_of_them(status: int | None, code: str, labels: tuple[str, ...]) -> None:
    """A code that means nothing to us is another: whoever makes codes up must not make up series."""
    assert Heard(call(status, code)).samples("nbsweep_api_calls_total") == {labels: 1}


def test_calls_are_timed_by_lane() -> None:
    """Those without an answer too."""
    heard = Heard(call(), call(None, duration_s=30.0), call(lane="delete", duration_s=0.25))
    assert heard.samples("nbsweep_api_call_duration_seconds_sum") == {("show", "research"): 30.03, ("delete", "research"): 0.25}
    assert heard.samples("nbsweep_api_call_duration_seconds_count") == {("show", "research"): 2, ("delete", "research"): 1}


@pytest.mark.parametrize(
    ("kind", "counts"), [("Unauthorized", 1), ("Forbidden", 1), ("Unreachable", 0), ("JournalError", 0), ("", 0)]
)
def test_sweeps_that_end_for_want_of_credentials_or_permissions_are_counted(kind: str, counts: int) -> None:
    """Once for each such sweep; a 401 after which a renewed token helped is nobody's trouble, and wakes nobody."""
    heard = Heard(call(401, "APIGW.0301"), call(), replace(SWEPT, outcome=Outcome.FAILED, problem="no", problem_kind=kind))
    heard.metrics.watch(FakeService((target(),)))
    assert heard.samples("nbsweep_authentication_failures_total") == {("research",): counts}


def test_throttled_calls_are_counted_by_lane() -> None:
    """As often as the gateway said so."""
    throttled = HttpThrottled("delete", "limit:5,time:1 second", None, 5.0)
    heard = Heard(throttled, throttled, replace(throttled, lane="list"))
    assert heard.samples("nbsweep_throttled_total") == {("delete", "research"): 2, ("list", "research"): 1}


def test_how_the_cloud_wants_to_be_asked_is_shown_once_for_each_aspect() -> None:
    """What is found anew takes the place of what was found before."""
    rows = DialectFound("offsets", "rows", "a page begins at any row")
    heard = Heard(rows, DialectFound("page-size", "20", "20 rows"), replace(rows, value="whole-pages"))
    assert heard.samples("nbsweep_cloud_dialect") == {
        ("offsets", "research", "whole-pages"): 1,
        ("page-size", "research", "20"): 1,
    }


def test_the_pace_of_the_lanes_is_shown_beside_what_was_configured() -> None:
    """A total that nobody configured, but the gateway has named, has a pace only."""
    lanes = (LaneState("delete", 5.0, 2.5, "150/m"), LaneState("total", None, 4.0, "4/s"))
    heard = Heard(service=FakeService((target(lanes=lanes),)))
    assert heard.samples("nbsweep_lane_calls_per_second") == {("delete", "research"): 2.5, ("total", "research"): 4.0}
    assert heard.samples("nbsweep_lane_configured_calls_per_second") == {("delete", "research"): 5.0}


def test_the_pace_that_is_shown_is_that_of_the_moment() -> None:
    """In the middle of a long sweep too; somebody watches it climb back."""
    service = FakeService((target(lanes=(LaneState("delete", 5.0, 2.5, "150/m"),)),))
    heard = Heard(service=service)
    assert heard.samples("nbsweep_lane_calls_per_second") == {("delete", "research"): 2.5}
    service.states = (target(lanes=(LaneState("delete", 5.0, 3.5, None),)),)
    assert heard.samples("nbsweep_lane_calls_per_second") == {("delete", "research"): 3.5}


# ---- the service ----------------------------------------------------------------------------------------------------------


def test_how_the_targets_stand_is_asked_anew_each_time() -> None:
    """It is the service's to know."""
    service = FakeService(
        (
            target(failures=3, phase=Phase.BACKING_OFF),
            target("training", pause=Pause("research", NOON)),
            target("prod", phase=Phase.HELD_ELSEWHERE, accounts_ahead=0),
        )
    )
    heard = Heard(service=service)
    assert heard.samples("nbsweep_target_failures") == {("research",): 3, ("training",): 0, ("prod",): 0}
    assert heard.samples("nbsweep_target_paused") == {("research",): 0, ("training",): 1, ("prod",): 0}
    assert heard.samples("nbsweep_target_held_elsewhere") == {("research",): 0, ("training",): 0, ("prod",): 1}
    assert heard.samples("nbsweep_target_waiting_for_turn") == {("research",): 0, ("training",): 0, ("prod",): 1}
    service.states = (target(), target("training"), target("prod"))
    for name in ("failures", "paused", "held_elsewhere", "waiting_for_turn"):
        assert set(heard.samples(f"nbsweep_target_{name}").values()) == {0}


def test_a_refused_reload_shows_until_one_is_accepted() -> None:
    """An alert on it finds the service whose file was changed in vain."""
    heard = Heard()
    assert heard.samples("nbsweep_reload_refused") == {(): 0}
    assert Heard(ServiceReloadRefused("line 3: unknown key")).samples("nbsweep_reload_refused") == {(): 1}
    both = Heard(ServiceReloadRefused("line 3: unknown key"), ServiceReloaded(()))
    assert both.samples("nbsweep_reload_refused") == {(): 0}


def test_the_last_success_is_that_of_the_journal_until_a_later_one_is_heard_of() -> None:
    """A restart does not set it to 0, which would set off an alert each time."""
    heard = Heard(service=FakeService((target(last_success=datetime(2026, 2, 28, 3, tzinfo=UTC)), target("training"))))
    assert heard.samples("nbsweep_last_success_timestamp_seconds") == {("research",): 1772247600, ("training",): 0}


def test_a_target_that_is_configured_no_more_is_shown_no_more() -> None:
    """Or an alert about it would never end. What was counted stays: a counter that vanishes looks like a restart."""
    service = FakeService((target(), target("training", failures=3)))
    heard = Heard(service=service)
    heard.hear(SWEPT, SurveyFinished(40, 2, complete=True, duration_s=1.0), target="training")
    assert heard.samples("nbsweep_target_failures") == {("research",): 0, ("training",): 3}
    service.states = (target(),)
    for name in (
        "target_failures",
        "target_paused",
        "target_held_elsewhere",
        "target_waiting_for_turn",
        "last_success_timestamp_seconds",
        "removals_in_flight",
    ):
        assert heard.samples(f"nbsweep_{name}") == {("research",): 0}
    assert heard.samples("nbsweep_fleet_notebooks") == heard.samples("nbsweep_candidates") == {}
    assert heard.samples("nbsweep_sweeps_total")["finished", "training"] == 1


def test_readiness_is_shown() -> None:
    """As /readyz tells it; without a service there is none."""
    service = FakeService((target(),))
    heard = Heard(service=service)
    assert heard.samples("nbsweep_ready") == {(): 1}
    service.problems = ("the journal cannot be written",)
    assert heard.samples("nbsweep_ready") == {(): 0}
    assert Heard().samples("nbsweep_ready") == {(): 0}
