"""How a sweep works and reports: `removal`, `plan`, `inventory`, `retention`, `polling`, `logging` and `service`."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, ValidationInfo, field_validator, model_validator

from nbsweep.core.planning.cool_down import USUAL_COOL_DOWN, CoolDown
from nbsweep.settings.access import ApiTokenSettings, Network, ProxyRoleSettings, require_whole
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import Written
from nbsweep.settings.fields.units import Duration, DurationOrZero, format_duration

SHORTEST_RETENTION = timedelta(days=90)


class CoolDownSettings(Group):
    """How long a notebook is left alone whose deletion has failed or timed out."""

    first: Duration = USUAL_COOL_DOWN.first
    """After the first failure; twice as long after each further one in a row."""
    longest: Duration = Field(default=USUAL_COOL_DOWN.longest, validate_default=True)
    """The longest time."""

    @field_validator("longest")
    @classmethod
    def _not_below_first(cls, most: timedelta, info: ValidationInfo) -> timedelta:
        least: timedelta = info.data.get("first", most)
        if most < least:
            raise ValueError(f"must not be less than first; it is {format_duration(most)}, and first {format_duration(least)}")
        return most

    def to_core(self) -> CoolDown:
        """Convert the group to the core's cool-down."""
        return CoolDown(self.first, self.longest)


class RemovalSettings(Group):
    """How each notebook is deleted."""

    deadline: Duration = timedelta(minutes=30)
    """How long the cloud may take for one deletion before it counts as timed out; others allow 20 to 30 minutes."""
    retries: Annotated[StrictInt, Field(ge=0, le=10)] = 1
    """How often a deletion that ended in DELETE_FAILED is tried again."""
    fresh_for: Duration = timedelta(seconds=10)
    """How old the facts behind a DELETE may be; older ones are read again first."""
    grace: DurationOrZero = timedelta(seconds=30)
    """How long after a DELETE the cloud may still show the state from before it, which then counts for nothing."""
    cool_down: CoolDownSettings | None = Field(default_factory=CoolDownSettings)
    """How long a notebook is left alone whose deletion has failed or timed out; null for no time at all."""


class PlanSettings(Group):
    """What `plan --out` saves."""

    valid_for: Duration = timedelta(hours=24)
    """How long a saved plan may be carried out; `plan --valid-for` says otherwise for one plan."""


class InventorySettings(Group):
    """How long it is known in which states notebooks were."""

    keep: DurationOrZero = timedelta(days=400)
    """How long a state is kept after it has ended, so that policies can be tried on the past; 0d records nothing."""


class RetentionSettings(Group):
    """How long the journal keeps what has ended. The audit trail is never shortened."""

    keep: Duration
    """How long runs with their removals, sent messages, ended marks and ended exemptions are kept; at least 90d."""

    @field_validator("keep")
    @classmethod
    def _is_long(cls, keep: timedelta) -> timedelta:
        if keep < SHORTEST_RETENTION:
            raise ValueError(f"must be at least {SHORTEST_RETENTION.days}d")
        return keep


class PollingSettings(Group):
    """How often running deletions are checked."""

    interval: Duration = timedelta(seconds=5)
    """The shortest time between two checks, while deletions end."""
    max_interval: Duration = Field(default=timedelta(seconds=30), validate_default=True)
    """The longest time between two checks, while no deletion ends."""

    @field_validator("max_interval")
    @classmethod
    def _not_below_interval(cls, most: timedelta, info: ValidationInfo) -> timedelta:
        least: timedelta = info.data.get("interval", most)
        if most < least:
            raise ValueError(
                f"must not be less than interval; it is {format_duration(most)}, and interval {format_duration(least)}"
            )
        return most


class LoggingSettings(Group):
    """What goes to stderr."""

    format: Literal["auto", "console", "json"] = "auto"
    """Lines for people (console) or for machines (json); auto is console on a terminal and json otherwise."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important event that is still written."""


LISTEN = Written(r"^(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z.-]+):[0-9]{1,5}$", "must be an address and a port, such as 127.0.0.1:9464")


class ServiceSettings(Group):
    """How `serve` works, and how any sweep is stopped."""

    drain: DurationOrZero = timedelta(seconds=60)
    """How long a stop waits for running deletions; the journal keeps unfinished ones for the next run."""
    sweep_timeout: Duration = timedelta(hours=12)
    """How long one sweep of a target may take; then it stops, and the next sweep continues."""
    accounts_at_once: Annotated[StrictInt, Field(ge=1, le=10_000)] = 32
    """How many accounts are swept at the same time; the targets of the others wait, the longest waiting first."""
    lease: Duration = timedelta(seconds=60)
    """How long an nbsweep on another host may be silent before its targets are taken over; on this host at once."""
    fleet: StrictBool = False
    """Whether `nbsweep worker` processes carry out the sweeps; needs a journal on PostgreSQL, and the extra `fleet`."""
    listen: Annotated[StrictStr, LISTEN] | None = "127.0.0.1:9464"
    """The address of the HTTP API, with health and metrics; null for none."""
    api_token_file: FilePath | None = None
    """A file with the API's token, which allows everything. Without any token the API only reads, and only on loopback."""
    api_tokens: tuple[ApiTokenSettings, ...] = ()
    """Further tokens, each with a role."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses and networks of reverse proxies whose headers say who the user is; headers from anywhere else are ignored."""
    proxy_headers: Literal["x-auth-request", "x-forwarded"] = "x-auth-request"
    """Which headers name the user: X-Auth-Request-User, -Email and -Groups, or X-Forwarded-User, -Email and -Groups."""
    proxy_secret_file: FilePath | None = None
    """A file with a secret that the proxy sends in X-Nbsweep-Proxy-Secret; required for a proxy on this machine."""
    proxy_roles: ProxyRoleSettings = Field(default_factory=ProxyRoleSettings)
    """The groups of the proxy's users that have a role; all other users only read."""

    @model_validator(mode="after")
    def _proxies_are_whole(self) -> "ServiceSettings":
        require_whole(self.trusted_proxies, self.proxy_secret_file, self.proxy_roles)
        return self
