"""`targets`: which projects, with which keys, and how fast."""

import ipaddress
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
)

from nbsweep.core.pacing import Rate
from nbsweep.settings.group import Group, Name
from nbsweep.settings.regions import base_url, nearest_first
from nbsweep.settings.schedule import ScheduleSettings
from nbsweep.settings.shapes import Different, OrAll, Written
from nbsweep.settings.values import CallRate, Duration

ENDPOINT = Written(
    r"^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$",
    "must be an address without a path, such as https://modelarts.cn-north-4.myhuaweicloud.com",
)
REGION = Written(r"^[a-z0-9]+(-[a-z0-9]+)+$", "must be a region's id, such as cn-north-4")
PROJECT_ID = Written(
    r"^[0-9a-f]{32}$", "must be 32 hexadecimal digits; the console shows it under My Credentials, API Credentials"
)
ID = Written(r"^[A-Za-z0-9-]{1,64}$", "must be an id, which is made of letters, digits and '-'; \"0\" is the default workspace")
KEY = Written(r"^[!-~]+$", "must be one word of ASCII letters, digits and signs; look for a space or a line end in it")


def _endpoint(url: str) -> str:
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("must have a port from 1 to 65535, or none")
    if url.startswith("http:") and not _is_loopback(urlsplit(url).hostname or ""):
        raise ValueError(
            "must begin with https://, or keys would travel in clear; http:// is for a server on this machine only"
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class CredentialSettings(Group):
    """A fixed pair of keys. Keep them out of the file: write "${NAME}", and set that in the environment."""

    access_key: Annotated[StrictStr, KEY] = Field(repr=False)
    """The access key id (AK)."""
    secret_key: Annotated[SecretStr, KEY]
    """The secret access key (SK)."""
    security_token: Annotated[SecretStr, KEY] | None = None
    """Given together with temporary keys; these cannot be renewed, so it suits one-off runs only."""


class LimitSettings(Group):
    """How fast one target may be called. The gateway limits each API and each user; these keep below that."""

    delete: CallRate = Rate(5, 1.0)
    """DELETE and stop calls."""
    list: CallRate = Rate(5, 1.0)
    """Listing calls, of up to 50 notebooks each."""
    show: CallRate = Rate(10, 1.0)
    """Calls that ask for one notebook."""
    total: CallRate | None = None
    """All calls together; null when only the others apply."""
    concurrency: Annotated[StrictInt, Field(ge=1, le=512)] = 32
    """How many calls may be under way at once."""
    request_timeout: Duration = timedelta(seconds=30)
    """How long one call may take before its answer counts as lost."""


class TargetSettings(Group):
    """One project in one region."""

    name: Name
    """What logs, reports and the journal call it; no two targets share a name."""
    endpoint: Annotated[StrictStr, ENDPOINT, AfterValidator(_endpoint)] | None = None
    """The address of ModelArts, without a path; when absent, it follows from the region."""
    region: Annotated[StrictStr, REGION] | None = Field(default=None, validate_default=True)
    """The region's id, such as cn-north-4; needed unless the endpoint is given."""
    project_id: Annotated[StrictStr, PROJECT_ID]
    """The project's id, 32 hexadecimal digits; the console shows it under My Credentials, API Credentials, by region."""
    credentials: CredentialSettings | None = None
    """The keys; when absent, they are those of the environment: HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK."""
    workspaces: Annotated[Literal["all"] | Different[Annotated[StrictStr, ID]], OrAll()] = "all"
    """All workspaces that the keys can see, or a list of ids; "0" is the default workspace."""
    features: Different[Literal["NOTEBOOK", "DEFAULT"]] = ("NOTEBOOK",)
    """Which kinds to look at: NOTEBOOK is the billed one, DEFAULT the free CodeLab."""
    scope: Literal["all", "own"] = "all"
    """Everybody's notebooks, or only those of the owner of the keys."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    """How fast."""
    schedule: ScheduleSettings | None = None
    """When to sweep this target, if not with the others."""

    @field_validator("region")
    @classmethod
    def _has_an_address(cls, region: str | None, info: ValidationInfo) -> str | None:
        # An endpoint that is wrong is missing from `data`, and reported already.
        if info.data.get("endpoint", "wrong") is not None:
            return region
        if region is None:
            raise ValueError("must be given, or else the endpoint")
        if base_url(region) is None:
            raise ValueError(
                f"has no known endpoint: give the endpoint, or one of the regions {', '.join(nearest_first(region))}"
            )
        return region

    @property
    def base_url(self) -> str:
        """The address that all calls go to, without a slash at its end."""
        return self.endpoint or base_url(self.region or "") or ""
