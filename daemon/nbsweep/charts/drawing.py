"""The elements of SVG that charts are made of.

Texts are escaped, and are one line without characters that control the display.
"""

from xml.etree.ElementTree import Element, SubElement, tostring

ELLIPSIS = "…"
TEXT_PX = 12
"""The size of text where no style sheet says another."""
LONGEST = 300
"""Characters of a title or a description."""


def start(identity: str, title: str, description: str, height_px: int) -> Element:
    """Return the root of a chart as wide as its place."""
    root = Element("svg")
    _set(root, xmlns="http://www.w3.org/2000/svg", role="img", width="100%", height=height_px, font_size=TEXT_PX)
    _set(root, aria_labelledby=f"{identity}-title", aria_describedby=f"{identity}-desc", fill="currentColor")
    root.set("class", "chart")
    for name, text in (("title", title), ("desc", description)):
        SubElement(root, name, {"id": f"{identity}-{name}"}).text = shorten(text, LONGEST)
    return root


def add(parent: Element, tag: str, kind: str = "", /, **attributes: object) -> Element:
    """Add an element; `kind` is its class, and underscores in names of attributes stand for hyphens."""
    element = SubElement(parent, tag)
    if kind:
        element.set("class", f"chart-{kind}")
    _set(element, **attributes)
    return element


def write(parent: Element, text: str, kind: str, /, **attributes: object) -> None:
    """Add a text."""
    add(parent, "text", kind, **attributes).text = one_line(text)


def finish(root: Element) -> str:
    """Return the chart as text, for a page or a file."""
    return tostring(root, encoding="unicode")


def number(value: float) -> str:
    """Return a number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def percent(value: float) -> str:
    """Return a share of the width; `value` is in percent."""
    return f"{number(value)}%"


def one_line(text: str) -> str:
    """Return a text on one line; characters that XML forbids or that control the display are replaced."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(text.split()))


def shorten(text: str, most: int) -> str:
    """Return a text on one line of at most `most` characters; an ellipsis stands for the rest."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}{ELLIPSIS}"


def _set(element: Element, **attributes: object) -> None:
    for name, value in attributes.items():
        written = number(value) if isinstance(value, int | float) else str(value)
        element.set(name.replace("_", "-"), written)
