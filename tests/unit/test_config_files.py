"""The files under config/: the annotated configuration, its JSON Schema, and the example policies."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from builders import ago, moment, notebook
from nbsweep.core.judging.verdict import Reason, Verdict
from nbsweep.core.model import Lease, Named, Notebook, Status, Volume
from nbsweep.core.policy import judge
from nbsweep.loading.file import load_settings
from nbsweep.settings import MatchSettings, Settings, settings_schema

CONFIG = Path(__file__).parents[2] / "config"
FILES = sorted(CONFIG.rglob("*.yaml"))
KEYS = {"AK": "an-access-key", "SK": "a-secret-key"}

STOPPED = notebook(pool=None, lease=Lease(enabled=False), tags={}, created_at=ago(days=400), updated_at=ago(days=1))
"""Old, and used a day ago."""


def load(name: str) -> Settings:
    """Load a file of the folder."""
    return load_settings(CONFIG / name, KEYS)


def verdict(name: str, row: Notebook) -> Verdict:
    """Judge a notebook by the rules of a file."""
    return judge(row, load(f"policies/{name}.yaml").rules, moment())


class TestAll:
    def test_there_are_the_annotated_file_and_the_examples(self) -> None:
        """So that the tests below are about something."""
        assert [str(path.relative_to(CONFIG)) for path in FILES] == [
            "nbsweep.yaml",
            "policies/big-disks.yaml",
            "policies/codelab.yaml",
            "policies/failed-only.yaml",
            "policies/idle-only.yaml",
            "policies/training-course.yaml",
        ]

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_it_loads_with_nothing_but_the_keys_in_the_environment(self, path: Path) -> None:
        """And deletes nothing before somebody says so."""
        made = load_settings(path, KEYS)
        assert made.mode == "dry-run"
        assert made.targets[0].credentials is not None
        assert made.targets[0].credentials.access_key == "an-access-key"

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_an_editor_is_content_with_it(self, path: Path) -> None:
        """Its first line names the schema, and it is valid by that."""
        first, *_ = path.read_text().splitlines()
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / named).resolve() == CONFIG / "nbsweep.schema.json"
        Draft202012Validator(settings_schema()).validate(yaml.safe_load(path.read_text()))

    def test_the_schema_in_the_folder_is_the_one_of_the_program(self) -> None:
        """Written by `nbsweep schema`."""
        written = (CONFIG / "nbsweep.schema.json").read_text()
        assert written == json.dumps(settings_schema(), indent=2) + "\n"


class TestAnnotatedFile:
    def test_it_shows_every_key(self) -> None:
        """Each group as a whole; as comments the journal, whose default depends on who runs it, and a grace, which has none."""
        text = (CONFIG / "nbsweep.yaml").read_text().replace("# journal:", "journal:")
        document = yaml.safe_load(re.sub(r"(?m)^    # (?=grace:|  (#|[a-z_]+: ))", "    ", text))
        schema = settings_schema()
        groups = {
            "Settings": (schema, document),
            **{
                group: (schema["$defs"][group], value)
                for group, value in {
                    "ScheduleSettings": document["schedule"],
                    "TargetSettings": document["targets"][0],
                    "CredentialSettings": document["targets"][0]["credentials"],
                    "LimitSettings": document["targets"][0]["limits"],
                    "PolicySettings": document["policies"][0] | document["policies"][1],
                    "GraceSettings": document["policies"][1]["grace"],
                    "BrakeSettings": document["brakes"],
                    "MarksSettings": document["marks"],
                    "ExemptionSettings": document["exemptions"],
                    "CalendarSettings": document["calendar"],
                    "RemovalSettings": document["removal"],
                    "PlanSettings": document["plan"],
                    "PollingSettings": document["polling"],
                    "LoggingSettings": document["logging"],
                    "ServiceSettings": document["service"],
                }.items()
            },
        }
        for group, (definition, value) in groups.items():
            assert set(value) == set(definition["properties"]), group

    def test_every_value_that_is_no_example_is_the_default(self) -> None:
        """What the comment says of it must stay true."""
        made = load("nbsweep.yaml")
        target = made.targets[0].model_dump(include={"name", "region", "project_id"})
        plain = Settings.model_validate({"targets": [target], "policies": [{"name": "p", "match": {"name": "a"}}]})
        assert made.brakes == plain.brakes
        assert made.removal == plain.removal
        assert made.plan == plain.plan
        assert made.polling == plain.polling
        assert made.logging == plain.logging
        assert made.service == plain.service
        assert made.targets[0].model_copy(update={"credentials": None}) == plain.targets[0]
        assert made.schedule is not None
        assert (made.schedule.timezone, made.schedule.jitter) == ("UTC", timedelta(0))

    def test_it_names_every_condition_and_every_word_it_takes(self) -> None:
        """The table above the policies is complete."""
        text = (CONFIG / "nbsweep.yaml").read_text()
        words = {field.alias or name for name, field in MatchSettings.model_fields.items()}
        definitions = settings_schema()["$defs"]
        words |= set(_enumerated(definitions["PolicyMatchSettings"])) | set(_enumerated(definitions["LeaseType"]))
        assert {word for word in words if not re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text)} == set()

    def test_every_key_has_a_comment_above_it(self) -> None:
        """Except inside the example policies, which the table above them explains."""
        text = (CONFIG / "nbsweep.yaml").read_text()
        lines = re.sub(
            r"(?ms)^policies:.*?(?=^# Which notebooks are kept)",
            "policies:\n",
            text[text.index("# What `nbsweep serve` may do") :],
        ).splitlines()
        bare = [
            line
            for above, line in pairwise(lines)
            if re.match(r" *(- )?[a-z_]+:( |$)", line) and not above.strip().startswith("#")
        ]
        assert bare == []


def _enumerated(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("enum", ())
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _enumerated(part)


class TestIdleOnly:
    def test_only_what_was_stopped_for_ninety_days_goes(self) -> None:
        """A day less, and it stays."""
        assert verdict("idle-only", replace(STOPPED, updated_at=ago(days=91))).rule == "idle-90-days"
        assert verdict("idle-only", replace(STOPPED, updated_at=ago(days=91))).reason is Reason.POLICY
        assert verdict("idle-only", replace(STOPPED, updated_at=ago(days=89))).reason is Reason.NO_POLICY

    def test_what_runs_or_failed_stays(self) -> None:
        """However old it is."""
        for status in (Status.RUNNING, Status.ERROR, Status.FROZEN):
            assert verdict("idle-only", replace(STOPPED, status=status, updated_at=ago(days=300))).reason is Reason.NO_POLICY

    def test_a_notebook_without_dates_stays(self) -> None:
        """Nobody knows how long it has been idle."""
        assert verdict("idle-only", replace(STOPPED, updated_at=None)).reason is Reason.UNKNOWN_FACT

    def test_a_tag_a_name_or_a_disk_of_the_users_own_protects(self) -> None:
        """Any one of them."""
        idle = replace(STOPPED, updated_at=ago(days=300))
        assert verdict("idle-only", replace(idle, tags={"keep": ""})).reason is Reason.PROTECTED
        assert verdict("idle-only", replace(idle, name="PROD-7")).reason is Reason.PROTECTED
        assert verdict("idle-only", replace(idle, volume=Volume("EFS", "DEDICATED"))).reason is Reason.PROTECTED


class TestFailedOnly:
    @pytest.mark.parametrize(
        ("status", "created", "changed", "rule"),
        [
            (Status.CREATE_FAILED, 100, 1.1, "never-came-up"),
            (Status.CREATE_FAILED, 100, 0.9, None),
            (Status.START_FAILED, 100, 7.1, "broken"),
            (Status.ERROR, 100, 7.1, "broken"),
            (Status.ERROR, 100, 6.9, None),
            (Status.DELETE_FAILED, 100, 1.1, "half-deleted"),
            (Status.DELETE_FAILED, 100, 0.9, None),
            (Status.STOPPED, 400, 300, None),
            (Status.RUNNING, 400, 300, None),
        ],
    )
    def test_only_failures_go_and_broken_ones_after_a_week(
        self, status: Status, created: float, changed: float, rule: str | None
    ) -> None:
        """Those that never came up have nothing in them to save."""
        found = verdict(
            "failed-only", replace(STOPPED, status=status, created_at=ago(days=created), updated_at=ago(days=changed))
        )
        assert (found.rule if found.reason is Reason.POLICY else None) == rule

    def test_what_somebody_looks_into_stays(self) -> None:
        """By its name."""
        failed = replace(STOPPED, status=Status.CREATE_FAILED, name="exp-Debug")
        assert verdict("failed-only", failed).reason is Reason.PROTECTED


class TestCodeLab:
    def test_it_asks_for_codelabs_alone(self) -> None:
        """The API shows one kind at a time."""
        assert load("policies/codelab.yaml").targets[0].features == ("DEFAULT",)

    def test_broken_ones_go_after_a_day_and_idle_ones_after_two(self) -> None:
        """One that was used yesterday stays."""
        lab = replace(STOPPED, feature="DEFAULT")
        assert verdict("codelab", replace(lab, status=Status.ERROR, updated_at=ago(days=1.1))).rule == "broken"
        assert verdict("codelab", replace(lab, status=Status.ERROR)).reason is Reason.NO_POLICY
        assert verdict("codelab", replace(lab, updated_at=ago(days=2.1))).rule == "idle"
        assert verdict("codelab", lab).reason is Reason.NO_POLICY
        assert verdict("codelab", replace(lab, status=Status.RUNNING)).reason is Reason.NO_POLICY

    def test_billed_ones_stay(self) -> None:
        """Whatever state they are in."""
        assert verdict("codelab", replace(STOPPED, status=Status.ERROR)).reason is Reason.PROTECTED


class TestTrainingCourse:
    def test_a_course_that_is_over_goes_unless_it_was_used_within_a_day(self) -> None:
        """Five days after its creation."""
        course = replace(STOPPED, tags={"course": "ml-101"}, created_at=ago(days=5.1), updated_at=ago(days=1.1))
        assert verdict("training-course", course).rule == "course-is-over"
        for kept in ({"status": Status.RUNNING}, {"updated_at": ago(days=0.9)}, {"created_at": ago(days=4.9)}):
            assert verdict("training-course", replace(course, **kept)).reason is Reason.NO_POLICY

    def test_what_belongs_to_no_course_goes_unless_it_runs(self) -> None:
        """Two days after its creation."""
        lost = replace(STOPPED, created_at=ago(days=2.1), updated_at=ago(days=1.1))
        assert verdict("training-course", lost).rule == "without-a-course"
        assert verdict("training-course", replace(lost, updated_at=ago(days=0.9))).reason is Reason.NO_POLICY
        assert verdict("training-course", replace(STOPPED, status=Status.RUNNING)).reason is Reason.NO_POLICY

    def test_teachers_stay(self) -> None:
        """And what is tagged to be kept."""
        course = replace(STOPPED, tags={"course": "ml-101"})
        assert verdict("training-course", replace(course, owner=Named("u", "Teacher-Li"))).reason is Reason.PROTECTED
        assert verdict("training-course", replace(course, tags={"course": "a", "keep": "yes"})).reason is Reason.PROTECTED

    def test_it_runs_on_sunday_night(self) -> None:
        """And by number alone is it held back."""
        made = load("policies/training-course.yaml")
        assert made.schedule is not None
        assert made.schedule.timetable.times.weekdays == (0,)
        assert (made.brakes.max_deletions, made.brakes.max_share) == (500, None)


class TestBigDisks:
    @pytest.mark.parametrize(
        ("size", "idle", "rule"),
        [(501, 15, "huge-disk"), (501, 13, None), (500, 15, None), (500, 61, "big-disk"), (101, 59, None), (100, 300, None)],
    )
    def test_the_bigger_the_sooner(self, size: int, idle: float, rule: str | None) -> None:
        """Small disks stay."""
        notebook = replace(STOPPED, volume=Volume("EVS", "MANAGED", size), updated_at=ago(days=idle))
        found = verdict("big-disks", notebook)
        assert (found.rule if found.reason is Reason.POLICY else None) == rule

    def test_other_storage_and_protected_workspaces_stay(self) -> None:
        """However large."""
        notebook = replace(STOPPED, volume=Volume("EVS", "MANAGED", 900), updated_at=ago(days=300))
        assert verdict("big-disks", replace(notebook, volume=Volume("EFS", "MANAGED", 900))).reason is Reason.NO_POLICY
        assert verdict("big-disks", replace(notebook, volume=Volume("EVS", "DEDICATED", 900))).reason is Reason.NO_POLICY
        kept = replace(notebook, workspace_id="5f1e3c9a7b2d4e6f8091a2b3c4d5e6f7")
        assert verdict("big-disks", kept).reason is Reason.PROTECTED

    def test_a_few_go_at_each_sweep(self) -> None:
        """Trimmed, not refused."""
        assert load("policies/big-disks.yaml").brakes.to_core().on_excess == "trim"
