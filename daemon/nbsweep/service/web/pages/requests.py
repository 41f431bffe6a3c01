"""Checks the queries and the forms of requests to pages."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from nbsweep.service.web.bodies import read_form
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.routing import PageRoute


def require_known_query(request: web.Request, known: Sequence[str]) -> None:
    """Check the keys of a query. An empty value counts as left out: forms send all their fields.

    Raises:
        Refused: a key is unknown or repeated.
    """
    for key in request.query:
        if key not in known:
            raise Refused(Code.BAD_REQUEST, _unknown_key(known))
        if len(request.query.getall(key)) > 1:
            raise Refused(Code.BAD_REQUEST, message("query key %(key)s is repeated", key=key))


async def read_fields(request: web.Request, route: PageRoute) -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        Refused: it is no form, is too large, or has a field that is unknown or repeated.
    """
    if not request.can_read_body:
        return {}
    form = await read_form(request.clone(client_max_size=route.largest_form_bytes))
    if set(form) - set(route.fields):
        raise Refused(Code.BAD_REQUEST, _unknown_field(route.fields))
    return form


def _unknown_key(known: Sequence[str]) -> Message:
    if not known:
        return message("unknown query key; this page accepts no query")
    return message("unknown query key; this page accepts %(keys)s", keys=tuple(known))


def _unknown_field(known: Sequence[str]) -> Message:
    if not known:
        return message("the form may hold no field, and holds something else")
    return message("the form may hold %(fields)s, and holds something else", fields=tuple(known))
