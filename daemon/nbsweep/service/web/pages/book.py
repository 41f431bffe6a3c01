"""All pages, in the order of the navigation."""

from msgspec import Struct

from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.service.control import Control, FleetSource
from nbsweep.service.web.access.call_limit import CallLimit
from nbsweep.service.web.access.ownership import Ownership
from nbsweep.service.web.access.sessions import Sessions
from nbsweep.service.web.api.creations import Creations
from nbsweep.service.web.owned import OwnedNotebooks
from nbsweep.service.web.pages.handlers.audit import AuditPage
from nbsweep.service.web.pages.handlers.backtest import BacktestPage
from nbsweep.service.web.pages.handlers.events import EventsPage
from nbsweep.service.web.pages.handlers.exemptions import ExemptionsPage
from nbsweep.service.web.pages.handlers.fleet import FleetPage
from nbsweep.service.web.pages.handlers.history import HistoryPage
from nbsweep.service.web.pages.handlers.language import LanguagePage
from nbsweep.service.web.pages.handlers.marks import MarksPage
from nbsweep.service.web.pages.handlers.mine import MinePage, MinePorts
from nbsweep.service.web.pages.handlers.notebook import NotebookPage
from nbsweep.service.web.pages.handlers.plan import PlanPage
from nbsweep.service.web.pages.handlers.run import RunPage
from nbsweep.service.web.pages.handlers.search import SearchPage
from nbsweep.service.web.pages.handlers.sign_in import SignInPage
from nbsweep.service.web.pages.routing import Page
from nbsweep.service.web.planning.desk import PlanDesk
from nbsweep.service.web.trying.port import Backtester


class PageTools(Struct, frozen=True):
    """What pages are made with."""

    control: Control
    journal: Journal
    clock: Clock
    sessions: Sessions
    ownership: Ownership
    telemetry: Telemetry
    calls: CallLimit
    limits: GrantLimits
    """The limits on exemptions that administrators grant; their time zone is that of the pages."""
    events: EventsPage
    desk: PlanDesk
    owner_limits: GrantLimits
    """The limits on exemptions that owners grant themselves."""
    backtester: Backtester | None
    """None if there is no page Back-test."""
    fleet: FleetSource | None = None
    """Reads what the processes of a fleet do; None without a fleet."""


def all_pages(tools: PageTools) -> list[Page]:
    """Return all pages."""
    control, journal, clock = tools.control, tools.journal, tools.clock
    creations = Creations(control, journal, tools.calls)
    owned = OwnedNotebooks(control, journal, clock, tools.ownership)
    notebooks = NotebookPage(control, journal, clock, tools.calls)
    return [
        FleetPage(control, journal, clock, tools.fleet),
        PlanPage(control, journal, clock, tools.desk),
        MarksPage(control, journal, clock),
        ExemptionsPage(control, journal, clock, tools.telemetry, tools.limits, creations, notebooks),
        MinePage(control, MinePorts(journal, clock, tools.telemetry), tools.ownership, tools.owner_limits, owned),
        HistoryPage(control, journal, clock, tools.limits.zone),
        RunPage(journal),
        *([BacktestPage(control, clock, tools.backtester)] if tools.backtester else []),
        AuditPage(control, journal, clock),
        SearchPage(journal),
        notebooks,
        LanguagePage(),
        SignInPage(tools.sessions),
        tools.events,
    ]
