"""Finds the recipient of an item: an owner, the fallback contact, or the fixed place of a channel."""

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from nbsweep.core.marks.grace import OWNER
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.channel import Channel
from nbsweep.core.notices.contacts import Contact, NoContact, Owner
from nbsweep.core.notices.digest import Audience
from nbsweep.core.notices.outbox import Item
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.sentences.untold import UntoldSentence
from nbsweep.engine.notices.context import RelayPorts

FALLBACK = "fallback"
TAG = "tag"
OWNER_PREFIX = "owner:"
CHANNEL_PREFIX = "channel:"
OPERATORS_PREFIX = "operators:"
"""Operators who are reached by a channel that takes addresses."""


def channel_of(place: str) -> str:
    """Return the channel of a recipient that is no owner."""
    return place.split(":")[1]


def operators_at(channel: str, address: str) -> str:
    """Return the recipient of operators' messages; a digest tells several addresses of one channel apart."""
    if not address:
        return f"{OPERATORS_PREFIX}{channel}"
    return f"{OPERATORS_PREFIX}{channel}:{_digest(address)}"


def _digest(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:8]


class Recipient(Struct, frozen=True):
    """Where a message goes. The address is personal data: it is never logged and never stored."""

    id: str
    """As in the outbox: `owner:KEY`, `fallback`, `channel:NAME`, or `operators:NAME` for operators with an address."""
    channel: Channel
    address: str
    language: Language | None
    label: str
    """How the recipient is addressed; empty for a channel."""

    @property
    def audience(self) -> Audience:
        """Return who reads the message."""
        if self.id.startswith(OWNER_PREFIX):
            return Audience.OWNER
        return Audience.FALLBACK if self.id == FALLBACK else Audience.CHANNEL

    def __repr__(self) -> str:
        """Return the recipient for debugging, without the address."""
        return f"Recipient(id={self.id!r}, channel={self.channel.name!r})"


async def recipient_of_item(item: Item, mark: Mark, ports: RelayPorts) -> Recipient | NoContact:
    """Return the recipient of a waiting item."""
    if item.tell == OWNER:
        return await find_recipient(f"{OWNER_PREFIX}{mark.owner_key}", [mark], ports)
    if item.tell == FALLBACK:
        return await find_recipient(FALLBACK, [mark], ports)
    return await find_recipient(f"{CHANNEL_PREFIX}{item.tell}", [mark], ports)


async def find_recipient(recipient_id: str, marks: Sequence[Mark], ports: RelayPorts) -> Recipient | NoContact:
    """Return a recipient by the id in the outbox; `marks` are those of the message, whose owner it may be."""
    if recipient_id.startswith(CHANNEL_PREFIX):
        return _place(recipient_id.removeprefix(CHANNEL_PREFIX), ports)
    if recipient_id.startswith(OPERATORS_PREFIX):
        return await _operators(recipient_id, ports)
    if recipient_id == FALLBACK:
        return _addressed(FALLBACK, "", await ports.directory.fallback(), ports)
    mark = marks[0]
    if not mark.owner_key:
        return NoContact(UntoldSentence.OWNER_NOT_SHOWN.value)
    tags = await ports.read_tags(mark)
    if tags is None:
        return NoContact(UntoldSentence.TAGS_UNREADABLE.value, passing=True)
    owner = Owner(mark.owner_id, mark.owner_name, tags, mark.target)
    found = await ports.directory.find(owner)
    if isinstance(found, Contact) and found.source == TAG:
        # Each notebook may name another contact.
        recipient_id = f"{OWNER_PREFIX}{mark.owner_key}#{_digest(found.address)}"
    return _addressed(recipient_id, mark.owner_label, found, ports)


async def _operators(recipient_id: str, ports: RelayPorts) -> Recipient | NoContact:
    """Return the operators of a channel that takes addresses: at the address of `notify`, or else the fallback contact."""
    address = ports.operator_addresses.get(recipient_id)
    if address is None:
        return _addressed(recipient_id, "", await ports.directory.fallback(), ports)
    return _addressed(recipient_id, "", Contact(address, "notify", channel=channel_of(recipient_id)), ports)


def _addressed(recipient_id: str, label: str, found: Contact | NoContact, ports: RelayPorts) -> Recipient | NoContact:
    if isinstance(found, NoContact):
        return found
    addressed = (channel for channel in ports.channels.channels if channel.addressed)
    channel = ports.channels.find(found.channel) if found.channel else next(addressed, None)
    if channel is None:
        named = f"channel {found.channel} is not configured" if found.channel else "no channel takes addresses"
        # A mistake in the configuration, which is soon corrected: nothing is given up for it.
        return NoContact(f"{found.source} names a contact, but {named}", passing=True)
    if channel.addressed and not found.address:
        return NoContact(f"{found.source} names channel {channel.name}, but no address for it")
    return Recipient(recipient_id, channel, found.address if channel.addressed else "", found.language, found.name or label)


def _place(name: str, ports: RelayPorts) -> Recipient | NoContact:
    channel = ports.channels.find(name)
    if channel is None:
        return NoContact(UntoldSentence.CHANNEL_GONE.format(channel=name), passing=True)
    if channel.addressed:
        return NoContact(UntoldSentence.CHANNEL_OF_OWNERS.format(channel=name))
    return Recipient(f"{CHANNEL_PREFIX}{name}", channel, "", None, "")
