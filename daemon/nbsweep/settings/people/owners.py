"""`owners`: the chain of parts that find where an owner is reached."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from nbsweep.core.notices.addresses import is_address, is_domain
from nbsweep.settings.fields.base import Group, Label
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import IfGiven, Written, validated_with
from nbsweep.settings.people.channels import Channels, ChannelSettings, SmtpSettings, WebhookSettings

KEYS = ("file", "tag", "domain", "iam", "fallback")
FALLBACK = "fallback"
SUFFIX = Written(r"^.+\.([Yy][Aa]?[Mm][Ll]|[Cc][Ss][Vv])$", "must end in .yaml, .yml or .csv, which is how the file is read")


def _domain(text: str) -> str:
    if not is_domain(text):
        raise ValueError("must be a mail domain, such as example.com")
    return text.lower()


def _true(value: bool) -> bool:  # noqa: FBT001  # pydantic calls it so
    if not value:
        raise ValueError("must be true; leave the part out if IAM is not to be asked")
    return value


def _fallback(text: str) -> str:
    if "@" in text and not is_address(text):
        raise ValueError("must be one mail address, such as team@example.com, the name of a channel, or an owner of the file")
    return text


class OwnerPartSettings(Group):
    """One way to find where an owner is reached; it has exactly one of these keys."""

    file: IfGiven[Annotated[FilePath, SUFFIX]] = None
    """A file, YAML or CSV, that names owners by their IAM name or id; it is read again when it has changed."""
    tag: IfGiven[Label] = None
    """The key of a tag of the notebook, whose value is a mail address."""
    domain: IfGiven[Annotated[StrictStr, AfterValidator(_domain)]] = None
    """A mail domain: the address is the owner's name at this domain."""
    iam: IfGiven[Annotated[StrictBool, AfterValidator(_true)]] = None
    """true: the e-mail address that IAM has of the user, which needs the permission iam:users:getUser."""
    fallback: IfGiven[Annotated[Label, AfterValidator(_fallback)]] = Field(default=None, repr=False)
    """Who is told in place of an owner who cannot be found: an address, the name of a channel, or an owner of the file."""

    @model_validator(mode="after")
    def _has_one_key(self) -> "OwnerPartSettings":
        if len(self.model_fields_set) != 1:
            raise ValueError(f"must have exactly one key: {', '.join(KEYS)}. Write each part as a list item of its own")
        return self

    @property
    def key(self) -> str:
        """The one key that is given."""
        [key] = self.model_fields_set
        return key


def check_owners(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    """Refuse parts that do not go together or cannot work, together with everything else that is wrong in them."""
    parts = [_keys_of(part) for part in value] if isinstance(value, list | tuple) else []
    # Without valid targets nothing is known about IAM.
    without_iam = [target.name for target in info.data.get("targets", ()) if not target.iam_url]
    channels = info.data.get("channels")
    mistakes = [*_misplaced(parts), *_without_iam(parts, without_iam), *_nowhere(parts, channels)]
    return validated_with(value, handler, mistakes, "owners")


def _without_iam(parts: Sequence[Mapping[str, object]], targets: Sequence[str]) -> Iterator[InitErrorDetails]:
    for place, part in enumerate(parts):
        if "iam" in part and targets:
            message = (
                f"needs the address of IAM, which does not follow from the region: set iam_endpoint of {', '.join(targets)}"
            )
            yield _mistake((place, "iam"), message)


def _nowhere(parts: Sequence[Mapping[str, object]], channels: Channels | None) -> Iterator[InitErrorDetails]:
    """Yield a mistake for a fallback that cannot be found. Without valid channels nothing is known about their names."""
    files = any("file" in part for part in parts)
    for place, part in enumerate(parts):
        fallback = part.get(FALLBACK)
        if channels is None or not isinstance(fallback, str) or not fallback or "@" in fallback:
            continue
        if fallback in channels and takes_addresses(channels[fallback]):
            message = "names a channel that needs an address: give the mail address instead"
            yield _mistake((place, FALLBACK), message)
        elif fallback not in channels and not files:
            there_are = f"there are {', '.join(channels)}" if channels else "there are none"
            message = f"is neither a mail address nor a channel ({there_are}), and there is no file that could name it"
            yield _mistake((place, FALLBACK), message)


def takes_addresses(channel: ChannelSettings) -> bool:
    """Return whether each message of a channel needs the address of a person."""
    return isinstance(channel, SmtpSettings) or (isinstance(channel, WebhookSettings) and channel.addressed)


def _misplaced(parts: Sequence[Mapping[str, object]]) -> Iterator[InitErrorDetails]:
    for place, part in enumerate(parts):
        if part and part in parts[:place]:
            yield _mistake((place,), f"is the same as number {parts.index(part) + 1} of this list")
        if FALLBACK in part and any(FALLBACK in earlier for earlier in parts[:place]):
            yield _mistake((place, FALLBACK), "must be there once: there is one fallback")
        elif FALLBACK in part and any(FALLBACK not in later for later in parts[place + 1 :]):
            yield _mistake((place, FALLBACK), "must be the last part")


def _keys_of(part: object) -> Mapping[str, object]:
    """Return a part as the file has it; a part that is no mapping is reported elsewhere."""
    if isinstance(part, OwnerPartSettings):
        return part.model_dump(exclude_unset=True)
    return part if isinstance(part, Mapping) else {}


def _mistake(location: tuple[int | str, ...], message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("owners", "{message}", {"message": message}), loc=location, input=None)


OwnersSettings = Annotated[tuple[OwnerPartSettings, ...], WrapValidator(check_owners)]
"""The parts, in the order in which they are asked."""
