"""`exemptions`: how long notebooks may be kept, and the links with which owners keep them."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StrictStr, ValidationInfo, field_validator, model_validator

from nbsweep.settings.fields.address import SERVER, encrypted_address
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import OneOrMore, Written
from nbsweep.settings.fields.units import Duration, DurationOrZero, format_duration

PAGE_URL = Written(SERVER, "must be an address without a path, such as https://nbsweep.example.com")


def _page_url(url: str) -> str:
    return encrypted_address(url, "or others could read the links on their way; http:// is for this machine only")


class ExemptionSettings(Group):
    """Limits on exemptions."""

    longest: Duration = timedelta(days=90)
    """How far ahead an exemption may end."""
    owners_may: DurationOrZero = Field(default=timedelta(days=30), validate_default=True)
    """How long an owner may keep a notebook by the link of a notice; 0s for not at all."""

    page_url: Annotated[StrictStr, PAGE_URL, AfterValidator(_page_url)] | None = None
    """The address at which owners reach `serve`, usually that of a proxy; notices then have links to keep a notebook."""
    link_key_file: OneOrMore[FilePath] | None = None
    """A file with the key that signs these links, which no other user of the machine may read; several during a rotation."""

    @field_validator("owners_may")
    @classmethod
    def _within_longest(cls, most: timedelta, info: ValidationInfo) -> timedelta:
        longest: timedelta = info.data.get("longest", most)
        if most > longest:
            raise ValueError(f"must not be more than longest, which is {format_duration(longest)}")
        return most

    @model_validator(mode="after")
    def _links_are_signed(self) -> "ExemptionSettings":
        if self.page_url is not None and self.link_key_file is None:
            raise ValueError(
                "has page_url, but no link_key_file: links must be signed; `openssl rand -base64 32 > FILE` makes a key"
            )
        if self.link_key_file is not None and self.page_url is None:
            raise ValueError("has link_key_file, but no page_url: links need the address at which owners reach `serve`")
        return self
