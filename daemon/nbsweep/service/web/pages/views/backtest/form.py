"""The form of the page Back-test: what was typed, what is wrong with it, and why there is no result."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbsweep.core.errors import Mistake
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.trying.port import MEMORY_BYTES, TIME_S, NoSurvey

USUAL: Mapping[str, str] = {
    "policies": "",
    "target": "",
    "since": "90d",
    "horizon": "30d",
    "thresholds": "7d, 14d, 30d",
    "max_regret": "",
    "compare": "yes",
}
"""What the form holds at first."""
MOST_SHOWN = 10
LONGEST_LINE = 200


class MistakeView(Struct, frozen=True):
    """A mistake in the pasted text."""

    line: int | None
    column: int | None
    path: str
    problem: str
    """In English."""
    shown: str
    """The line of the text; empty if there is none."""


class FieldProblem(Struct, frozen=True):
    """What is wrong with a field."""

    text: Message
    detail: str = ""
    """In English."""


class TryingView(Struct, frozen=True):
    """The form."""

    typed: Mapping[str, str]
    targets: Sequence[str]
    errors: Mapping[str, FieldProblem]
    mistakes: Sequence[MistakeView]
    more_mistakes: int
    notice: Message | None
    """Why there is no result."""


def build_trying(
    typed: Mapping[str, str],
    targets: Sequence[str],
    errors: Mapping[str, FieldProblem] | None = None,
    mistakes: Sequence[Mistake] = (),
    notice: Message | None = None,
) -> TryingView:
    """Return the form with what was typed."""
    lines = typed["policies"].splitlines()
    shown = [_mistake(each, lines) for each in mistakes[:MOST_SHOWN]]
    return TryingView(typed, targets, errors or {}, shown, max(0, len(mistakes) - MOST_SHOWN), notice)


def _mistake(mistake: Mistake, lines: Sequence[str]) -> MistakeView:
    line = mistake.line
    shown = lines[line - 1].strip()[:LONGEST_LINE] if line and line <= len(lines) else ""
    return MistakeView(line, mistake.column, mistake.path, mistake.problem, shown)


def why_nothing(found: NoSurvey) -> Message:
    """Return since when there are surveys, and what to do."""
    if found.first is None or found.last is None:
        return message(
            "No survey is recorded yet, so that there is no past to try policies on. Run sweeps or dry runs for some weeks, "
            "with inventory.keep in the configuration."
        )
    return message(
        "No survey is recorded in this time. The surveys on record are from %(first)s to %(last)s: look further back.",
        first=found.first,
        last=found.last,
    )


def too_much() -> Message:
    """Return that a back-test was ended, and what to do."""
    return message(
        "The back-test was ended: on a page it may take %(seconds)s seconds and %(size)s MB. Choose one target, a shorter time "
        "or fewer idle times, or use the command nbsweep backtest, which has no limit.",
        seconds=int(TIME_S),
        size=MEMORY_BYTES // 1024**2,
    )
