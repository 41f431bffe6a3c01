"""`validate`: mistakes, doubtful rules, and what the exit code says."""

import signal
from textwrap import dedent

from acceptance.conftest import Simulate
from acceptance.support import Desk, idle

DOUBTFUL = dedent("""\
    targets:
      - name: lab
        endpoint: http://127.0.0.1:1
        project_id: 0123456789abcdef0123456789abcdef
        credentials: {access_key: a, secret_key: b}
    policies:
      - name: runs
        match: {status: RUNNING, idle_over: 14d}
      - name: codelab
        match: {feature: DEFAULT, idle_over: 14d}
      - name: old
        match: {age_over: 180d}
      - name: again
        match: {status: STOPPED, age_over: 365d, idle_over: 30d}
      - name: gpu
        match: {status: ERROR, flavor: GPU}
    protect:
      - {status: RUNNING, idle_over: 1d}
    """)


def test_every_mistake_is_told_at_once(desk: Desk) -> None:
    """On stdout, as lines and as JSON, with exit code 2."""
    desk.config.write_text("targets: []\npolicies: []\nmodus: enforce\n", encoding="utf-8")
    ended = desk.run("validate")
    assert (ended.code, ended.err) == (2, "")
    assert ended.out.splitlines() == [
        f"{desk.config}: line 1: targets: must not be empty",
        f"{desk.config}: line 2: policies: must not be empty",
        f"{desk.config}: line 3: modus: is not a key that exists here. Did you mean mode?",
        f"{desk.config}: 3 mistakes, no doubts.",
    ]
    document = desk.run("validate", "--format", "json").document
    assert document["valid"] is False
    assert [mistake["line"] for mistake in document["mistakes"]] == [1, 2, 3]


def test_the_mistakes_in_an_owners_file_are_doubts(desk: Desk) -> None:
    """Each with its line; with --strict the exit code is 2. Neither the file's owners nor its addresses are shown."""
    owners = desk.folder / "owners.yaml"
    desk.write("http://127.0.0.1:1", schedule=None, owners=[{"domain": "example.com"}, {"file": str(owners)}])
    absent = desk.run("validate")
    assert f"owners[1] ({owners}): cannot be read: No such file or directory: an owner whom" in absent.out
    owners.write_text("alice: {email: alice@example.com}\nbob: nobody-at-example\n", encoding="utf-8")
    found = desk.run("validate")
    assert (found.code, desk.run("validate", "--strict").code) == (0, 2)
    assert f"owners[1] ({owners}): line 2: email must be one mail address" in found.out
    assert "no mistakes, 1 doubt." in found.out
    assert "nobody-at" not in found.out
    owners.write_text("alice: {email: alice@example.com}\n", encoding="utf-8")
    assert "no mistakes, no doubts." in desk.run("validate", "--strict").out


def test_a_mistake_shows_the_line_the_value_and_what_would_be_right(desk: Desk) -> None:
    """An unquoted *, a wrong indentation, a key beside `match`, a misspelled region and state, a sorted list to choose from."""

    def told(text: str) -> str:
        desk.config.write_text(dedent(text), encoding="utf-8")
        ended = desk.run("validate")
        assert ended.code == 2
        return ended.out + ended.err

    star = told("""\
        protect:
          - name: *keep
        """)
    assert "line 2" in star
    assert "must be in quotes" in star
    assert "- name: *keep" in star
    indented = told("targets:\n  - name: lab\n   region: x\n")
    assert "the indentation is wrong" in indented
    assert "the line is `   region: x`" in indented
    values = told("""\
        targets:
          - name: lab
            region: cn-nort-4
        policies:
          - name: idle
            match: {status: STOPED}
            idle_over: 14d
        """)
    assert "did you mean cn-north-4?" in values
    regions = [word for word in values.partition("one of the regions ")[2].partition("\n")[0].split(", ") if word]
    assert len(regions) > 10
    natural = [[int(part) if part.isdecimal() else part for part in region.split("-")] for region in regions]
    assert natural == sorted(natural)
    assert '"STOPED" must be one of RUNNING, STOPPED,' in values
    assert "did you mean STOPPED?" in values
    assert "idle_over: is not a key that exists here. It belongs under match" in values


def test_every_doubt_is_told_at_once(desk: Desk) -> None:
    """With its line and what to write instead; the exit code is 0, and 2 with --strict."""
    desk.config.write_text(DOUBTFUL, encoding="utf-8")
    document = desk.run("validate", "--format", "json").document
    assert document["valid"] is True
    assert [(doubt["kind"], doubt["path"], doubt["line"], doubt["name"]) for doubt in document["doubts"]] == [
        ("never-matches", "policies[0]", 7, "runs"),
        ("never-matches", "policies[1]", 9, "codelab"),
        ("just-used", "policies[2]", 11, "old"),
        ("covered", "policies[3]", 13, "again"),
        ("substring", "policies[4]", 15, "gpu"),
        ("never-matches", "protect[0]", 18, "status RUNNING and idle_over 1d"),
        ("no-schedule", "targets[0]", 2, "lab"),
    ]
    ended = desk.run("validate")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(": no mistakes, 7 doubts.\n")
    assert (
        'line 15: policies[4] (gpu): flavor "GPU" matches only exactly this text; if it is part of a text, write "*GPU*"'
        in ended.out
    )
    assert desk.run("validate", "--strict").code == 2


def test_a_schedule_that_is_null_on_purpose_is_no_doubt(desk: Desk) -> None:
    """Then only `run` is meant to sweep."""
    rules = "policies: [{name: idle, match: {status: STOPPED, idle_over: 14d}}]\n"
    desk.config.write_text(f"{DOUBTFUL.partition('policies:')[0]}{rules}schedule: null\n", encoding="utf-8")
    ended = desk.run("validate", "--strict")
    assert (ended.code, ended.out) == (0, f"{desk.config}: no mistakes, no doubts.\n")


def test_what_init_writes_leaves_no_doubt(desk: Desk) -> None:
    """With every rule."""
    rules = [word for rule in ("failed", "idle", "forgotten", "codelab") for word in ("--rule", rule)]
    assert desk.run("init", "--yes", *rules).code == 0
    assert desk.run("validate", "--strict").code == 0


def test_plan_and_check_say_how_many_notebooks_each_rule_matches(desk: Desk, simulate: Simulate) -> None:
    """Whichever rule decides, and with the rules that match nothing."""
    cloud = simulate([idle("nb-1"), idle("nb-2"), idle("nb-3", 5), idle("keep-1")])
    policies = [
        {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}},
        {"name": "older", "match": {"status": "STOPPED", "idle_over": "90d"}},
        {"name": "gpu", "match": {"flavor": "*gpu*", "idle_over": "1d"}},
    ]
    desk.write(cloud, policies=policies, protect=[{"name": "keep-*"}, {"tags": {"keep": "*"}}])
    [target] = desk.run("plan", "--format", "json").document["targets"]
    assert target["rules"] == [
        {"kind": "policy", "name": "idle", "notebooks": 3},
        {"kind": "policy", "name": "older", "notebooks": 3},
        {"kind": "policy", "name": "gpu", "notebooks": 0},
        {"kind": "protection", "name": "name keep-*", "notebooks": 1},
        {"kind": "protection", "name": "tags.keep *", "notebooks": 0},
    ]
    shown = desk.run("plan").out
    assert "matched by policies: 3 idle; 3 older\n" in shown
    assert "matched by protections: 1 name keep-*\n" in shown
    assert "matched nothing: policy gpu; protection tags.keep *\n" in shown
    checks = {check["name"]: check for check in desk.run("check", "--format", "json").document["checks"]}
    assert checks["rules"]["status"] == "ok"
    assert "of 4 rows that were read, matched: 3 idle; 3 older; 0 gpu; 1 name keep-*" in checks["rules"]["finding"]
    assert "policy gpu" in checks["rules"]["advice"]


def test_the_service_logs_its_doubts_when_it_starts(desk: Desk, simulate: Simulate) -> None:
    """A target without a schedule is never swept by it."""
    desk.write(simulate(), service={"listen": None})
    with desk.started("serve") as started:
        started.wait_for("service.doubt")
        started.signal(signal.SIGTERM)
        [doubt] = started.ended().events("service.doubt")
    assert (doubt["level"], doubt["kind"], doubt["place"], doubt["rule"]) == ("warning", "no-schedule", "targets[0]", "lab")
    assert "serve would never sweep it" in doubt["problem"]
