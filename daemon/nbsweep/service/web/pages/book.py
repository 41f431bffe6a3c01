"""All pages, in the order of the navigation."""

from msgspec import Struct

from nbsweep.core.ports import Clock, Journal
from nbsweep.service.control import Control
from nbsweep.service.web.access.ownership import Ownership
from nbsweep.service.web.access.sessions import Sessions
from nbsweep.service.web.pages.handlers.fleet import FleetPage
from nbsweep.service.web.pages.handlers.language import LanguagePage
from nbsweep.service.web.pages.handlers.sign_in import SignInPage
from nbsweep.service.web.pages.routing import Page


class PageTools(Struct, frozen=True):
    """What pages are made with."""

    control: Control
    journal: Journal
    clock: Clock
    sessions: Sessions
    ownership: Ownership


def all_pages(tools: PageTools) -> list[Page]:
    """Return all pages."""
    return [
        FleetPage(tools.control, tools.journal, tools.clock),
        LanguagePage(),
        SignInPage(tools.sessions),
    ]
