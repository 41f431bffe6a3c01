"""Composes the sentence of a cause from the sentences and words of one language."""

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.reasons.finding import Finding
from nbsweep.core.reasons.model import Cause, CauseCode, Param

SELECTOR = ("of_notebook", "of_owner", "of_name")
"""The parameters that together say which notebooks an exemption covers; each of them may be absent."""

MOMENTS = ("until", "opens", "failed_at", "marked_at")
"""The parameters that are moments, to the minute."""


class Wording(Struct, frozen=True):
    """What one language needs to render a cause."""

    sentences: Mapping[CauseCode, str]
    """The sentence of each code, with the names of its parameters in braces."""
    params: Mapping[str, Callable[[Param], str]]
    """How to render parameters that are more than a number or a text of their own, by name."""
    finding: Callable[[Finding], str]
    semicolon: str
    comma: str


def with_moments(wording: Wording, moment: Callable[[datetime], str]) -> Wording:
    """Return the same wording with moments as `moment` writes them, for pages that show all times in one zone."""
    written = {name: lambda param: moment(datetime.fromisoformat(str(param))) for name in MOMENTS}
    return replace(wording, params={**wording.params, **written})


def compose(cause: Cause, wording: Wording) -> str:
    """Return the sentence of a cause; if a parameter is missing or malformed, the English sentence that was kept with it."""
    try:
        return wording.sentences[cause.code].format_map(_words(cause, wording)) or cause.code
    except (KeyError, ValueError, TypeError, OverflowError):
        return cause.text or cause.code


def _words(cause: Cause, wording: Wording) -> dict[str, str]:
    """Return the words for each name in a sentence; a name without a value is left out."""
    words = {name: wording.params.get(name, str)(value) for name, value in cause.params.items()}
    words["findings"] = wording.semicolon.join(map(wording.finding, cause.findings))
    words["selector"] = wording.comma.join(words[name] for name in SELECTOR if name in words)
    words["text"] = cause.text
    if cause.rule:
        words["rule"] = cause.rule
    if cause.because:
        words["because"] = compose(cause.because, wording)
    return words
