"""The port for the notebooks of one account."""

from collections.abc import Callable
from typing import Protocol

from nbsweep.core.freshness import Freshness
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.pacing import LaneState


def unheeded() -> None:
    """Do nothing."""


class Cloud(Protocol):
    """The notebooks of one account. The implementation limits and retries the calls, so every error that it raises is final.

    Any method may raise a `SweepEnding` error. Reads raise `AnswerLost` if the cloud did not answer within the retries.
    """

    def lanes_state(self) -> tuple[LaneState, ...]:
        """Return the present rate of each lane of the account, and of the common limit if there is one."""
        ...

    def clock_skew_s(self) -> float | None:
        """Return the least number of seconds by which this machine's clock is ahead of the cloud's; negative if it is behind.

        The cloud's latest answers give the bounds. The result is None until an answer has a date, and also between a jump of
        a clock and the next answer.
        """
        ...

    def paging(self) -> Paging:
        """Return what is known about the pages of listings."""
        ...

    def found_paging(self, paging: Paging) -> None:
        """Store what was found out about the pages of listings, for this run."""
        ...

    async def project(self) -> str:
        """Return the id of the project of all calls; it never changes, and is looked up once if it is not configured.

        Raises:
            SweepEnding: it cannot be looked up.
        """
        ...

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may use; the cloud may still refuse to list some of them."""
        ...

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing, oldest first if the API allows it; `offset` is its first row, counted from 0.

        If pages do not overlap (see `paging`), the offset is a multiple of the page size.

        Raises:
            MalformedAnswer: the answer is not a page.
            Rejected: the workspace does not exist, or (`WorkspaceRefused`) is not open to the caller.
        """
        ...

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook.

        Raises:
            Gone: the notebook does not exist.
            MalformedAnswer: the answer is not a notebook.
        """
        ...

    async def stop(self, notebook_id: str, *, facts: Freshness) -> Notebook | None:
        """Stop a running notebook; return the notebook that the answer shows, or None if it shows none.

        Raises:
            FactsTooOld: the call was not sent, as for `delete`.
            AlreadyStopped, Busy, Gone, Rejected: the cloud's answers.
            AnswerLost: whether the order arrived is unknown.
        """
        ...

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE; turns come at the rate of DELETEs, so that facts are fresh when it leaves."""
        ...

    async def delete(self, notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        """Delete a notebook and its storage permanently; return the gateway's request id.

        A DELETE is sent once: after a lost answer, the caller has to look first. `facts` says how long the facts behind the
        decision are fresh; this and the clock skew are checked right before the first byte is sent. `leaving` is called at
        that point: if the call is cancelled before, the DELETE was never sent.

        Raises:
            FactsTooOld: the DELETE was not sent, because the facts became too old or the clock cannot be trusted.
            Gone, Busy, MustStopFirst, Rejected: the cloud's answers.
            AnswerLost: whether the DELETE arrived is unknown.
        """
        ...
