"""`audit`, `audit verify` and `audit export`: what was done, by whom, and that nobody has been at the record since."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Desk, Json, cloud_options, idle, idle_fleet, plain, running_cloud
from builders import NOON, exemption
from nbsweep.adapters.journal import open_journal
from nbsweep.core.control.requests import Pause

GUARDS = ("audit_never_changes", "audit_never_shrinks", "audit_only_grows")
SECRETS = "X-Auth-Token: MIIsecret, see https://notebook.example/MIIsecret/lab?token=MIIsecret"


def tamper(desk: Desk, *statements: str) -> None:
    """Do by hand what the database refuses to do: drop what guards the trail, and change it."""
    with closing(sqlite3.connect(desk.journal)) as connection:
        for statement in (*(f"DROP TRIGGER {guard}" for guard in GUARDS), *statements):
            connection.execute(statement)
        connection.commit()


BACK_TO_0004 = (
    *(
        f"DROP TABLE {table}"
        for table in (
            "holds",
            "inventory",
            "surveys",
            "outbox_items",
            "outbox_messages",
            "marks",
            "exemptions",
            "sessions",
            "plans",
            "fences",
            "due_sweeps",
            "workers",
            "audit_chains",
        )
    ),
    "DROP TABLE pauses",
    "DROP TABLE sweep_requests",
    "DROP TABLE services",
    "ALTER TABLE runs DROP COLUMN overrides",
    "ALTER TABLE runs DROP COLUMN statements",
    "ALTER TABLE removals DROP COLUMN end_cause",
    *(f"DROP INDEX runs_{name}" for name in ("by_target", "by_extent", "by_id", "open")),
    *(f"DROP INDEX removals_by_{name}" for name in ("request", "delete", "name", "project")),
    "DROP INDEX removals_by_end",
    "CREATE INDEX removals_by_state ON removals (target, state)",
    *(f"ALTER TABLE {table} DROP COLUMN project" for table in ("runs", "removals", "leases")),
    *(f"ALTER TABLE {table} DROP COLUMN extent" for table in ("runs", "leases")),
    "ALTER TABLE sightings RENAME COLUMN project TO target",
)
"""What the revisions after the one that made the trail have done, taken back."""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, str]:
    """Sweep three notebooks, one of which the cloud refuses to delete; gives where that was, and the run's id."""
    desk = Desk(tmp_path_factory.mktemp("swept"))
    refusal = {"fault": "error", "status": 400, "error_code": "ModelArts.0107", "error_msg": f"No. {SECRETS}"}
    script = [refusal | {"kind": "delete", "notebook_id": "stuck"}]
    with running_cloud(cloud_options([*idle_fleet(2), idle("stuck", days=300)], faults={"script": script})) as cloud:
        desk.write(cloud)
        return desk, str(desk.sweep().document["run_id"])


@pytest.fixture
def run_id(desk: Desk, swept: tuple[Desk, str]) -> str:
    """Give a copy of that journal, which is read without a cloud, and the run's id."""
    elsewhere, run_id = swept
    shutil.copy(elsewhere.journal, desk.journal)
    desk.write("http://127.0.0.1:1")
    return run_id


def exported(desk: Desk) -> list[Json]:
    """Export the trail, and read it."""
    ended = desk.run("audit", "export", "--format", "jsonl")
    assert ended.code == 0
    return [json.loads(line) for line in ended.out.splitlines()]


def test_the_trail_shows_every_step_of_a_run(desk: Desk, run_id: str) -> None:
    """The newest first, with who started it, and narrowed by what is asked for; as a table and as JSON."""
    everything = desk.run("audit", "--format", "json").document
    assert [entry["sequence"] for entry in everything] == list(range(len(everything), 0, -1))
    assert {(entry["run_id"], entry["target"]) for entry in everything} == {(run_id, "lab")}
    [record] = desk.run("history", "--format", "json").document
    assert {entry["started_by"] for entry in everything} == {record["started_by"]}

    def asked(*options: str) -> list[tuple[str, str]]:
        entries = desk.run("audit", "--format", "json", *options).document
        return sorted((entry["notebook_id"], entry["what"]) for entry in entries)

    deleted = ["accepted", "decided", "deleted", "requested"]
    assert asked("--notebook", "nb-001") == [("nb-001", what) for what in deleted]
    assert asked("--notebook", "stuck") == [("stuck", what) for what in ("decided", "failed", "requested")]
    assert asked("--what", "failed", "--run", run_id, "--since", "1h", "--policy", "idle") == [("stuck", "failed")]
    assert asked("--target", "elsewhere") == []
    assert len(asked("--limit", "2")) == 2
    [decided] = desk.run("audit", "--format", "json", "--notebook", "stuck", "--what", "decided").document
    assert (decided["status_before"], decided["policy"], decided["feature"]) == ("STOPPED", "idle", "NOTEBOOK")
    assert "over 14d" in decided["reason"]

    table = desk.run("audit", "--notebook", "stuck")
    assert table.code == 0
    assert run_id in table.out
    assert "requested" in table.out
    assert "over 14d" in table.out
    assert plain(table.out)


def test_the_request_ids_are_those_of_the_cloud(desk: Desk, run_id: str) -> None:
    """By them whoever runs the cloud finds the same DELETE."""
    shown = desk.run("show", run_id, "--format", "json").document["results"]
    accepted = desk.run("audit", "--what", "accepted", "--format", "json").document
    told = {entry["notebook_id"]: entry["request_id"] for entry in accepted}
    assert told == {result["id"]: result["request_id"] for result in shown if result["outcome"] == "deleted"}
    assert all(told.values())


@pytest.mark.usefixtures("run_id")
def test_nothing_secret_gets_onto_the_trail(desk: Desk) -> None:
    """Whatever the cloud puts into its words, which are kept all the same."""
    [failed] = desk.run("audit", "--what", "failed", "--format", "json").document
    assert "No. X-Auth-Token: ***" in failed["reason"]
    with closing(sqlite3.connect(desk.journal)) as connection:
        assert "MIIsecret" not in repr(connection.execute("SELECT * FROM audit").fetchall())


def test_an_unbroken_trail_is_proven_and_its_head_is_told(simulate: Simulate, desk: Desk) -> None:
    """The one that was in the log at the run's end is found again, also after another run."""
    cloud = simulate([*idle_fleet(2), idle("later", days=1)])
    desk.write(cloud)
    [logged] = desk.sweep().events("audit.head")
    noted = f"{logged['target']}={logged['sequence']}:{logged['digest']}"
    verified = desk.run("audit", "verify")
    assert verified.code == 0
    assert verified.out.splitlines()[:2] == ["The audit trail is unbroken: 8 entries.", f"Its head is {noted}"]

    desk.write(cloud, policies=[{"name": "old", "match": {"age_over": "1h"}}])
    assert desk.sweep().ids("deleted") == {"later"}
    again = desk.run("audit", "verify", "--head", noted, "--format", "json")
    assert again.code == 0
    assert (again.document["unbroken"], again.document["entries"], again.document["noted"]) == (True, 12, noted)
    assert "Entry 8 is as it was noted." in desk.run("audit", "verify", "--head", noted).out


def test_an_export_can_be_verified_by_anybody(desk: Desk, run_id: str) -> None:
    """By the recipe in the README, with nothing of ours; into a file it is the same."""
    lines = exported(desk)
    assert {(line["run_id"], line["chain"]) for line in lines} == {(run_id, "lab")}
    before = "0" * 64
    for line in lines:
        content = {key: value for key, value in line.items() if key not in ("at", "digest", "chain")}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        before = sha256((before + canonical).encode()).hexdigest()
        assert line["digest"] == before
    assert before in desk.run("audit", "verify").out
    assert lines[0]["at"].endswith("Z")

    file = desk.folder / "trail.jsonl"
    saved = desk.run("audit", "export", "--out", str(file))
    assert (saved.code, saved.out) == (0, "")
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == lines


BROKEN = "The chain of target lab is broken"
ALTERED = f"""{BROKEN} (altered): the digest of entry 3 is not that of its content and the digest before it: \
this entry, or entry 2 with its digest, was altered after it was written."""
MISSING = f"{BROKEN} (missing): the entries 4 to 5 are missing before entry 6: removed from the journal."
CUT = f"""{BROKEN} (cut): the chain ends with entry 1, and the journal has entry 11 on record as its last one: \
its end was cut off."""
UNCOVERED = f"""{BROKEN} (cut): the chain ends with entry 1, and 2 removals are in the journal that came after \
the trail's beginning without having a decision on it: its end was cut off, or another program has written to the journal."""

FROM_2 = "DELETE FROM audit WHERE sequence > 1"
RECORDED = (
    "INSERT OR REPLACE INTO audit_chains SELECT chain, sequence, digest FROM audit WHERE id IN (SELECT max(id) FROM audit)"
)
"""Makes the recorded head that of the last entry that is left."""
TAMPERING = [
    (["UPDATE audit SET policy = x'00ff' WHERE sequence = 3"], ALTERED, 2),
    (["DELETE FROM audit WHERE sequence IN (4, 5)"], MISSING, 3),
    ([FROM_2], CUT, 1),
    ([FROM_2, RECORDED], UNCOVERED, 1),
]


@pytest.mark.parametrize(("statements", "sentence", "unbroken"), TAMPERING)
@pytest.mark.usefixtures("run_id")
def test_who_has_been_at_the_record_is_found(desk: Desk, statements: list[str], sentence: str, unbroken: int) -> None:
    """Exit code 1; where, and what that means; and the rest can still be shown."""
    tamper(desk, *statements)
    verified = desk.run("audit", "verify")
    assert verified.code == 1
    assert verified.out.splitlines() == [sentence, f"It is unbroken up to entry {unbroken}."]
    document = desk.run("audit", "verify", "--format", "json").document
    assert document["unbroken"] is False
    assert document["break"]["sequence"] == unbroken + 1
    assert desk.run("audit").code == 0
    assert len(exported(desk)) >= unbroken


@pytest.mark.usefixtures("run_id")
def test_a_record_that_was_cut_at_its_end_is_found_by_who_has_noted_its_head(desk: Desk) -> None:
    """Though it was done with care: the removals are gone too, and by itself what is left is unbroken."""
    head = desk.run("audit", "verify", "--format", "json").document["head"]
    noted = f"lab={head['sequence']}:{head['digest']}"
    tamper(desk, "DELETE FROM audit WHERE sequence > 2", RECORDED, "DELETE FROM removals")
    assert desk.run("audit", "verify").code == 0
    verified = desk.run("audit", "verify", "--head", noted)
    assert verified.code == 1
    assert verified.out.startswith(
        f"The chain of target lab is broken (cut): the chain ends with entry 2, and entry {head['sequence']}"
    )


@pytest.mark.usefixtures("run_id")
def test_a_record_that_was_written_anew_is_found_by_who_has_noted_its_head(desk: Desk) -> None:
    """For whoever can write to the journal can make every digest anew."""
    head = desk.run("audit", "verify", "--format", "json").document["head"]
    statements, before = [], "0" * 64
    for line in exported(desk):
        content: dict[str, Any] = {key: value for key, value in line.items() if key not in ("at", "digest", "chain")}
        content["started_by"] = "nobody"
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        before = sha256((before + canonical).encode()).hexdigest()
        update = "UPDATE audit SET started_by = 'nobody', digest = '{}' WHERE sequence = {}"
        statements.append(update.format(before, line["sequence"]))
    tamper(desk, *statements, RECORDED)
    assert desk.run("audit", "verify").code == 0
    verified = desk.run("audit", "verify", "--head", f"{head['sequence']}:{head['digest']}")
    assert verified.code == 1
    assert "(replaced)" in verified.out


@pytest.mark.usefixtures("run_id")
def test_every_target_has_its_chain_and_one_line_protects_all(desk: Desk) -> None:
    """The heads are listed; the line finds a whole chain that was removed with its removals, of which nothing is left."""
    asyncio.run(pause_another(desk))
    verified = desk.run("audit", "verify")
    first, _, *heads, then, line, note = verified.out.splitlines()
    entries = len(exported(desk))
    assert (first, then) == (f"The audit trail is unbroken: {entries} entries in 3 chains.", "and in one line")
    assert [head.strip().split(":")[0] for head in heads] == ["-=1", f"lab={entries - 2}", "teaching=1"]
    assert line.strip().startswith(f"all:-=1,lab={entries - 2},teaching=1:")
    assert note.startswith("Note that line where writers of the journal cannot change it")
    document = desk.run("audit", "verify", "--format", "json").document
    assert document["all_heads"] == line.strip()
    assert [(each["chain"], each["entries"]) for each in document["chains"]] == [("", 1), ("lab", entries - 2), ("teaching", 1)]
    assert [each["named_head"] for each in document["chains"]] == [head.strip() for head in heads]

    every = [option for head in (*heads, line) for option in ("--head", head.strip())]
    again = desk.run("audit", "verify", *every)
    assert (again.code, "All 4 noted heads are as they were noted." in again.out) == (0, True)
    tamper(desk, "DELETE FROM audit WHERE chain = 'teaching'", "DELETE FROM audit_chains WHERE chain = 'teaching'")
    assert desk.run("audit", "verify").code == 0
    for noted in (heads[-1], line):
        missing = desk.run("audit", "verify", "--head", noted.strip())
        assert missing.code == 1
        assert missing.out.startswith("The chain of target teaching is broken (cut): the chain ends with entry 0, and entry 1")


async def pause_another(desk: Desk) -> None:
    """Leave an entry of another target, and one of no target."""
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await journal.control.pause(Pause("teaching", NOON, "li"))
        await journal.exemptions.grant(exemption(target=""))


def test_an_empty_trail_is_told_in_a_sentence(desk: Desk) -> None:
    """Nothing is wrong with it."""
    desk.write("http://127.0.0.1:1")
    assert desk.run("audit").out == "The audit trail has no entry.\n"
    assert desk.run("audit", "--target", "lab").out == "The audit trail has no such entry.\n"
    verified = desk.run("audit", "verify")
    assert (verified.code, verified.out) == (0, "The audit trail has no entry yet.\n")
    ended = desk.run("audit", "export")
    assert (ended.code, ended.out) == (0, "")


@pytest.mark.usefixtures("run_id")
def test_a_journal_that_is_older_than_the_trail_says_so(desk: Desk) -> None:
    """Its removals were never on it."""
    tamper(desk, "DROP TABLE audit", *BACK_TO_0004, "UPDATE alembic_version SET version_num = '0003'")
    older = "3 removals of the journal are older than the trail; their decisions are not in it."
    assert desk.run("audit").out == f"The audit trail has no entry. {older}\n"
    assert desk.run("audit", "verify").out == f"The audit trail has no entry yet. {older}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit", "--since", "yesterday"), "--since"),
        (("audit", "--what", "vanished"), "--what"),
        (("audit", "verify", "--head", "7:abc"), "a number, a colon and 64 hexadecimal digits"),
        (("audit", "verify", "--head", f"a b=7:{'0' * 64}"), "names no target"),
        (("audit", "--target", "lab", "export"), "always covers the whole trail"),
        (("audit", "export", "--format", "csv"), "--format"),
    ],
)
def test_what_cannot_be_meant_is_bad_usage(desk: Desk, arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2, and what would be right."""
    desk.write("http://127.0.0.1:1")
    ended = desk.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


@pytest.mark.usefixtures("run_id")
def test_a_file_that_cannot_be_written_is_told(desk: Desk) -> None:
    """Exit code 1, and why."""
    ended = desk.run("audit", "export", "--out", str(desk.folder / "nowhere" / "trail.jsonl"))
    assert ended.code == 1
    assert "could not be saved" in ended.error["error"]
