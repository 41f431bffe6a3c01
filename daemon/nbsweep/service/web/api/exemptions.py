"""The handlers of the API for exemptions."""

from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from msgspec import Struct

from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.granting.grants import (
    Granter,
    GrantLimits,
    GrantRequest,
    make_exemption,
    new_exemption_id,
    one_line_reason,
)
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.documents.people.exemptions import (
    ExemptionsDocument,
    NewExemptionDocument,
    RevocationDocument,
    exemption_document,
    exemption_documents,
    grant_document,
)
from nbsweep.service.control import Control, UnknownTargetError
from nbsweep.service.granting import Revoker, grant, revoke
from nbsweep.service.web.access.call_limit import CallLimit
from nbsweep.service.web.access.visitors import actor_of
from nbsweep.service.web.api.creations import Creations
from nbsweep.service.web.bodies import read_json
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.parameters import LIMIT_MOST, checked_id, flag, number
from nbsweep.service.web.responses import json_answer
from nbsweep.settings.people.until import parse_until


class ExemptionPorts(Struct, frozen=True):
    """The ports of the handlers."""

    journal: Journal
    clock: Clock
    telemetry: Telemetry


class ExemptionsApi:
    """Handles the requests under /api/v1/exemptions."""

    def __init__(self, control: Control, ports: ExemptionPorts, limits: GrantLimits, calls: CallLimit) -> None:
        """Take the service, its journal, and the limits on exemptions and on calls to the cloud."""
        self._control = control
        self._journal = ports.journal
        self._clock = ports.clock
        self._telemetry = ports.telemetry
        self._limits = limits
        self._creations = Creations(control, ports.journal, calls)

    async def exemptions(self, request: web.Request) -> web.StreamResponse:
        """Return the exemptions in force; with `all`, also the latest of those that have ended or were revoked."""
        now, limit = self._clock.now(), number(request, "limit", LIMIT_MOST, 1, LIMIT_MOST)
        in_force = (await self._journal.exemptions.in_force(now))[:limit]
        latest = await self._journal.exemptions.all(limit) if flag(request, "all") else ()
        ended = [exemption for exemption in latest if not exemption.in_force(now)][: limit - len(in_force)]
        return json_answer(ExemptionsDocument(exemption_documents([*in_force, *ended], now)))

    async def grant(self, request: web.Request) -> web.StreamResponse:
        """Grant an exemption."""
        asked = await read_json(request, NewExemptionDocument)
        now = self._clock.now()
        until = parse_until(asked.until, now, self._limits.zone)
        self._require_one_way(asked)
        # What is wrong with the other fields is reported before the cloud is asked.
        granter = Granter(str(actor_of(request)))
        self._make(asked, Selector(asked.notebook_id, None, asked.owner, asked.name), until, granter)
        exemption = self._make(asked, await self._selector(asked), until, granter)
        effect = await grant(self._journal, exemption, self._telemetry)
        return json_answer(grant_document(exemption, effect, now), HTTPStatus.CREATED)

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """Revoke an exemption; one that was revoked before stays as it is."""
        exemption_id = checked_id("exemption_id", request.match_info["exemption_id"])
        asked, now = await read_json(request, RevocationDocument, optional=True), self._clock.now()
        revoker = Revoker(str(actor_of(request)), now, one_line_reason(asked.reason))
        revoked = await revoke(self._journal, exemption_id, revoker, self._telemetry)
        if revoked is None:
            raise Refused(Code.NOT_FOUND, "there is no such exemption; GET /api/v1/exemptions lists those in force")
        return json_answer(exemption_document(revoked, now))

    def _make(self, asked: NewExemptionDocument, selector: Selector, until: datetime, granter: Granter) -> Exemption:
        wanted = GrantRequest(selector, until, asked.reason, asked.ticket, asked.target or "")
        return make_exemption(wanted, self._limits, granter, self._clock.now(), new_exemption_id())

    def _require_one_way(self, asked: NewExemptionDocument) -> None:
        if asked.notebook_id is not None:
            checked_id("notebook_id", asked.notebook_id)
            if asked.owner is not None or asked.name is not None:
                raise Refused(Code.BAD_REQUEST, "a notebook is exempted by itself: leave out owner and name")
        elif asked.id_only:
            raise Refused(Code.BAD_REQUEST, "id_only needs notebook_id")
        if asked.target is not None and asked.target not in self._targets():
            raise UnknownTargetError(asked.target)

    def _targets(self) -> list[str]:
        return [state.name for state in self._control.targets()]

    async def _selector(self, asked: NewExemptionDocument) -> Selector:
        if asked.notebook_id is None:
            return Selector(owner=asked.owner, name=asked.name)
        created_at = None if asked.id_only else await self._creations.of(asked.notebook_id, asked.target)
        return Selector(asked.notebook_id, created_at)
