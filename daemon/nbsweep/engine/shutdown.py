"""Ends a sweep early: on request, after the time limit, after an error of the account, or because of a brake."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

import anyio
import anyio.abc
import msgspec
from msgspec import Struct

from nbsweep.core.errors import SweepEnding
from nbsweep.core.events.sweep import SweepBraked
from nbsweep.core.lifecycle import INTERRUPTED, State
from nbsweep.core.planning.brakes import Refusal, judge_failures, judge_skew
from nbsweep.core.ports import Ports


class Shutdown(Struct, frozen=True):
    """How a sweep is asked to end early: stop, drain, cancel. The events are set from outside."""

    begun: anyio.Event = msgspec.field(default_factory=anyio.Event)
    """Set to begin no more removals, and to follow the accepted ones for a limited time."""
    hurried: anyio.Event = msgspec.field(default_factory=anyio.Event)
    """Set to end that time at once."""


@asynccontextmanager
async def time_limited(outer: Shutdown, limit: timedelta) -> AsyncIterator[Shutdown]:
    """Yield a shutdown for one sweep, which begins with the outer shutdown or when the time limit has passed."""
    async with _within(outer) as (own, group):

        async def time_out() -> None:
            await anyio.sleep(limit.total_seconds())
            own.begun.set()

        group.start_soon(time_out)
        yield own


@asynccontextmanager
async def begun_by(outer: Shutdown, event: anyio.Event) -> AsyncIterator[Shutdown]:
    """Yield a shutdown which begins with the outer shutdown or when the event is set."""
    async with _within(outer) as (own, group):
        group.start_soon(_pass_on, event, own.begun)
        yield own


@asynccontextmanager
async def ended_by(outer: Shutdown, event: anyio.Event) -> AsyncIterator[Shutdown]:
    """Yield a shutdown which begins with the outer shutdown or, hurried, when the event is set."""
    async with _within(outer) as (own, group):
        group.start_soon(_pass_on, event, own.begun)
        group.start_soon(_pass_on, event, own.hurried)
        yield own


@asynccontextmanager
async def _within(outer: Shutdown) -> AsyncIterator[tuple[Shutdown, anyio.abc.TaskGroup]]:
    """Yield a shutdown that begins with the outer one, and the tasks that end with the body."""
    own = Shutdown()
    async with anyio.create_task_group() as group:
        group.start_soon(_pass_on, outer.begun, own.begun)
        group.start_soon(_pass_on, outer.hurried, own.hurried)
        yield own, group
        group.cancel_scope.cancel()


async def _pass_on(source: anyio.Event, receiver: anyio.Event) -> None:
    await source.wait()
    receiver.set()


@asynccontextmanager
async def given_up_on(event: anyio.Event) -> AsyncIterator[None]:
    """Cancel the body when the event is set."""

    async def watch(scope: anyio.CancelScope) -> None:
        await event.wait()
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        yield
        group.cancel_scope.cancel()


@dataclass(slots=True)
class StopConditions:
    """Decides whether a sweep may begin more removals: not after a shutdown, an error of the account, or a brake."""

    ports: Ports
    shutdown: Shutdown
    max_failures: Fraction | None
    """The share of the removals that may fail; None for no limit."""
    error: SweepEnding | None = None
    """The error that affects the whole account."""
    begun: anyio.Event = field(default_factory=anyio.Event)
    """Set when the removals under way are followed for a limited time only; a brake does not set it."""
    refusal: Refusal | None = None
    """The refusal of the brake that has stopped the sweep."""
    _waits: set[anyio.CancelScope] = field(default_factory=set)
    """The waits of removals that have not begun."""

    @property
    def no_more(self) -> bool:
        """Whether no more removals are begun."""
        return self.refusal is not None or self.begun.is_set() or self.shutdown.begun.is_set()

    @property
    def why(self) -> str:
        """Why removals that were not begun are left."""
        stopped = self.refusal and f"not begun, because a brake stopped the sweep: {self.refusal.brake}"
        return stopped or INTERRUPTED

    def end_with(self, error: SweepEnding) -> None:
        """Begin no more removals, because an error affects the whole account."""
        self.error = self.error or error
        self.begun.set()
        self._end_waits()

    def count(self, states: Mapping[State, int]) -> None:
        """Check the number of removals in each state against the brake on failures."""
        self._apply(judge_failures(states, self.max_failures))

    def check_clock(self) -> None:
        """Check the clock against the brake on skew."""
        self._apply(judge_skew(self.ports.cloud.clock_skew_s()))

    def _apply(self, refusal: Refusal | None) -> None:
        """Begin no more removals after a refusal; those under way are followed to their ends."""
        if refusal and not self.no_more:
            self.refusal = refusal
            self._end_waits()
            self.ports.telemetry.emit(SweepBraked(refusal.brake, refusal.message))

    async def give_time(self, most: timedelta) -> None:
        """Wait for a time, or until the shutdown is hurried."""
        with anyio.move_on_after(most.total_seconds()):
            await self.shutdown.hurried.wait()

    async def watch(self) -> None:
        """Begin no more removals once a shutdown begins."""
        await self.shutdown.begun.wait()
        self.begun.set()
        self._end_waits()

    @contextmanager
    def while_beginning(self) -> Iterator[None]:
        """Wait inside for what a removal needs to begin; the wait ends at once when no more removals are begun."""
        with anyio.CancelScope() as scope:
            self._waits.add(scope)
            try:
                yield
            finally:
                self._waits.discard(scope)

    def _end_waits(self) -> None:
        for scope in self._waits:
            scope.cancel()
