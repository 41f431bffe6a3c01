"""Reads a report as a browser does."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})


@dataclass
class Element:
    """An element with its attributes, and the texts and elements inside."""

    tag: str
    attributes: dict[str, str]
    parts: list["Element | str"] = field(default_factory=list)

    @property
    def children(self) -> list["Element"]:
        """The elements inside, one level deep."""
        return [part for part in self.parts if isinstance(part, Element)]

    def all(self, tag: str = "") -> list["Element"]:
        """Return all elements inside, or those of a kind, in the order of the page."""
        found = []
        for child in self.children:
            found += [child] if tag in ("", child.tag) else []
            found += child.all(tag)
        return found

    @property
    def words(self) -> str:
        """Return all text inside with single blanks."""
        return " ".join(" ".join(part if isinstance(part, str) else part.words for part in self.parts).split())


class Page(HTMLParser):
    """Builds the tree of a page, and fails where an element is not closed."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert self._open == [self.root], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} is repeated"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].parts.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open and close an element, as SVG has them."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self._open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        """Add text."""
        self._open[-1].parts.append(data)


def sections(root: Element) -> dict[str, Element]:
    """Return the sections of a page by their headings."""
    return {section.all("h2")[0].words: section for section in root.all("section")}


def rows(section: Element) -> list[list[str]]:
    """Return the cells of the last table of a section, with its head."""
    return [[cell.words for cell in row.children] for row in section.all("table")[-1].all("tr")]


def drawings(page: str) -> list[str]:
    """Return the text of each SVG of a page, those inside another one included in it."""
    found, begin, depth = [], 0, 0
    for tag in re.finditer(r"<(/?)svg\b[^>]*>", page):
        if not tag[1] and not depth:
            begin = tag.start()
        depth += 0 if tag[0].endswith("/>") else -1 if tag[1] else 1
        if not depth:
            found.append(page[begin : tag.end()])
    return found
