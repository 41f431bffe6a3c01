"""Reads pages as a browser and its user do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from unit.service.web.support import Face

VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "circle", "path", "rect"})
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@dataclass
class Element:
    """An element, with its text and its attributes."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        """Return all elements of a kind inside."""
        return [found for child in self.children for found in ([child] if child.tag == tag else []) + child.all(tag)]

    def only(self, tag: str) -> "Element":
        """Return the only element of a kind inside."""
        [found] = self.all(tag)
        return found

    @property
    def words(self) -> str:
        """Return the text with single blanks."""
        return " ".join(self.text.split())


class Tree(HTMLParser):
    """Builds the tree of a page, and fails where an element is not closed."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} is repeated"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add an element of SVG that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add a text to all open elements."""
        for element in self._open:
            element.text += data


def parsed(text: str) -> Element:
    """Return the tree of a page."""
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert tree._open == [tree.root]  # noqa: SLF001 - its own test
    return tree.root


@dataclass
class Seen:
    """An answer with a page."""

    status: int
    headers: Mapping[str, str]
    page: Element
    source: str

    @property
    def heading(self) -> str:
        """Return the heading of the page."""
        return self.page.only("h1").words

    @property
    def content(self) -> Element:
        """Return what is in the main part."""
        return self.page.only("main")


async def see(face: Face, path: str, method: str = "GET", **how: object) -> Seen:
    """Open a page as a browser does, without following a redirect."""
    headers = {**BROWSER, **how.pop("headers", {})}  # type: ignore[dict-item]
    async with face.session.request(method, face.url + path, headers=headers, allow_redirects=False, **how) as response:  # type: ignore[arg-type]
        source = await response.text()
        return Seen(response.status, response.headers, parsed(source), source)


async def follow(face: Face, done: Seen) -> Seen:
    """Open the page that an answer leads to, with the cookie of its message."""
    cookie = done.headers.get("Set-Cookie", "").partition(";")[0]
    return await see(face, done.headers["Location"], headers={"Cookie": cookie})


def facts(element: Element) -> dict[str, str]:
    """Return the lists of terms and what they say."""
    return {pair.only("dt").words: pair.only("dd").words for pair in element.all("div") if len(pair.all("dt")) == 1}


def rows(table: Element) -> list[list[str]]:
    """Return the cells of a table, row by row, the heading first."""
    return [[cell.words for cell in row.children if cell.tag in ("th", "td")] for row in table.all("tr")]
