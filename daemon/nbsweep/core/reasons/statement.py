"""A sentence of nbsweep as a value: a code with its parameters, which each language renders.

Explanations and brakes say what they find in statements. As a cause, a statement that is kept carries its English sentence for
versions that do not know its code any more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.reasons.model import Param

RECORDED = "recorded"
"""The code of a statement of which only the English sentence is known."""
SEVERAL = "\x1f"
"""Between several texts in one parameter; no text of a notebook or of the cloud holds it."""


class Statement(Struct, frozen=True, omit_defaults=True):
    """A sentence of nbsweep, or a part of one."""

    code: str
    """Such as a `RequirementCode`; a text, because a statement that is kept may be of another version."""
    params: Mapping[str, Param] = {}
    """The values that the sentence names, by their names in the sentence."""
    parts: tuple["Statement", ...] = ()
    """The statements that the sentence contains."""
    text: str = ""
    """The English sentence of a statement that is kept; empty for all others."""


class StatementWording(Struct, frozen=True):
    """What one language needs to render a statement."""

    sentences: Mapping[str, str]
    """The sentence of each code, with the names of its parameters in braces."""
    params: Mapping[str, Callable[[Param], str]]
    """How to render parameters that are more than a number or a text of their own, by name."""
    between: Mapping[str, str]
    """What stands between the parts of a sentence, by the name for all of them in the sentence."""
    moments: frozenset[str]
    """The parameters that are moments."""


def recorded_statement(sentence: str) -> Statement:
    """Return the statement of which only the English sentence is known."""
    return Statement(RECORDED, text=sentence)


def in_moments(wording: StatementWording, moment: Callable[[datetime], str]) -> StatementWording:
    """Return the same wording with moments as `moment` writes them, for pages that show all times in one zone."""
    written = {name: lambda param: moment(datetime.fromisoformat(str(param))) for name in wording.moments}
    return replace(wording, params={**wording.params, **written})


def compose_statement(statement: Statement, wording: StatementWording) -> str:
    """Return the sentence of a statement; if it cannot be made, the English sentence that was kept with it."""
    sentence = wording.sentences.get(statement.code)
    try:
        return sentence.format_map(_words(statement, wording)) if sentence else statement.text or statement.code
    except (KeyError, ValueError, TypeError, OverflowError):
        return statement.text or statement.code


def _words(statement: Statement, wording: StatementWording) -> dict[str, str]:
    """Return the words for each name in a sentence."""
    parts = [compose_statement(part, wording) for part in statement.parts]
    joined = {name: between.join(parts) for name, between in wording.between.items()} if parts else {}
    shown = {name: wording.params.get(name, str)(value) for name, value in statement.params.items()}
    return {**joined, **shown}
