"""`status`, `history` and `show`: what the journal knows."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import is_alive
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.core.errors import NbsweepError
from nbsweep.core.identity import TargetIdentity, identity_on_record
from nbsweep.core.lease import Lease, is_held
from nbsweep.core.lifecycle import Removal
from nbsweep.core.ports import Journal
from nbsweep.core.runs import JUDGED, RunRecord
from nbsweep.core.status import LeftAlone, StatusInputs, TargetStatus, follows, judge_status, left_alone, status_of_removed
from nbsweep.documents.reports import Document, moment_text, removal_document, removal_series, run_record_document
from nbsweep.settings import Settings, TargetSettings
from nbsweep.settings.fingerprint import identity_of

ReadFormat = Literal["table", "json"]
LOOKS_BACK = 50
"""How many of a target's runs are looked through for one whose project is on record."""


async def history_command(session: Session, limit: int, output: ReadFormat) -> Exit:
    """Show the latest sweeps."""
    async with open_journal(session.settings.journal) as journal:
        records = await journal.runs(limit)
    if output == "json":
        session.write_json([run_record_document(record) for record in records])
    elif records:
        from nbsweep.cli.render import history_table

        session.show_result(history_table(records))
    else:
        session.write_result("The journal knows of no sweep yet.")
    return Exit.DONE


async def show_command(session: Session, run_id: str, output: ReadFormat) -> Exit:
    """Show one run, and what became of each notebook in it."""
    async with open_journal(session.settings.journal) as journal:
        records, removals = await journal.run(run_id), await journal.removals(run_id)
    if not records:
        message = f"the journal knows of no run {run_id}; `nbsweep history` lists the runs"
        raise NbsweepError(message)
    if output == "json":
        document = {
            "run_id": run_id,
            "targets": [run_record_document(record) for record in records],
            "results": removal_series(removals),
        }
        session.write_json(document)
    else:
        from nbsweep.cli.render import history_table, removal_table

        session.show_result(history_table(records))
        if removals:
            session.show_result(removal_table(removals))
    return Exit.DONE


async def status_command(session: Session, output: ReadFormat) -> Exit:
    """Say whether all is well, and how each target stands."""
    settings, now = session.settings, datetime.now(UTC)
    async with open_journal(settings.journal) as journal:
        identities = {target.name: await _identity(journal, target) for target in settings.targets}
        open_ = await journal.unfinished()
        left = left_alone(open_, identities, await _held(journal, now, settings.service.lease))
        standings = [
            judge_status(name, await _known(journal, name, _followed(name, identity, open_), left), now, settings.service.lease)
            for name, identity in identities.items()
        ]
        removed = [one for one in left if one.target not in identities]
        standings += [status_of_removed(one, await _telling_runs(journal, one.target)) for one in removed]
    due = _due(settings, now)
    if output == "json":
        session.write_json([_status(standing, due.get(standing.target)) for standing in standings])
    else:
        from nbsweep.cli.status_view import status_view

        session.show_result(status_view(standings, due, now))
    return Exit.DONE if all(standing.well for standing in standings) else Exit.UNEXPECTED


async def _known(journal: Journal, target: str, followed: Sequence[Removal], left: Iterable[LeftAlone]) -> StatusInputs:
    lease = await journal.lease(target)
    return StatusInputs(
        await _telling_runs(journal, target),
        followed,
        [one for one in left if one.target == target],
        lease,
        is_alive(lease.holder) if lease else None,
    )


def _followed(target: str, identity: TargetIdentity, removals: Iterable[Removal]) -> list[Removal]:
    return [removal for removal in removals if follows(target, identity, removal)]


async def _telling_runs(journal: Journal, target: str) -> Sequence[RunRecord]:
    """List those of a target's runs that say how it stands, the newest first, however many others there are."""
    latest = (
        await journal.last_run(target),
        await journal.last_run(target, JUDGED),
        await journal.last_success(target),
        *await journal.open_runs(target),
    )
    by_id = {record.run_id: record for record in latest if record}
    return sorted(by_id.values(), key=lambda record: (record.started_at, record.run_id), reverse=True)


async def _identity(journal: Journal, target: TargetSettings) -> TargetIdentity:
    """Tell what a target is; a project that is looked up is the one of its last run, for nobody is asked here."""
    identity = identity_of(target)
    if identity.project_id is not None:
        return identity
    records = await journal.runs(LOOKS_BACK, target.name)
    known = (identity_on_record(record.project, record.extent) for record in records)
    last = next((one for one in known if one and one.endpoint == identity.endpoint), None)
    return replace(identity, project_id=last.project_id if last else None)


async def _held(journal: Journal, now: datetime, lasts: timedelta) -> list[Lease]:
    return [lease for lease in await journal.leases() if is_held(lease, now, lasts, alive=is_alive(lease.holder))]


def _status(standing: TargetStatus, due: datetime | None) -> Document:
    success = standing.last_success
    return {
        "target": standing.target,
        "well": standing.well,
        "problems": list(standing.problems),
        "last_sweep": run_record_document(standing.last) if standing.last else None,
        "last_success": moment_text(success.ended_at) if success else None,
        "unfinished": [removal_document(removal) for removal in standing.unfinished],
        "note": standing.note or None,
        "left_alone": [removal_document(removal) for removal in standing.left_alone],
        "sweeping": _holder(standing.sweeping) if standing.sweeping else None,
        "next_run": due.isoformat() if due else None,
    }


def _holder(lease: Lease) -> Document:
    holder = lease.holder
    return {
        "host": holder.host,
        "pid": holder.pid,
        "started_by": lease.started_by,
        "since": moment_text(lease.taken_at),
        "last_beat": moment_text(lease.beat_at),
    }


def _due(settings: Settings, now: datetime) -> dict[str, datetime]:
    """Tell when each target that has a schedule, of its own or with the others, is due next."""
    schedules = {target.name: target.schedule or settings.schedule for target in settings.targets}
    due = {name: (schedule.timetable.after(now), schedule.timetable.zone) for name, schedule in schedules.items() if schedule}
    return {name: moment.astimezone(zone) for name, (moment, zone) in due.items() if moment}
