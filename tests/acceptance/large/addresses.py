"""The addresses of all pages, with every filter, every order, and the last part of every list."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

from acceptance.large.past import OWNER, PREFIX, RESTLESS, TARGET, name_of, notebook_id
from browser.addresses import STATIC, address, site_routes
from browser.addresses import is_file as is_file_path
from nbsweep.core.audit.steps import AuditStep
from nbsweep.service.web.pages.queries import OUTCOMES
from nbsweep.service.web.pages.routing import PageRoute
from nbsweep.service.web.pages.views.marks import FILTERS as MARK_STATES
from nbsweep.service.web.pages.views.plan import ORDERS

LIVE, GONE = notebook_id("live", 7), notebook_id("gone", 7)
Query = Mapping[str, str]

QUERIES: Mapping[str, Sequence[Query]] = {
    "/plan/{target}": (
        *({"sort": order} for order in ORDERS if order),
        *({"sort": order, "page": "200"} for order in ORDERS if order),
        {"page": "200"},
        {"owner": OWNER, "sort": "name"},
        {"policy": "idle", "status": "STOPPED", "text": PREFIX, "sort": "owner"},
        {"text": LIVE},
    ),
    "/plan/approved/{plan_id}": ({"page": "200"},),
    "/marks": (
        *({"state": state} for state in MARK_STATES if state),
        *({"state": state, "page": "60"} for state in ("marked", "told", "untold")),
        {"page": "200"},
        {"owner": OWNER},
        {"target": TARGET, "page": "200"},
    ),
    "/mine": ({"page": "3"},),
    "/exemptions": ({"text": OWNER}, {"text": "paper", "page": "20"}, {"state": "ended"}),
    "/exemptions/new": ({"notebook": LIVE, "target": TARGET, "next": "/plan"}, {"owner": OWNER}, {"name": f"{PREFIX}*"}),
    "/history": (
        {"since": "3650d"},
        *({"outcome": outcome} for outcome in OUTCOMES if outcome != "unfinished"),
        {"target": TARGET, "since": "3650d", "page": "360"},
        {"since": "3650d", "outcome": "failed", "page": "6"},
    ),
    "/history/periods.csv": ({"target": TARGET, "since": "3650d"},),
    "/history/durations.csv": ({"target": TARGET, "since": "3650d"},),
    "/history/causes.csv": ({"target": TARGET, "since": "3650d"},),
    "/history/removals.csv": ({"target": TARGET, "since": "3650d", "outcome": "failed"},),
    "/history/{run_id}": (*({"outcome": outcome} for outcome in OUTCOMES), {"page": "200"}),
    "/history/{run_id}/removals.csv": ({"outcome": "deleted"},),
    "/backtest": ({"from": "{result}"},),
    "/audit": (
        *({"step": step} for step in AuditStep),
        {"notebook": RESTLESS},
        {"notebook": GONE, "step": "deleted"},
        {"notebook": LIVE},
        {"notebook": name_of(7)},
        {"notebook": PREFIX},
        {"who": OWNER},
        {"who": "nobody"},
        {"target": TARGET, "since": "3650d", "before": "60"},
        {"since": "1d"},
    ),
    "/audit/verify": ({"after": "", "head": ""},),
    "/notebooks": ({"q": PREFIX}, {"q": "live"}, {"q": "t"}, {"q": name_of(19_999)}, {"q": "nothing-has-this-name"}),
    "/sign-in": ({"next": "/plan"},),
}
"""What is asked of each page besides the page as it is; every key that a page takes is among them."""
OTHERS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "/notebooks/{notebook_id}": ({"notebook_id": LIVE}, {"notebook_id": GONE}),
}
"""Other values for the parts of a path."""


def missing_keys() -> Mapping[str, set[str]]:
    """Return the keys of queries that are asked of no page, by path."""
    asked = {path: {key for query in QUERIES.get(path, ()) for key in query} for path in page_routes()}
    missing = {path: set(route.query) - asked[path] for path, route in page_routes().items()}
    return {path: keys for path, keys in missing.items() if keys}


def all_addresses(parts: Mapping[str, str]) -> Mapping[str, str]:
    """Return the paths of the routes by all addresses that are asked for; those of files come last."""
    return dict(sorted(_addresses(parts), key=lambda each: is_file(each[0])))


def _addresses(parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path in page_routes():
        for other in ({}, *OTHERS.get(path, ())):
            yield address(path, {**parts, **other}), path
        for query in QUERIES.get(path, ()):
            filled = {key: address(value, parts) for key, value in query.items()}
            yield f"{address(path, parts)}?{urlencode(filled)}", path


def page_routes() -> Mapping[str, PageRoute]:
    """Return the routes of pages, and of the files that people save."""
    return {path: route for path, route in site_routes().items() if not path.startswith(STATIC)}


def is_file(found: str) -> bool:
    """Return whether an address is that of a file, which may be large."""
    return is_file_path(found.partition("?")[0])
