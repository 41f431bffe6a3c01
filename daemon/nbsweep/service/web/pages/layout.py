"""Writes pages: the templates, what stands around the content of each page, and how values look."""

from collections.abc import Mapping, Sequence
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from nbsweep.core.reasons.actions import describe_action
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import ACTIONS, render, render_finding, render_statement, render_untold
from nbsweep.service.web.access.tokens import Role
from nbsweep.service.web.access.visitors import Visitor
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.charts import draw
from nbsweep.service.web.pages.languages.catalogues import PACKAGE, translations_of
from nbsweep.service.web.pages.languages.formats import COLONS, COMMAS, Formats, one_line
from nbsweep.service.web.pages.routing import Section, Shown
from nbsweep.service.web.pages.static import StaticFiles

TAGS = {Language.ENGLISH: "en", Language.CHINESE: "zh-CN"}
"""The languages as HTML and HTTP name them."""


ROLES: Mapping[Role | None, Message] = {
    None: message("not signed in"),
    Role.VIEWER: message("viewer"),
    Role.APPROVER: message("approver"),
    Role.ADMIN: message("administrator"),
}


class Entry(Struct, frozen=True):
    """A section in the navigation of one page."""

    path: str
    title: Message
    is_current: bool


class Chrome(Struct, frozen=True):
    """What stands around the content of a page."""

    sections: Sequence[Entry]
    visitor: Visitor
    role: Message
    """The role of the visitor."""
    can_sign_out: bool
    """Whether there is a session to end."""
    flash: Message | None
    here: str
    """The path of the page with its query, to come back to it."""
    sought: str
    """What the search field holds."""


class Layout:
    """Writes pages in both languages."""

    def __init__(self, zone: ZoneInfo, files: StaticFiles) -> None:
        """Take the time zone of dates, and the files that pages load."""
        self.zone = zone
        self._files = files

    def write(self, shown: Shown, chrome: Chrome, language: Language) -> str:
        """Return a page."""
        template = _environment(language, self.zone).get_template(shown.template)
        return template.render(
            view=shown.view,
            title=shown.title,
            chrome=chrome,
            language=TAGS[language],
            zone=self.zone.key,
            static=self._files.address,
        )


def entries(sections: Sequence[Section], path: str) -> list[Entry]:
    """Return the navigation of the page at a path; a page below that of a section belongs to it."""

    def is_current(section: Section) -> bool:
        return path == section.path or (section.path != "/" and path.startswith(f"{section.path}/"))

    return [Entry(section.path, section.title, is_current(section)) for section in sections]


@cache
def _environment(language: Language, zone: ZoneInfo) -> Environment:
    """Return the templates in one language, which are compiled when they are used first."""
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations_of(language), newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    environment.globals |= {"comma": COMMAS[language], "colon": COLONS[language]}
    formats = Formats(language, zone)
    environment.filters |= {
        "say": formats.say,
        "moment": formats.moment,
        "day": formats.day,
        "age": formats.age,
        "number": formats.number,
        "percent": formats.percent,
        "size": formats.size,
        "reason": lambda cause: one_line(render(cause, language, formats.moment_text)),
        "statement": lambda statement: one_line(render_statement(statement, language, formats.moment_text)),
        "untold": lambda text: one_line(render_untold(text, language)),
        "finding": lambda finding: render_finding(finding, language),
        "action": lambda action: describe_action(action, ACTIONS[language]),
        "line": one_line,
        "period": formats.period,
        "chart": lambda chart: draw(chart, formats),
    }
    return environment
