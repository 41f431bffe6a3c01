"""Texts of other people are harmless in each form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from builders import searching
from nbsweep.adapters.messages.escaping import clean, html_url, in_html, in_markdown, plain, plain_url, shorten

TRICKS = [
    "*",
    "_",
    "[",
    "](",
    ")",
    "<",
    ">",
    "@",
    "＠",
    "#",
    "|",
    "`",
    "\\",
    "!",
    "~~",
    "https://",
    "www.",
    "&lt;",
    "\n",
    "\r",
    "- ",
    "1. ",
    "a",
    " ",
    "\u202e",
    "\u200b",
    "<at id=all>",
    "@all",
    "中",
]
hostile = st.lists(st.one_of(st.sampled_from(TRICKS), st.text(max_size=5)), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp-resnet_50", "exp-resnet_50"),
        ("  a \t b\r\nBcc: x@example.com", "a b Bcc: x@example.com"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bell\x07 escape\x1b[31m", "bell escape[31m"),
        ("line\u2028separator", "line separator"),
        ("half \ud83d of a character", "half of a character"),
        ("中文 名字", "中文 名字"),
    ],
)
def test_a_text_becomes_one_line_of_visible_characters(text: str, expected: str) -> None:
    """Controls, bidi marks, invisible characters and line ends are removed; everything else stays."""
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice@example.com", "alice@example.com"),
        ("see https://evil.test/x", "see https：//evil.test/x"),
        ("WWW.evil.test", "WWW．evil.test"),
        ("hello @all and @Everyone", "hello （at）all and （at）Everyone"),
        ("＠所有人", "（at）所有人"),
        ("<at user_id=all></at> <!channel> <@U123>", "＜at user_id=all>＜/at> ＜!channel> ＜@U123>"),
        ("a<attic @allison", "a<attic @allison"),
    ],
)
def test_plain_text_has_no_links_and_calls_nobody(text: str, expected: str) -> None:
    """Mail programs make links of texts, and chat robots call everybody; addresses of people stay readable."""
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp-resnet_50 (copy)", "exp-resnet_50 (copy)"),
        ("**bold** [x](http://y)", "＊＊bold＊＊ ［x］(http：//y)"),
        ("_x_ __init__", "＿x＿ ＿＿init＿＿"),
        ("`code` ~~gone~~ <b> #1 a|b \\* &lt;", "｀code｀ ～～gone～～ ＜b＞ ＃1 a｜b ＼＊ ＆lt;"),
        ("bob@example.com ＠all ﹫here", "bob（at）example.com （at）all （at）here"),
        ("- list", "－ list"),
        ("1. list", "1． list"),
        ("1.5 times", "1.5 times"),
        ("---", "－--"),
    ],
)
def test_markdown_of_other_people_is_only_text(text: str, expected: str) -> None:
    """Signs with a meaning become their wide forms; what means nothing stays as it is."""
    assert in_markdown(text) == expected


@searching
@given(hostile)
def test_no_text_is_more_than_text_in_markdown(text: str) -> None:
    """As an independent parser of CommonMark with links, tables and strikethrough sees it, wherever a template puts it."""
    parser = MarkdownIt("gfm-like", {"linkify": False})
    for source, around in ((in_markdown(text), ["text"]), (f"- **x** {in_markdown(text)}", None)):
        kinds = [each.type for token in parser.parse(source) for each in token.children or []]
        if around is not None:
            assert kinds in ([], around)
            assert [token.type for token in parser.parse(source)] in ([], ["paragraph_open", "inline", "paragraph_close"])
        else:
            assert [kind for kind in kinds if kind != "text"] == ["strong_open", "strong_close"]


@searching
@given(hostile)
def test_no_text_controls_a_display_or_calls_anybody(text: str) -> None:
    """In all forms it is one line; in Markdown, no sign is left that any robot takes for a mention."""
    for form in (plain, in_html, in_markdown):
        assert form(text).isprintable()
    assert not set("@＠﹫<>[]`*|#") & set(in_markdown(text))
    assert not set("<>\"'") & set(in_html(text))


@searching
@given(st.text(max_size=300), st.integers(min_value=1, max_value=100))
def test_a_shortened_text_has_at_most_so_many_characters(text: str, most: int) -> None:
    """A short text stays as it is; a long one ends in an ellipsis."""
    short = shorten(text, most)
    assert len(short) <= most
    assert short == text if len(text) <= most else short.endswith("…")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://nbsweep.example.com/keep/a-b_c?d=e&f=1", "https://nbsweep.example.com/keep/a-b_c?d=e&f=1"),
        ('https://x.test/a)b"c<d>', "https://x.test/a%29b%22c%3Cd%3E"),
        ("javascript:alert(1)", ""),
        ("https://x.test/a b", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_pages_become_links(url: str, expected: str) -> None:
    """Signs at which a form may end an address are encoded."""
    assert plain_url(url) == expected
    assert html_url(url) == expected.replace("&", "&amp;")
