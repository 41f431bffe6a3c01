"""Takes the pictures of the pages in docs/pictures: runs `nbsweep demo --serve`, and looks at it with Debian's Chromium.

The dates are those of today; everything else follows from the seed.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
PATIENCE_MS = 120_000
"""A back-test takes up to a minute."""
LAST_ADDRESS = "get from now on"
TOKEN = re.compile(r"token (\S+) ")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class Picture(NamedTuple):
    """A picture of one page."""

    name: str
    path: str
    size: tuple[int, int] = (1180, 680)
    scheme: Literal["light", "dark"] = "light"
    language: str = "en-US"
    of_owner: bool = False
    signed_in: bool = False
    first: str = ""
    """A link to follow first, as a selector; empty for none."""


PICTURES = (
    Picture("fleet", "/"),
    Picture("plan", "/plan/research", (1180, 800), signed_in=True),
    Picture("marks", "/marks"),
    Picture("history", "/history?since=90d", scheme="dark"),
    Picture("notebook", "/plan/research", first="table.rows a"),
    Picture("backtest", "/backtest", (1180, 900), first="main form button.main"),
    Picture("mine", "/mine", (390, 700), language="zh-CN", of_owner=True),
)


class Demo(NamedTuple):
    """The addresses of a running demo, and the token of its administrator."""

    pages: str
    owner: str
    token: str


@contextmanager
def demo() -> Iterator[Demo]:
    """Run the demo until the end of the block."""
    program = Path(sys.executable).parent / "nbsweep"
    with subprocess.Popen([program, "demo", "--serve"], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own
        try:
            text = ""
            for line in process.stdout or ():
                text += line
                if LAST_ADDRESS in line:
                    break
            pages, owner, _ = ADDRESS.findall(text)
            yield Demo(pages, owner, TOKEN.findall(text)[0])
        finally:
            process.send_signal(signal.SIGINT)


def take(browser: Browser, picture: Picture, running: Demo) -> None:
    """Take one picture."""
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=picture.scheme, locale=picture.language
    )
    context.set_default_timeout(PATIENCE_MS)
    tab, url = context.new_page(), running.owner if picture.of_owner else running.pages
    if picture.signed_in:
        sign_in(tab, running)
    tab.goto(f"{url}{picture.path}")
    if picture.first:
        tab.locator(picture.first).first.click()
        tab.wait_for_load_state()
    tab.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()


def sign_in(tab: Page, running: Demo) -> None:
    """Sign in as the administrator."""
    tab.goto(f"{running.pages}/sign-in")
    tab.fill("input[name=token]", running.token)
    tab.click("main button")
    tab.wait_for_load_state()


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with demo() as running, sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, picture, running)
        browser.close()


if __name__ == "__main__":
    main()
