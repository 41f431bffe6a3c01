"""Each kind of channel with its other side, a real server on loopback, so that one suite can be run over all of them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from mail_server import MailServer, mail_server
from nbsweep.adapters.channels.open import open_channels
from nbsweep.adapters.clock import SystemClock
from nbsweep.core.notices.channel import Channel, Letter, OpenChannels
from nbsweep.core.ports import Clock
from nbsweep.settings.people.channels import Channels
from robots import PROJECT, SECRET, TOKEN, WEBHOOK_SECRET, Mood, Robot, Robots, robots

KINDS = ("smtp", "webhook", "dingtalk", "feishu", "wecom", "slack", "teams", "smn", "apprise")
PASSWORD = "correct-horse-battery"
ADDRESS = "wei.chen@example.com"
LETTER = Letter(
    key="k1f9a2",
    subject="3 notebooks will be deleted",
    text="bert-eval-07: idle for 20 days.\nhttps://example.com/marks",
    html="<html><body><p>bert-eval-07: idle for 20 days.</p></body></html>",
    markdown="**bert-eval-07**: idle for 20 days. [Keep it](https://example.com/marks)",
    to=ADDRESS,
)


async def no_proof(_target: str, _host: str, _path: str, _body: bytes) -> Mapping[str, str]:
    """Sign nothing."""
    return {}


@asynccontextmanager
async def opened(channels: Mapping[str, Any], clock: Clock | None = None) -> AsyncIterator[OpenChannels]:
    """Open channels that are written as in the configuration."""
    settings = TypeAdapter[Channels](Channels).validate_python(channels)
    async with open_channels(settings, clock or SystemClock(), no_proof) as found:
        yield found


@dataclass
class Rig:
    """A channel and its other side."""

    kind: str
    channel: Channel
    robot: Robot | None = None
    mail: MailServer | None = None
    secrets: tuple[str, ...] = field(default=())

    def feel(self, mood: Mood) -> None:
        """Let the other side answer like that."""
        if self.robot is not None:
            self.robot.mood = mood
        if self.mail is not None:
            _feel(self.mail, mood)

    @property
    def accepted(self) -> int:
        """How many messages the other side has accepted."""
        return len(self.robot.accepted) if self.robot is not None else len(self.mail.mails if self.mail else ())


def _feel(server: MailServer, mood: Mood) -> None:
    match mood:
        case Mood.REFUSES:
            server.recipient_answers = {ADDRESS: f"550 5.1.1 <{ADDRESS}>: Recipient address rejected: User unknown"}
        case Mood.REFUSES_ALL:
            server.sender_answer = f"550 5.7.1 nbsweep@example.com may not send, {PASSWORD}"
        case Mood.IS_THROTTLED | Mood.FAILS:
            server.data_answer = "451 4.7.1 try again later"
        case Mood.HANGS:
            server.hangs = True
        case Mood.BREAKS_OFF:
            server.breaks_off = True
        case _:
            pass


@asynccontextmanager
async def rig(kind: str, folder: Path) -> AsyncIterator[Rig]:
    """Open a channel of a kind, and its other side."""
    if kind == "smtp":
        async with mail_server(folder, tls="starttls", login=("nbsweep", PASSWORD)) as server:
            settings = _mail(server, _secret_file(folder, "password", PASSWORD))
            async with opened({"ops": settings}) as channels:
                yield Rig(kind, channels.channels[0], mail=server, secrets=(PASSWORD, ADDRESS))
        return
    async with robots() as server:
        robot, settings = _robot(kind, server, folder)
        async with opened({"ops": settings}) as channels:
            yield Rig(kind, channels.channels[0], robot=robot, secrets=_secrets(robot))


def _mail(server: MailServer, password_file: Path) -> dict[str, Any]:
    return {
        "kind": "smtp",
        "host": "localhost",
        "port": server.port,
        "from": "nbsweep <nbsweep@example.com>",
        "username": "nbsweep",
        "password_file": str(password_file),
        "ca_file": str(server.ca_file),
    }


def _robot(kind: str, server: Robots, folder: Path) -> tuple[Robot, dict[str, Any]]:
    secret = {"dingtalk": SECRET, "feishu": SECRET, "webhook": WEBHOOK_SECRET}.get(kind, "")
    robot = server.add("webhook" if kind == "apprise" else kind, "" if kind == "apprise" else secret)
    if kind == "smn":
        urn = f"urn:smn:cn-north-4:{PROJECT}:operators"
        return robot, {"kind": kind, "target": "research", "topic_urn": urn, "endpoint": server.address}
    url = robot.url.replace("http://", "json://") if kind == "apprise" else robot.url
    settings: dict[str, Any] = {"kind": kind, "url_file": str(_secret_file(folder, "url", url))}
    if secret:
        settings["secret_file"] = str(_secret_file(folder, "secret", secret))
    if kind == "webhook":
        settings["addressed"] = True
    return robot, settings


def _secrets(robot: Robot) -> tuple[str, ...]:
    given = (TOKEN, robot.secret, robot.secret.removeprefix("whsec_"), ADDRESS)
    return tuple(secret for secret in given if secret)


def _secret_file(folder: Path, name: str, secret: str) -> Path:
    path = folder / name
    path.write_text(f"{secret}\n")
    path.chmod(0o600)
    return path
