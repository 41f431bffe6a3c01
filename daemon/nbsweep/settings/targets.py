"""`targets`: which projects, with which keys, and how fast."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, ValidationInfo, field_validator

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.pacing import Rate
from nbsweep.settings.credentials import CredentialSettings
from nbsweep.settings.fields.address import CaFile, Endpoint, Proxy
from nbsweep.settings.fields.base import Group, Name
from nbsweep.settings.fields.types import Different, OrAll, Written
from nbsweep.settings.fields.units import CallRate, Duration
from nbsweep.settings.regions import base_url, describe_regions, iam_url
from nbsweep.settings.schedule import ScheduleSettings

REGION = Written(r"^[a-z0-9]+(-[a-z0-9]+)+$", "must be a region's id, such as cn-north-4")
PROJECT_ID = Written(
    r"^[0-9a-f]{32}$", "must be 32 hexadecimal digits; the console shows it under My Credentials, API Credentials"
)
ID = Written(r"^[A-Za-z0-9-]{1,64}$", "must be an id, which is made of letters, digits and '-'; \"0\" is the default workspace")


ProjectId = Annotated[StrictStr, PROJECT_ID]


class LimitSettings(Group):
    """The rates of calls to one target. The gateway limits each API and each user; these rates stay below its limits."""

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
    """The name in logs, reports and the journal; no two targets share a name."""
    endpoint: Endpoint | None = None
    """The address of ModelArts, without a path; when absent, it follows from the region."""
    region: Annotated[StrictStr, REGION] | None = Field(default=None, validate_default=True)
    """The region's id, such as cn-north-4; needed unless the endpoint is given."""
    project_id: ProjectId | None = Field(default=None, validate_default=True)
    """The project's id, 32 hexadecimal digits; when absent, it is looked up in IAM by the name of the region."""
    iam_endpoint: Endpoint | None = None
    """The address of IAM where the credentials name none, without a path; when absent, it follows from the region."""
    proxy: Proxy | None = None
    """The HTTP proxy for this target's calls, or none; when absent, what HTTPS_PROXY and NO_PROXY say."""
    ca_file: CaFile | None = None
    """The file of certificates (PEM) to trust instead of this machine's; when absent, SSL_CERT_FILE, or the machine's."""
    credentials: CredentialSettings | None = Field(default=None, validate_default=True)
    """The credentials; when absent, those of the environment, of ~/.huaweicloud/credentials, or of this ECS's agency."""
    account: Name | None = None
    """A name for the account whose quota the target uses; targets of one endpoint with the same name share their limits."""
    workspaces: Annotated[Literal["all"] | Different[Annotated[StrictStr, ID]], OrAll()] = "all"
    """All workspaces that the keys can see, or a list of ids; "0" is the default workspace."""
    features: Different[Literal["NOTEBOOK", "DEFAULT"]] = ("NOTEBOOK",)
    """Which kinds to list: NOTEBOOK is billed, DEFAULT is the free CodeLab."""
    scope: Literal["all", "own"] = "all"
    """The notebooks of all users, or only those of the owner of the keys; own also if all may not be listed."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    """The rates of calls."""
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
            raise ValueError(f"has no known endpoint: {describe_regions(region)}")
        return region

    @field_validator("project_id")
    @classmethod
    def _can_be_found(cls, project_id: str | None, info: ValidationInfo) -> str | None:
        # A region that is wrong, or missing where there is no endpoint either, is missing from `data`, and reported already.
        if project_id is None and info.data.get("region", "wrong") is None:
            raise ValueError(
                "must be given, or else the region, by which it is looked up; the console shows it under My Credentials, "
                "API Credentials"
            )
        return project_id

    @field_validator("credentials")
    @classmethod
    def _has_an_iam(cls, credentials: CredentialSettings | None, info: ValidationInfo) -> CredentialSettings | None:
        looked_up = info.data.get("project_id", "wrong") is None
        signs_in = credentials is not None and credentials.username is not None
        given = credentials is not None and credentials.iam_endpoint is not None
        given = given or info.data.get("iam_endpoint", "wrong") is not None
        # A region that is wrong is missing from `data`, and reported already.
        if given or not (looked_up or signs_in) or "region" not in info.data or iam_url(info.data["region"] or ""):
            return credentials
        raise ValueError(
            "must have an iam_endpoint, because it does not follow from the region"
            + ("; or else project_id must be given, which is looked up there" if looked_up and not signs_in else "")
        )

    @property
    def names_iam(self) -> bool:
        """Whether the address of IAM is given, and does not merely follow from the region."""
        return self.iam_endpoint is not None or (self.credentials is not None and self.credentials.iam_endpoint is not None)

    @property
    def iam_url(self) -> str:
        """The address of IAM, to which passwords go and which knows projects, without a slash at its end."""
        given = self.credentials.iam_endpoint if self.credentials else None
        return given or self.iam_endpoint or iam_url(self.region or "") or ""

    @property
    def base_url(self) -> str:
        """The address that all calls go to, without a slash at its end."""
        return self.endpoint or base_url(self.region or "") or ""

    @property
    def workspace_ids(self) -> tuple[str, ...] | None:
        """The IDs of the workspaces to sweep; None for all of them."""
        return None if self.workspaces == "all" else self.workspaces

    @property
    def identity(self) -> TargetIdentity:
        """The notebooks that the target covers."""
        ids = self.workspace_ids
        return TargetIdentity(
            endpoint=self.base_url,
            project_id=self.project_id,
            workspaces=None if ids is None else tuple(sorted(ids)),
            features=tuple(sorted(self.features)),
            scope=self.scope,
        )
