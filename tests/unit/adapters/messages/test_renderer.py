"""Letters of digests: what they say, in which parts, and that names of other people are only text."""

import re
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from builders import ago, moment, notebook, over, policy, rules, searching
from letters import EXPECTED, FOUND, RENDERER, Scales, Tree, digest, line
from nbsweep.adapters.messages.escaping import clean
from nbsweep.adapters.messages.samples import HOSTILE_NAMES
from nbsweep.core.marks.model import ClearCause
from nbsweep.core.notices.channel import Letter
from nbsweep.core.notices.digest import Audience, Detail, Digest, Line
from nbsweep.core.notices.outbox import ItemKind
from nbsweep.core.policy import judge
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.keeping import encode_cause
from nbsweep.core.reasons.language import Language

SMALL = (
    line(1),
    line(2, name="exp-2", workspace="", capacity_gb=None, remedies=(), keep_url="", keep_until=None),
    line(3, ItemKind.REMIND, name="exp-3", deadline=FOUND + timedelta(days=2)),
    line(4, ItemKind.CLEARED, name="exp-4", cleared=ClearCause.USED),
    line(5, ItemKind.DELETED, name="exp-5"),
)
BOTH = (Language.CHINESE, Language.ENGLISH)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_small_digest_says_what_was_reviewed(language: Language, form: str) -> None:
    """Every kind of item, in each language and form."""
    letter = RENDERER.digest_letter(digest(*SMALL, languages=(language,)))
    suffix = {"text": "txt", "markdown": "md", "html": "html"}[form]
    expected = (EXPECTED / f"digest.{language.value}.{suffix}").read_text(encoding="utf-8")
    assert f"{letter.subject}\n\n{getattr(letter, form)}\n" == expected


def test_the_reason_is_in_the_language_of_the_reader() -> None:
    """As far as the mark holds it as a value; otherwise its English sentence is shown."""
    row = notebook(updated_at=ago(days=21, hours=4), lease=None)
    cause = judge(row, rules(policy(over("idle", days=14), name="idle-lease")), moment()).cause
    items = (
        line(1, cause=encode_cause(cause), reason=describe(cause)),
        line(2, cause="", reason="policy old: age 9d (over 1d)"),
    )
    shown = RENDERER.digest_letter(digest(*items, languages=(Language.CHINESE,))).text
    assert "符合策略 idle-lease：闲置时长 21 天 4 小时（超过 14 天）" in shown
    assert "policy old: age 9d (over 1d)" in shown
    assert "policy idle-lease: idle 21d 4h (over 14d)" not in shown


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", [Audience.FALLBACK, Audience.CHANNEL])
def test_others_than_the_owner_are_told_whose_each_notebook_is(audience: Audience, language: Language) -> None:
    """And are not addressed as its owner."""
    letter = RENDERER.digest_letter(digest(*SMALL, audience=audience, languages=(language,)))
    for text in (letter.text, letter.html, letter.markdown):
        assert text.count("alice") == len(SMALL)


def test_a_message_in_both_languages_says_everything_twice() -> None:
    """The first language comes first; screen readers know which is which."""
    letter = RENDERER.digest_letter(digest(*SMALL, languages=BOTH))
    alone = [RENDERER.digest_letter(digest(*SMALL, languages=(language,))) for language in BOTH]
    assert letter.subject == f"{alone[0].subject} / {alone[1].subject}"
    assert letter.text.startswith(alone[0].text)
    assert letter.text.endswith(alone[1].text)
    assert re.findall(r' lang="(..)"', letter.html) == ["zh", "zh", "en"]


@pytest.mark.parametrize(
    ("lines", "english", "chinese"),
    [
        (
            SMALL[:1],
            "[nbsweep] 1 notebook will be deleted, not before Tuesday 2026-12-08 09:00 (Asia/Shanghai)",
            "[nbsweep] 1 个 Notebook 将被删除，最早于 2026年12月8日 星期二 09:00（Asia/Shanghai）",
        ),
        (
            SMALL,
            "[nbsweep] 3 notebooks will be deleted, not before Thursday 2026-12-03 09:00 (Asia/Shanghai)",
            "[nbsweep] 3 个 Notebook 将被删除，最早于 2026年12月3日 星期四 09:00（Asia/Shanghai）",
        ),
        (
            SMALL[2:],
            "[nbsweep] Reminder: 1 notebook will be deleted, not before Thursday 2026-12-03 09:00 (Asia/Shanghai)",
            "[nbsweep] 提醒：1 个 Notebook 将被删除，最早于 2026年12月3日 星期四 09:00（Asia/Shanghai）",
        ),
        (SMALL[4:], "[nbsweep] 1 notebook was deleted", "[nbsweep] 1 个 Notebook 已删除"),
        (SMALL[3:4], "[nbsweep] 1 notebook will not be deleted", "[nbsweep] 1 个 Notebook 不再删除"),
    ],
)
def test_the_subject_says_the_gravest_thing(lines: tuple[Line, ...], english: str, chinese: str) -> None:
    """How many notebooks, and when the first of them goes."""
    for language, expected in ((Language.ENGLISH, english), (Language.CHINESE, chinese)):
        assert RENDERER.digest_letter(digest(*lines, languages=(language,))).subject == expected


def test_a_digest_that_is_too_large_becomes_parts_with_keys_of_their_own() -> None:
    """Each part says which it is; the keys are the same each time, and differ from those of another message."""
    whole = digest(*(line(number, name=f"exp-{number}") for number in range(12)))
    channel = Scales(limit_bytes=16_000)
    parts = RENDERER.letters(whole, channel, "alice@example.com")
    assert len(parts) > 1
    assert sorted(item for part in parts for item in part.item_ids) == sorted(whole.item_ids)
    for number, part in enumerate(parts, start=1):
        assert f"part {number} of {len(parts)}" in part.letter.subject
        assert f"part {number} of {len(parts)}" in part.letter.text
        assert channel.size_bytes(part.letter) <= channel.limit_bytes
        assert part.letter.to == "alice@example.com"
        assert all(f"exp-{item.removeprefix('item-')}\n" in part.letter.text for item in part.item_ids)
    keys = [part.letter.key for part in parts]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
    assert [part.letter.key for part in RENDERER.letters(whole, channel)] == keys
    assert not set(keys) & {part.letter.key for part in RENDERER.letters(replace(whole, key="key-2"), channel)}


def test_a_line_that_is_too_large_still_says_what_and_when() -> None:
    """Its reason and its remedies are cut, and the reader is told so."""
    long = line(1, reason="r" * 5_000, remedies=("m" * 300,) * 9)
    [part] = RENDERER.letters(digest(long), Scales(limit_bytes=1))
    assert part.item_ids == ("item-1",)
    for text in (part.letter.text, part.letter.html, part.letter.markdown):
        assert "exp-1" in text
        assert "6f1d2c1e" in text
        assert "Tuesday 2026-12-08 09:00 (Asia/Shanghai)" in text.replace("</time>", "")
        assert "This entry is shortened" in text
        assert "m" * 300 not in text
        assert "r" * 100 not in text


@searching
@given(
    st.lists(st.builds(line, st.integers(), st.sampled_from(ItemKind), name=st.text(max_size=30)), max_size=10, unique_by=id),
    st.integers(min_value=1_000, max_value=30_000),
)
def test_every_item_is_in_exactly_one_letter(lines: list[Line], limit: int) -> None:
    """Each letter fits, or is about one item in its shortest form."""
    unique = {each.item_id: each for each in lines}
    channel = Scales(limit_bytes=limit)
    parts = RENDERER.letters(digest(*unique.values()), channel)
    assert sorted(item for part in parts for item in part.item_ids) == sorted(unique)
    assert all(channel.size_bytes(part.letter) <= limit or len(part.item_ids) == 1 for part in parts)


# ---- names of other people --------------------------------------------------------------------------------------------------


def named(text: str, audience: Audience, languages: tuple[Language, ...]) -> Letter:
    """Return a letter in which every text of other people is this one."""
    lines = [
        replace(each, name=text, owner=text, reason=text, target=text, workspace=text, notebook_id=text, remedies=(text,))
        for each in SMALL
    ]
    whole: Digest = replace(digest(*lines, audience=audience, languages=languages), recipient=text)
    return RENDERER.digest_letter(whole)


def constructs(markdown: str) -> list[str]:
    """Return what a parser of CommonMark sees, apart from texts."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    inline = [each.type for token in tokens for each in token.children or [] if each.type not in {"text", "softbreak"}]
    return [*(token.type for token in tokens), *inline]


hostile = st.one_of(
    st.sampled_from(HOSTILE_NAMES[:-1]),
    st.text(min_size=1, max_size=40),
    st.lists(
        st.sampled_from(
            [*list("*_`[]()<>&\"'@＠#|\\!~-+=.:/ \n\r\t1a中"), "<at>", "@all", "https://", "]]>", "<!--", "{{", "{%"]
        ),
        min_size=1,
    ).map("".join),
)


@searching
@given(hostile, st.sampled_from(Audience), st.sampled_from([BOTH, BOTH[1:]]))
def test_no_name_is_more_than_text(text: str, audience: Audience, languages: tuple[Language, ...]) -> None:
    """The elements of the HTML and the constructs of the Markdown are those of a letter with harmless names.

    A name without visible letters is left out here: then there is no greeting.
    """
    assume(clean(text))
    letter, harmless = named(text, audience, languages), named("harmless", audience, languages)
    assert Tree(letter.html).elements == Tree(harmless.html).elements
    assert constructs(letter.markdown) == constructs(harmless.markdown)
    assert letter.subject.isprintable()
    assert all(each.isprintable() for each in letter.text.split("\n"))
    assert letter.text.count("\n") == harmless.text.count("\n")
    assert not set("@＠﹫") & set(letter.markdown)


def test_a_name_of_ten_thousand_letters_is_shortened() -> None:
    """The letter does not grow with it."""
    letter = named("n" * 10_000, Audience.CHANNEL, BOTH)
    assert all("n" * 1_000 not in text for text in (letter.subject, letter.text, letter.html, letter.markdown))


def test_a_name_without_visible_letters_is_called_nameless() -> None:
    """The id tells which notebook it is."""
    letter = RENDERER.digest_letter(digest(line(1, name="\u202e\u200b\n")))
    assert "1. (no name)\n" in letter.text
    assert "**(no name)**" in letter.markdown


# ---- HTML -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", Language)
def test_the_html_needs_nothing_from_elsewhere_and_runs_nothing(language: Language) -> None:
    """No script, image, style sheet, frame or form; links are those to our own pages."""
    elements = Tree(RENDERER.digest_letter(digest(*SMALL, languages=(language,))).html).elements
    tags = {element[0].removeprefix("/") for element in elements} - {"declaration"}
    assert tags == {
        "html",
        "head",
        "meta",
        "title",
        "body",
        "div",
        "p",
        "h2",
        "h3",
        "table",
        "tr",
        "th",
        "td",
        "strong",
        "time",
        "span",
        "ul",
        "li",
        "a",
    }
    attributes = {attribute.split("=")[0] for element in elements if element[0] != "declaration" for attribute in element[1:]}
    assert attributes == {"lang", "charset", "name", "content", "style", "scope", "href", "datetime"}
    assert "url(" not in str(elements)


@pytest.mark.parametrize("language", Language)
def test_the_html_can_be_read_aloud(language: Language) -> None:
    """It has a language, a title and headings in order, and each cell of a table has its heading."""
    elements = Tree(RENDERER.digest_letter(digest(*SMALL, languages=(language,))).html).elements
    assert ("html", f"lang={language.value}") in elements
    headings = [element[0] for element in elements if element[0] in {"h2", "h3"}]
    assert headings == ["h2", "h3", "h3", "h2", "h3", "h2", "h3", "h2", "h3"]
    rows = [element for element in elements if element[0] == "tr"]
    assert len(rows) == len([element for element in elements if element[0] == "th" and "scope=row" in element])
    assert len(rows) == len([element for element in elements if element[0] == "td"])


def test_less_detail_is_less() -> None:
    """Of a long line, each step takes less room."""
    long = line(1, reason="r" * 5_000, remedies=("m" * 300,) * 9)
    sizes = [Scales(0).size_bytes(RENDERER.digest_letter(digest(replace(long, detail=detail)))) for detail in Detail]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
