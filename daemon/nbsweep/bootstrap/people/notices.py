"""Builds the relay that tells owners and operators. Only what tells people imports it: mail and templates take memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from nbsweep.adapters.process import this_process
from nbsweep.bootstrap.people.channels import open_channels_of
from nbsweep.bootstrap.people.links import make_keep_links, offers_links
from nbsweep.bootstrap.people.messages import make_renderer
from nbsweep.bootstrap.people.owners import make_directory
from nbsweep.bootstrap.sweeps import OpenResources
from nbsweep.core.errors import CloudError, Gone
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.core.planning.brakes import MOST_SKEW_S
from nbsweep.core.ports import Cloud, Telemetry
from nbsweep.engine.notices.context import RelayOptions, RelayPorts, no_link, no_tags
from nbsweep.engine.notices.operators import OperatorNotices
from nbsweep.engine.notices.recipients import CHANNEL_PREFIX, operators_at
from nbsweep.engine.notices.relay import Relay
from nbsweep.settings import Settings
from nbsweep.settings.people.notify import places_of
from nbsweep.settings.people.owners import takes_addresses


class Notices(Struct, frozen=True):
    """What tells people."""

    relay: Relay
    operators: OperatorNotices


@asynccontextmanager
async def open_notices(settings: Settings, opened: OpenResources, telemetry: Telemetry) -> AsyncIterator[Notices]:
    """Open the channels, and build the relay on the journal of a command.

    Raises:
        ConfigurationError: a template of the user's own, or a key of links, cannot be used.
    """
    renderer = make_renderer(settings)
    clouds = {sweeper.area.target: sweeper.ports.cloud for sweeper in opened.sweepers}
    places, addresses = _operators(settings)
    async with open_channels_of(settings, opened.accesses, opened.clock) as channels:
        operators = OperatorNotices(opened.journal, opened.clock, places)
        ports = RelayPorts(
            journal=opened.journal,
            clock=opened.clock,
            telemetry=telemetry,
            directory=make_directory(settings, opened.user_lookups, opened.clock),
            channels=channels,
            renderer=renderer,
            is_clock_verified=_clock_check(clouds),
            read_tags=_tag_reader(clouds) if any(part.tag for part in settings.owners) else no_tags,
            operator_addresses=addresses,
            on_channel_failed=operators.tell_of_channel,
            keep_link=make_keep_links(settings, opened.clock) if offers_links(settings) else no_link,
        )
        policies = {policy.name: policy for policy in settings.rules.policies}
        options = RelayOptions(policies, settings.calendar.zone, settings.messages.languages, this_process().owner)
        yield Notices(Relay(ports, options), operators)


def _operators(settings: Settings) -> tuple[Mapping[OperatorEvent, list[str]], Mapping[str, str]]:
    """Return the recipients of each event, and the addresses of those that need one."""
    places: dict[OperatorEvent, list[str]] = {}
    addresses: dict[str, str] = {}
    for event, name, address in places_of(settings.notify):
        addressed = takes_addresses(settings.channels[name])
        place = operators_at(name, address) if addressed else f"{CHANNEL_PREFIX}{name}"
        places.setdefault(event, []).append(place)
        if address:
            addresses[place] = address
    return places, addresses


def _clock_check(clouds: Mapping[str, Cloud]) -> Callable[[], bool]:
    def is_verified() -> bool:
        """Return whether the clock agrees with that of a cloud which has answered since the clock was last set."""
        skews = (cloud.clock_skew_s() for cloud in clouds.values())
        return any(skew is not None and abs(skew) <= MOST_SKEW_S for skew in skews)

    return is_verified


def _tag_reader(clouds: Mapping[str, Cloud]) -> Callable[[Mark], Awaitable[Mapping[str, str | None] | None]]:
    async def read(mark: Mark) -> Mapping[str, str | None] | None:
        """Return the tags of a notebook; none if it is gone, and None if they cannot be read at present."""
        cloud = clouds.get(mark.target)
        if cloud is None:
            return None
        try:
            return (await cloud.show(mark.notebook_id)).tags or {}
        except Gone:
            return {}
        except CloudError:
            return None

    return read
