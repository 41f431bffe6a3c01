"""The typed groups: values, conditions, schedules, targets, and the JSON Schema."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from builders import NOON, ago, moment
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Running
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, LeaseEnabled, LongerThan, Not, TagIs, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.model import Image, Lease, LeaseType, Named, Notebook, Status, Volume
from nbsweep.core.pacing import Rate
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.policy import judge
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.schedule.timetable import Timetable
from nbsweep.core.schedule.wall_times import WallTimes
from nbsweep.settings import (
    BrakeSettings,
    CredentialSettings,
    LimitSettings,
    LoggingSettings,
    MatchSettings,
    PlanSettings,
    PollingSettings,
    RemovalSettings,
    ScheduleSettings,
    ServiceSettings,
    Settings,
    TargetSettings,
    problems,
    settings_schema,
)
from nbsweep.settings.fields.crontab import read_crontab
from nbsweep.settings.fields.units import (
    format_duration,
    format_share,
    parse_duration,
    parse_duration_or_zero,
    parse_rate,
    parse_share,
)
from nbsweep.settings.regions import REGIONS

PROJECT = "0123456789abcdef0123456789abcdef"
TARGET: Mapping[str, Any] = {"name": "research", "region": "cn-north-4", "project_id": PROJECT}
POLICY: Mapping[str, Any] = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}}


def settings(**groups: Any) -> Settings:
    """Make settings of a valid minimum and what is given."""
    return Settings.model_validate({"targets": [TARGET], "policies": [POLICY], **groups})


def target(**keys: Any) -> TargetSettings:
    """Make a target of a valid minimum and what is given."""
    return TargetSettings.model_validate({**TARGET, **keys})


def match(**keys: Any) -> AllOf:
    """Make a condition; `__` in a name stands for the dot."""
    return MatchSettings.model_validate({key.replace("__", "."): value for key, value in keys.items()}).to_core()


def mistakes(**groups: Any) -> dict[str, str]:
    """Return the sentences about settings that are wrong, by place."""
    with pytest.raises(ValidationError) as caught:
        settings(**groups)
    return {".".join(map(str, problem.location)): problem.message for problem in problems(caught.value)}


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("250ms", timedelta(milliseconds=250)),
            ("90s", timedelta(seconds=90)),
            ("30m", timedelta(seconds=1_800)),
            ("36h", timedelta(days=1, hours=12)),
            ("14d", timedelta(days=14)),
            ("36500d", timedelta(days=36_500)),
        ],
    )
    def test_each_unit_is_read(self, text: str, length: timedelta) -> None:
        """A whole number and a unit."""
        assert parse_duration(text) == length

    @pytest.mark.parametrize(
        "bad", ["", "s", "1.5h", "-1s", "1d12h", "1 d", "1D", "1w", "01s", "90s\n", "٣s", None, True, [], {}]
    )
    def test_anything_else_is_a_mistake_that_shows_how(self, bad: object) -> None:
        """The sentence names the units and gives examples."""
        with pytest.raises(ValueError, match=r"whole number and its unit \(ms, s, m, h, d\)"):
            parse_duration(bad)

    @pytest.mark.parametrize("bare", [90, 1.5, "90", "1.5", 0])
    def test_a_bare_number_is_told_which_units_exist(self, bare: object) -> None:
        """Nobody has to guess whether 90 means seconds."""
        with pytest.raises(ValueError, match="has no unit; write ms, s, m, h or d"):
            parse_duration(bare)

    @pytest.mark.parametrize("zero", ["0s", "0d", timedelta(0)])
    def test_nothing_is_a_duration_only_where_that_makes_sense(self, zero: object) -> None:
        """An `age_over` of nothing would match everything; a `jitter` of nothing is the default."""
        assert parse_duration_or_zero(zero) == timedelta(0)
        with pytest.raises(ValueError, match="longer than nothing"):
            parse_duration(zero)

    @pytest.mark.parametrize("bad", ["36501d", "999999999d", timedelta(seconds=-1)])
    def test_no_duration_is_negative_or_beyond_a_century(self, bad: object) -> None:
        """A date that is moved by a longer one would overflow."""
        with pytest.raises(ValueError, match="between 0s and 36500d"):
            parse_duration(bad)

    @pytest.mark.parametrize("text", ["0s", "250ms", "90s", "30m", "36h", "14d", "1500ms"])
    def test_it_is_written_as_it_was_read(self, text: str) -> None:
        """In the largest unit that leaves nothing over."""
        assert format_duration(parse_duration_or_zero(text)) == text


class TestRates:
    @pytest.mark.parametrize(
        ("text", "rate"), [("10/s", Rate(10, 1.0)), ("600/m", Rate(600, 60.0)), ("100/h", Rate(100, 3600.0))]
    )
    def test_each_unit_is_read(self, text: str, rate: Rate) -> None:
        """Calls in a period, and written back the same."""
        assert parse_rate(text) == rate
        assert str(rate) == text

    @pytest.mark.parametrize("bad", ["0/s", "10/d", "10 /s", "/s", "1.5/s", "10/s\n", "10/ss", None, False, ["10/s"]])
    def test_anything_else_is_a_mistake(self, bad: object) -> None:
        """A rate of nothing would never end."""
        with pytest.raises(ValueError, match=r"\(/s, /m, /h\)"):
            parse_rate(bad)

    @pytest.mark.parametrize("bare", [10, "10", 0.5])
    def test_a_bare_number_is_told_which_units_exist(self, bare: object) -> None:
        """Ten a second and ten an hour are far apart."""
        with pytest.raises(ValueError, match="has no unit; write /s, /m or /h"):
            parse_rate(bare)


class TestShares:
    @pytest.mark.parametrize(
        ("text", "share"),
        [
            ("25%", Fraction(1, 4)),
            ("12.5%", Fraction(1, 8)),
            ("0%", Fraction(0)),
            ("100%", Fraction(1)),
            ("0.1%", Fraction(1, 1_000)),
        ],
    )
    def test_a_share_is_exact(self, text: str, share: Fraction) -> None:
        """No rounding decides whether one more notebook may go."""
        assert parse_share(text) == share
        assert format_share(share) == text

    @pytest.mark.parametrize("bad", ["101%", "100.5%", "-1%", "%", ".5%", "5 %", "1/4", Fraction(5, 4), None, True])
    def test_anything_else_is_a_mistake(self, bad: object) -> None:
        """A share is a part of the whole."""
        with pytest.raises(ValueError, match="from 0% to 100%"):
            parse_share(bad)

    @pytest.mark.parametrize("bare", [25, 0.25, "25"])
    def test_a_bare_number_is_told_to_write_percent(self, bare: object) -> None:
        """0.25 could be a quarter, or a quarter of a percent."""
        with pytest.raises(ValueError, match="write % right behind"):
            parse_share(bare)


class TestDefaults:
    def test_what_is_left_out_is_safe(self) -> None:
        """Every default is the documented one."""
        made = settings()
        assert made.mode == "dry-run"
        assert made.schedule is None
        assert made.protect == ()
        assert made.brakes == BrakeSettings(
            max_deletions=100, max_share=Fraction(1, 4), max_per_owner=None, on_excess=OnExcess.REFUSE
        )
        assert made.removal == RemovalSettings(
            deadline=timedelta(minutes=30), retries=1, fresh_for=timedelta(seconds=10), grace=timedelta(seconds=30)
        )
        assert made.plan == PlanSettings(valid_for=timedelta(hours=24))
        assert made.polling == PollingSettings(interval=timedelta(seconds=5), max_interval=timedelta(seconds=30))
        assert made.logging == LoggingSettings(format="auto", level="info")
        assert made.service == ServiceSettings(drain=timedelta(seconds=60))

    def test_a_target_looks_at_all_billed_notebooks_with_the_standard_keys(self) -> None:
        """And at a speed that leaves something of the quota over."""
        made = settings().targets[0]
        assert (made.credentials, made.workspaces, made.features, made.scope) == (None, "all", ("NOTEBOOK",), "all")
        assert made.schedule is None
        assert made.limits == LimitSettings(
            delete=Rate(5, 1.0),
            list=Rate(5, 1.0),
            show=Rate(10, 1.0),
            total=None,
            concurrency=32,
            request_timeout=timedelta(seconds=30),
        )

    def test_the_journal_is_in_the_state_directory_of_whoever_runs_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is worked out when settings are made, not when the program is read."""
        monkeypatch.setattr("nbsweep.settings.file.user_state_dir", lambda name, **_: f"/home/somebody/state/{name}")
        assert settings().journal == "sqlite:////home/somebody/state/nbsweep/journal.db"

    def test_settings_cannot_be_changed(self) -> None:
        """What was checked stays what it was."""
        made: Any = settings()
        with pytest.raises(ValidationError, match="frozen"):
            made.mode = "enforce"

    def test_the_brakes_reach_the_core(self) -> None:
        """Each to its own field."""
        brakes = settings(brakes={"max_deletions": None, "max_share": "12.5%", "max_per_owner": 3, "on_excess": "trim"}).brakes
        assert brakes.to_core() == Brakes(None, Fraction(1, 8), 3, OnExcess.TRIM)
        assert BrakeSettings().to_core() == Brakes()


class TestMatch:
    @pytest.mark.parametrize(
        ("keys", "part"),
        [
            ({"status": "STOPPED"}, TextIs("status", (Glob("STOPPED"),))),
            ({"status": ["ERROR", "FROZEN"]}, TextIs("status", (Glob("ERROR"), Glob("FROZEN")))),
            ({"feature": "DEFAULT"}, TextIs("feature", (Glob("DEFAULT"),))),
            ({"name": "keep-*"}, TextIs("name", (Glob("keep-*", ignore_case=True),))),
            ({"owner": ["a", "b?"]}, TextIs("owner", (Glob("a", ignore_case=True), Glob("b?", ignore_case=True)))),
            ({"workspace": "0"}, TextIs("workspace", (Glob("0"),))),
            ({"flavor": "*ascend*"}, TextIs("flavor", (Glob("*ascend*", ignore_case=True),))),
            ({"pool": "p"}, TextIs("pool", (Glob("p", ignore_case=True),))),
            ({"image": "[ab]*"}, TextIs("image", (Glob("[ab]*", ignore_case=True),))),
            ({"fail_reason": "*quota*"}, TextIs("fail_reason", (Glob("*quota*"),))),
            ({"billing": "STORAGE"}, TextIs("billing", (Glob("STORAGE"),))),
            ({"volume__category": "EVS"}, TextIs("volume.category", (Glob("EVS"),))),
            ({"volume__ownership": "MANAGED"}, TextIs("volume.ownership", (Glob("MANAGED"),))),
            ({"volume__capacity_over": 100}, CapacityOver(100)),
            ({"age_over": "1d"}, LongerThan("age_over", timedelta(days=1))),
            ({"idle_over": "36h"}, LongerThan("idle_over", timedelta(hours=36))),
            ({"lease_expired_over": "1h"}, LongerThan("lease_expired_over", timedelta(hours=1))),
            ({"lease__enabled": False}, LeaseEnabled(enabled=False)),
            ({"lease__type": "IDLE"}, TextIs("lease.type", (Glob("IDLE"),))),
            ({"tags": {"env": "dev"}}, TagIs("env", (Glob("dev"),))),
            ({"any": [{"name": "a"}, {"age_over": "1d"}]}, AnyOf((match(name="a"), match(age_over="1d")))),
            ({"all": [{"name": "a*"}, {"name": "*z"}]}, AllOf((match(name="a*"), match(name="*z")))),
            ({"not": {"name": "a"}}, Not(match(name="a"))),
        ],
        ids=str,
    )
    def test_every_key_becomes_its_condition(self, keys: dict[str, Any], part: Any) -> None:
        """The whole vocabulary; names are matched in upper or lower case."""
        assert match(**keys) == AllOf((part,))

    def test_all_keys_of_a_match_and_all_tags_must_hold(self) -> None:
        """They stand side by side in one `all`."""
        made = match(age_over="1d", tags={"env": ["dev", "test"], "team": "*"})
        assert made == AllOf(
            (TagIs("env", (Glob("dev"), Glob("test"))), TagIs("team", (Glob("*"),)), LongerThan("age_over", timedelta(days=1)))
        )

    @pytest.mark.parametrize("key", sorted(field.alias or name for name, field in MatchSettings.model_fields.items()))
    def test_no_key_of_a_match_may_be_null(self, key: str) -> None:
        """Dropping a condition in silence would let more go than was meant."""
        assert any(
            place.startswith(f"policies.0.match.{key}")
            for place in mistakes(policies=[{"name": "p", "match": {"status": "ERROR", key: None}}])
        )

    @pytest.mark.parametrize("key", sorted(field.alias or name for name, field in MatchSettings.model_fields.items()))
    def test_no_key_of_a_match_may_be_empty(self, key: str) -> None:
        """An empty list has no right alternative, and an empty mapping says nothing."""
        empty: object = {} if key in {"tags", "not"} else []
        assert f"policies.0.match.{key}" in mistakes(policies=[{"name": "p", "match": {"status": "ERROR", key: empty}}])

    @pytest.mark.parametrize("where", [{"policies": [{"name": "p", "match": {}}]}, {"protect": [{}]}])
    def test_an_empty_match_is_a_mistake(self, where: dict[str, Any]) -> None:
        """It would match everything."""
        [sentence] = mistakes(**where).values()
        assert sentence.startswith("is empty and would match everything")

    @pytest.mark.parametrize("state", ["INIT", "CREATING", "STARTING", "STOPPING", "DELETING", "SNAPSHOTTING", "DELETED"])
    def test_a_policy_must_not_name_a_state_that_is_never_deleted(self, state: str) -> None:
        """At whatever depth; the sentence lists the states that a policy may name."""
        found = mistakes(
            policies=[
                {"name": "p", "match": {"status": ["STOPPED", state]}},
                {"name": "q", "match": {"any": [{"all": [{"status": state}]}]}},
            ]
        )
        assert set(found) == {"policies.0.match.status.1", "policies.1.match.any.0.all.0.status.0"}
        assert all(
            "RUNNING, STOPPED, CREATE_FAILED, START_FAILED, DELETE_FAILED, ERROR, FROZEN" in text for text in found.values()
        )

    def test_a_protection_may_name_any_state(self) -> None:
        """And so may a `not` in a policy, which lets nothing more go."""
        made = settings(
            protect=[{"status": ["CREATING", "DELETED"]}], policies=[{"name": "p", "match": {"not": {"status": "INIT"}}}]
        )
        assert made.rules.protections[0].match == AllOf(
            (TextIs("status", (Glob("CREATING"), Glob("DELETED")), alike=Truth.PASS),)
        )

    def test_what_looks_alike_counts_in_a_protection_outside_of_any_not(self) -> None:
        """There it keeps the notebook; in a policy, and inside a `not`, it stays in doubt, which keeps it as well."""
        match = {"tags": {"a": "b"}, "any": [{"name": "c"}], "not": {"name": "d"}}
        made = settings(protect=[match], policies=[{"name": "p", "match": match}])
        for condition, alike in (
            (made.rules.protections[0].match, Truth.PASS),
            (made.rules.policies[0].match, Truth.UNKNOWN),
        ):
            c, d = (Glob(name, ignore_case=True) for name in "cd")
            assert condition == AllOf(
                (
                    TagIs("a", (Glob("b"),), alike=alike),
                    AnyOf((AllOf((TextIs("name", (c,), alike=alike),)),)),
                    Not(AllOf((TextIs("name", (d,), alike=Truth.UNKNOWN),))),
                )
            )

    @pytest.mark.parametrize("key", ["name", "owner", "workspace", "flavor", "pool", "image", "tags"])
    @pytest.mark.parametrize(
        "several", ["a, b", "a,b", "keep-{a,b}", '["a", "b"]', "a;b", "a|b", "a\nb", "a\uff0cb", "a\u3001b", "keep-{1..3}"]
    )
    def test_several_names_in_one_text_are_a_mistake(self, key: str, several: str) -> None:
        """As one glob they would match nothing, and a protection that matches nothing protects nothing."""
        match = {"tags": {"keep": several}} if key == "tags" else {key: several}
        with pytest.raises(ValidationError, match="write a list"):
            settings(protect=[match])
        with pytest.raises(ValidationError, match="write a list"):
            settings(protect=[{key: ["x", several]} if key != "tags" else {"tags": {"keep": ["x", several]}}])

    def test_a_sentence_of_the_cloud_may_hold_a_comma(self) -> None:
        """It is no name."""
        assert settings(protect=[{"fail_reason": "*quota, exceeded*"}]).protect[0].fail_reason == ("*quota, exceeded*",)

    @pytest.mark.parametrize(
        ("keys", "place", "words"),
        [
            ({"idle_for": "3d"}, "idle_for", "Did you mean idle_over?"),
            ({"volume": {"category": "EVS"}}, "volume", "volume.category or volume.ownership or volume.capacity_over"),
            ({"lease": {"enabled": True}}, "lease", "lease.enabled or lease.type"),
            ({"colour": "red"}, "colour", "There are: status, feature, name, owner, workspace"),
            ({"status": "STOPED"}, "status.0", "did you mean STOPPED?"),
            ({"status": "stopped"}, "status.0", "did you mean STOPPED?"),
            (
                {"status": "STOP*"},
                "status.0",
                "must be one of RUNNING, STOPPED, CREATE_FAILED, START_FAILED, DELETE_FAILED, ERROR, FROZEN;",
            ),
            ({"feature": "notebooks"}, "feature.0", "must be NOTEBOOK or DEFAULT; did you mean NOTEBOOK?"),
            ({"billing": "MONEY"}, "billing.0", "must be STORAGE or COMPUTE or ALL"),
            ({"name": ""}, "name.0", "must not be empty"),
            ({"name": "[ab"}, "name.0", "a '[' is not closed"),
            ({"name": 12}, "name.0", "must be text, not a number; put it in quotes"),
            ({"name": ["a", ["b"]]}, "name.1", "must be text, not a list"),
            ({"owner": {"a": "b"}}, "owner.0", "must be text, not a mapping"),
            ({"tags": {"keep": True}}, "tags.keep.0", "must be text, not true or false; put it in quotes"),
            ({"tags": "keep"}, "tags", "must be a mapping, not text"),
            ({"volume.capacity_over": "100"}, "volume.capacity_over", "must be a whole number, not text"),
            ({"volume.capacity_over": 1.5}, "volume.capacity_over", "must be a whole number"),
            ({"volume.capacity_over": True}, "volume.capacity_over", "must be a whole number, not true or false"),
            ({"volume.capacity_over": 0}, "volume.capacity_over", "must be at least 1"),
            ({"lease.enabled": "yes"}, "lease.enabled", "must be true or false, not text"),
            ({"age_over": 14}, "age_over", "has no unit"),
            ({"age_over": "0d"}, "age_over", "longer than nothing"),
            ({"any": {"name": "a"}}, "any", "must be a list, not a mapping"),
            ({"any": ["a"]}, "any.0", "must be a mapping, not text"),
            ({"not": [{"name": "a"}]}, "not", "must be a mapping, not a list"),
        ],
    )
    def test_a_bad_condition_is_named_with_what_is_right(self, keys: dict[str, Any], place: str, words: str) -> None:
        """One sentence, at the very place."""
        found = mistakes(policies=[{"name": "p", "match": keys}])
        assert set(found) == {f"policies.0.match.{place}"}
        assert words in found[f"policies.0.match.{place}"]

    def test_a_match_sees_a_whole_notebook(self) -> None:
        """One notebook that fits every key at once, and none when one fact is another."""
        keys: dict[str, Any] = {
            "status": "STOPPED",
            "feature": "NOTEBOOK",
            "name": "EXP-*",
            "owner": "Ann",
            "workspace": "0",
            "flavor": "*P1*",
            "pool": "pool-?",
            "image": "*/torch:*",
            "tags": {"env": "dev"},
            "fail_reason": "*",
            "billing": "STORAGE",
            "volume.category": "EVS",
            "volume.ownership": "MANAGED",
            "volume.capacity_over": 99,
            "age_over": "30d",
            "idle_over": "10d",
            "lease_expired_over": "9d",
            "lease.enabled": True,
            "lease.type": "TIMING",
            "not": {"name": "*-keep"},
        }
        rules = settings(policies=[{"name": "p", "match": keys}]).rules
        notebook = Notebook(
            id="n",
            status=Status.STOPPED,
            name="exp-1",
            fail_reason="x",
            feature="NOTEBOOK",
            flavor="modelarts.p1.large",
            workspace_id="0",
            owner=Named("u1", "ann"),
            pool=Named("pool-7", "shared"),
            image=Image(swr_path="swr.x/torch:2"),
            lease=Lease(enabled=True, created_at=ago(days=20), duration=timedelta(days=9)),
            volume=Volume(category="EVS", ownership="MANAGED", capacity_gb=100),
            billing=("STORAGE",),
            tags={"env": "dev"},
            created_at=ago(days=40),
            updated_at=ago(days=20),
        )
        assert judge(notebook, rules, moment()).decision is Decision.DELETE
        assert judge(notebook, rules, Moment(ago(days=3))).decision is Decision.KEEP
        assert notebook.lease is not None
        assert notebook.lease.type is LeaseType.TIMING


class TestRules:
    def test_policies_keep_their_order_and_what_they_do_with_running(self) -> None:
        """The first that matches wins, so the order is a part of the meaning."""
        rules = settings(
            policies=[{"name": "b", "match": {"name": "x"}, "running": "stop"}, {"name": "a", "match": {"name": "x"}}]
        ).rules
        assert [(policy.name, policy.running) for policy in rules.policies] == [("b", Running.STOP), ("a", Running.SKIP)]

    @pytest.mark.parametrize(
        ("entry", "name"),
        [
            ({"name": ["keep-*", "prod-*"]}, "name keep-*, prod-*"),
            ({"tags": {"keep": "*"}}, "tags.keep *"),
            ({"owner": "ann", "age_over": "36h"}, "owner ann and age_over 36h"),
            ({"volume.capacity_over": 100, "lease.enabled": True}, "volume.capacity_over 100 and lease.enabled true"),
            ({"any": [{"name": "a"}, {"name": "b", "pool": "c"}]}, "any (name a | name b and pool c)"),
            ({"not": {"status": "STOPPED"}}, "not (status STOPPED)"),
            ({"all": [{"name": "a*"}, {"name": "*z"}]}, "name a* and name *z"),
        ],
    )
    def test_a_protection_is_named_after_what_it_says(self, entry: dict[str, Any], name: str) -> None:
        """The record must say which one kept a notebook."""
        assert [rule.name for rule in settings(protect=[entry]).rules.protections] == [name]

    def test_a_protection_keeps_what_a_policy_would_let_go(self) -> None:
        """Whatever the order in the file."""
        rules = settings(policies=[{"name": "p", "match": {"name": "*"}}], protect=[{"name": "keep-*"}]).rules
        assert judge(Notebook("1", Status.STOPPED, name="Keep-me"), rules, moment()).reason is Reason.PROTECTED
        assert judge(Notebook("2", Status.STOPPED, name="x"), rules, moment()).decision is Decision.DELETE

    def test_a_policy_that_names_frozen_reaches_the_frozen(self) -> None:
        """The core finds the name of the state again, also inside `any`."""
        rules = settings(policies=[{"name": "p", "match": {"any": [{"status": ["ERROR", "FROZEN"]}]}}]).rules
        assert judge(Notebook("1", Status.FROZEN), rules, moment()).decision is Decision.DELETE

    @pytest.mark.parametrize(("key", "entry"), [("targets", TARGET), ("policies", POLICY)])
    def test_at_least_one_and_no_two_of_one_name(self, key: str, entry: dict[str, Any]) -> None:
        """The record names them."""
        assert mistakes(**{key: []}) == {key: "must not be empty"}
        assert mistakes(**{key: [entry, {**entry, "name": "other"}, entry]}) == {
            f"{key}.2.name": "must differ from all other names; number 1 of this list is called the same"
        }

    def test_repeated_names_are_reported_beside_other_mistakes(self) -> None:
        """Nobody mends one thing only to be told of the next."""
        found = mistakes(targets=[TARGET, {**TARGET, "scope": "mine"}])
        assert set(found) == {"targets.1.scope", "targets.1.name"}

    @pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "x" * 101])
    def test_the_name_of_a_policy_is_one_line(self, name: str) -> None:
        """It stands in tables and log lines."""
        assert "one line" in mistakes(policies=[{**POLICY, "name": name}])["policies.0.name"]

    def test_the_name_of_a_policy_may_be_in_any_language(self) -> None:
        """It is for people."""
        assert settings(policies=[{**POLICY, "name": "闲置 14 天"}]).policies[0].name == "闲置 14 天"


class TestTargets:
    @pytest.mark.parametrize(
        ("region", "url"),
        [
            ("cn-north-4", "https://modelarts.cn-north-4.myhuaweicloud.com"),
            ("me-east-1", "https://modelarts.me-east-1.myhuaweicloud.com"),
            ("ap-southeast-1", "https://modelarts.ap-southeast-1.myhuaweicloud.cn"),
        ],
    )
    def test_the_endpoint_follows_from_the_region(self, region: str, url: str) -> None:
        """Hong Kong has an address of another form: ModelArts API, section 5.5."""
        assert target(region=region).base_url == url

    def test_the_regions_are_those_of_the_notes(self) -> None:
        """Twenty-two of them."""
        assert len(set(REGIONS)) == 22

    @pytest.mark.parametrize(
        ("given_url", "url"),
        [
            ("https://modelarts.eu-de.otc.t-systems.com", "https://modelarts.eu-de.otc.t-systems.com"),
            ("https://example.com/", "https://example.com"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://localhost:1", "http://localhost:1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ],
    )
    def test_an_endpoint_that_is_given_wins(self, given_url: str, url: str) -> None:
        """Without the slash at its end, and in any region."""
        assert target(endpoint=given_url).base_url == url
        assert target(endpoint=given_url, region="eu-west-0").base_url == url
        assert target(endpoint=given_url, region=None).base_url == url

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("example.com", "without a path"),
            ("ftp://example.com", "without a path"),
            ("https://example.com/v1", "without a path"),
            ("https://example.com?a=b", "without a path"),
            ("https://user:pw@example.com", "without a path"),
            ("https://exa mple.com", "without a path"),
            ("https://example.com\n", "without a path"),
            ("https://", "without a path"),
            ("https://example.com:0", "port"),
            ("https://example.com:99999", "port"),
            ("http://modelarts.cn-north-4.myhuaweicloud.com", "in clear"),
            ("http://127.0.0.1.example.com", "in clear"),
            ("http://localhost.example.com", "in clear"),
            ("http://10.0.0.1", "in clear"),
            ("http://[::2]", "in clear"),
            ("https://[::g]", "without a path"),
            ("https://[1:2]", "must"),
            (7, "must be text"),
        ],
    )
    def test_a_bad_endpoint_is_a_mistake(self, url: object, words: str) -> None:
        """Keys never travel in clear, except to a server on the same machine."""
        found = mistakes(targets=[{**TARGET, "region": None, "endpoint": url}])
        assert set(found) == {"targets.0.endpoint"}
        assert words in found["targets.0.endpoint"]

    def test_a_region_without_a_known_endpoint_is_told_with_the_nearest_and_all_in_order(self) -> None:
        """A slip of the finger is seen at once, and the list can be searched."""
        [sentence] = mistakes(targets=[{**TARGET, "region": "ap-southest-3"}]).values()
        assert "did you mean ap-southeast-3? Otherwise give the endpoint" in sentence
        assert "cn-north-1, cn-north-2, cn-north-4, cn-north-9, cn-north-11, cn-north-12, cn-south-1" in sentence
        assert all(region in sentence for region in REGIONS)
        [sentence] = mistakes(targets=[{**TARGET, "region": "my-cloud"}]).values()
        assert "did you mean" not in sentence

    def test_neither_region_nor_endpoint_is_a_mistake(self) -> None:
        """There must be somewhere to call."""
        assert mistakes(targets=[{"name": "a", "project_id": PROJECT}]) == {
            "targets.0.region": "must be given, or else the endpoint"
        }

    def test_a_project_is_found_by_its_region_when_it_is_not_given(self) -> None:
        """IAM is asked, whose address follows from the region too, and from nothing else but itself."""
        made = target(project_id=None)
        assert (made.project_id, made.iam_url) == (None, "https://iam.cn-north-4.myhuaweicloud.com")
        keys = {"access_key": "a", "secret_key": "s", "iam_endpoint": "https://iam.example.com"}
        away = target(project_id=None, region="eu-west-101", endpoint="https://modelarts.example.com", credentials=keys)
        assert (away.project_id, away.iam_url) == (None, "https://iam.example.com")

    def test_a_project_without_a_region_is_told_where_to_find_it(self) -> None:
        """There is nothing to look it up by; the console has a page for it."""
        found = mistakes(targets=[{"name": "a", "endpoint": "https://modelarts.example.com"}])
        assert set(found) == {"targets.0.project_id"}
        assert found["targets.0.project_id"].startswith("must be given, or else the region")
        assert "My Credentials" in found["targets.0.project_id"]

    @pytest.mark.parametrize("credentials", [None, {"access_key": "a", "secret_key": "s"}, {"agency": "metadata"}])
    def test_a_region_that_says_nothing_of_iam_does_not_do(self, credentials: dict[str, str] | None) -> None:
        """Keys go nowhere by guess: IAM's address is wanted, or the project's id."""
        away = {"name": "a", "region": "eu-west-101", "endpoint": "https://modelarts.example.com", "credentials": credentials}
        found = mistakes(targets=[away])
        assert set(found) == {"targets.0.credentials"}
        assert "iam_endpoint" in found["targets.0.credentials"]
        assert "project_id must be given" in found["targets.0.credentials"]

    @pytest.mark.parametrize("wrong", [{"region": "cn-nort-4"}, {"region": "eu-west-101"}, {}])
    def test_what_follows_from_a_mistake_is_no_mistake_of_its_own(self, wrong: dict[str, str]) -> None:
        """One slip, one sentence: nothing on the project or on IAM beside it."""
        assert len(mistakes(targets=[{"name": "a", **wrong}])) == 1

    @pytest.mark.parametrize(
        ("keys", "place", "words"),
        [
            ({"project_id": "0123"}, "project_id", "32 hexadecimal digits"),
            ({"project_id": PROJECT.upper()}, "project_id", "32 hexadecimal digits"),
            ({"project_id": PROJECT + "\n"}, "project_id", "32 hexadecimal digits"),
            ({"name": "a b"}, "name", "letters, digits"),
            ({"name": ""}, "name", "letters, digits"),
            ({"region": "../x"}, "region", "region's id"),
            ({"workspaces": "some"}, "workspaces", "must be all, or a list of ids"),
            ({"workspaces": None}, "workspaces", "must be all, or a list of ids"),
            ({"workspaces": []}, "workspaces", "must not be empty"),
            ({"workspaces": [0]}, "workspaces.0", "must be text, not a number; put it in quotes"),
            ({"workspaces": ["0", "0"]}, "workspaces", "the same one twice"),
            ({"workspaces": ["a/b"]}, "workspaces.0", "must be an id"),
            ({"features": []}, "features", "must not be empty"),
            ({"features": ["CODELAB"]}, "features.0", "must be NOTEBOOK or DEFAULT"),
            ({"features": "NOTEBOOK"}, "features", "must be a list, not text"),
            ({"scope": "mine"}, "scope", "must be all or own"),
            ({"limits": {"delete": "5/d"}}, "limits.delete", "10/s, 600/m, 100/h"),
            ({"limits": {"delete": None}}, "limits.delete", "must be a rate"),
            ({"limits": {"concurrency": 0}}, "limits.concurrency", "at least 1"),
            ({"limits": {"concurrency": 513}}, "limits.concurrency", "at most 512"),
            ({"limits": None}, "limits", "must be a mapping, not null"),
            ({"limit": {}}, "limit", "Did you mean limits?"),
            ({"credentials": {"access_key": "a"}}, "credentials.secret_key", "must be given. The secret access key"),
        ],
    )
    def test_a_bad_target_is_named_with_what_is_right(self, keys: dict[str, Any], place: str, words: str) -> None:
        """One sentence, at the very place."""
        found = mistakes(targets=[{**TARGET, **keys}])
        assert set(found) == {f"targets.0.{place}"}
        assert words in found[f"targets.0.{place}"]

    def test_a_list_of_workspaces_and_both_features(self) -> None:
        """As the file has them."""
        made = target(workspaces=["0", "abc-1"], features=["DEFAULT", "NOTEBOOK"], schedule={"cron": "0 1 * * *"})
        assert made.workspaces == ("0", "abc-1")
        assert made.features == ("DEFAULT", "NOTEBOOK")
        assert made.schedule == ScheduleSettings(cron="0 1 * * *")

    def test_secrets_are_in_no_text_made_of_the_settings(self) -> None:
        """Neither in what they look like, nor in a dump; the access key belongs with them."""
        keys = {"access_key": "AK-VALUE", "secret_key": "SK-VALUE", "security_token": "ST-VALUE"}
        made = settings(targets=[{**TARGET, "credentials": keys}], journal="postgresql://me:PW-VALUE@db/nbsweep")
        text = f"{made!r} {made} {made.targets[0].credentials!r}"
        assert not any(value in text for value in [*keys.values(), "PW-VALUE"])
        assert "SK-VALUE" not in made.model_dump_json()
        credentials = made.targets[0].credentials
        assert isinstance(credentials, CredentialSettings)
        assert credentials.access_key == "AK-VALUE"
        assert credentials.secret_key is not None
        assert credentials.secret_key.get_secret_value() == "SK-VALUE"
        assert credentials.security_token is not None
        assert credentials.security_token.get_secret_value() == "ST-VALUE"

    @pytest.mark.parametrize("bad", ["", "S3CRET value", "S3CRET\n", "S3CRÉT", ["S3CRET"], {"S": "S3CRET"}, 10])
    def test_a_bad_key_is_never_quoted(self, bad: object) -> None:
        """A line end behind a key is the usual slip; what the key is stays out of it."""
        with pytest.raises(ValidationError) as caught:
            settings(targets=[{**TARGET, "credentials": {"access_key": bad, "secret_key": bad, "security_token": bad}}])
        found = list(problems(caught.value))
        assert {problem.location[-1] for problem in found} == {"access_key", "secret_key", "security_token"}
        assert "S3C" not in f"{caught.value} {found}"


class TestSchedule:
    @pytest.mark.parametrize(
        ("cron", "weekdays"),
        [
            ("0 3 * * 0", (0,)),
            ("0 3 * * 7", (0,)),
            ("0 3 * * 1", (1,)),
            ("0 3 * * SUN", (0,)),
            ("0 3 * * 1-5", (1, 2, 3, 4, 5)),
            ("0 3 * * 0-2", (0, 1, 2)),
            ("0 3 * * 5-7", (0, 5, 6)),
            ("0 3 * * fri-sun", (0, 5, 6)),
            ("0 3 * * mon-fri/2", (1, 3, 5)),
            ("0 3 * * */2", (0, 2, 4, 6)),
            ("0 3 * * 6,0", (0, 6)),
            ("0 3 * * *", (0, 1, 2, 3, 4, 5, 6)),
            ("0 3 * * 0-7", (0, 1, 2, 3, 4, 5, 6)),
        ],
    )
    def test_weekdays_are_counted_from_sunday(self, cron: str, weekdays: tuple[int, ...]) -> None:
        """As crontab does."""
        assert read_crontab(cron)["day_of_week"] == weekdays

    @pytest.mark.parametrize(
        ("cron", "fields"),
        [
            ("0 3 * * *", ((0,), (3,), tuple(range(1, 32)), tuple(range(1, 13)))),
            ("*/20 9-17/4 1,15 jan-mar *", ((0, 20, 40), (9, 13, 17), (1, 15), (1, 2, 3))),
            ("5,1-3 */12 */10 jul *", ((1, 2, 3, 5), (0, 12), (1, 11, 21, 31), (7,))),
            ("  7   23\t31 12 * ", ((7,), (23,), (31,), (12,))),
        ],
    )
    def test_the_other_fields_become_plain_numbers(self, cron: str, fields: tuple[tuple[int, ...], ...]) -> None:
        """Nothing is left for anybody to interpret."""
        made = read_crontab(cron)
        assert (made["minute"], made["hour"], made["day"], made["month"]) == fields

    def test_sunday_at_three_is_a_sunday_at_three(self) -> None:
        """1 November 2026 is a Sunday."""
        schedule = ScheduleSettings(cron="0 3 * * 0", timezone="Asia/Shanghai")
        saturday = datetime(2026, 10, 31, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
        assert schedule.timetable.after(saturday) == datetime(2026, 11, 1, 3, tzinfo=ZoneInfo("Asia/Shanghai"))

    @pytest.mark.parametrize(
        ("cron", "words"),
        [
            ("0 3 * *", "five fields"),
            ("0 0 3 * * * *", "five fields"),
            ("", "five fields"),
            ("@daily", "five fields"),
            ("60 3 * * *", "minute outside of 0 to 59"),
            ("0 24 * * *", "hour outside of 0 to 23"),
            ("0 3 0 * *", "day of month outside of 1 to 31"),
            ("0 3 * 13 *", "month outside of 1 to 12 (jan, feb"),
            ("0 3 * * 8", "weekday outside of 0 to 7 (sun, mon"),
            ("0 3 * * foo", "weekday outside"),
            ("0 3 * * monday", "weekday that cannot be read"),
            ("0 3 last * *", "day of month that cannot be read"),
            ("0 3 * * 5-2", "runs backwards"),
            ("30-10 3 * * *", "runs backwards"),
            ("5/10 3 * * *", "step without a range"),
            ("*/0 3 * * *", "step of 0"),
            ("*-5 3 * * *", "minute that cannot be read"),
            ("1,,2 3 * * *", "minute that cannot be read"),
            ("-1 3 * * *", "minute that cannot be read"),
            ("mon 3 * * *", "minute outside"),
            ("٣ 3 * * *", "minute that cannot be read"),
            ("0 3 1 * 1", "a day of month and a weekday"),
            ("0 3 30 2 *", "never comes about"),
            ("0 3 31 4,6,9,11 *", "never comes about"),
        ],
    )
    def test_a_bad_cron_is_a_mistake(self, cron: str, words: str) -> None:
        """It says which of the five it is."""
        assert words in mistakes(schedule={"cron": cron})["schedule.cron"]

    def test_leap_days_come_about(self) -> None:
        """If seldom."""
        assert read_crontab("0 3 29 2 *")["day"] == (29,)

    @pytest.mark.parametrize("name", ["Asia/Shangai", "", "..", "/etc/passwd", "Asia", "a\0b", "UTC\n", "中国"])
    def test_a_bad_time_zone_is_a_mistake(self, name: str) -> None:
        """Whatever the operating system thinks of such a name."""
        assert "time zone database" in mistakes(schedule={"cron": "0 3 * * *", "timezone": name})["schedule.timezone"]

    @hypothesis_settings(deadline=None)
    @given(st.lists(st.from_regex(r"(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[1-9])?", fullmatch=True), min_size=5, max_size=5))
    def test_what_is_accepted_comes_about(self, fields: list[str]) -> None:
        """Every line that passes has a next time within eight years."""
        try:
            made = read_crontab(" ".join(fields))
        except ValueError:
            return
        fires = Timetable(WallTimes.of(made), ZoneInfo("UTC")).after(NOON)
        assert fires is not None
        assert fires < NOON + timedelta(days=8 * 366)


class TestOtherGroups:
    @pytest.mark.parametrize(
        ("groups", "place", "words"),
        [
            ({"mode": "enforced"}, "mode", "must be dry-run or enforce; did you mean enforce?"),
            ({"mode": True}, "mode", "must be dry-run or enforce"),
            ({"modus": "enforce"}, "modus", "Did you mean mode?"),
            ({"journal": "mysql://x/y"}, "journal", "must be sqlite:///"),
            ({"journal": "sqlite://"}, "journal", "must be sqlite:///"),
            ({"journal": "sqlite:///:memory:"}, "journal", "must be on disk"),
            ({"journal": None}, "journal", "must be text, not null"),
            ({"protect": {"name": "a"}}, "protect", "must be a list, not a mapping"),
            ({"protect": None}, "protect", "must be a list, not null"),
            ({"schedule": {}}, "schedule.cron", "must be given. Five crontab fields"),
            ({"schedule": "0 3 * * *"}, "schedule", "must be a mapping, not text"),
            ({"schedule": {"cron": "0 3 * * *", "jitter": 5}}, "schedule.jitter", "has no unit"),
            ({"brakes": None}, "brakes", "must be a mapping, not null"),
            ({"brakes": {"max_deletions": -1}}, "brakes.max_deletions", "at least 0"),
            ({"brakes": {"max_deletions": "100"}}, "brakes.max_deletions", "must be a whole number, not text"),
            ({"brakes": {"max_share": 25}}, "brakes.max_share", "write % right behind"),
            ({"brakes": {"on_excess": "stop"}}, "brakes.on_excess", "must be refuse or trim"),
            ({"brakes": {"max_deletion": 5}}, "brakes.max_deletion", "Did you mean max_deletions?"),
            ({"removal": {"retries": 11}}, "removal.retries", "at most 10"),
            ({"removal": {"retries": -1}}, "removal.retries", "at least 0"),
            ({"removal": {"fresh_for": "0s"}}, "removal.fresh_for", "longer than nothing"),
            ({"plan": {"valid_for": "0s"}}, "plan.valid_for", "longer than nothing"),
            ({"polling": {"interval": "1h"}}, "polling.max_interval", "it is 30s, and interval 1h"),
            ({"polling": {"interval": "9s", "max_interval": "8s"}}, "polling.max_interval", "not be less than interval"),
            ({"logging": {"level": "warn"}}, "logging.level", "did you mean warning?"),
            ({"logging": {"format": "xml"}}, "logging.format", "must be auto or console or json"),
            ({"service": {"drain": "1y"}}, "service.drain", "must be a duration"),
        ],
    )
    def test_a_bad_value_is_named_with_what_is_right(self, groups: dict[str, Any], place: str, words: str) -> None:
        """One sentence, at the very place, and none of it in pydantic's words."""
        found = mistakes(**groups)
        assert set(found) == {place}
        assert words in found[place]
        assert "Input should" not in found[place]

    @pytest.mark.parametrize(
        "url", ["sqlite:///journal.db", "sqlite:////var/lib/j.db", "postgresql://me@db/n", "postgresql+psycopg://me@db/n"]
    )
    def test_a_journal_is_sqlite_or_postgresql(self, url: str) -> None:
        """As SQLAlchemy writes them."""
        assert settings(journal=url).journal == url

    def test_nothing_may_be_deleted_with_a_brake_of_zero(self) -> None:
        """Zero is a limit, and null is none."""
        brakes = settings(brakes={"max_deletions": 0, "max_share": "0%", "max_per_owner": 0}).brakes.to_core()
        assert (brakes.max_deletions, brakes.max_share, brakes.max_per_owner) == (0, Fraction(0), 0)

    def test_a_dump_reads_back(self) -> None:
        """Durations, rates and shares are written as they are read."""
        made = settings(brakes={"max_share": "12.5%"})
        assert Settings.model_validate(made.model_dump(mode="json", by_alias=True, exclude_unset=True)) == made
        assert made.model_dump(mode="json")["polling"] == {"interval": "5s", "max_interval": "30s"}


class TestSchema:
    def test_it_is_a_schema_with_an_identity(self) -> None:
        """Of the draft that editors read."""
        schema = settings_schema()
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert (schema["$id"], schema["title"]) == ("urn:nbsweep:configuration", "nbsweep")

    def test_every_key_is_described_and_no_other_is_let_in(self) -> None:
        """An editor shows what the docstrings say."""
        schema = settings_schema()
        groups = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
        assert len(groups) >= 20
        for group in groups:
            assert group["additionalProperties"] is False
            assert group["description"]
            assert all("description" in key or "$ref" in key for key in group["properties"].values())

    def test_it_says_nothing_of_this_machine(self) -> None:
        """The journal's default is somebody's directory."""
        assert "default" not in settings_schema()["properties"]["journal"]

    def test_defaults_are_written_as_in_the_file(self) -> None:
        """Not as seconds, fractions or objects."""
        groups = settings_schema()["$defs"]
        assert groups["LimitSettings"]["properties"]["delete"]["default"] == "5/s"
        assert groups["BrakeSettings"]["properties"]["max_share"]["default"] == "25%"
        assert groups["RemovalSettings"]["properties"]["deadline"]["default"] == "30m"
        assert groups["ScheduleSettings"]["properties"]["jitter"]["default"] == "0s"

    @pytest.mark.parametrize(
        "groups",
        [
            {"brakes": {"max_deletions": "many"}},
            {"brakes": {"max_share": "250%"}},
            {"removal": {"deadline": "30"}},
            {"removal": {"deadline": 30}},
            {"polling": {"interval": "0s"}},
            {"mode": "enforced"},
            {"targets": []},
            {"policies": []},
            {"protect": [{"names": "a"}]},
            {"protect": [{"name": []}]},
            {"protect": [{"name": None}]},
            {"protect": [{"any": []}]},
            {"protect": [{"lease.enabled": None}]},
            {"policies": [{"name": "p", "match": {"status": "CREATING"}}]},
            {"targets": [{**TARGET, "workspaces": "some"}]},
            {"targets": [{**TARGET, "project_id": "abc"}]},
        ],
        ids=str,
    )
    def test_an_editor_sees_these_mistakes(self, groups: dict[str, Any]) -> None:
        """The forms of values are in the schema, and null only where it means something."""
        document = {"targets": [TARGET], "policies": [POLICY], **groups}
        assert not Draft202012Validator(settings_schema()).is_valid(document)

    @pytest.mark.parametrize(
        "groups",
        [
            {},
            {"brakes": {"max_deletions": "${MAX}", "max_share": "${SHARE:-25%}", "max_per_owner": None}},
            {"mode": "${MODE:-dry-run}"},
            {"targets": [{**TARGET, "project_id": "${PROJECT}", "workspaces": ["0"], "schedule": None}]},
            {"protect": [{"status": "CREATING"}, {"name": ["a", "b"]}, {"tags": {"keep": "*", "a": ["b"]}}]},
            {"policies": [{"name": "p", "match": {"not": {"any": [{"lease.enabled": False}]}, "volume.capacity_over": 1}}]},
        ],
        ids=str,
    )
    def test_an_editor_is_content_with_these(self, groups: dict[str, Any]) -> None:
        """References to the environment may stand wherever a value does."""
        Draft202012Validator(settings_schema()).validate({"targets": [TARGET], "policies": [POLICY], **groups})
