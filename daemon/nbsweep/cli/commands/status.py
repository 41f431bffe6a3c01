"""`status`: the status of each target, read from the journal alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import is_alive
from nbsweep.cli.exits import Exit
from nbsweep.cli.services import first_due, read_fleet, read_services
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.status import status_view
from nbsweep.core.control.requests import Pause
from nbsweep.core.control.services import service_of
from nbsweep.core.facts import format_moment
from nbsweep.core.identity import TargetIdentity, identity_on_record
from nbsweep.core.judging.rules import Rules
from nbsweep.core.lease import TargetLease, is_held
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.model import OPEN
from nbsweep.core.notices.health import OutboxHealth, judge_outbox
from nbsweep.core.notices.outbox import MessageState
from nbsweep.core.ports import Journal
from nbsweep.core.runs import IDENTIFIED, JUDGED, STOPPED, RunRecord
from nbsweep.core.status import LeftAlone, StatusInputs, follows, judge_status, left_alone, status_of_removed
from nbsweep.core.windows.window import is_open, next_opening
from nbsweep.documents.status import status_document
from nbsweep.service.mark_rules import read_mark_rules
from nbsweep.settings import Settings, TargetSettings

MOST_MARKS = 20_000
"""Open marks of one target that are counted."""
MOST_FAILED = 1000


async def status_command(session: Session, output: ReadFormat) -> Exit:
    """Show the status of each target, and whether anything needs attention."""
    settings, now = session.settings, SystemClock().now()
    async with open_journal(settings.journal) as journal:
        fleet = await read_fleet(journal, settings)
        outbox = await _outbox(journal, now)
        identities = {target.name: await _identity(journal, target) for target in settings.targets}
        open_ = await journal.unfinished()
        services = await read_services(journal, settings, now)
        shared_now = await journal.leases.now(now)
        runs = {name: await _relevant_runs(journal, name) for name in identities}
        # Several targets share a run, so the removals of all are counted at once.
        counts = await journal.run_counts(sorted({record.run_id for records in runs.values() for record in records}))
        left = left_alone(open_, identities, await _held(journal, shared_now, settings.service.lease))
        statuses = [
            judge_status(
                name,
                replace(
                    await _known(journal, name, runs[name], _followed(name, identity, open_), left, settings.rules),
                    counts=counts,
                    service=service_of(name, services),
                    due=first_due(fleet, name) if fleet else None,
                    shared_now=shared_now,
                    brakes=settings.brakes.to_core(),
                ),
                now,
                settings.service.lease,
            )
            for name, identity in identities.items()
        ]
        removed = [one for one in left if one.target not in identities]
        statuses += [status_of_removed(one, await _relevant_runs(journal, one.target)) for one in removed]
    due = _due(settings, {status.target: status.pause for status in statuses}, now)
    if output == "json":
        session.write_json([status_document(status, outbox, due.get(status.target), now, fleet) for status in statuses])
    else:
        session.show_result(status_view(statuses, outbox, due, now, fleet))
        for line in _windows(settings, now):
            session.write_result(line)
    well = all(status.well for status in statuses) and not outbox.problems(now) and not (fleet and fleet.problems_of_processes)
    return Exit.DONE if well else Exit.UNEXPECTED


async def _outbox(journal: Journal, now: datetime) -> OutboxHealth:
    failed = await journal.outbox.messages(MOST_FAILED, {MessageState.FAILED})
    waiting = await journal.outbox.count_waiting(now)
    return judge_outbox(await journal.outbox.counts(), failed, await journal.outbox.paused(), now, waiting)


async def _known(
    journal: Journal,
    target: str,
    runs: Sequence[RunRecord],
    followed: Sequence[Removal],
    left: Iterable[LeftAlone],
    rules: Rules,
) -> StatusInputs:
    lease, now = await journal.leases.find(target), SystemClock().now()
    marks = await journal.marks.marks(MOST_MARKS, OPEN, target)
    return StatusInputs(
        runs,
        followed,
        [one for one in left if one.target == target],
        lease,
        is_alive(lease.holder) if lease else None,
        await journal.control.pause_of(target),
        marks=marks,
        mark_rules=await read_mark_rules(journal, rules.graces, rules.holdouts, marks, now),
    )


def _followed(target: str, identity: TargetIdentity, removals: Iterable[Removal]) -> list[Removal]:
    return [removal for removal in removals if follows(target, identity, removal)]


async def _relevant_runs(journal: Journal, target: str) -> Sequence[RunRecord]:
    """Return the runs of a target that decide its status, the newest first."""
    latest = (
        await journal.last_run(target),
        await journal.last_run(target, JUDGED),
        await journal.last_run(target, JUDGED - STOPPED),
        await journal.last_success(target),
        *await journal.open_runs(target),
    )
    by_id = {record.run_id: record for record in latest if record}
    return sorted(by_id.values(), key=lambda record: (record.started_at, record.run_id), reverse=True)


async def _identity(journal: Journal, target: TargetSettings) -> TargetIdentity:
    """Return the identity of a target. A project ID that is not configured comes from its last run, without a cloud call."""
    identity = target.identity
    if identity.project_id is not None:
        return identity
    record = await journal.last_run(target.name, IDENTIFIED)
    last = identity_on_record(record.project, record.extent) if record else None
    return replace(identity, project_id=last.project_id if last and last.endpoint == identity.endpoint else None)


async def _held(journal: Journal, now: datetime, lasts: timedelta) -> list[TargetLease]:
    return [lease for lease in await journal.leases.all() if is_held(lease, now, lasts, alive=is_alive(lease.holder))]


def _windows(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield for each policy with windows when DELETEs may leave."""
    for policy in settings.rules.policies:
        if not policy.windows:
            continue
        if is_open(policy.windows, now):
            end = max(end for window in policy.windows if (end := window.end_of(now)))
            yield f"Policy {policy.name}: DELETEs may leave until {format_moment(end)}."
        else:
            opens = next_opening(policy.windows, now)
            when = f"the next window opens {format_moment(opens)}" if opens else "no window opens within a year"
            yield f"Policy {policy.name}: no DELETE leaves now; {when}."


def _due(settings: Settings, pauses: Mapping[str, Pause | None], now: datetime) -> dict[str, datetime]:
    """Return the next due time of each target that has a schedule, after its pause; none while a pause has no end."""
    due = {}
    for target in settings.targets:
        schedule, pause = target.schedule or settings.schedule, pauses.get(target.name)
        free_from = pause.until if pause else now
        moment = schedule.timetable.after(free_from) if schedule and free_from else None
        if schedule and moment:
            due[target.name] = moment.astimezone(schedule.timetable.zone)
    return due
