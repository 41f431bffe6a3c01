"""The words of reports about back-tests, in plain text."""

from collections.abc import Mapping

from nbsweep.core.backtest.model import CensorCause, ReturnSign
from nbsweep.documents.past.backtest import LabelCountsDocument, MaxRegretDocument

CURRENT = "current"
"""What documents call the policies of the configuration."""
MINUTE = 16
"""The number of characters of a time up to its minute."""
CAUSES: Mapping[CensorCause, str] = {
    CensorCause.HORIZON_NOT_OVER: "the horizon is not over",
    CensorCause.SURVEYS_MISSING: "surveys are missing",
    CensorCause.DELETED_BY_NBSWEEP: "nbsweep really deleted it",
    CensorCause.RAN_ON: "it ran on, used or not",
    CensorCause.FACTS_UNREADABLE: "its facts cannot be read",
}
SIGNS: Mapping[ReturnSign, str] = {
    ReturnSign.STARTED: "started",
    ReturnSign.RENEWED: "lease renewed",
    ReturnSign.PROTECTED: "protected by a tag or a name",
    ReturnSign.RENAMED: "renamed",
    ReturnSign.PASSED_ON: "given to another owner",
    ReturnSign.CHANGED: "used or edited between two surveys",
    ReturnSign.EXEMPTED: "exempted",
}


def headline(total: LabelCountsDocument) -> str:
    """Return the verdict in one sentence."""
    if not total.deletions:
        return "Nothing would have been deleted."
    if total.regret is None:
        return f"{counted(total.deletions, 'deletion')}, of which none can be judged."
    judged = counted(total.deletions - total.censored, "deletion")
    return f"{total.came_back} of {judged} would be regretted: {rate(total)}."


def breakdown(total: LabelCountsDocument) -> str:
    """Return what became of the notebooks."""
    parts = [
        f"{total.came_back} came back",
        f"{total.removed_by_owner} removed by their owners",
        f"{total.still_idle} still idle at the horizon",
    ]
    causes = ", ".join(f"{CAUSES[CensorCause(cause)]}: {count}" for cause, count in total.censored_by.items())
    censored = f"; {total.censored} cannot be judged ({causes})" if total.censored else ""
    return f"{counted(total.deletions, 'deletion')} of {total.capacity_gb} GB: {', '.join(parts)}{censored}."


def few(total: LabelCountsDocument) -> str:
    """Return the warning about too few labels."""
    judged = counted(total.deletions - total.censored, "judged deletion")
    return f"With {judged}, the rate says little: look at its interval."


def kept_limit(limit: MaxRegretDocument, total: LabelCountsDocument) -> str:
    """Return whether the rate of regrets keeps to its limit."""
    why = ": no deletion can be judged" if total.regret is None else ""
    return f"The limit of {percent(limit.most)} is {'kept' if limit.passed else 'not kept'}{why}."


def rate(counts: LabelCountsDocument) -> str:
    """Return the rate of regrets with its interval."""
    if counts.regret is None:
        return "none can be judged"
    return f"{percent(counts.regret)} (95 % interval {interval(counts)})"


def percent(share: float) -> str:
    """Return a share as text."""
    return f"{share * 100:.1f} %"


def interval(counts: LabelCountsDocument) -> str:
    """Return the interval of the rate of regrets."""
    return f"{counts.regret_low * 100:.1f}-{counts.regret_high * 100:.1f} %"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def tried(policies: str) -> str:
    """Return how to call the policies of a result, which are those of the configuration or of a file."""
    return "the current policies" if policies == CURRENT else policies


def minute(time: str | None) -> str:
    """Return a time of a document to the minute, in UTC."""
    return f"{time[:MINUTE].replace('T', ' ')}Z" if time else "-"


def more(count: int, noun: str) -> str:
    """Return how many are not listed, and where they are; empty if all are."""
    return f"{counted(count, 'more ' + noun)}: --format json lists all." if count > 0 else ""


def really_deleted(deleted: int, recreated: int) -> str:
    """Return how many notebooks were really deleted, and how many of them were created again."""
    return f"Really deleted: {counted(deleted, 'notebook')}, of which {recreated} created again by their owners."


def really_held(held: LabelCountsDocument) -> str:
    """Return how many notebooks were held out, and how many of their owners came back."""
    return f"Held out: {counted(held.deletions, 'notebook')}. {headline(held)}"
