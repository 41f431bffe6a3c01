"""Takes pictures of the sample messages as mail programs would show them: on a desktop and a phone, light and dark.

Look at them after a change of an HTML template. Fails if a page is wider than its screen.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec.structs import replace
from playwright.sync_api import Browser, sync_playwright

from nbsweep.adapters.messages.environment import make_templates
from nbsweep.adapters.messages.renderer import Renderer
from nbsweep.adapters.messages.samples import hostile_digests, sample_digest, sample_notices
from nbsweep.core.notices.digest import Audience
from nbsweep.core.reasons.language import Language

ZONE = "Asia/Shanghai"
WIDTHS = (1280, 390, 360)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LONG_NAMES = -2
"""The place of the digest with names of 10,000 letters among the hostile ones."""


def pages() -> Iterator[tuple[str, str]]:
    """Yield each page with a name for its pictures."""
    for language in Language:
        renderer = Renderer(make_templates({}), (language,), ZONE)
        yield f"owner-{language.value}", renderer.digest_letter(sample_digest(language, ZONE)).html
        for notice in sample_notices():
            yield f"{notice.event.value}-{language.value}", renderer.sized_operator_letter(notice, "sample").html
        yield f"long-{language.value}", renderer.digest_letter([*hostile_digests(language, ZONE)][LONG_NAMES]).html
    renderer = Renderer(make_templates({}), (Language.ENGLISH,), ZONE)
    both = replace(sample_digest(Language.CHINESE, ZONE, Audience.CHANNEL), languages=(Language.CHINESE, Language.ENGLISH))
    yield "channel-both", renderer.digest_letter(both).html


def picture(browser: Browser, name: str, page: str, folder: Path) -> Iterator[str]:
    """Take all pictures of a page, and yield what is wrong with it."""
    for width in WIDTHS:
        for theme in THEMES:
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
            tab = context.new_page()
            tab.set_content(page)
            if (needed := tab.evaluate("document.documentElement.scrollWidth")) > width:
                yield f"{name} needs {needed} pixels on a screen of {width}"
            tab.screenshot(path=folder / f"{name}.{width}.{theme}.png", full_page=True)
            context.close()


def main(folder: Path) -> int:
    """Take all pictures; return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        problems = [problem for name, page in pages() for problem in picture(browser, name, page, folder)]
        browser.close()
    print("\n".join([*problems, f"The pictures are in {folder}."]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
