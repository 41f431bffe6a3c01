"""Finds the exemption that covers a notebook."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.matching.globs import Glob
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.finding import Truth


class Covering(Struct, frozen=True):
    """An exemption that covers a notebook, or may cover it."""

    exemption: Exemption
    missing: str = ""
    """The fact that is missing, or only looks alike, so that it is unknown whether the exemption covers the notebook; empty if
    it does."""

    def lacks_fact(self, notebook: Notebook) -> bool:
        """Return whether the fact is missing, so that a call for the single notebook may show it."""
        owner = notebook.owner
        absent = {
            "create_at": notebook.created_at is None,
            "user": owner.id is None or owner.name is None,
            "name": notebook.name is None,
        }
        return absent.get(self.missing, False)


def find_exemption(notebook: Notebook, exemptions: Iterable[Exemption], now: datetime) -> Covering | None:
    """Return the exemption that covers a notebook, or else one that may cover it; None if there is none.

    Of several exemptions the one that ends last counts.
    """
    doubt: Covering | None = None
    # Most exemptions are of one notebook, and a survey looks at all of them for each of its notebooks.
    near = [each for each in exemptions if each.selector.notebook_id in (None, notebook.id)]
    for exemption in sorted(near, key=lambda each: each.until, reverse=True):
        if not exemption.in_force(now):
            continue
        truth, missing = covers(exemption.selector, notebook)
        if truth is Truth.PASS:
            return Covering(exemption)
        if truth is Truth.UNKNOWN:
            doubt = doubt or Covering(exemption, missing)
    return doubt


def covers(selector: Selector, notebook: Notebook) -> tuple[Truth, str]:
    """Return whether a selector covers a notebook, and the missing fact if that is unknown.

    A selector without any text covers nothing.
    """
    checks = [
        _is_instance(selector, notebook),
        _is_owner(selector.owner, notebook),
        _is_named(selector.name, notebook),
    ]
    given = [check for check in checks if check is not None]
    if not given or any(truth is Truth.FAIL for truth, _ in given):
        return Truth.FAIL, ""
    return next(((truth, fact) for truth, fact in given if truth is Truth.UNKNOWN), (Truth.PASS, ""))


def _is_instance(selector: Selector, notebook: Notebook) -> tuple[Truth, str] | None:
    if selector.notebook_id is None:
        return None
    if selector.notebook_id != notebook.id:
        return Truth.FAIL, ""
    if selector.notebook_created_at is None:
        return Truth.PASS, ""
    if notebook.created_at is None:
        return Truth.UNKNOWN, "create_at"
    return (Truth.PASS if notebook.created_at == selector.notebook_created_at else Truth.FAIL), ""


def _is_owner(owner: str | None, notebook: Notebook) -> tuple[Truth, str] | None:
    if owner is None:
        return None
    wanted = _glob(_literal(owner))
    known = [text for text in (notebook.owner.id, notebook.owner.name) if text is not None]
    if wanted is None:
        return Truth.UNKNOWN, "user"
    if any(wanted.matches(text) for text in known):
        return Truth.PASS, ""
    if len(known) < len(("id", "name")) or any(wanted.resembles(text) for text in known):
        return Truth.UNKNOWN, "user"
    return Truth.FAIL, ""


def _is_named(name: str | None, notebook: Notebook) -> tuple[Truth, str] | None:
    if name is None:
        return None
    if notebook.name is None:
        return Truth.UNKNOWN, "name"
    wanted = _glob(name)
    if wanted is None:
        return Truth.UNKNOWN, "name"
    if wanted.matches(notebook.name):
        return Truth.PASS, ""
    return (Truth.UNKNOWN, "name") if wanted.resembles(notebook.name) else (Truth.FAIL, "")


@lru_cache(maxsize=1024)
def _glob(text: str) -> Glob | None:
    """Return the compiled glob; None if it is invalid, so that nobody knows what it covers."""
    try:
        return Glob(text, ignore_case=True)
    except ValueError:
        return None


def _literal(text: str) -> str:
    """Return a glob that matches only this text."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)
