"""The views of `exempt add` and `exempt list`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.exemptions.model import Exemption, GrantedBy
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.granting.effect import GrantEffect
from nbsweep.core.granting.grants import shown
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.marks.model import Mark
from nbsweep.documents.people.exemptions import ExemptionState, state_of

COLUMNS = (
    Column("EXEMPTION"),
    Column("KEEPS", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=3),
    Column("TARGET", most=SHORT_NAME, leaves=1),
    Column("STATE"),
    Column("UNTIL"),
    Column("BY", most=SHORT_NAME, leaves=4),
    Column("TICKET", most=SHORT_NAME, leaves=2),
    Column("WHY", folds=True),
)
STYLES: Mapping[ExemptionState, str] = {
    ExemptionState.IN_FORCE: "green",
    ExemptionState.ENDED: "dim",
    ExemptionState.REVOKED: "dim",
}
OWNERS_SHOWN = 10


def grant_line(exemption: Exemption, ref: NotebookRef | None, zone: ZoneInfo) -> str:
    """Return the sentence about a new exemption."""
    covered = f"notebook {ref}" if ref and ref.target else f"every notebook of {exemption.selector}"
    if ref and not ref.target:
        covered = f"any notebook with the ID {ref.id}"
    place = f" on {exemption.target}" if exemption.target and not ref else ""
    return f"Exemption {exemption.id} keeps {covered}{place} until {shown(exemption.until, zone)}."


def effect_lines(exemption: Exemption, effect: GrantEffect) -> Iterator[str]:
    """Yield what a new exemption does for what is announced, and what it comes too late for."""
    count = len(effect.announced)
    if count:
        what = (
            "1 announced notebook is kept; its owner hears"
            if count == 1
            else f"{count} announced notebooks are kept; their owners hear"
        )
        yield f"{what} of it with the next sweep."
    elif exemption.selector.notebook_id is None and not effect.too_late:
        yield "None of the announced notebooks is covered by it; `nbsweep list` shows the verdict of every notebook."
    yield from map(_too_late, effect.too_late)


def _too_late(removal: Removal) -> str:
    late = f"Too late for {removal.name} ({removal.notebook_id}):"
    if removal.state is State.DELETED:
        return f"{late} run {removal.run_id} has deleted it."
    when = format_moment(removal.requested_at) if removal.requested_at else "before"
    return (
        f"{late} its DELETE was requested at {when} by run {removal.run_id}. If the cloud fails to delete it, the exemption "
        "keeps it from another attempt."
    )


def exemptions_view(
    exemptions: Sequence[Exemption], marks: Mapping[str, Mark], now: datetime, zone: ZoneInfo, *, wide: bool
) -> RenderableType:
    """Return the table of exemptions, and below it how many are in force for each owner."""
    table = make_table(COLUMNS, lambda: (_row(each, marks, now, zone, wide=wide) for each in exemptions))
    in_force = [each for each in exemptions if each.in_force(now)]
    return Group(table, *(cell(line, "bold") for line in _counts(in_force, marks)))


def _counts(in_force: Sequence[Exemption], marks: Mapping[str, Mark]) -> Iterator[str]:
    own = sum(each.granted_as is GrantedBy.OWNER for each in in_force)
    yield f"{len(in_force)} in force, {own} of them granted by owners themselves."
    owners = Counter(owner for each in in_force if (owner := _owner(each, marks)))
    if owners:
        most = ", ".join(f"{owner} {count}" for owner, count in owners.most_common(OWNERS_SHOWN))
        more = f", and {len(owners) - OWNERS_SHOWN} other owners" if len(owners) > OWNERS_SHOWN else ""
        yield f"By owner: {most}{more}."


def _owner(exemption: Exemption, marks: Mapping[str, Mark]) -> str:
    """Return the owner of what an exemption covers; empty if that is unknown."""
    mark = marks.get(exemption.selector.notebook_id or "")
    return exemption.selector.owner or (mark.owner_label if mark else "")


def _row(exemption: Exemption, marks: Mapping[str, Mark], now: datetime, zone: ZoneInfo, *, wide: bool) -> Row:
    state = state_of(exemption, now)
    return (
        cell(exemption.id),
        cell(_covered(exemption, marks, wide=wide)),
        cell(_owner(exemption, marks) or "-"),
        cell(exemption.target or "all"),
        cell(state, STYLES[state]),
        cell(_until(exemption, now, zone)),
        cell(exemption.granted_by),
        cell(exemption.ticket or "-"),
        cell(exemption.reason, "dim"),
    )


def _covered(exemption: Exemption, marks: Mapping[str, Mark], *, wide: bool) -> str:
    selector = exemption.selector
    mark = marks.get(selector.notebook_id or "")
    if mark and not wide:
        return mark.name
    return f"{mark.name} ({mark.notebook_id})" if mark else str(selector)


def _until(exemption: Exemption, now: datetime, zone: ZoneInfo) -> str:
    end = f"{exemption.until.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"{end} ({format_age(exemption.until - now)})" if exemption.in_force(now) else end
