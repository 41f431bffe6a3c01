"""What a sweep is told before it begins, and how it is asked to end early."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

import anyio
import msgspec
from msgspec import Struct

from nbsweep.core.brakes import MOST_FAILURES, Refusal
from nbsweep.core.cool_down import USUAL_COOL_DOWN, CoolDown
from nbsweep.core.errors import SweepEnding
from nbsweep.core.lease import Holder
from nbsweep.core.policy import Rules

INTERRUPTED = "interrupted before its DELETE"


class Patience(Struct, frozen=True):
    """How often to look at what is being deleted, and how long to trust no look."""

    interval: timedelta
    max_interval: timedelta
    grace: timedelta
    """How long reads may be stale after a DELETE."""


class LeaseOrders(Struct, frozen=True):
    """How a sweep makes sure that it is the only one."""

    holder: Holder
    """This process."""
    lasts: timedelta
    """How long a holder elsewhere may be silent before its target is taken over."""
    is_alive: Callable[[Holder], bool | None]
    """Tells whether a holder's process is there; None when that cannot be told from here. Must not wait."""


class Orders(Struct, frozen=True):
    """How removals are to be carried out."""

    rules: Rules
    workers: int
    deadline: timedelta
    retries: int
    fresh_for: timedelta
    patience: Patience
    drain: timedelta
    time_limit: timedelta = timedelta(hours=12)
    """How long a sweep may take before it is asked to stop."""
    lease: LeaseOrders | None = None
    """None where nobody else can be at work."""
    max_failures: Fraction | None = MOST_FAILURES
    """The share of its removals that may fail before a sweep is stopped; None for no limit."""
    cool_down: CoolDown | None = USUAL_COOL_DOWN
    """How long to leave a notebook alone whose deletion has failed; None for no time at all."""


class Facts(Struct, frozen=True):
    """What the survey knew, and decisions need later."""

    last_active: Mapping[str, datetime]
    positions: Mapping[str, int] = {}
    """By notebook id: which row of its listing it was, from 0."""
    never_stop: frozenset[str] = frozenset()
    """Ids of those that may be deleted, but not stopped first: the saved plan that permits them saw them at rest."""


class Shutdown(Struct, frozen=True):
    """How a sweep is asked to end early: stop, drain, cancel. The events are set from outside."""

    begun: anyio.Event = msgspec.field(default_factory=anyio.Event)
    """Take no more, and finish what is accepted, up to a limit."""
    hurried: anyio.Event = msgspec.field(default_factory=anyio.Event)
    """Do not wait for the limit."""


@asynccontextmanager
async def time_limited(outer: Shutdown, limit: timedelta) -> AsyncIterator[Shutdown]:
    """Give one sweep a shutdown of its own, which begins with the outer one, or when the sweep's time is up."""
    own = Shutdown()

    async def pass_on(heard: anyio.Event, told: anyio.Event) -> None:
        await heard.wait()
        told.set()

    async def time_out() -> None:
        await anyio.sleep(limit.total_seconds())
        own.begun.set()

    async with anyio.create_task_group() as group:
        group.start_soon(pass_on, outer.begun, own.begun)
        group.start_soon(pass_on, outer.hurried, own.hurried)
        group.start_soon(time_out)
        yield own
        group.cancel_scope.cancel()


@asynccontextmanager
async def given_up_on(event: anyio.Event) -> AsyncIterator[None]:
    """Cancel what is inside when the event is set."""

    async def watch(scope: anyio.CancelScope) -> None:
        await event.wait()
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        yield
        group.cancel_scope.cancel()


@dataclass(slots=True)
class Closing:
    """Whether more may be taken: not once a shutdown has begun, the account has refused us, or a brake has stopped it."""

    shutdown: Shutdown
    error: SweepEnding | None = None
    """Why nothing more can be begun on this account."""
    begun: anyio.Event = field(default_factory=anyio.Event)
    """Set when there is a limit to how long what is under way is followed; a brake sets none."""
    refusal: Refusal | None = None
    """The brake that has stopped the sweep."""

    @property
    def no_more(self) -> bool:
        """Tell whether no more may be taken."""
        return self.refusal is not None or self.begun.is_set() or self.shutdown.begun.is_set()

    @property
    def why(self) -> str:
        """Say why what was not begun is left."""
        stopped = self.refusal and f"not begun, because a brake stopped the sweep: {self.refusal.brake}"
        return stopped or INTERRUPTED

    def end_with(self, error: SweepEnding) -> None:
        """Take no more, because the account has refused us."""
        self.error = self.error or error
        self.begun.set()

    def refuse(self, refusal: Refusal) -> None:
        """Take no more, because a brake says so; what is under way is followed to its end."""
        self.refusal = self.refusal or refusal

    async def give_time(self, most: timedelta) -> None:
        """Wait so long at most, and no longer once somebody is in a hurry."""
        with anyio.move_on_after(most.total_seconds()):
            await self.shutdown.hurried.wait()

    async def watch(self) -> None:
        """Take no more once a shutdown begins."""
        await self.shutdown.begun.wait()
        self.begun.set()
