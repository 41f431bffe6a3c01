"""Renders causes, statements, findings and lengths of time in the language of the reader."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from nbsweep.core.facts import format_age
from nbsweep.core.reasons import actions, chinese, chinese_findings, english, statement_wordings
from nbsweep.core.reasons.actions import ActionWording, decode_action, describe_action
from nbsweep.core.reasons.composing import Wording, compose, with_moments
from nbsweep.core.reasons.finding import Finding
from nbsweep.core.reasons.keeping import decode_cause
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Cause
from nbsweep.core.reasons.sentences.untold import untold_in_chinese
from nbsweep.core.reasons.statement import Statement, StatementWording, compose_statement, in_moments

WORDINGS: Mapping[Language, Wording] = {Language.ENGLISH: english.WORDING, Language.CHINESE: chinese.WORDING}
FINDINGS: Mapping[Language, Callable[[Finding], str]] = {
    Language.ENGLISH: str,
    Language.CHINESE: chinese_findings.describe_finding,
}
ACTIONS: Mapping[Language, ActionWording] = {
    Language.ENGLISH: actions.ENGLISH,
    Language.CHINESE: actions.CHINESE,
}
STATEMENTS: Mapping[Language, StatementWording] = {
    Language.ENGLISH: statement_wordings.ENGLISH,
    Language.CHINESE: statement_wordings.CHINESE,
}
AGES: Mapping[Language, Callable[[timedelta], str]] = {
    Language.ENGLISH: format_age,
    Language.CHINESE: chinese_findings.describe_age,
}


def render(cause: Cause, language: Language, moment: Callable[[datetime], str] | None = None) -> str:
    """Return the sentence of a cause. It names other people's texts, which the caller has to escape.

    `moment` writes the moments in it; without it, they are in UTC.
    """
    wording = WORDINGS[language]
    return compose(cause, with_moments(wording, moment) if moment else wording)


def render_statement(statement: Statement, language: Language, moment: Callable[[datetime], str] | None = None) -> str:
    """Return the sentence of a statement, as `render` does that of a cause."""
    wording = STATEMENTS[language]
    return compose_statement(statement, in_moments(wording, moment) if moment else wording)


def render_kept(text: str, sentence: str, language: Language) -> str:
    """Return the sentence of a cause that is kept as JSON; if that cannot be read, the English sentence kept beside it."""
    return render(decode_cause(text, sentence), language)


def render_action(text: str, language: Language) -> str:
    """Return what an owner can do, from an action that is kept as JSON."""
    return describe_action(decode_action(text), ACTIONS[language])


def render_untold(text: str, language: Language) -> str:
    """Return why nobody can be told, from the text that a mark keeps."""
    return untold_in_chinese(text) if language is Language.CHINESE else text


def render_finding(finding: Finding, language: Language) -> str:
    """Return a finding: the condition, the fact and the threshold."""
    return FINDINGS[language](finding)


def render_age(age: timedelta, language: Language) -> str:
    """Return a length of time in its two largest units."""
    return AGES[language](age)
