"""`exempt add`, `exempt list` and `exempt revoke`: exemptions, through the journal, also while a service runs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.process import current_user
from nbsweep.cli.exits import Exit
from nbsweep.cli.instances import Wanted, find_instance
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.text import printable
from nbsweep.cli.views.exempt import effect_lines, exemptions_view, grant_line
from nbsweep.core.errors import UsageError
from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.granting.grants import (
    Granter,
    GrantRequest,
    make_exemption,
    new_exemption_id,
    one_line_reason,
    shown,
)
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.marks.model import Mark
from nbsweep.core.ports import Journal
from nbsweep.documents.people.exemptions import exemption_documents, grant_document
from nbsweep.service.granting import Revoker, grant, revoke
from nbsweep.settings.people.until import parse_until


class AddOptions(Struct, frozen=True):
    """The options of `exempt add`."""

    notebook: str | None
    until: str
    reason: str
    owner: str | None
    name: str | None
    ticket: str
    target: str
    id_only: bool
    format: ReadFormat
    config: Path | None
    """The configuration file, which is read with credentials if the cloud has to be asked."""


async def add_command(session: Session, options: AddOptions) -> Exit:
    """Grant an exemption, and show what it does.

    Raises:
        UsageError: the exemption is beyond the limits, or the notebook cannot be found.
    """
    _require_one_way(options)
    settings, now = session.settings, datetime.now(UTC)
    limits, granter = settings.grant_limits, Granter(current_user())
    until = parse_until(options.until, now, limits.zone)
    async with open_journal(settings.journal) as journal:
        # What is wrong with the other options is reported before the cloud is asked.
        plain = Selector(owner=options.owner, name=options.name, notebook_id=options.notebook)
        wanted = GrantRequest(plain, until, options.reason, options.ticket, options.target)
        make_exemption(wanted, limits, granter, now, "")
        selector, ref = await _selector(session, journal, options)
        request = GrantRequest(selector, until, options.reason, options.ticket, options.target)
        exemption = make_exemption(request, limits, granter, now, new_exemption_id())
        effect = await grant(journal, exemption, session.telemetry)
    if options.format == "json":
        session.write_json(grant_document(exemption, effect, now))
    else:
        session.write_result(printable(grant_line(exemption, ref, limits.zone)))
        session.write_result("\n".join(map(printable, effect_lines(exemption, effect))))
    return Exit.SOME_FAILED if effect.too_late else Exit.DONE


def _require_one_way(options: AddOptions) -> None:
    if options.notebook is None and options.owner is None and options.name is None:
        raise UsageError("name a notebook, or use --owner or --name; `nbsweep marks` lists what is announced")
    if options.notebook is not None and (options.owner is not None or options.name is not None):
        raise UsageError("a notebook is exempted by itself: leave out --owner and --name")
    if options.id_only and options.notebook is None:
        raise UsageError("--id-only needs the ID of a notebook")


async def _selector(session: Session, journal: Journal, options: AddOptions) -> tuple[Selector, NotebookRef | None]:
    if options.notebook is None:
        return Selector(owner=options.owner, name=options.name), None
    wanted = Wanted(options.notebook, options.target, options.id_only)
    instance = await find_instance(session, journal, wanted, options.config)
    return Selector(instance.ref.id, instance.created_at), instance.ref


async def list_command(session: Session, limit: int | None, output: ReadFormat, *, wide: bool) -> Exit:
    """Show the exemptions, those in force first; with a limit, also those that have ended or were revoked."""
    now = datetime.now(UTC)
    async with open_journal(session.settings.journal) as journal:
        in_force = await journal.exemptions.in_force(now)
        ended = [each for each in await journal.exemptions.all(limit) if not each.in_force(now)] if limit else []
        exemptions = [*in_force, *ended]
        marks = await _latest_marks(journal, exemptions) if output == "table" else {}
    if output == "json":
        session.write_json(exemption_documents(exemptions, now))
    elif exemptions:
        session.show_result(exemptions_view(exemptions, marks, now, session.settings.calendar.zone, wide=wide))
    else:
        session.write_result("No exemption is on record." if limit else "No exemption is in force.")
    return Exit.DONE


async def _latest_marks(journal: Journal, exemptions: Sequence[Exemption]) -> dict[str, Mark]:
    """Return the latest mark of each notebook that is exempted by itself, by id: it has the name and the owner."""
    ids = {each.selector.notebook_id for each in exemptions if each.selector.notebook_id is not None}
    found = {notebook_id: await journal.marks.marks_of(notebook_id) for notebook_id in ids}
    return {notebook_id: marks[0] for notebook_id, marks in found.items() if marks}


async def revoke_command(session: Session, exemption_id: str, reason: str) -> Exit:
    """Revoke an exemption.

    Raises:
        UsageError: there is none with this id, or it is not in force.
    """
    now, why = datetime.now(UTC), one_line_reason(reason)
    async with open_journal(session.settings.journal) as journal:
        revoker = Revoker(current_user(), now, why)
        revoked = await revoke(journal, exemption_id.strip().lower(), revoker, session.telemetry)
    if revoked is None:
        raise UsageError(f"there is no exemption {exemption_id}; `nbsweep exempt list` shows those in force")
    zone = session.settings.calendar.zone
    if revoked.revoked_at != now:
        when = shown(revoked.revoked_at or now, zone)
        session.write_result(printable(f"Exemption {revoked.id} was revoked already, at {when} by {revoked.revoked_by}."))
    elif revoked.until <= now:
        session.write_result(printable(f"Exemption {revoked.id} had ended already, at {shown(revoked.until, zone)}."))
    else:
        session.write_result(
            printable(
                f"Exemption {revoked.id} ({revoked.selector}) is revoked. From the next sweep on, the policies decide again."
            )
        )
    return Exit.DONE
