"""The verdict of a back-test in sentences."""

from nbsweep.documents.past.backtest import LabelCountsDocument, MaxRegretDocument
from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.trying.port import PASTED

CURRENT = message("the current policies")


def policies_named(name: str) -> Message:
    """Return how to call the policies of a document."""
    return message("the pasted policies") if name == PASTED else CURRENT


def headline(total: LabelCountsDocument) -> Message:
    """Return the verdict in one sentence."""
    if not total.deletions:
        return message("Nothing would have been deleted.")
    if total.regret is None:
        return plural(
            "%(count)s deletion, which cannot be judged.",
            "%(count)s deletions, of which none can be judged.",
            total.deletions,
        )
    return plural(
        "%(back)s of %(count)s judged deletion would be regretted: %(rate)s%% (95%% interval %(low)s to %(high)s%%).",
        "%(back)s of %(count)s judged deletions would be regretted: %(rate)s%% (95%% interval %(low)s to %(high)s%%).",
        total.deletions - total.censored,
        back=total.came_back,
        rate=in_percent(total.regret),
        low=in_percent(total.regret_low),
        high=in_percent(total.regret_high),
    )


def in_percent(share: float) -> float:
    """Return a share in percent, with one digit behind the point."""
    return round(share * 100, 1)


def sentence_of_limit(limit: MaxRegretDocument, total: LabelCountsDocument) -> Message:
    """Return a sentence on whether the limit of regrets is kept."""
    most = in_percent(limit.most)
    if limit.passed:
        return message("The limit of %(most)s%% is kept.", most=most)
    if total.regret is None:
        return message("The limit of %(most)s%% is not kept: no deletion can be judged.", most=most)
    return message("The limit of %(most)s%% is not kept.", most=most)


def warning_of_few(total: LabelCountsDocument) -> Message:
    """Return a warning for a rate that rests on few deletions."""
    return plural(
        "With %(count)s judged deletion, the rate says little: look at its interval.",
        "With %(count)s judged deletions, the rate says little: look at its interval.",
        total.deletions - total.censored,
    )
