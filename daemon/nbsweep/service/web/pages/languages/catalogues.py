"""Reads the translations: English is in the code and in the templates, Chinese in `translations/zh`, a file for each page."""

from collections.abc import Iterable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from nbsweep.core.reasons.language import Language

PACKAGE = "nbsweep.service.web"


def translation_files(language: Language) -> list[Traversable]:
    """Return the files with the translations into a language, sorted by name."""
    folder = files(PACKAGE) / "translations" / language
    return sorted((each for each in folder.iterdir() if each.name.endswith(".po")), key=lambda each: each.name)


def read_catalogue(file: Traversable, language: Language) -> Catalog:
    """Read one file of translations.

    Raises:
        PoFileError: it is malformed.
    """
    return read_po(BytesIO(file.read_bytes()), locale=language.value, abort_invalid=True)


def merged(catalogues: Iterable[Catalog], language: Language) -> Catalog:
    """Return all messages of several catalogues as one."""
    whole = Catalog(locale=language.value)
    for catalogue in catalogues:
        for each in catalogue:
            if each.id:
                whole.add(each.id, each.string, flags=each.flags)
    return whole


@cache
def translations_of(language: Language) -> NullTranslations:
    """Return the translations into a language; those into English leave every message as it is."""
    if language is Language.ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, merged((read_catalogue(file, language) for file in translation_files(language)), language))
    compiled.seek(0)
    return GNUTranslations(compiled)
