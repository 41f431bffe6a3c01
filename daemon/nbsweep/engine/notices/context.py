"""What the relay works with."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from nbsweep.core.judging.rules import Policy
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.channel import OpenChannels
from nbsweep.core.notices.contacts import OwnerDirectory
from nbsweep.core.notices.rendering import MessageRenderer
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.core.reasons.language import Language


async def no_tags(_mark: Mark) -> Mapping[str, str | None] | None:
    """Return no tags: none of them names a contact."""
    return {}


def no_link(_mark: Mark) -> None:
    """Return no link."""


async def untold(_channel: str, _problem: str) -> None:
    """Tell nobody."""


class RelayOptions(Struct, frozen=True):
    """The configuration of the relay."""

    policies: Mapping[str, Policy]
    """The policies by name."""
    zone: ZoneInfo
    languages: tuple[Language, ...]
    """The languages of a recipient who has no language of their own."""
    by: str
    """This process, as leases of messages name it."""
    page_url: str = ""
    """A page with all notebooks of a recipient; empty if there is none."""

    def grace_of(self, mark: Mark) -> Grace | None:
        """Return the grace of a mark's policy; None if the policy was edited or removed, so that a survey is to end it."""
        policy = self.policies.get(mark.policy)
        return policy.grace if policy and policy.digest == mark.policy_digest else None


class RelayPorts(Struct, frozen=True):
    """The ports of the relay."""

    journal: Journal
    clock: Clock
    telemetry: Telemetry
    directory: OwnerDirectory
    channels: OpenChannels
    renderer: MessageRenderer
    is_clock_verified: Callable[[], bool]
    """Returns whether this machine's clock was compared with the cloud's, and agrees."""
    read_tags: Callable[[Mark], Awaitable[Mapping[str, str | None] | None]] = no_tags
    """Reads the tags of a marked notebook, one of which may name a contact; None if they cannot be read at present."""
    operator_addresses: Mapping[str, str] = {}
    """The addresses of operators, by the recipients of their messages."""
    on_channel_failed: Callable[[str, str], Awaitable[None]] = untold
    """Called with the name of a channel that refuses all messages, and with the problem."""
    keep_link: Callable[[Mark], tuple[str, datetime] | None] = no_link
    """Returns the link by which the owner keeps a marked notebook, and until when at most; None if there is none."""
