"""Watches a page as a strict user does: what it logs, what it is not allowed to load, how wide it is, who can read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Response

WIDTHS = (1280, 360)
HEIGHT = 800
VIOLATIONS = "window.violations ?? []"
"""Without JavaScript there is no script to note them; the console has them all the same."""
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
"""What is folded up is looked at, too."""
ALL_RULES: Mapping[str, object] = {}
RULES_OF_COLOURS: Mapping[str, object] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""The rules that depend on the scheme; the others find the same in the dark as in the light."""
SCHEMES: Mapping[Literal["light", "dark"], Mapping[str, object]] = {"light": ALL_RULES, "dark": RULES_OF_COLOURS}
"""Each scheme, with the rules of axe-core that a page is held to in it."""
CHECKS = Path(__file__).with_name("checks")
NOTE_VIOLATIONS = (CHECKS / "violations.js").read_text(encoding="utf-8")
WIDER_THAN_SCREEN = (CHECKS / "width.js").read_text(encoding="utf-8")
FINDINGS = (CHECKS / "findings.js").read_text(encoding="utf-8")
STRANGERS = (CHECKS / "strangers.js").read_text(encoding="utf-8")


@cache
def axe() -> str:
    """Return the source of axe-core, which is evaluated outside of what the policy of the page binds."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Watched:
    """A tab, and what went wrong in it so far."""

    tab: Page
    _noted: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, context: BrowserContext) -> "Watched":
        """Open a tab that is watched from its first moment."""
        context.add_init_script(NOTE_VIOLATIONS)
        found = cls(context.new_page())
        found.tab.on("console", found._logged)
        found.tab.on("pageerror", lambda error: found._noted.append(f"error of a script: {error}"))
        found.tab.on("response", found._answered)
        found.tab.on("dialog", found._asked)
        return found

    def _logged(self, line: ConsoleMessage) -> None:
        # The browser logs each answer with an error once more; `_answered` has the address.
        if line.type in ("error", "warning") and not line.text.startswith("Failed to load resource"):
            self._noted.append(f"console: {line.text}")

    def _asked(self, dialog: Dialog) -> None:
        self._noted.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _answered(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if not is_page and not response.ok:
            self._noted.append(f"{response.url} answered {response.status}")

    def open(self, url: str) -> int:
        """Open an address; return the status of the answer."""
        response = self.tab.goto(url)
        assert response
        status: int = response.status  # Any, where playwright is not installed
        return status

    def problems(self, widths: Sequence[int] = WIDTHS) -> list[str]:
        """Return all that is wrong with the page, in both schemes and at these widths."""
        found = [*self._noted, *self.tab.evaluate(VIOLATIONS)]
        self.tab.evaluate(OPEN_ALL)
        self.tab.evaluate(axe())
        for width in widths:
            self.tab.set_viewport_size({"width": width, "height": HEIGHT})
            found += [f"{width} px: {each}" for each in self.tab.evaluate(WIDER_THAN_SCREEN)]
            for scheme, rules in SCHEMES.items():
                self.tab.emulate_media(color_scheme=scheme)
                found += [f"{width} px, {scheme}: {each}" for each in self.tab.evaluate(FINDINGS, rules)]
        return [*found, *self.tab.evaluate(STRANGERS)]

    def assert_quiet(self) -> None:
        """Fail if something was logged or blocked; this needs no JavaScript, which axe-core does."""
        assert self._noted == []

    def assert_faultless(self) -> None:
        """Fail with all that is wrong with the page, a line for each."""
        found = self.problems()
        assert not found, f"{self.tab.url}\n" + "\n".join(found)
