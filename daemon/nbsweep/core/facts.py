"""The facts that conditions check: the texts of a notebook, and its ages."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from nbsweep.core.model import AT_REST, LeaseType, Notebook


class Moment(Struct, frozen=True):
    """What a verdict depends on besides the notebook and the rules: the time, and when notebooks were last active."""

    now: datetime
    last_active: Mapping[str, datetime] = {}
    """When the journal last saw each notebook not at rest, by notebook id."""


TextFact = Callable[[Notebook], tuple[str | None, ...]]
"""Returns all texts that a condition may match; None stands for a missing text."""

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
"""No text at all, as for a notebook without a dedicated pool, is a fact and not a missing one.

In a row of a listing, a pool that is not shown is a missing fact: the listing may leave out pools."""

NAME_KEYS = frozenset({"name", "owner", "pool", "image", "flavor"})
"""Keys that are matched without regard to case."""

FREE_TEXT = NAME_KEYS | {"workspace", "fail_reason"}
"""Keys whose texts are written by users, so that one text may look like another; the other keys hold words of the API."""

IDLE_LEASE = "the end of a lease of type IDLE, which the API does not show"
"""A missing fact that is no field of the API."""


def idle_since(notebook: Notebook, moment: Moment) -> datetime | None:
    """Return since when nobody can have used a notebook: the latest sign of use; None if that is unknown.

    A notebook that is not at rest is in use now. Source: ModelArts API, section 8.
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
"""The start of each age; None if it is unknown."""


def format_moment(moment: datetime) -> str:
    """Format a moment in UTC, to the minute: 2026-03-01 12:00Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def moment_words(moment: datetime) -> str:
    """Format a moment in UTC, to the second: 2026-03-01 12:00:00Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def format_age(age: timedelta) -> str:
    """Return a length of time in its two largest units: ``21d 4h``, ``3h 5m``, ``40s``."""
    words = " ".join(f"{amount}{unit}" for amount, unit in age_units(age))
    return f"-{words}" if int(age.total_seconds()) < 0 else words


def age_units(age: timedelta) -> tuple[tuple[int, str], ...]:
    """Return the two largest units of a length of time, without its sign, as amounts of `d`, `h`, `m` and `s`."""
    seconds = abs(int(age.total_seconds()))
    amounts = (
        (seconds // 86_400, "d"),
        (seconds // 3_600 % 24, "h"),
        (seconds // 60 % 60, "m"),
        (seconds % 60, "s"),
    )
    first = next((place for place, (amount, _) in enumerate(amounts) if amount), len(amounts) - 1)
    return tuple(each for each in amounts[first : first + 2] if each[0]) or amounts[-1:]
