"""What conditions look at: the texts of a notebook, and the lengths of time that have passed for it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.model import AT_REST, LeaseType, Notebook


class Moment(Struct, frozen=True):
    """What a decision rests on besides the notebook itself."""

    now: datetime
    last_active: Mapping[str, datetime] = {}
    """By notebook id: when the journal last saw it other than at rest."""


TextFact = Callable[[Notebook], tuple[str | None, ...]]
"""All the texts by which a thing may be called; None stands for one that is missing."""

TEXT_FACTS: Mapping[str, TextFact] = {
    "status": lambda notebook: (notebook.status.value,),
    "feature": lambda notebook: (notebook.feature,),
    "name": lambda notebook: (notebook.name,),
    "owner": lambda notebook: (notebook.owner.name, notebook.owner.id),
    "workspace": lambda notebook: (notebook.workspace_id,),
    "flavor": lambda notebook: (notebook.flavor,),
    "pool": lambda notebook: (notebook.pool.name, notebook.pool.id) if notebook.pool else (None,) if notebook.listed else (),
    "image": lambda notebook: (notebook.image.name, notebook.image.swr_path, notebook.image.id),
    "fail_reason": lambda notebook: (notebook.fail_reason,),
    "billing": lambda notebook: notebook.billing if notebook.billing is not None else (None,),
    "volume.category": lambda notebook: (notebook.volume.category if notebook.volume else None,),
    "volume.ownership": lambda notebook: (notebook.volume.ownership if notebook.volume else None,),
    "lease.type": lambda notebook: (notebook.lease.type.value if notebook.lease else None,),
}
"""No text at all, as for a notebook that is shown without a dedicated pool, is a fact and not a gap.

A row of a listing that shows no pool is a gap: the listing may leave pools out."""

NAME_KEYS = frozenset({"name", "owner", "pool", "image", "flavor"})
"""Keys that are matched without regard to case."""

FREE_TEXT = NAME_KEYS | {"workspace", "fail_reason"}
"""Keys whose texts people write, in which one text may look like another; the others hold the API's own words."""


def idle_since(notebook: Notebook, moment: Moment) -> datetime | None:
    """Tell since when nobody can have used it: the latest of everything that speaks of use; None when that is unknown.

    One that is not at rest is in use now. Sources: API notes, section 8; DESIGN.md, "The configuration file".
    """
    if notebook.status not in AT_REST:
        return moment.now
    since = notebook.last_change
    lease = notebook.lease
    if since is None or (lease is None and notebook.listed):
        return None
    if lease and lease.enabled is None:
        return None
    if lease and lease.enabled and lease.type is LeaseType.TIMING:
        if lease.ends_at is None:
            return None
        if lease.ends_at <= moment.now:
            since = max(since, lease.ends_at)
    seen = moment.last_active.get(notebook.id)
    return max(since, seen) if seen else since


def _lease_end(notebook: Notebook, _moment: Moment) -> datetime | None:
    return notebook.lease.ends_at if notebook.lease else None


STARTS: Mapping[str, Callable[[Notebook, Moment], datetime | None]] = {
    "age_over": lambda notebook, _moment: notebook.created_at,
    "idle_over": idle_since,
    "lease_expired_over": _lease_end,
}
"""Since when each length of time runs; None when that is unknown."""


def format_age(age: timedelta) -> str:
    """Write a length of time in its two largest units: ``21d 4h``, ``3h 5m``, ``40s``."""
    seconds = int(age.total_seconds())
    if seconds < 0:
        return f"-{format_age(-age)}"
    amounts = [
        ("d", seconds // 86_400),
        ("h", seconds // 3_600 % 24),
        ("m", seconds // 60 % 60),
        ("s", seconds % 60),
    ]
    first = next((place for place, (_, amount) in enumerate(amounts) if amount), len(amounts) - 1)
    return " ".join(f"{amount}{unit}" for unit, amount in amounts[first : first + 2] if amount) or "0s"
