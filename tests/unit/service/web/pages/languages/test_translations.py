"""Every text of the pages is there in Chinese. The texts are found as Babel finds them: in templates and in the code."""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract

from nbsweep.core.reasons.language import Language
from nbsweep.service.web.pages.languages.catalogues import PACKAGE, read_catalogue, translation_files

ROOT = Path(str(files(PACKAGE)))
KEYWORDS = {"message": None, "plural": (1, 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")
MessageId = str | tuple[str, str]


def texts_of(path: Path) -> Iterator[MessageId]:
    """Return the messages of a template or a module."""
    is_template = path.suffix == ".html"
    method = "jinja2.ext:babel_extract" if is_template else "python"
    options = {"trimmed": "true", "silent": "false"} if is_template else {}
    keywords = {"gettext": None, "ngettext": (1, 2)} if is_template else KEYWORDS
    with path.open("rb") as file:
        for _, text, _, _ in extract(method, file, keywords=keywords, options=options):
            yield (text[0], text[1]) if isinstance(text, tuple) else text


def all_texts() -> set[MessageId]:
    """Return the messages of all templates and modules."""
    sources = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("**/*.py")]
    return {text for path in sources for text in texts_of(path)}


def translated() -> list[tuple[str, Catalog]]:
    """Return the Chinese catalogues by the names of their files."""
    return [(file.name, read_catalogue(file, Language.CHINESE)) for file in translation_files(Language.CHINESE)]


def strings(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the forms of a text."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def placeholders(text: str) -> set[str]:
    """Return the names of the values in a text."""
    return {match for match in PLACEHOLDER.findall(text) if match}


def test_texts_are_found_in_templates_and_in_code() -> None:
    """Or else nothing below would hold anything."""
    found = all_texts()
    assert "Skip to the content" in found
    assert "Another nbsweep sweeps this target" in found
    assert ("%(count)s notebook", "%(count)s notebooks") in found


def test_no_text_is_missing_in_chinese() -> None:
    """A failure shows the entries that are missing; put them with their translation into the file of their page."""
    have = {each.id for _, catalogue in translated() for each in catalogue if each.id and all(strings(each.string))}
    missing = sorted(all_texts() - have, key=str)
    assert missing == []


def test_no_translation_is_left_over() -> None:
    """A text that was changed or removed leaves no translation behind."""
    have = {each.id for _, catalogue in translated() for each in catalogue if each.id}
    assert sorted(have - all_texts(), key=str) == []


@pytest.mark.parametrize(("name", "catalogue"), translated())
def test_each_translation_is_sure_and_has_the_values_of_its_text(name: str, catalogue: Catalog) -> None:
    """None is marked as fuzzy, and each names the same values; a form for one may leave out the count."""
    assert name
    for each in catalogue:
        if each.id:
            assert not each.fuzzy, each.id
            assert list(each.check(catalogue)) == []
            wanted = set().union(*map(placeholders, strings(each.id)))
            assert all(placeholders(text) == wanted for text in strings(each.string)), each.id


def test_a_text_has_one_translation() -> None:
    """Several pages may have the same text; it is then translated in the same way."""
    found: dict[object, object] = {}
    for name, catalogue in translated():
        for each in catalogue:
            if each.id:
                assert found.setdefault(each.id, each.string) == each.string, f"{name}: {each.id}"
