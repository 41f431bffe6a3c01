"""Opens the channels of a configuration: one HTTP session for all of them, and a lane for each."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from msgspec import Struct

from nbsweep.adapters.channels.http import Poster, Route, open_http
from nbsweep.adapters.channels.kinds.apprise import AppriseSender
from nbsweep.adapters.channels.kinds.dingtalk import DingtalkSender
from nbsweep.adapters.channels.kinds.feishu import FeishuSender
from nbsweep.adapters.channels.kinds.slack import SlackSender
from nbsweep.adapters.channels.kinds.smn import SmnSender, endpoint_of
from nbsweep.adapters.channels.kinds.smtp import MailServer, SmtpSender
from nbsweep.adapters.channels.kinds.teams import TeamsSender
from nbsweep.adapters.channels.kinds.webhook import WebhookSender
from nbsweep.adapters.channels.kinds.wecom import WecomSender
from nbsweep.adapters.channels.lane import LaneChannel
from nbsweep.adapters.channels.sender import Sender
from nbsweep.adapters.secret_files import SecretSource, sources
from nbsweep.core.notices.channel import OpenChannels
from nbsweep.core.notices.limits import LIMITS
from nbsweep.core.notices.proof import Prove
from nbsweep.core.ports import Clock
from nbsweep.settings.people.channels import (
    AnyChannel,
    AppriseSettings,
    Channels,
    DingtalkSettings,
    FeishuSettings,
    HttpChannelSettings,
    SignedRobotSettings,
    SlackSettings,
    SmnSettings,
    SmtpSettings,
    TeamsSettings,
    WebhookSettings,
    WecomSettings,
)


class Tools(Struct, frozen=True):
    """What channels are built with."""

    session: aiohttp.ClientSession
    clock: Clock
    prove: Prove

    def poster(self, settings: HttpChannelSettings) -> Poster:
        """Return what sends the messages of a channel."""
        trust = ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file is not None else None
        return Poster(self.session, self.clock, Route(settings.proxy, trust))


@asynccontextmanager
async def open_channels(settings: Channels, clock: Clock, prove: Prove) -> AsyncIterator[OpenChannels]:
    """Open the channels of a configuration; `prove` authenticates the calls of channels that are in the cloud.

    Secrets are read when a message is sent.
    """
    async with open_http() as session:
        tools = Tools(session, clock, prove)
        yield OpenChannels([_channel(name, channel, tools) for name, channel in settings.items()])


def _channel(name: str, settings: AnyChannel, tools: Tools) -> LaneChannel:
    return LaneChannel(
        name=name,
        sender=_sender(f"channels.{name}", settings, tools),
        rate=settings.pace,
        limit_bytes=LIMITS[settings.kind].bytes,
        clock=tools.clock,
        trust_unproven=isinstance(settings, TeamsSettings | AppriseSettings) and settings.trust_unproven,
    )


def _sender(place: str, settings: AnyChannel, tools: Tools) -> Sender:
    match settings:
        case SmtpSettings():
            return SmtpSender(mail_server(place, settings), settings.sender, settings.reply_to, tools.clock)
        case SmnSettings():
            endpoint = settings.endpoint or endpoint_of(settings.topic_urn)
            poster = Poster(tools.session, tools.clock, Route())
            return SmnSender(poster, tools.prove, settings.target, settings.topic_urn, endpoint)
        case AppriseSettings():
            return AppriseSender(SecretSource(f"{place}.url", settings.url, settings.url_file))
        case _:
            return _http_sender(place, settings, tools.poster(settings))


def _http_sender(place: str, settings: HttpChannelSettings, poster: Poster) -> Sender:
    url = SecretSource(f"{place}.url", settings.url, settings.url_file)
    match settings:
        case WebhookSettings():
            secrets = sources(f"{place}.secret", settings.secret, settings.secret_file)
            return WebhookSender(poster, url, secrets, settings.addressed)
        case DingtalkSettings():
            return DingtalkSender(poster, url, _secret(place, settings))
        case FeishuSettings():
            return FeishuSender(poster, url, _secret(place, settings))
        case WecomSettings():
            return WecomSender(poster, url)
        case SlackSettings():
            return SlackSender(poster, url)
        case TeamsSettings():
            return TeamsSender(poster, url)
        case _:
            raise AssertionError(f"no sender for {settings.kind}")


def _secret(place: str, settings: SignedRobotSettings) -> SecretSource | None:
    given = settings.secret is not None or settings.secret_file is not None
    return SecretSource(f"{place}.secret", settings.secret, settings.secret_file) if given else None


def mail_server(place: str, settings: SmtpSettings) -> MailServer:
    """Return how the mail server of a channel is reached."""
    trust = ssl.create_default_context(cafile=settings.ca_file) if settings.tls != "none" else None
    password = SecretSource(f"{place}.password", settings.password, settings.password_file) if settings.username else None
    return MailServer(settings.host, settings.port_in_force, settings.tls, trust, settings.username, password)
