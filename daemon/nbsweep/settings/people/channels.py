"""`channels`: the ways to reach people, by name."""

from collections.abc import Mapping
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from nbsweep.core.notices.limits import LIMITS
from nbsweep.core.pacing import Rate
from nbsweep.settings.fields.address import CaFile, Endpoint, Proxy, check_private_url, is_loopback
from nbsweep.settings.fields.base import Group, Name
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import OneOrMore, Written
from nbsweep.settings.fields.units import CallRate

LINE = Written(r"^[^\x00-\x1f\x7f]+$", "must be one line of text, and not empty; look for a line end in it")
HOST = Written(r"^([A-Za-z0-9.-]+|[0-9A-Fa-f:.]+)$", "must be the name or the address of a host, such as mail.example.com")
URN = Written(
    r"^urn:smn:[a-z0-9-]+:[0-9a-f]{32}:[A-Za-z0-9_-]{1,255}$",
    "must be the URN of a topic, such as urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:operators",
)
PORTS: Mapping[str, int] = {"starttls": 587, "implicit": 465, "none": 25}
"""The usual port of a mail server, by its encryption."""


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    try:
        parsed = Address(name, addr_spec=address)
    except (ValueError, IndexError):
        parsed = None
    if parsed is None or not parsed.domain or not text.isprintable():
        raise ValueError("must be one mail address, such as nbsweep@example.com or nbsweep <nbsweep@example.com>")
    return text


def _private_url(url: SecretStr) -> SecretStr:
    check_private_url(url.get_secret_value())
    return url


Mailbox = Annotated[StrictStr, AfterValidator(_mailbox)]
"""A mail address, with or without a name."""
PrivateUrl = Annotated[SecretStr, AfterValidator(_private_url)]
"""An address that lets everybody who knows it send messages; it is never shown."""
Secret = Annotated[SecretStr, LINE]


class ChannelSettings(Group):
    """What all channels have."""

    kind: str
    """The kind of the channel."""
    rate: CallRate | None = None
    """The most messages that leave in a time; not more than the other side allows. When absent, what it allows."""

    @field_validator("rate")
    @classmethod
    def _within_limit(cls, rate: Rate | None, info: ValidationInfo) -> Rate | None:
        limit = LIMITS.get(info.data.get("kind", ""))
        if rate is not None and limit is not None and limit.documented and rate.per_s > limit.rate.per_s:
            raise ValueError(f"must not be more than {limit.rate}, which the other side allows")
        return rate

    @property
    def pace(self) -> Rate:
        """The rate in force."""
        return self.rate or LIMITS[self.kind].rate


class HttpChannelSettings(ChannelSettings):
    """What channels have whose messages are sent to a private address by HTTP."""

    url: PrivateUrl | None = None
    """The private address: https://, or http:// on this machine only. Write "${NAME}", or use url_file."""
    url_file: FilePath | None = None
    """A file with the private address, which no other user of the machine may read. It is read for each message."""
    proxy: Proxy | None = None
    """The address of an HTTP proxy, or none; when absent, HTTPS_PROXY and NO_PROXY of the environment apply."""
    ca_file: CaFile | None = None
    """A file of the certificates to trust; when absent, those that this machine trusts."""

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        _check_secret(self, "url", required=True)
        return self


class SmtpSettings(ChannelSettings):
    """A mail server. Each message goes to the address of one person."""

    kind: Literal["smtp"]
    """smtp: a mail server."""
    host: Annotated[StrictStr, HOST]
    """The mail server. Its certificate must be valid for this name."""
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] | None = None
    """The port; when absent, 587 with starttls, 465 with implicit, 25 with none."""
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """How the connection is encrypted; none is for a server on this machine only."""
    sender: Mailbox = Field(alias="from")
    """The sender of all mails."""
    reply_to: Mailbox | None = None
    """Where answers go; when absent, to the sender."""
    username: Annotated[StrictStr, LINE] | None = Field(default=None, repr=False)
    """The name for the login; without it, nbsweep does not log in."""
    password: Secret | None = None
    """The password for the login. Write "${NAME}", or use password_file."""
    password_file: FilePath | None = None
    """A file with the password, which no other user of the machine may read. It is read for each message."""
    ca_file: CaFile | None = None
    """A file of the certificates to trust; when absent, those that this machine trusts."""

    @field_validator("tls")
    @classmethod
    def _encrypted_elsewhere(cls, tls: str, info: ValidationInfo) -> str:
        if tls == "none" and not is_loopback(info.data.get("host", "localhost")):
            raise ValueError(
                "must be starttls or implicit, or mails would travel in clear; none is for a server on this machine"
            )
        return tls

    @model_validator(mode="after")
    def _has_whole_login(self) -> Self:
        if self.username is None and (self.password is not None or self.password_file is not None):
            raise _error(channel_problem((), "must hold username if it holds a password"))
        _check_secret(self, "password", required=self.username is not None)
        return self

    @property
    def port_in_force(self) -> int:
        """The port."""
        return self.port or PORTS[self.tls]


class WebhookSettings(HttpChannelSettings):
    """A server of your own, which gets signed messages after the Standard Webhooks specification."""

    kind: Literal["webhook"]
    """webhook: a server of your own."""
    secret: OneOrMore[Secret] | None = None
    """The secret that signs, whsec_ and base64; several during a rotation. Write "${NAME}", or use secret_file."""
    secret_file: OneOrMore[FilePath] | None = None
    """A file with the secret, which no other user of the machine may read; several during a rotation."""
    addressed: StrictBool = False
    """true: each message carries the address of one person, to whom your server passes it on; false: no address."""

    @model_validator(mode="after")
    def _has_one_secret(self) -> Self:
        _check_secret(self, "secret", required=True)
        return self


class SignedRobotSettings(HttpChannelSettings):
    """What robots have that may require a signature."""

    secret: Secret | None = None
    """The secret of the robot, if it requires a signature. Write "${NAME}", or use secret_file."""
    secret_file: FilePath | None = None
    """A file with the secret, which no other user of the machine may read. It is read for each message."""

    @model_validator(mode="after")
    def _has_at_most_one_secret(self) -> Self:
        _check_secret(self, "secret", required=False)
        return self


class DingtalkSettings(SignedRobotSettings):
    """A custom robot of a DingTalk group."""

    kind: Literal["dingtalk"]
    """dingtalk: a custom robot of a DingTalk group."""


class FeishuSettings(SignedRobotSettings):
    """A custom bot of a Feishu or Lark group."""

    kind: Literal["feishu"]
    """feishu: a custom bot of a Feishu or Lark group."""


class WecomSettings(HttpChannelSettings):
    """A robot of a WeCom group."""

    kind: Literal["wecom"]
    """wecom: a robot of a WeCom group."""


class SlackSettings(HttpChannelSettings):
    """An incoming webhook of Slack."""

    kind: Literal["slack"]
    """slack: an incoming webhook of Slack."""


class TeamsSettings(HttpChannelSettings):
    """A workflow of Microsoft Teams that posts to a channel when a webhook request is received."""

    kind: Literal["teams"]
    """teams: a workflow of Microsoft Teams."""
    trust_unproven: StrictBool = False
    """Teams answers before it posts, so its answer proves nothing; true: it counts as told all the same."""


class SmnSettings(ChannelSettings):
    """A topic of Huawei Cloud SMN, which passes messages on to its subscribers."""

    kind: Literal["smn"]
    """smn: a topic of Huawei Cloud SMN."""
    target: Name
    """The target whose credentials publish; they need smn:topic:publish."""
    topic_urn: Annotated[StrictStr, URN]
    """The URN of the topic, which names its region and project."""
    endpoint: Endpoint | None = None
    """The address of SMN, without a path; when absent, it follows from the region of the topic."""


class AppriseSettings(ChannelSettings):
    """Any other service, through Apprise, which needs the extra `nbsweep[apprise]`."""

    kind: Literal["apprise"]
    """apprise: any other service, through Apprise."""
    url: Secret | None = None
    """The Apprise URL of the service, with its secrets. Write "${NAME}", or use url_file."""
    url_file: FilePath | None = None
    """A file with the Apprise URL, which no other user of the machine may read. It is read for each message."""
    trust_unproven: StrictBool = False
    """Apprise does not look at all answers, so its result proves nothing; true: it counts as told all the same."""

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        _check_secret(self, "url", required=True)
        return self


AnyChannel = Annotated[
    SmtpSettings
    | WebhookSettings
    | DingtalkSettings
    | FeishuSettings
    | WecomSettings
    | SlackSettings
    | TeamsSettings
    | SmnSettings
    | AppriseSettings,
    Field(discriminator="kind"),
]
Channels = Mapping[Name, AnyChannel]


def _check_secret(group: Group, key: str, *, required: bool) -> None:
    """Refuse a secret that is given in two ways, or not at all although it is required.

    Raises:
        ValidationError: it is.
    """
    given = [name for name in (key, f"{key}_file") if getattr(group, name) is not None]
    if len(given) == len((key, f"{key}_file")):
        raise _error(channel_problem((f"{key}_file",), f"must not be given together with {key}"))
    if required and not given:
        raise _error(channel_problem((), f"must hold {key}_file, or {key} with a ${{NAME}}"))


def _error(problem: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data("channels", [problem], hide_input=True)


def channel_problem(place: tuple[str, ...], message: str) -> InitErrorDetails:
    """Return a mistake at a place within the channels."""
    return InitErrorDetails(type=PydanticCustomError("channel", "{error}", {"error": message}), loc=place, input=None)
