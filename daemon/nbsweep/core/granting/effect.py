"""Says what a granted exemption keeps of what is announced, and what it comes too late for."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from nbsweep.core.exemptions.covering import covers
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Named, Notebook
from nbsweep.core.reasons.finding import Truth

ON_ITS_WAY = frozenset({State.REQUESTED, State.ACCEPTED})
"""States of a removal whose DELETE has left, or is about to; before them, the exemption keeps the notebook."""


class GrantEffect(Struct, frozen=True):
    """The effect of an exemption at the moment of its grant."""

    announced: tuple[Mark, ...] = ()
    """The open marks of the notebooks that it covers, and for which it does not come too late."""
    too_late: tuple[Removal, ...] = ()
    """The removals of notebooks that it covers, or may cover, whose DELETE was requested already."""


def effect_of(
    exemption: Exemption, open_marks: Iterable[Mark], unfinished: Iterable[Removal], deleted: Iterable[Removal] = ()
) -> GrantEffect:
    """Return the effect of an exemption; the removals must have been read after it was granted.

    `deleted` are the ended removals of notebooks whose marks are still open, because their sweep has not ended.
    """
    started = (each for each in unfinished if each.state in ON_ITS_WAY and _is_at(exemption, each.target))
    late = [each for each in (*started, *deleted) if may_cover_removal(exemption, each)]
    # A removal that ended between the two reads is in both.
    late = list({(each.run_id, each.notebook_id): each for each in late}.values())
    gone = {each.notebook_id for each in late}
    announced = (mark for mark in covered_marks(exemption, open_marks) if mark.notebook_id not in gone)
    return GrantEffect(tuple(announced), tuple(late))


def covered_marks(exemption: Exemption, marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the marks of notebooks that an exemption covers."""
    return tuple(
        mark for mark in marks if _is_at(exemption, mark.target) and covers(exemption.selector, _marked(mark))[0] is Truth.PASS
    )


def removal_in_the_way(mark: Mark, removals: Sequence[Removal]) -> Removal | None:
    """Return the removal of a marked notebook that an exemption comes too late for; None if there is none."""
    return next(
        (
            removal
            for removal in removals
            if removal.state in (*ON_ITS_WAY, State.DELETED)
            and removal.project == mark.project
            and removal.planned_at >= mark.marked_at
        ),
        None,
    )


def may_cover_removal(exemption: Exemption, removal: Removal) -> bool:
    """Return whether an exemption covers the notebook of a removal; without its creation date, the id decides."""
    # The record keeps the label of the owner, which is the name or the id.
    owner = Named(removal.owner, removal.owner)
    notebook = Notebook(removal.notebook_id, removal.status_before, name=removal.name, owner=owner)
    truth, _ = covers(exemption.selector, notebook)
    return truth is not Truth.FAIL


def _is_at(exemption: Exemption, target: str) -> bool:
    return exemption.target in ("", target)


def _marked(mark: Mark) -> Notebook:
    owner = Named(mark.owner_id or None, mark.owner_name or None)
    return Notebook(mark.notebook_id, mark.status, name=mark.name, owner=owner, created_at=mark.notebook_created_at)
