"""`pause`: records in the journal that no sweep of a target begins, by the service or by `run`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.services import read_services
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.core.control.requests import Pause
from nbsweep.core.control.services import Life, ServiceStatus
from nbsweep.settings.fields.units import parse_duration

LONGEST_REASON = 500


def moment_of_end(until: str | None) -> datetime | None:
    """Read when a pause ends: after a duration, or at a time, which is local unless it names its offset."""
    if until is None:
        return None
    now = SystemClock().now()
    try:
        end = now + parse_duration(until)
    except ValueError:
        try:
            end = datetime.fromisoformat(until).astimezone(UTC)
        except (ValueError, OverflowError):
            message = "is neither a duration such as 8h nor a time such as 2026-12-01T08:00"
            raise typer.BadParameter(f"{until} {message}", param_hint="--until") from None
    if end <= now:
        raise typer.BadParameter(f"{until} is in the past", param_hint="--until")
    return end


def one_line(reason: str) -> str:
    """Return a reason on one line; refuse what a log or a terminal cannot show."""
    line = " ".join(reason.split())
    if not line.isprintable() or len(line) > LONGEST_REASON:
        message = f"must be text without control characters, at most {LONGEST_REASON} characters"
        raise typer.BadParameter(message, param_hint="--reason")
    return line


async def pause_command(session: Session, targets: Sequence[str], until: datetime | None, reason: str) -> Exit:
    """Pause targets, and show what that means for the services of the journal."""
    now = SystemClock().now()
    async with open_journal(session.settings.journal) as journal:
        for target in targets:
            pause = Pause(target, now, current_user(), reason, until)
            await journal.control.pause(pause)
            session.write_result(printable(f"{target} is {pause}."))
        session.write_result(_effect(await read_services(journal, session.settings, now)))
    return Exit.DONE


def _effect(services: Sequence[ServiceStatus]) -> str:
    running = [str(each.record) for each in services if each.life is Life.RUNNING]
    if not running:
        return "No service runs on this journal. `nbsweep run` deletes nothing until `nbsweep resume`."
    return f"Noticed within seconds by {' and '.join(running)}. A sweep in progress continues to its end."
