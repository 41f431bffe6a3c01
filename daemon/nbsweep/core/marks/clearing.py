"""What happened to a notebook since it was marked, as far as its facts show it."""

from nbsweep.core.facts import Moment
from nbsweep.core.marks.model import ClearCause, Mark
from nbsweep.core.model import AT_REST, Notebook, Status

ON_THE_WAY_OUT = frozenset({Status.DELETING, Status.DELETED, Status.DELETE_FAILED})
"""States that no use of a notebook leads to; the date of a deletion, also of a failed one, is no sign of use."""


def sign_of_use(mark: Mark, notebook: Notebook, moment: Moment) -> ClearCause | None:
    """Return why the facts of a notebook clear its mark; None if they do not.

    Dates count only if they are later than at marking: a listing may leave out what another answer shows.
    """
    if notebook.id != mark.notebook_id or (notebook.created_at and notebook.created_at != mark.notebook_created_at):
        return ClearCause.GONE
    if _lease_changed(mark, notebook):
        return ClearCause.RENEWED
    if _passed_on(mark, notebook):
        return ClearCause.USED
    if notebook.status in ON_THE_WAY_OUT and not _hides_use(mark, notebook):
        return None
    if notebook.status is not mark.status or _changed(mark, notebook) or _was_active(mark, moment):
        return ClearCause.USED
    return None


def _hides_use(mark: Mark, notebook: Notebook) -> bool:
    """Return whether a deletion that failed may have been preceded by a use.

    Its date replaces that of the use, and then only the date of the lease shows a start.
    """
    return notebook.status is Status.DELETE_FAILED and mark.lease_updated_at is None


def lacks(mark: Mark | None, notebook: Notebook) -> str:
    """Return the fact without which nobody knows which notebook it is, or whether it was used; empty if none is missing.

    Without a mark, these are the facts that a mark needs.
    """
    lease = notebook.lease
    had_date = mark is not None and mark.lease_updated_at is not None
    missing = {
        "create_at": notebook.created_at is None,
        "update_at": notebook.updated_at is None,
        "lease": lease is None and (notebook.listed or had_date),
        "lease.update_at": lease is not None and lease.updated_at is None and had_date,
    }
    return next((fact for fact, is_missing in missing.items() if is_missing), "")


def _passed_on(mark: Mark, notebook: Notebook) -> bool:
    """Return whether a notebook has another owner, who was never told; ids count more than names."""
    if mark.owner_id and notebook.owner.id:
        return mark.owner_id != notebook.owner.id
    return bool(mark.owner_name and notebook.owner.name) and mark.owner_name != notebook.owner.name


def _lease_changed(mark: Mark, notebook: Notebook) -> bool:
    changed = notebook.lease.updated_at if notebook.lease else None
    return changed is not None and changed > (mark.lease_updated_at or mark.marked_at)


def _changed(mark: Mark, notebook: Notebook) -> bool:
    return notebook.updated_at is not None and notebook.updated_at > (mark.updated_at or mark.marked_at)


def _was_active(mark: Mark, moment: Moment) -> bool:
    """Return whether the journal saw a notebook, marked at rest, in another state since."""
    seen = moment.last_active.get(mark.notebook_id)
    return mark.status in AT_REST and seen is not None and seen > mark.marked_at
