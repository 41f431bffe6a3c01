"""Makes texts of other people harmless in each form of a message: names, tags, reasons and owners.

A text may hold anything. In every form it becomes one line, without characters that control the display, and without links.
"""

import html
import re
import unicodedata
from collections.abc import Callable

from markupsafe import Markup
from msgspec import Struct

DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories of Unicode: controls, formats such as the direction of writing, halves of characters, private, unassigned."""
ELLIPSIS = "…"
LINK = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
"""What mail and chat programs take for the beginning of a link."""
LINK_BROKEN = {":": "：", ".": "．"}
MENTION = re.compile(r"[@＠﹫](?=\s*(?:(?:all|everyone|here|channel)\b|所有人))|<(?=\s*(?:/?\s*at\b|[!@#]))", re.IGNORECASE)
AT = "（at）"
MENTION_BROKEN = {"<": "＜"}
WIDE = str.maketrans(
    {
        **dict(zip("*~`[]<>#|\\&", "＊～｀［］＜＞＃｜＼＆", strict=True)),
        **dict.fromkeys("@＠﹫", AT),
    }
)
"""Wide forms look like the characters, and mean nothing to any chat robot: robots disagree about backslashes and entities."""
OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore at the edge of a word; one inside a word is no emphasis, and names are full of them."""
LIST_MARKER = re.compile(r"^([-+=])|^(\d{1,9})\.(?=\s|$)")
MARKER_BROKEN = {"-": "－", "+": "＋", "=": "＝"}


def clean(text: str) -> str:
    """Return a text as one line, without characters that control the display or look like nothing."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            " " if each.isspace() else each for each in text if each.isspace() or unicodedata.category(each) not in DROPPED
        )
    return " ".join(text.split())


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters; an ellipsis stands for the rest."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}{ELLIPSIS}"


def plain(text: str) -> str:
    """Make a text harmless in plain text, which chat programs may search for links and mentions, too."""
    unlinked = LINK.sub(lambda found: LINK_BROKEN[found[0]], clean(text))
    return MENTION.sub(lambda found: MENTION_BROKEN.get(found[0], AT), unlinked)


def in_html(text: str) -> Markup:
    """Make a text harmless in HTML, in an element and in an attribute."""
    return Markup(html.escape(plain(text)))  # noqa: S704  # escaped here


def in_markdown(text: str) -> str:
    """Make a text harmless in the Markdown of all chat robots."""
    wide = OUTER_UNDERSCORE.sub("＿", plain(text).translate(WIDE))
    return LIST_MARKER.sub(lambda found: MARKER_BROKEN[found[1]] if found[1] else f"{found[2]}．", wide)


URL = re.compile(r"https?://[!-~]+")
URL_ENDING = str.maketrans({each: f"%{ord(each):02X}" for each in "()<>[]{}\"'`|\\^*"})
"""Characters at which a form may take an address to end."""


def plain_url(url: str) -> str:
    """Return an address that every form takes for one whole address; empty if it is none."""
    return url.translate(URL_ENDING) if URL.fullmatch(url) else ""


def html_url(url: str) -> Markup:
    """Return an address for an attribute; empty if it is none."""
    return Markup(html.escape(plain_url(url)))  # noqa: S704  # escaped here


class Form(Struct, frozen=True):
    """One form of a message, and how texts and addresses are made harmless in it."""

    suffix: str
    """The end of the names of its templates."""
    text: Callable[[str], str]
    url: Callable[[str], str]


TEXT = Form("txt", plain, plain_url)
HTML = Form("html", in_html, html_url)
MARKDOWN = Form("md", in_markdown, plain_url)
FORMS = (TEXT, HTML, MARKDOWN)
