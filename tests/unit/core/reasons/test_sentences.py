"""Each cause has a sentence in every language, which names all that the cause holds."""

from string import Formatter

import pytest

from nbsweep.core.reasons import chinese, english
from nbsweep.core.reasons.composing import SELECTOR
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Cause, CauseCode, Param, recorded
from nbsweep.core.reasons.render import render

SHOWN: dict[str, tuple[Param, str, str]] = {
    "asked": ("lab", "lab", "lab"),
    "before": ("STOPPED", "STOPPED", "STOPPED"),
    "by": ("alice", "alice", "alice"),
    "change": ("renewed", "renewed", "租约已变更"),
    "covered": ("0, lab", "0, lab", "0, lab"),
    "created_at": ("2026-03-02T08:00:05+00:00", "2026-03-02 08:00:05Z", "2026-03-02 08:00:05 UTC"),
    "business_days": (5, "5 business days", "5 个工作日"),
    "detail": ("DELETE_FAILED", " (DELETE_FAILED)", "（DELETE_FAILED）"),
    "exemption": ("x7", "x7", "x7"),
    "failed_at": ("2026-03-01T12:30:00+00:00", "2026-03-01 12:30Z", "2026-03-01 12:30 UTC"),
    "failures": (3, "3 times", "3 次"),
    "feature": ("DEFAULT", "DEFAULT", "DEFAULT"),
    "field": ("tags", "set of tags", "标签"),
    "granted_for": ("thesis", "thesis", "thesis"),
    "marked_at": ("2026-02-01T00:00:00+08:00", "2026-01-31 16:00Z", "2026-01-31 16:00 UTC"),
    "missing": ("update_at", "update_at", "update_at"),
    "notice_s": (7 * 86_400, "7d", "7 天"),
    "of_name": ("exp-*", "name exp-*", "名称 exp-*"),
    "of_notebook": ("nb1", "notebook nb1", "实例 nb1"),
    "of_owner": ("bob", "owner bob", "所有者 bob"),
    "opens": ("2026-03-09T09:00:00+00:00", "2026-03-09 09:00Z", "2026-03-09 09:00 UTC"),
    "order": ("DELETE", "DELETE", "删除"),
    "planned_created_at": ("2026-01-02T08:00:05+00:00", "2026-01-02 08:00:05Z", "2026-01-02 08:00:05 UTC"),
    "problem": ("no status", "no status", "no status"),
    "status": ("RUNNING", "RUNNING", "RUNNING"),
    "until": ("2026-03-09T09:00:00+00:00", "2026-03-09 09:00Z", "2026-03-09 09:00 UTC"),
    "untold": ("no address", "no address", "no address"),
    "workspace": ("0", "workspace", "工作空间"),
}
"""Each parameter of a sentence: a value, and how English and Chinese show it."""
FINDING = Finding("status", "STOPPED", "STOPPED", Truth.PASS, alternatives=("STOPPED",))


def names(sentence: str) -> set[str]:
    """Return the names in a sentence."""
    found = {name for _, name, _, _ in Formatter().parse(sentence) if name}
    return found - {"selector"} | set(SELECTOR) if "selector" in found else found


def cause_of(code: CauseCode) -> Cause:
    """Return a cause that holds all that its English sentence names."""
    named = names(english.SENTENCES[code])
    return Cause(
        code,
        "idle-lease" if "rule" in named else "",
        (FINDING,) if "findings" in named else (),
        {name: SHOWN[name][0] for name in named if name in SHOWN},
        Cause(CauseCode.NO_POLICY) if "because" in named else None,
        "as it was" if "text" in named else "",
    )


@pytest.mark.parametrize("code", CauseCode)
def test_every_cause_has_a_sentence_in_each_language_that_names_the_same(code: CauseCode) -> None:
    """A code without a sentence, or a sentence that leaves out what the other one names, is a mistake."""
    assert names(chinese.SENTENCES[code]) == names(english.SENTENCES[code])


@pytest.mark.parametrize("code", CauseCode)
def test_every_sentence_shows_all_that_its_cause_holds(code: CauseCode) -> None:
    """The rule, the findings, the cause inside, and each parameter in the words of the language."""
    cause = cause_of(code)
    in_english, in_chinese = render(cause, Language.ENGLISH), render(cause, Language.CHINESE)
    for _, english_words, chinese_words in (SHOWN[name] for name in cause.params):
        assert english_words in in_english
        assert chinese_words in in_chinese
    both = (cause.rule, cause.text)
    assert all(word in sentence for word in both for sentence in (in_english, in_chinese))
    if cause.findings:
        assert ("status STOPPED" in in_english, "状态 STOPPED" in in_chinese) == (True, True)
    if cause.because:
        assert ("no policy matches it" in in_english, "不符合任何策略" in in_chinese) == (True, True)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "damaged",
    [
        Cause(CauseCode.POLICY_MATCHES, text="as it was"),
        Cause(CauseCode.SEEN_IN_USE, params={"order": "stop"}, text="as it was"),
        Cause(CauseCode.RUNS_AGAIN, text="as it was"),
        Cause(CauseCode.TOLD, "old", params={"until": "tomorrow"}, text="as it was"),
        Cause(CauseCode.UNANNOUNCED, "old", params={"notice_s": "a week"}, text="as it was"),
        Cause(CauseCode.UNANNOUNCED, "old", params={"notice_s": 10**20}, text="as it was"),
        recorded("as it was"),
    ],
)
def test_a_cause_that_cannot_be_rendered_shows_its_english_sentence(damaged: Cause, language: Language) -> None:
    """Another version may leave out a parameter, or write it in another way."""
    assert render(damaged, language) == "as it was"


def test_a_cause_without_any_words_shows_its_code() -> None:
    """There is nothing else to show, and a page must not fail."""
    assert render(Cause(CauseCode.SEEN_IN_USE), Language.CHINESE) == "seen-in-use"
    assert render(recorded(""), Language.ENGLISH) == "recorded"


def test_a_name_with_braces_stays_as_it_is() -> None:
    """Names are other people's text, and no part of the sentence."""
    cause = Cause(CauseCode.EXCLUDED, params={"by": "{rule} {0.__class__}"})
    assert render(cause, Language.ENGLISH) == "excluded by {rule} {0.__class__}"
    assert render(cause, Language.CHINESE) == "已由 {rule} {0.__class__} 排除"
