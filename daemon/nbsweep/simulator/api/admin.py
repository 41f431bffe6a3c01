"""The simulator's own interface: the true state, the request log, faults and changes."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from nbsweep.simulator.api.world import World
from nbsweep.simulator.descriptions import NotebookChange, NotebookSpec
from nbsweep.simulator.options import ScriptedFault
from nbsweep.simulator.refusals import ApiError
from nbsweep.simulator.state import specs
from nbsweep.simulator.state.model import Instance, Moment

_ROOT = "/_simulator"
_Shape = TypeVar("_Shape")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Truth(Struct, kw_only=True):
    """The true state of one notebook; dates in epoch ms, as in the API."""

    id: str
    name: str
    feature: str
    workspace_id: str
    #: Now, whatever stale reads show; DELETED once it is gone.
    status: str
    #: What reads show; null once they do not find it any more.
    shown_status: str | None
    owner: str
    tags: dict[str, str]
    create_at: int
    update_at: int
    deleted: bool
    accepted_deletes: int
    history: list[Moment]


class ClockShift(Struct, forbid_unknown_fields=True):
    """The difference between the server's clock and the real one."""

    #: Seconds added to the present shift.
    seconds: float
    #: Whether Date headers follow.
    date_header: bool = False


class AdminApi:
    """Answers tests and demonstrations, without authentication, limits or faults."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register(self, router: web.UrlDispatcher) -> None:
        """Add every route."""
        for method, path, handler in (
            ("GET", "/instances", self.instances),
            ("POST", "/instances", self.create_instance),
            ("PATCH", "/instances/{notebook_id}", self.change_instance),
            ("GET", "/requests", self.requests),
            ("GET", "/counts", self.counts),
            ("POST", "/reset_counts", self.reset_counts),
            ("POST", "/faults", self.add_faults),
            ("POST", "/clock", self.shift_clock),
            ("POST", "/revoke_token", self.revoke_token),
        ):
            router.add_route(method, _ROOT + path, _guarded(handler))

    async def instances(self, request: web.Request) -> web.StreamResponse:
        """Answer the true state of all notebooks, deleted ones included, or of `?id=`."""
        self._world.cloud.advance()
        wanted = request.query.get("id")
        everything = self._world.cloud.instances.values()
        return _json([truth(instance) for instance in everything if wanted in {None, instance.id}])

    async def create_instance(self, request: web.Request) -> web.StreamResponse:
        """Add a notebook to the cloud."""
        spec = await _read(request, NotebookSpec)
        at_s = self._world.cloud.advance()
        return _json({"id": specs.create(self._world.cloud, spec, at_s=at_s, cause="admin").id}, status=201)

    async def change_instance(self, request: web.Request) -> web.StreamResponse:
        """Apply a change by the owner to a notebook."""
        wanted = await _read(request, NotebookChange)
        at_s = self._world.cloud.advance()
        notebook_id = request.match_info["notebook_id"]
        return _json(truth(specs.change(self._world.cloud, notebook_id, wanted, at_s)))

    async def requests(self, request: web.Request) -> web.StreamResponse:
        """Answer the log, or what arrived at `?since=` or later."""
        return _json(self._world.log.since(float(request.query.get("since", "0"))))

    async def counts(self, _request: web.Request) -> web.StreamResponse:
        """Answer the log's totals."""
        return _json(self._world.log.counts())

    async def reset_counts(self, _request: web.Request) -> web.StreamResponse:
        """Clear the log."""
        self._world.log.clear()
        return _json({})

    async def add_faults(self, request: web.Request) -> web.StreamResponse:
        """Append to the script."""
        items = await _read(request, tuple[ScriptedFault, ...])
        self._world.faults.extend(items)
        return _json({"added": len(items)})

    async def shift_clock(self, request: web.Request) -> web.StreamResponse:
        """Set the server's clock forward or back."""
        shift = await _read(request, ClockShift)
        clock = self._world.clock
        clock.shift_s += shift.seconds
        clock.shifts_date_header = shift.date_header
        return _json({"now": self._world.cloud.advance(), "shift_s": clock.shift_s})

    async def revoke_token(self, _request: web.Request) -> web.StreamResponse:
        """Revoke the last used token at the server that issued it."""
        iam = self._world.auth.foreign
        if iam is None:
            raise ValueError("there is no iam_url in the options")
        iam.revoke_last()
        return _json({})


def truth(instance: Instance) -> Truth:
    """Return the true state of a notebook."""
    return Truth(
        id=instance.id,
        name=instance.name,
        feature=instance.feature,
        workspace_id=instance.workspace_id,
        status=instance.status,
        shown_status=instance.shown_status if instance.listed else None,
        owner=instance.owner.name,
        tags=instance.tags,
        create_at=instance.create_at_ms,
        update_at=instance.update_at_ms,
        deleted=instance.gone,
        accepted_deletes=instance.accepted_deletes,
        history=instance.history,
    )


def _guarded(handler: _Handler) -> _Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (ApiError, ValueError) as error:
            return _json({"error": str(error)}, status=400)

    return answer


async def _read(request: web.Request, shape: type[_Shape]) -> _Shape:
    return msgspec.json.decode(await request.read(), type=shape)


def _json(content: Any, status: int = 200) -> web.StreamResponse:
    return web.Response(status=status, body=msgspec.json.encode(content), content_type="application/json")
