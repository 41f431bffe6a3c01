"""What operators are told about a sweep: once for each cause, not once for each sweep."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from nbsweep.core.errors import Forbidden, Unauthorized
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.operators import OperatorEvent, OperatorNotice, UntoldOwner
from nbsweep.core.planning.cool_down import FailureCause
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome

CHECK = "the command nbsweep check tests the credentials and each permission"
REVIEW = "look at it with nbsweep plan, and then narrow the policies or raise the brake"
HISTORY = "nbsweep show lists what became of each notebook, and nbsweep explain says why"
UNTOLD = "correct the addresses of these owners, or add them to the file of owners; until then their notebooks are kept"


class Incident(Struct, frozen=True):
    """A trouble that operators are told of, with its cause."""

    notice: OperatorNotice
    cause: str
    """The same for the same trouble in a later sweep: no counts, no dates."""

    def key(self, place: str, since: str) -> str:
        """Return the key of the message for one place; `since` changes when the trouble was over in between."""
        parts = (self.notice.event, self.notice.target, self.cause, place, since)
        return sha256("\n".join(parts).encode()).hexdigest()


def incidents_of(report: Report, run_id: str, at: datetime) -> Iterator[Incident]:
    """Yield the troubles of a sweep: it was refused or failed, credentials are not accepted, or removals failed."""
    if isinstance(report.error, Unauthorized | Forbidden):
        yield _incident(OperatorEvent.AUTHENTICATION_FAILED, report, run_id, at, type(report.error).__name__, CHECK)
    elif report.outcome is Outcome.REFUSED and report.plan is not None and report.plan.refusals:
        brakes = ", ".join(sorted({refusal.brake for refusal in report.plan.refusals}))
        yield _incident(OperatorEvent.SWEEP_REFUSED, report, run_id, at, brakes, REVIEW)
    elif report.outcome is Outcome.FAILED:
        yield _incident(OperatorEvent.SWEEP_FAILED, report, run_id, at, type(report.error).__name__, "")
    if report.causes:
        yield _failed_removals(report, run_id, at)


def _incident(event: OperatorEvent, report: Report, run_id: str, at: datetime, cause: str, advice: str) -> Incident:
    planned = report.plan.planned if report.plan else 0
    return Incident(OperatorNotice(event, at, report.problem, report.target, "", run_id, advice, planned), cause)


def _failed_removals(report: Report, run_id: str, at: datetime) -> Incident:
    count = sum(len(cause.removals) for cause in report.causes)
    problem = f"{count} {'removal' if count == 1 else 'removals'} failed: {'; '.join(map(_words, report.causes))}"
    notice = OperatorNotice(OperatorEvent.SWEEP_FAILED, at, problem, report.target, "", run_id, HISTORY, count)
    return Incident(notice, "; ".join(sorted(cause.cause for cause in report.causes)))


def _words(cause: FailureCause) -> str:
    return f"{cause.cause} ({len(cause.removals)})"


def untold_incident(marks: Sequence[Mark], target: str, at: datetime) -> Incident | None:
    """Return the incident of the owners who could not be told; None if there are none."""
    untold = [mark for mark in marks if mark.open and mark.untold and mark.told_at is None and mark.target == target]
    if not untold:
        return None
    by_owner: dict[str, list[Mark]] = defaultdict(list)
    for mark in untold:
        by_owner[mark.owner_label].append(mark)
    owners = tuple(UntoldOwner(owner, found[0].untold, len(found)) for owner, found in sorted(by_owner.items()))
    people = f"{len(owners)} owner{'s' if len(owners) > 1 else ''}"
    problem = f"{people} of marked notebooks could not be told, so that their notebooks are kept"
    notice = OperatorNotice(
        OperatorEvent.MARKS_UNTOLD, at, problem, target, advice=UNTOLD, notebooks=len(untold), owners=owners
    )
    return Incident(notice, digest(f"{each.owner}: {each.why}" for each in owners))


def channel_incident(channel: str, problem: str, at: datetime) -> Incident:
    """Return the incident of a channel that refuses all messages."""
    notice = OperatorNotice(
        OperatorEvent.CHANNEL_FAILED, at, problem, channel=channel, advice=f"look at it with nbsweep notify test {channel}"
    )
    return Incident(notice, f"{channel}: {problem}")


def digest(texts: Iterable[str]) -> str:
    """Return a digest of texts in their order."""
    return sha256("\n".join(texts).encode()).hexdigest()[:16]
