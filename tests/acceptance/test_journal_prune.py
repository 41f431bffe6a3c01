"""`journal prune`: what is older than `retention.keep` goes, if somebody says so."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from acceptance.support import Desk
from acceptance.terminal import on_a_terminal
from builders import removal, run_record
from nbsweep.adapters.journal import open_journal
from nbsweep.core.lifecycle import State
from nbsweep.core.runs import Outcome

NOW = datetime.now(UTC)
OLD = datetime(2020, 5, 31, 22, tzinfo=UTC)
KEEP = {"retention": {"keep": "730d"}}
UNREACHABLE = "http://127.0.0.1:9"


async def fill(desk: Desk) -> None:
    """Record an old sweep with two removals, a later one, and one of today."""
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        for run_id, at in (("may", OLD), ("june", OLD + timedelta(hours=3)), ("today", NOW)):
            run = run_record(run_id, started_at=at, ended_at=at + timedelta(hours=1), outcome=Outcome.FINISHED, fleet=9)
            await journal.open_run(run)
            await journal.close_run(run)
        old = [removal(number, run_id="may", planned_at=OLD) for number in (1, 2)]
        await journal.write([replace(each, state=State.DELETED, ended_at=OLD) for each in old])


@pytest.fixture(name="filled")
def _filled(desk: Desk) -> Desk:
    asyncio.run(fill(desk))
    desk.write(UNREACHABLE, **KEEP)
    return desk


def runs(desk: Desk) -> list[str]:
    """List the runs that the journal has."""
    return [run["run_id"] for run in desk.run("history", "--format", "json").document]


def test_a_dry_run_says_what_would_go_by_month_and_deletes_nothing(filled: Desk) -> None:
    """As a table, and as JSON without anything deleted."""
    shown = filled.run("journal", "prune", "--dry-run")
    assert shown.code == 0, shown.err
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["MONTH", "SWEEPS", "REMOVALS", "MARKS", "MESSAGES", "EXEMPTIONS"] in rows
    assert ["2020-05", "1", "2", "0", "0", "0"] in rows
    assert ["2020-06", "1", "0", "0", "0", "0"] in rows
    assert "2 sweeps and 2 removals that ended before" in shown.out
    document = filled.run("journal", "prune", "--dry-run", "--format", "json").document
    assert [month["month"] for month in document["months"]] == ["2020-05", "2020-06"]
    assert document["deleted"] is None
    assert sorted(runs(filled)) == ["june", "may", "today"]


def test_without_a_terminal_it_needs_a_yes(filled: Desk) -> None:
    """With it, what is old goes; then nothing is left to go, and the audit trail is whole."""
    refused = filled.run("journal", "prune")
    assert refused.code == 2
    assert "use --yes to delete without a prompt" in refused.err
    pruned = filled.run("journal", "prune", "--yes")
    assert pruned.code == 0, pruned.err
    assert "Deleted 2 sweeps and 2 removals." in pruned.out
    assert runs(filled) == ["today"]
    assert "Nothing may go of what ended before" in filled.run("journal", "prune", "--yes").out
    assert filled.run("audit", "verify").code == 0
    both = filled.run("journal", "prune", "--yes", "--dry-run")
    assert both.code == 2
    assert "exclude each other" in both.err


def test_on_a_terminal_whoever_does_not_type_the_number_deletes_nothing(filled: Desk) -> None:
    """Exit code 6; whoever types it sees what was deleted."""
    with on_a_terminal(filled, "journal", "prune") as terminal:
        terminal.wait_for("permanently: ")
        assert "Type 4 to delete these 4 records permanently:" in " ".join(terminal.screen.split())
        terminal.type("no\n")
        assert terminal.ended() == 6
    assert len(runs(filled)) == 3
    with on_a_terminal(filled, "journal", "prune") as terminal:
        terminal.wait_for("permanently: ")
        terminal.type("4\n")
        assert terminal.ended() == 0
        assert "Deleted 2 sweeps and 2 removals." in terminal.screen
    assert runs(filled) == ["today"]


def test_without_retention_the_journal_keeps_everything(desk: Desk) -> None:
    """And the command says what to set."""
    desk.write(UNREACHABLE)
    refused = desk.run("journal", "prune", "--dry-run")
    assert refused.code == 2
    assert "`retention: {keep: 730d}`" in refused.err
