"""The watch itself: each kind of fault is found on a page that is made to have it, or the other tests would prove nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from browser.watching import Watched

PAGE = '<!DOCTYPE html><html lang="en"><head><title>A page</title></head><body><main><h1>A page</h1>{}</main></body></html>'
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
URL = "http://page.test/"
FAULTS = {
    "<script>1</script>": "script-src-elem blocks inline",
    '<p style="color: red">A text</p>': "style-src-attr blocks inline",
    '<img src="http://elsewhere.test/x.png" alt="A picture">': "img-src blocks http://elsewhere.test/x.png",
    '<script src="/error.js"></script>': "error of a script: a mistake",
    '<script src="/warning.js"></script>': "console: a warning",
    '<script src="/missing.js"></script>': "http://page.test/missing.js answered 404",
    "<input>": "1280 px, light: label:",
    "<table><tr><td>" + "x" * 100 + "</td></tr></table>": "360 px: the page needs",
    '<a href="http://elsewhere.test/">Away</a>': "leads away",
    "<p>\u05d0\u05d1</p>": "can turn the text around it",
    "<p><bdi>\u202eabc</bdi></p>": "has a sign that turns text",
    '<script src="/hit.js"></script>': "a script of somebody else ran",
    '<link rel="stylesheet" href="/dim.css"><p class="dim">A text</p>': "360 px, dark: color-contrast",
}
"""Markup to a part of what is said about it."""
FILES = {
    "/error.js": "throw new Error('a mistake')",
    "/warning.js": "console.warn('a warning')",
    "/hit.js": "window.hit = 1",
    "/dim.css": "@media (prefers-color-scheme: dark) { body { background: #111; } .dim { color: #555; } }",
}


def answering(text: str, kind: str) -> Callable[[Route], None]:
    """Return what answers a request with a file."""
    return lambda route: route.fulfill(body=text, content_type=kind)


def looked_at(chromium: Browser, markup: str) -> list[str]:
    """Return what is wrong with a page that has this in its main part."""
    context = chromium.new_context()
    try:
        window = Watched.opened(context)
        kinds = {".js": "text/javascript", ".css": "text/css"}
        for path, text in FILES.items():
            window.tab.route(f"http://page.test{path}", answering(text, kinds[Path(path).suffix]))
        window.tab.route("**/missing.js", lambda route: route.fulfill(status=404))
        headers = {"Content-Security-Policy": POLICY, "Content-Type": "text/html; charset=utf-8"}
        window.tab.route(URL, lambda route: route.fulfill(body=PAGE.format(markup), headers=headers))
        window.open(URL)
        return window.problems()
    finally:
        context.close()


@pytest.mark.parametrize(("markup", "said"), FAULTS.items())
def test_a_fault_is_found(chromium: Browser, markup: str, said: str) -> None:
    """What is planted is named."""
    found = looked_at(chromium, markup)
    assert any(said in each for each in found), found


def test_nothing_is_found_where_nothing_is_wrong(chromium: Browser) -> None:
    """A page without a fault has none."""
    assert looked_at(chromium, "<p>A text</p>") == []
