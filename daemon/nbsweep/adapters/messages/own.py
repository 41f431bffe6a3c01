"""Reads the templates of the user's own folder, and tries them on samples of everything that is told."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import TemplateNotFound, TemplateSyntaxError

from nbsweep.adapters.messages.environment import BUILT_IN, SUBJECT, Templates, make_templates
from nbsweep.adapters.messages.escaping import FORMS, HTML, TEXT, Form
from nbsweep.adapters.messages.renderer import Renderer
from nbsweep.adapters.messages.samples import hostile_digests, hostile_notices, sample_digest
from nbsweep.adapters.messages.views import LONGEST_PROBLEM, DigestView, Viewer, variables
from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.core.reasons.language import Language

LARGEST_BYTES = 262_144
HELPER = "_"
"""The beginning of the names of files that only other templates of the folder include or import."""
LAYOUT = "layout.html"
BLOCKS = "blocks.html"
ZONE = ZoneInfo("Asia/Shanghai")
MOST_OWNERS = 50


def own_templates(folder: Path) -> Templates:
    """Read, compile and try the templates of a folder.

    Raises:
        ConfigurationError: a template cannot be used; holds every mistake that was found.
    """
    texts, mistakes = _read(folder)
    templates = make_templates(texts)
    mistakes = mistakes or list(_syntax_mistakes(templates, texts)) or list(_sample_mistakes(templates, texts))
    if mistakes:
        raise ConfigurationError(str(folder), tuple(dict.fromkeys(mistakes)))
    return templates


# ---- files -------------------------------------------------------------------------------------------------------------------


def _read(folder: Path) -> tuple[dict[str, str], list[Mistake]]:
    """Read all files of the folder but hidden ones, by their names in the folder."""
    if not folder.is_dir():
        return {}, [Mistake("", None, "there is no such folder")]
    texts: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_dir() or any(part.startswith(".") for part in name.parts):
            continue
        try:
            texts[name.as_posix()] = _text(path, name)
        except ValueError as error:
            mistakes.append(Mistake(name.as_posix(), None, str(error)))
    return texts, mistakes


def _text(path: Path, name: Path) -> str:
    if name.as_posix() not in BUILT_IN and not name.name.startswith(HELPER):
        near = get_close_matches(name.as_posix(), BUILT_IN, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(BUILT_IN))}"
        raise ValueError(f"is not the name of a template; {hint} The name of a file that others include begins with {HELPER}")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or 'unknown reason'}") from None
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"is larger than {LARGEST_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text; save it as UTF-8") from None


# ---- trying ------------------------------------------------------------------------------------------------------------------


def _syntax_mistakes(templates: Templates, texts: Mapping[str, str]) -> Iterator[Mistake]:
    for name in texts:
        try:
            templates.find(name, HTML if name.endswith(HTML.suffix) else TEXT)
        except TemplateSyntaxError as error:
            yield Mistake(error.name or name, error.lineno, error.message or "cannot be read")


def _sample_mistakes(templates: Templates, texts: Mapping[str, str]) -> Iterator[Mistake]:
    """Render everything that is told by templates of the folder, with harmless and with hostile names."""
    for language in Language:
        for form in FORMS:
            if _concerns(texts, f"{language.value}/digest", form):
                yield from _tried(texts, partial(_try_digests, templates, language, form))
            if _concerns(texts, f"{language.value}/operator", form):
                yield from _tried(texts, partial(_try_operators, templates, language, form))
        yield from _tried(texts, partial(_try_page, templates, language))


def _concerns(texts: Mapping[str, str], kind: str, form: Form) -> bool:
    """Return whether the folder changes what is rendered of a kind in a form."""
    names = (
        {f"{kind}.{form.suffix}"}
        | ({f"{kind}.{SUBJECT}.txt"} if form is TEXT else set())
        | ({BLOCKS} if form is HTML else set())
    )
    return not names.isdisjoint(texts)


def _tried(texts: Mapping[str, str], attempt: Callable[[], Iterator[Mistake]]) -> Iterator[Mistake]:
    """Yield the mistakes of an attempt, up to the first error that a template raises."""
    try:
        yield from attempt()
    except Exception as error:  # noqa: BLE001  # a template may raise anything: it calls what it likes on its variables
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in {*texts, *BUILT_IN}]
        last = next((frame for frame in reversed(frames) if frame.filename in texts), None) or (frames[-1] if frames else None)
        problem = _described(error)
        yield Mistake(last.filename, last.lineno, problem) if last else Mistake("", None, problem)


def _described(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name}"
    return str(error).replace(f"{DigestView.__module__}.", "") or type(error).__name__


def _try_digests(templates: Templates, language: Language, form: Form) -> Iterator[Mistake]:
    name = f"{language.value}/digest.{form.suffix}"
    for digest in hostile_digests(language, ZONE.key):
        view = Viewer(form, language, ZONE).digest(digest)
        if form is TEXT and not templates.render(f"{language.value}/digest.{SUBJECT}.txt", form, variables(view)):
            yield Mistake(f"{language.value}/digest.{SUBJECT}.txt", None, "the subject is empty for some messages")
        body = templates.render(name, form, variables(view))
        yield from (Mistake(name, None, problem) for problem in _not_shown(view, body))


def _not_shown(view: DigestView, body: str) -> Iterator[str]:
    for item in view.items:
        if item.name not in body:
            yield f"does not show the name of every notebook: {{{{ item.name }}}} is missing for one of the kind {item.kind}"
        if item.deadline and item.deadline not in body and item.deadline_iso not in body:
            yield (
                "does not show the deadline of every notebook: {{ item.deadline }} or {{ item.deadline_iso }} is missing for "
                f"one of the kind {item.kind}"
            )


def _try_operators(templates: Templates, language: Language, form: Form) -> Iterator[Mistake]:
    endings = (f"{SUBJECT}.txt", form.suffix) if form is TEXT else (form.suffix,)
    for notice in hostile_notices():
        view = Viewer(form, language, ZONE).operator(notice, MOST_OWNERS, LONGEST_PROBLEM)
        for ending in endings:
            name = f"{language.value}/operator.{ending}"
            if not templates.render(name, form, variables(view)):
                yield Mistake(name, None, f"says nothing about {notice.event}")


def _try_page(templates: Templates, language: Language) -> Iterator[Mistake]:
    digest = sample_digest(language, ZONE.key)
    page = Renderer(templates, (language,), ZONE.key).digest_letter(digest).html
    view = Viewer(HTML, language, ZONE).digest(digest)
    if any(item.name not in page for item in view.items):
        yield Mistake(LAYOUT, None, "does not show what is told: it has to write {{ body.text }} for each body of bodies")
