"""The share of notebooks that is held out, and the record of each notebook that is.

A notebook is chosen by its id alone, so that every process chooses the same ones, and a larger share holds out those of a
smaller one as well.
"""

from datetime import datetime, timedelta
from fractions import Fraction
from hashlib import sha256

from msgspec import Struct

from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.model import AT_REST, Notebook, Status

DRAW_BITS = 64


class Holdout(Struct, frozen=True):
    """Which notebooks are held out, and for how long."""

    share: Fraction
    """The share of all ids, from 0 to 1."""
    lasts: timedelta
    """How long a notebook is spared from when it would have been deleted."""

    def takes(self, notebook_id: str) -> bool:
        """Return whether a notebook is one of the share."""
        return bool(draw(notebook_id) < self.share * 2**DRAW_BITS)


def draw(notebook_id: str) -> int:
    """Return the number of an id: the first 8 bytes of the SHA-256 of `holdout:` and the id, from 0 up to 2 ** 64."""
    return int.from_bytes(sha256(f"holdout:{notebook_id}".encode()).digest()[: DRAW_BITS // 8], "big")


class Hold(Struct, frozen=True):
    """A notebook that would have been deleted, and is spared; also one row of the journal."""

    project: str
    """The endpoint and project of the notebook, see `identity`."""
    notebook_id: str
    notebook_created_at: datetime
    """With the id, the identity of the instance."""
    since: datetime
    """When a sweep would have deleted it first."""
    until: datetime
    target: str
    policy: str
    name: str
    owner: str
    capacity_gb: int | None = None

    def covers(self, notebook: Notebook, moment: Moment) -> bool:
        """Return whether this is the same instance, and it has not been used since; then it is not held out anew."""
        same = (notebook.id, notebook.created_at) == (self.notebook_id, self.notebook_created_at)
        return same and not _was_used(notebook, self.since, moment)


def _was_used(notebook: Notebook, since: datetime, moment: Moment) -> bool:
    """Return whether a notebook at rest was used after a moment.

    One that runs is in use all the time, and a policy may delete it all the same. A failed deletion moves the dates, too.
    """
    if notebook.status not in AT_REST or notebook.status is Status.DELETE_FAILED:
        return False
    idle = idle_since(notebook, moment)
    return idle is not None and idle > since
