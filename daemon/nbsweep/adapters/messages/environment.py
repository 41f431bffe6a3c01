"""Compiles the templates: those of the package, and those of the user's own folder in place of them."""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, FunctionLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from nbsweep.adapters.messages.escaping import FORMS, HTML, Form
from nbsweep.core.reasons.language import Language

SUBJECT = "subject"
KINDS = ("digest", "operator")
UNSAFE_FILTERS = ("safe",)
"""Filters that would let texts of other people through unescaped."""
EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n)+")
SHARED = ("layout.html", "blocks.html")

BUILT_IN: Mapping[str, str] = {
    name: files(__package__).joinpath("templates", *name.split("/")).read_text(encoding="utf-8")
    for name in (
        *SHARED,
        *(
            f"{language.value}/{kind}.{ending}"
            for language in Language
            for kind in KINDS
            for ending in (f"{SUBJECT}.txt", *(form.suffix for form in FORMS))
        ),
    )
}
"""The text of each template of the package, by its name."""


class Templates(Struct, frozen=True):
    """Compiled templates of all forms."""

    environments: Mapping[str, ImmutableSandboxedEnvironment]
    """By the suffix of the form."""

    def find(self, name: str, form: Form) -> Template:
        """Return a template by its name, such as `en/digest.txt`, compiled at its first use."""
        return self.environments[form.suffix].get_template(name)

    def render(self, name: str, form: Form, values: Mapping[str, Any]) -> str:
        """Render a template, without white space at its ends, and without more than one empty line in a row."""
        return EMPTY_LINES.sub("\n\n", self.find(name, form).render(values)).strip()


def make_templates(own: Mapping[str, str]) -> Templates:
    """Return the templates; those of `own` take the place of the package's templates of the same names."""
    sources = {**BUILT_IN, **own}

    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        # The name stands for the file, so that tracebacks name the template.
        return (sources[name], name, lambda: True) if name in sources else None

    loader = FunctionLoader(load)
    return Templates({form.suffix: _environment(loader, form) for form in FORMS})


def _environment(loader: BaseLoader, form: Form) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        # In the other forms, texts are escaped before templates get them.
        autoescape=form is HTML,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in UNSAFE_FILTERS:
        del environment.filters[name]
    return environment
