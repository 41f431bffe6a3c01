"""From a file and the environment to Settings, or to every mistake at once."""

import errno
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.file import USUAL_PLACES, find_config, load_settings
from nbsweep.settings import Settings

MINIMUM = dedent("""\
    targets:
      - name: research
        region: cn-north-4
        project_id: 0123456789abcdef0123456789abcdef
    policies:
      - name: idle
        match: {status: STOPPED, idle_over: 14d}
    """)
"""Seven lines, so that what a test adds begins on line 8."""

Load = Callable[..., Settings]
Mistakes = Callable[..., list[tuple[int | None, str, str]]]


@pytest.fixture(name="load")
def _load(tmp_path: Path) -> Load:
    def load(text: str | bytes, environment: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "nbsweep.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load_settings(path, environment or {})

    return load


@pytest.fixture(name="mistakes")
def _mistakes(load: Load) -> Mistakes:
    def mistakes(text: str | bytes, environment: Mapping[str, str] | None = None) -> list[tuple[int | None, str, str]]:
        with pytest.raises(ConfigurationError) as caught:
            load(text, environment)
        return [(mistake.line, mistake.path, mistake.problem) for mistake in caught.value.mistakes]

    return mistakes


class TestFinding:
    def test_the_option_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Even when that file does not exist: another one is not what was asked for."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "nbsweep.yaml").touch()
        assert find_config(Path("other.yaml"), {"NBSWEEP_CONFIG": "env.yaml"}) == Path("other.yaml")

    def test_the_environment_comes_second(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before any file that happens to be there."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "nbsweep.yaml").touch()
        assert find_config(None, {"NBSWEEP_CONFIG": "env.yaml"}) == Path("env.yaml")

    @pytest.mark.parametrize("environment", [{}, {"NBSWEEP_CONFIG": ""}])
    def test_then_the_working_directory(
        self, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An empty variable names nothing."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "nbsweep.yaml").touch()
        assert find_config(None, environment) == Path("nbsweep.yaml")

    def test_then_the_place_of_the_system(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second of the usual places."""
        monkeypatch.chdir(tmp_path)
        system = tmp_path / "etc.yaml"
        system.touch()
        monkeypatch.setattr("nbsweep.loading.file.USUAL_PLACES", (Path("nbsweep.yaml"), system))
        assert find_config(None, {}) == system

    def test_a_place_that_cannot_be_looked_into_is_not_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading it will say why; a name too long stands for any such trouble."""
        monkeypatch.setattr("nbsweep.loading.file.USUAL_PLACES", (tmp_path / ("x" * 300), tmp_path))
        assert find_config(None, {}) == tmp_path / ("x" * 300)

    def test_nowhere_says_where_it_looked_and_what_to_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both places, the option and the variable are in the sentence."""
        monkeypatch.setattr("nbsweep.loading.file.USUAL_PLACES", (tmp_path / "a.yaml", tmp_path / "b.yaml" / "c.yaml"))
        (tmp_path / "b.yaml").touch()
        with pytest.raises(ConfigurationError) as caught:
            find_config(None, {})
        assert all(words in str(caught.value) for words in ["a.yaml", "c.yaml", "--config", "$NBSWEEP_CONFIG"])

    def test_the_usual_places_are_the_documented_ones(self) -> None:
        """docs/reference/configuration.md names them."""
        assert [str(path) for path in USUAL_PLACES] == ["nbsweep.yaml", "/etc/nbsweep/nbsweep.yaml"]


class TestFile:
    def test_the_minimum_loads(self, load: Load) -> None:
        """A target and a policy."""
        made = load(MINIMUM)
        assert made.targets[0].name == "research"
        assert made.rules.policies[0].name == "idle"

    def test_a_byte_order_mark_is_no_trouble(self, load: Load) -> None:
        """Some editors write one."""
        assert load(b"\xef\xbb\xbf" + MINIMUM.encode()).targets[0].region == "cn-north-4"

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        """With the operating system's reason."""
        with pytest.raises(ConfigurationError) as caught:
            load_settings(tmp_path / "none.yaml", {})
        assert caught.value.source == str(tmp_path / "none.yaml")
        assert "the file cannot be read: No such file" in str(caught.value)

    def test_a_directory_is_no_file(self, tmp_path: Path) -> None:
        """A slip of completion."""
        with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
            load_settings(tmp_path, {})

    def test_a_file_that_must_not_be_read_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the operating system's reason."""

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
            load_settings(tmp_path / "nbsweep.yaml", {})

    @pytest.mark.parametrize(
        ("content", "line", "words"),
        [
            (b"", None, "the file is empty"),
            (b"# only a comment\n", None, "the file is empty"),
            (b"- a\n", 1, "must be a mapping"),
            (b"\n\ntext\n", 3, "must be a mapping"),
            (b"mode: dry-run\nname: \xff\n", 2, "not UTF-8"),
            ("mode: dry-run\n".encode("utf-16"), 1, "not UTF-8"),
            (b"mode: dry-run\n\nname: a\x00b\n", 3, "control character"),
            (b"mode: dry-run\n\tname: a\n", 2, "column 1"),
            (b"mode: dry-run\n\tname: a\n", 2, "not with tabs"),
            (b"targets: [a\nb: c\n", 2, "not YAML"),
            (b"a: 'b\n", 2, "not YAML"),
            (b"a: {access_key: ${AK}}\n", 1, 'put quotes around "${NAME}"'),
            (b"a: 1\n---\nb: 2\n", 2, "single document"),
            (b"a: *nothing\n", 1, "begins with * must be in quotes"),
            (b"a: &x 1\nb: &x 2\n", 2, "duplicate anchor"),
            (b"a: " + b"[" * 5_000 + b"\n", 1, "nested too deeply"),
            (b"".join(b"  " * depth + b"a:\n" for depth in range(100)), 40, "nested too deeply"),
            (b"a: " + b"x" * 1_048_576, None, "larger than 1048576 bytes"),
        ],
        ids=lambda value: repr(value)[:40],
    )
    def test_what_is_no_configuration_at_all_is_one_mistake(
        self, mistakes: Mistakes, content: bytes, line: int | None, words: str
    ) -> None:
        """With its line, where there is one."""
        [(found_line, path, problem)] = mistakes(content)
        assert words in problem
        assert (found_line, path) == (line, "")

    @pytest.mark.parametrize(
        "secret",
        ["*S3CRET", "!S3CRET", "!S3CRET! a", "!!S3CRET a", "%S3CRET", "@S3CRET", "'S3CRET", '"S3\\qCRET"', "&S3CRET &S3CRET"],
    )
    def test_a_secret_without_quotation_marks_is_not_repeated(self, mistakes: Mistakes, secret: str) -> None:
        """To YAML it may be an alias, a tag or nothing at all."""
        found = mistakes(MINIMUM.replace("region:", f"credentials: {{access_key: a, secret_key: {secret}}}\n    region:"))
        assert found
        assert "S3" not in str(found)


class TestPlaces:
    @pytest.mark.parametrize(
        ("text", "path", "line", "words"),
        [
            ("mode: enforced", "mode", 8, "did you mean enforce?"),
            ("schedul: {cron: 0 3 * * *}", "schedul", 8, "Did you mean schedule?"),
            ("brakes:\n  max_share: 25", "brakes.max_share", 9, "write % right behind"),
            ("brakes:\n  max_share:\n    25", "brakes.max_share", 9, "write % right behind"),
            ("brakes: {max_deletions: 1,\n  max_per_owner: x}", "brakes.max_per_owner", 9, "must be a whole number, not text"),
            ("protect:\n  - name: a\n  - nam: b", "protect[1].nam", 10, "Did you mean name?"),
            ("protect:\n  - name:\n      - a\n      - '[b'", "protect[0].name[1]", 11, "'[' is not closed"),
            ("protect:\n  - tags:\n      keep: yes", "protect[0].tags.keep", 10, "put it in quotes"),
            ("protect:\n  - volume.capacity_over: big", "protect[0].volume.capacity_over", 9, "must be a whole number"),
            ("protect:\n  - any:\n    - {}", "protect[0].any[0]", 10, "would match everything"),
            ("schedule:\n  timezone: UTC", "schedule.cron", 8, "must be given. Five crontab fields"),
            ("schedule:\n  timezone: UTC\n  cron: '0 3 * *'", "schedule.cron", 10, "five fields"),
            ("polling:\n  interval: 1h", "polling.max_interval", 8, "interval 1h"),
            ("protect:", "protect", 8, "has no value"),
            ("brakes:\n  max_deletions:", "brakes.max_deletions", 9, "has no value"),
            ("brakes:\n  max_deletions: 1\n  max_deletions: 2", "brakes.max_deletions", 10, "the first time is line 9"),
            ("policies: []", "policies", 8, "is given twice; the first time is line 5"),
            ("? [a, b]\n: c", "", 8, "a key that is no text"),
            ("protect:\n  - <<: {name: a}\n    owner: b", "protect[0]", 9, "merge key"),
            ("protect:\n  - <<: {name: a}", "protect[0]", 9, "merge key"),
            ("protect:\n  - tags: {[a]: b}", "protect[0].tags", 9, "a key that is no text"),
            ("mode: !mine dry-run", "mode", 8, "has a tag"),
            ("service: !mine {}", "service", 8, "has a tag"),
            ("journal: !!binary aGVsbG8=", "journal", 8, "has a tag"),
        ],
    )
    def test_a_mistake_has_its_path_and_its_line(
        self, mistakes: Mistakes, text: str, path: str, line: int, words: str
    ) -> None:  # fmt: skip
        """And it is the only one."""
        [(found_line, found_path, problem)] = mistakes(MINIMUM + text + "\n")
        assert (found_path, found_line) == (path, line)
        assert words in problem

    def test_ten_different_mistakes_are_all_reported(self, mistakes: Mistakes) -> None:
        """In the order of the file, each with its own line."""
        text = dedent("""\
            mode: enforced
            journal: mysql://db/nbsweep
            schedule: {cron: "0 3 * *", timezone: Asia/Shangai}
            targets:
              - name: research
                region: cn-nort-4
                credentials:
                  access_key: "${NBSWEEP_AK}"
                  secret_key: [S3CRET]
                limits: {delete: 5}
              - name: research
                region: cn-north-4
                project_id: 0123456789abcdef0123456789abcdef
            policies:
              - name: idle
                match: {status: [STOPED, CREATING], idle_for: 14d}
                runing: stop
            polling: {interval: 1d12h}
            protect: {name: keep-*}
            """)
        found = mistakes(text)
        assert [(line, path) for line, path, _ in found] == [
            (1, "mode"),
            (2, "journal"),
            (3, "schedule.cron"),
            (3, "schedule.timezone"),
            (6, "targets[0].region"),
            (8, "targets[0].credentials.access_key"),
            (9, "targets[0].credentials.secret_key"),
            (10, "targets[0].limits.delete"),
            (11, "targets[1].name"),
            (16, "policies[0].match.status[0]"),
            (16, "policies[0].match.status[1]"),
            (16, "policies[0].match.idle_for"),
            (17, "policies[0].runing"),
            (18, "polling.interval"),
            (19, "protect"),
        ]
        assert "S3CRET" not in str(found)

    def test_nothing_that_was_given_hangs_on_the_error(self, load: Load) -> None:
        """A report of a crash shows causes and contexts, too."""
        with pytest.raises(ConfigurationError) as caught:
            load(MINIMUM + "mode: enforced\n")
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)

    def test_the_error_as_a_text_begins_with_the_file(self, load: Load) -> None:
        """What a person sees on the terminal."""
        with pytest.raises(ConfigurationError) as caught:
            load(MINIMUM + "mode: enforced\n")
        first, second = str(caught.value).splitlines()
        assert first.endswith("nbsweep.yaml cannot be used:")
        assert second == '  line 8: mode: "enforced" must be dry-run or enforce; did you mean enforce?'

    def test_a_value_that_is_used_twice_is_placed_where_it_is_used(self, mistakes: Mistakes) -> None:
        """An alias has the lines of its anchor, and the path of its place."""
        found = mistakes(MINIMUM + "protect:\n  - any: [&x {name: 5}]\n  - not: *x\n")
        assert [(line, path) for line, path, _ in found] == [(9, "protect[0].any[0].name"), (9, "protect[1].not.name")]


class TestAliases:
    def test_a_value_may_be_used_twice(self, load: Load) -> None:
        """With an anchor and an alias."""
        made = load(MINIMUM + "protect:\n  - &mine {name: keep-*}\n  - not: *mine\n")
        assert [rule.name for rule in made.rules.protections] == ["name keep-*", "not (name keep-*)"]

    def test_a_few_lines_cannot_fill_the_memory(self, mistakes: Mistakes) -> None:
        """Nine lines that stand for a thousand million values."""
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 9)]
        [(_, _, problem)] = mistakes("\n".join(lines))
        assert "grows too large or too deep when its aliases (*) are followed" in problem

    @pytest.mark.parametrize("text", ["protect: &x [*x]", "protect: [&x {not: *x}]", "protect: &x [*x, *x, *x]"])
    def test_a_value_cannot_hold_itself(self, mistakes: Mistakes, text: str) -> None:
        """That would never end."""
        [(line, _, problem)] = mistakes(MINIMUM + text)
        assert line == 8
        assert "too deep" in problem


class TestEnvironment:
    @pytest.mark.parametrize(
        ("text", "environment", "journal"),
        [
            ("${J}", {"J": "sqlite:///a.db"}, "sqlite:///a.db"),
            ("sqlite:///${DIR}/${FILE}.db", {"DIR": "/var", "FILE": "x"}, "sqlite:////var/x.db"),
            ("'${J}'", {"J": "sqlite:///a.db"}, "sqlite:///a.db"),
            ("${J:-sqlite:///b.db}", {}, "sqlite:///b.db"),
            ("${J:-sqlite:///b.db}", {"J": ""}, "sqlite:///b.db"),
            ("${J:-sqlite:///b.db}", {"J": "sqlite:///a.db"}, "sqlite:///a.db"),
            ("sqlite:///${J:-}x", {}, "sqlite:///x"),
            ("sqlite:///$${J}", {}, "sqlite:///${J}"),
            ("sqlite:///$J$", {"J": "x"}, "sqlite:///$J$"),
            ("sqlite:///${J}", {"J": "${K}", "K": "x"}, "sqlite:///${K}"),
            ("|-\n  sqlite:///${J}", {"J": "x"}, "sqlite:///x"),
        ],
    )
    def test_references_are_replaced_inside_scalars(
        self, load: Load, text: str, environment: dict[str, str], journal: str
    ) -> None:
        """Once; what a variable holds is not searched again."""
        assert load(MINIMUM + f"journal: {text}\n", environment).journal == journal

    @pytest.mark.parametrize("value", ["a, secret_key: b", "a\nmode: enforce", "x: y", "[a]", "*a", "# a", "'", '"'])
    def test_a_variable_cannot_change_the_structure(self, load: Load, value: str) -> None:
        """Whatever it holds is one text."""
        made = load(
            MINIMUM + "protect:\n  - fail_reason: ${N}\n  - {fail_reason: '${N}'}\n", {"N": value.replace("[a]", "[a]x")}
        )
        assert made.mode == "dry-run"
        assert [match.fail_reason for match in made.protect] == [(value.replace("[a]", "[a]x"),)] * 2

    def test_a_reference_alone_and_unquoted_is_read_like_the_value_itself(self, load: Load) -> None:
        """A number is a number, true is true and null is null."""
        text = MINIMUM + "brakes:\n  max_deletions: ${MAX}\n  max_share: ${SHARE}\n  max_per_owner: ${OWNER:-3}\n"
        text += "protect:\n  - lease.enabled: ${LEASE}\n"
        made = load(text, {"MAX": "7", "SHARE": "null", "LEASE": "true"})
        assert (made.brakes.max_deletions, made.brakes.max_share, made.brakes.max_per_owner) == (7, None, 3)
        assert made.protect[0].lease_enabled is True

    @pytest.mark.parametrize("written", ["'${MAX}'", '"${MAX}"', "1${MAX}", "${MAX}${MAX}", "$${MAX}"])
    def test_any_other_reference_is_text(self, mistakes: Mistakes, written: str) -> None:
        """Quoted, or with something beside it."""
        [(line, path, problem)] = mistakes(MINIMUM + f"brakes:\n  max_deletions: {written}\n", {"MAX": "7"})
        assert (line, path, problem) == (9, "brakes.max_deletions", "must be a whole number, not text")

    @pytest.mark.parametrize("written", ["${MAX}", "${MAX:-}", "${NONE:-}"])
    def test_an_empty_variable_is_no_value(self, mistakes: Mistakes, written: str) -> None:
        """It must not switch off a brake as null does."""
        [(line, path, problem)] = mistakes(MINIMUM + f"brakes:\n  max_deletions: {written}\n", {"MAX": ""})
        assert (line, path) == (9, "brakes.max_deletions")
        assert "has no value" in problem

    def test_every_variable_that_is_not_set_is_reported_once_and_beside_the_rest(self, mistakes: Mistakes) -> None:
        """Its key is not wrong a second time for having no value."""
        text = dedent("""\
            mode: ${MODE}
            targets:
              - name: ${A}-${B}
                region: ${REGION}
                project_id: ${PROJECT}
                credentials: {access_key: "${AK}", secret_key: "${SK}"}
                limits: {concurrency: 0}
              - ${TARGET}
            policies:
              - name: p
                match:
                  name: ["a", "${N}"]
                  age_over: ${AGE}
            """)
        found = mistakes(text, {"A": "a", "SK": "S3CRET"})
        assert [(line, path, problem) for line, path, problem in found] == [
            (1, "mode", "the environment variable MODE is not set"),
            (3, "targets[0].name", "the environment variable B is not set"),
            (4, "targets[0].region", "the environment variable REGION is not set"),
            (5, "targets[0].project_id", "the environment variable PROJECT is not set"),
            (6, "targets[0].credentials.access_key", "the environment variable AK is not set"),
            (7, "targets[0].limits.concurrency", "0 must be at least 1"),
            (8, "targets[1]", "the environment variable TARGET is not set"),
            (12, "policies[0].match.name[1]", "the environment variable N is not set"),
            (13, "policies[0].match.age_over", "the environment variable AGE is not set"),
        ]

    @pytest.mark.parametrize("written", ["${", "a${b", "${}", "${1A}", "${A B}", "${A:b}", "${A:-${B}}", "${A-b}"])
    def test_what_is_no_reference_is_a_mistake(self, mistakes: Mistakes, written: str) -> None:
        """It is not taken for text by chance."""
        [(line, path, problem)] = mistakes(MINIMUM + f"journal: '{written}'\n", {"A": "a", "B": "b"})
        assert (line, path) == (8, "journal")
        assert "holds a ${ that is no reference" in problem

    def test_keys_are_not_replaced(self, mistakes: Mistakes) -> None:
        """Only values are."""
        [(_, path, problem)] = mistakes(MINIMUM + "${KEY}: enforce\n", {"KEY": "mode"})
        assert path == "${KEY}"
        assert "is not a key that exists here" in problem


class TestScalars:
    @pytest.mark.parametrize(
        ("written", "words"),
        [
            ("123", "not a number; put it in quotes"),
            ("0x1F", "put it in quotes where text is meant"),
            ("12:30:45", "put it in quotes where text is meant"),
            ("0123", "put it in quotes where text is meant"),
            ("1.5", "not a number; put it in quotes"),
            (".inf", "not a number; put it in quotes"),
            ("no", "not true or false; put it in quotes"),
            ("null", "must be text, not null"),
            ("~", "must be text, not null"),
            ("{}", "must be text, not a mapping"),
        ],
    )
    def test_what_yaml_takes_for_something_else_is_no_text(self, mistakes: Mistakes, written: str, words: str) -> None:
        """It is better to ask for quotes than to match another name than was written."""
        [(_, path, problem)] = mistakes(MINIMUM + f"protect:\n  - name: {written}\n")
        assert path == "protect[0].name"
        assert words in problem

    @pytest.mark.parametrize("written", ["010", "1:40", "-1:40", "1_000", "0x10", "0b11", "+5", "00", "${N}"])
    def test_a_number_that_yaml_reads_as_another_is_a_mistake(self, mistakes: Mistakes, written: str) -> None:
        """Octal, hexadecimal, binary, by sixties, or with signs that people overlook; also from the environment."""
        [(line, path, problem)] = mistakes(MINIMUM + f"brakes:\n  max_deletions: {written}\n", {"N": "0144"})
        assert (line, path) == (9, "brakes.max_deletions")
        assert "plain decimal digits" in problem

    def test_a_number_in_plain_decimal_digits_is_a_number(self, load: Load) -> None:
        """From nothing on, and from the environment as well."""
        made = load(MINIMUM + "brakes: {max_deletions: 0, max_per_owner: 10, max_per_day: 100}\n")
        assert (made.brakes.max_deletions, made.brakes.max_per_owner, made.brakes.max_per_day) == (0, 10, 100)

    @pytest.mark.parametrize("written", ["2026-11-01", "=", "<<", "0899", "1e5", "0o17", "'123'", "!!str 123"])
    def test_what_is_no_number_is_text(self, load: Load, written: str) -> None:
        """A date is the name of many a notebook."""
        text = written.removeprefix("!!str ").strip("'")
        assert load(MINIMUM + f"protect:\n  - name: {written}\n").protect[0].name == (text,)

    def test_keys_are_text_as_they_are_written(self, load: Load) -> None:
        """The key of a tag may look like a number, or like yes and no."""
        made = load(MINIMUM + "protect:\n  - tags: {1: a, on: b, ~: c}\n")
        assert made.protect[0].tags == {"1": ("a",), "on": ("b",), "~": ("c",)}

    @pytest.mark.parametrize(
        "text", ['journal: "\\ud800"', '"\\ud800": a', 'protect: [{tags: {"\\ud800": a}}]', "journal: ${HALF}"]
    )
    def test_half_a_character_is_a_mistake(self, mistakes: Mistakes, text: str) -> None:
        """YAML can write one, and an environment can hold one."""
        [(line, _, _)] = mistakes(MINIMUM + text + "\n", {"HALF": "\udcff"})
        assert line == 8

    def test_a_number_of_any_length_is_no_trouble(self, mistakes: Mistakes) -> None:
        """Python refuses to convert very long ones."""
        [(_, path, _)] = mistakes(MINIMUM + f"removal: {{retries: {'9' * 6_000}}}\n")
        assert path == "removal.retries"

    def test_a_whole_file_comes_out_as_it_was_meant(self, load: Load) -> None:
        """Each group from the file, with values of every kind."""
        made = load(
            dedent("""\
            mode: enforce
            journal: postgresql://me@db/nbsweep
            schedule: {cron: "0 3 * * 1-5", timezone: Asia/Shanghai, jitter: 5m}
            targets:
              - name: research
                endpoint: https://modelarts.example.com/
                project_id: 0123456789abcdef0123456789abcdef
                credentials: {access_key: "${AK}", secret_key: "${SK}"}
                workspaces: ["0", abc]
                features: [NOTEBOOK, DEFAULT]
                scope: own
                limits: {delete: 600/m, list: 100/h, show: 20/s, total: 30/s, concurrency: 8, request_timeout: 250ms}
            policies:
              - {name: p, match: {status: [ERROR]}, running: stop}
            protect: [{name: a}]
            brakes: {max_deletions: 5, max_share: 12.5%, max_per_owner: 2, on_excess: trim}
            removal: {deadline: 10m, retries: 0, fresh_for: 3s, grace: 0s}
            polling: {interval: 1s, max_interval: 1s}
            logging: {format: json, level: debug}
            service: {drain: 5s}
            """),
            {"AK": "ak", "SK": "sk"},
        )
        assert (made.mode, made.journal) == ("enforce", "postgresql://me@db/nbsweep")
        assert made.schedule is not None
        assert made.schedule.jitter == timedelta(minutes=5)
        target = made.targets[0]
        assert (target.base_url, target.workspaces, target.scope) == ("https://modelarts.example.com", ("0", "abc"), "own")
        assert [str(rate) for rate in (target.limits.delete, target.limits.list, target.limits.show)] == [
            "600/m",
            "100/h",
            "20/s",
        ]
        assert (str(target.limits.total), target.limits.concurrency) == ("30/s", 8)
        assert target.limits.request_timeout == timedelta(milliseconds=250)
        assert target.credentials is not None
        assert target.credentials.secret_key is not None
        assert target.credentials.secret_key.get_secret_value() == "sk"
        assert (made.removal.retries, made.removal.grace) == (0, timedelta(0))
        assert (made.logging.format, made.logging.level) == ("json", "debug")


# ---- anything at all -------------------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["STOPPED", "1d", "${X}", "all", "*", "["]),
)
KEYS = st.one_of(
    st.sampled_from(
        ["targets", "policies", "protect", "brakes", "schedule", "name", "match", "any", "all", "not", "tags", "status", "cron"]
    ),
    st.text(max_size=5),
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def load_text(text: str, environment: Mapping[str, str]) -> Settings | ConfigurationError:
    """Load it, and give back the error instead of raising it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "nbsweep.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            return load_settings(path, environment)
        except ConfigurationError as error:
            return error


class TestAnything:
    @settings(deadline=None)
    @given(JUNK)
    def test_any_yaml_gives_settings_or_mistakes(self, junk: object) -> None:
        """And nothing else ever comes out."""
        load_text(yaml.safe_dump(junk), {"X": "x"})

    @settings(deadline=None)
    @given(st.text(max_size=60))
    def test_any_text_gives_settings_or_mistakes(self, text: str) -> None:
        """Whether it is YAML or not."""
        load_text(text, {})

    @settings(deadline=None)
    @given(
        key=st.sampled_from(sorted({"schedule", "protect", "brakes", "removal", "polling", "logging", "service", "journal"})),
        junk=JUNK,
    )
    def test_any_value_of_a_key_gives_settings_or_mistakes_about_it(self, key: str, junk: object) -> None:
        """Every mistake is below that key, and has a line."""
        made = load_text(MINIMUM + yaml.safe_dump({key: junk}), {"X": "x"})
        if isinstance(made, ConfigurationError):
            assert all(mistake.path.startswith(key) and mistake.line is not None for mistake in made.mistakes)

    @settings(deadline=None)
    @given(junk=JUNK, secret=st.from_regex(r"[!-~]{12,20}", fullmatch=True))
    def test_secrets_never_come_out(self, junk: Any, secret: str) -> None:
        """Not in an error, not in its mistakes, and not in the settings as a text; whatever else is wrong beside them."""
        keys = "{access_key: '${AK}', secret_key: '${SK}', security_token: '${ST}'}"
        scope = yaml.safe_dump([junk], default_flow_style=True, width=10_000).splitlines()[0]
        text = MINIMUM.replace("    region:", f"    credentials: {keys}\n    scope: {scope}\n    region:")
        made = load_text(text, {"AK": secret + "-1", "SK": secret + " -2", "ST": secret, "X": "x"})
        assert secret not in f"{made} {made!r} {getattr(made, 'mistakes', '')!r}"


class TestMissingVariables:
    """A variable that is not set is one mistake, and nothing else is judged by the value that is missing."""

    @pytest.mark.parametrize(
        "target",
        [
            'region: cn-north-4, project_id: "${X}"',
            'endpoint: "${X}", project_id: 0123456789abcdef0123456789abcdef',
            'region: "${X}"',
            'region: my-region, endpoint: https://example.com, project_id: "${X}", credentials: {agency: metadata}',
            'region: cn-north-4, credentials: {access_key: "${X}", secret_key: b}',
            'region: cn-north-4, credentials: {username: "${X}", password: b, domain: c}',
            'region: cn-north-4, credentials: {agency: "${X}"}',
            'region: cn-north-4, credentials: "${X}"',
        ],
    )
    def test_of_a_target(self, target: str, mistakes: Mistakes) -> None:
        """Neither the form of the credentials, nor what would be looked up without the value."""
        text = f"targets:\n  - {{name: lab, {target}}}\npolicies: [{{name: a, match: {{status: ERROR}}}}]\n"
        assert [problem for _, _, problem in mistakes(text)] == ["the environment variable X is not set"]

    def test_of_both_keys(self, mistakes: Mistakes) -> None:
        """Two variables are two mistakes, and there is no third."""
        text = MINIMUM.replace("policies:", '    credentials: {access_key: "${AK}", secret_key: "${SK}"}\npolicies:')
        assert [(path, problem) for _, path, problem in mistakes(text)] == [
            ("targets[0].credentials.access_key", "the environment variable AK is not set"),
            ("targets[0].credentials.secret_key", "the environment variable SK is not set"),
        ]

    def test_of_two_targets(self, mistakes: Mistakes) -> None:
        """Two projects that are not known are not the same project."""
        first, second = (
            '- {name: a, region: cn-north-4, project_id: "${A}"}',
            '- {name: b, region: cn-north-4, project_id: "${B}"}',
        )
        text = f"targets:\n  {first}\n  {second}\npolicies: [{{name: a, match: {{status: ERROR}}}}]\n"
        assert [line for line, _, _ in mistakes(text)] == [2, 3]

    def test_of_an_entry_that_is_dropped(self, mistakes: Mistakes) -> None:
        """A merge key may hold the keys that are missing."""
        text = "targets:\n  - {<<: {name: a, region: cn-north-4}}\npolicies: [{name: a, match: {status: ERROR}}]\n"
        assert [(line, path) for line, path, _ in mistakes(text)] == [(2, "targets[0]")]

    def test_mistakes_of_the_file_are_told_beside_those_of_the_environment(self, mistakes: Mistakes) -> None:
        """The vendor's variables hold a wrong project, and the file names a variable that is not set."""
        found = mistakes(
            MINIMUM.replace("0123456789abcdef0123456789abcdef", '"${X}"').replace("    project_id", "    #") + "mode: ${X}\n",
            {"HUAWEICLOUD_SDK_PROJECT_ID": "no"},
        )
        assert [problem[:24] for _, _, problem in found] == ["the environment variable", "HUAWEICLOUD_SDK_PROJECT_"]


@pytest.mark.parametrize(
    "credentials",
    [
        '{access_key: "${X}", secret_key: "${Y}"}',
        '{username: "${X}", password: "${Y}", domain: "${Z}", iam_endpoint: "${I}"}',
        '{agency: "${X}"}',
        '{access_key: a, secret_key_file: "${D}/secret"}',
    ],
)
def test_without_a_need_for_credentials_their_variables_may_be_missing(credentials: str, tmp_path: Path) -> None:
    """Only inside `credentials`: the journal's address is needed by every command."""
    path = tmp_path / "nbsweep.yaml"
    path.write_text(MINIMUM.replace("policies:", f"    credentials: {credentials}\npolicies:"), encoding="utf-8")
    assert load_settings(path, {}, needs_credentials=False).targets[0].name == "research"
    path.write_text(path.read_text(encoding="utf-8") + 'journal: "${JOURNAL}"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="JOURNAL"):
        load_settings(path, {}, needs_credentials=False)


class TestMessages:
    """What people get wrong most often is told in the words of the file."""

    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            ("a:\n  name: *\n", 2, 'begins with * must be in quotes, such as "*" or "*-gpu"; the line is `  name: *`'),
            ("a: {flavor: *gpu*}\n", 1, 'must be in quotes, such as "*" or "*-gpu"; the line is `a: {flavor: *gpu*}`'),
            ("a: *-gpu\n", 1, "the line is `a: *-gpu`"),
            ("p:\n  - name: x\n   match: y\n", 3, "the indentation is wrong: keys of one group"),
            ("p:\n  - name: x\n  match: y\n", 3, "the line is `  match: y`"),
            ("p:\n - name: x\n     match: y\n", 3, "the indentation is wrong, or a value that contains a colon needs quotes"),
            ("p:\n\tname: a\n", 2, "the line is `\\tname: a`"),
            ("a: @x\n", 1, "put the value in quotes"),
        ],
    )
    def test_what_is_not_yaml_is_told_with_its_line(self, text: str, line: int, words: str, mistakes: Mistakes) -> None:
        """The number of the line, the line itself, and what to do."""
        [(found, _, problem)] = mistakes(text)
        assert found == line
        assert words in problem

    @pytest.mark.parametrize(
        "text",
        [
            "credentials:\n  secret_key: *S3CRET\n",
            "credentials: {secret_key: *S3CRET}\n",
            "credentials:\n  secret_key:\n    *S3CRET\n",
            "secret_key: a\n  S3CRET: b\n",
            "credentials:\n  username: S3CRET\n   domain: S3CRET\n",
            "journal: *S3CRET\n",
            "proxy: a: S3CRET\n",
            "x: *https://user:S3CRET@host\n",
            "x: *S3CRETS3CRETS3CRETS3CRET\n",
        ],
    )
    def test_a_line_that_may_hold_a_secret_is_not_shown(self, text: str, mistakes: Mistakes) -> None:
        """Nor one that belongs to such a line."""
        assert "S3CRET" not in str(mistakes(text))

    @pytest.mark.parametrize(
        ("text", "path", "words"),
        [
            ("policies: [{name: a, idle_over: 3d, match: {status: ERROR}}]", "policies[0].idle_over", "It belongs under match"),
            ("max_share: 25%", "max_share", "It belongs under brakes"),
            ("cron: 0 3 * * *", "cron", "It belongs under schedule"),
            ("brakes: {mode: enforce}", "brakes.mode", "It belongs beside brakes, not under it"),
            (
                "policies: [{name: a, match: {idle_over: 3d, running: stop}}]",
                "policies[0].match.running",
                "It belongs beside match, not under it",
            ),
            ("protect: [{running: stop}]", "protect[0].running", "There are: status, feature"),
        ],
    )
    def test_a_key_in_the_wrong_place_is_told_where_it_belongs(
        self, text: str, path: str, words: str, mistakes: Mistakes
    ) -> None:
        """One level down or one level up."""
        before = MINIMUM.partition("policies:")[0] if text.startswith("policies") else MINIMUM
        [(_, found, problem)] = mistakes(f"{before}{text}\n")
        assert found == path
        assert problem.startswith(f"is not a key that exists here. {words}")

    @pytest.mark.parametrize(
        ("text", "start"),
        [
            ("mode: enforced", '"enforced" must be dry-run or enforce'),
            ("brakes: {max_share: quarter}", '"quarter" must be'),
            ("removal: {retries: 11}", "11 must be at most 10"),
            ("protect: [{status: STOPED}]", '"STOPED" must be one of RUNNING, STOPPED, CREATE_FAILED, START_FAILED, '),
            ("protect: [{age_over: 3 weeks}]", '"3 weeks" '),
            ("protect: [{name: [12]}]", "12 must be text"),
        ],
    )
    def test_a_wrong_value_is_quoted(self, text: str, start: str, mistakes: Mistakes) -> None:
        """It is what people search their file for."""
        [(_, _, problem)] = mistakes(f"{MINIMUM}{text}\n")
        assert problem.startswith(start)

    @pytest.mark.parametrize(
        "text",
        [
            'journal: "S3CRET"',
            'mode: "${SECRET}"',
            'mode: "S3CRETS3CRET"',
            "mode: aGvS3CRET",
            'protect: [{status: "${SECRET}"}]',
        ],
    )
    def test_a_value_that_may_be_a_secret_is_not_quoted(self, text: str, mistakes: Mistakes) -> None:
        """By its place, because it comes from a variable, or by its look."""
        [(_, _, problem)] = mistakes(f"{MINIMUM}{text}\n", {"SECRET": "S3CRET"})
        assert "S3CRET" not in problem
        assert problem.startswith("must be")
