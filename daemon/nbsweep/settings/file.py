"""The configuration file as a whole."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal, Self

from platformdirs import user_state_dir
from pydantic import AfterValidator, Field, StrictStr, WrapValidator, model_validator

from nbsweep.core.calendar.business_days import BusinessCalendar
from nbsweep.core.calendar.describe import describe_years
from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.rules import Rules
from nbsweep.core.windows.window import Window
from nbsweep.settings.consistency import check_people
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import at_home
from nbsweep.settings.fields.types import Distinct, Written
from nbsweep.settings.operation import (
    InventorySettings,
    LoggingSettings,
    PlanSettings,
    PollingSettings,
    RemovalSettings,
    RetentionSettings,
    ServiceSettings,
)
from nbsweep.settings.people.calendar import CalendarSettings
from nbsweep.settings.people.channel_names import check_targets_of_channels
from nbsweep.settings.people.channels import Channels
from nbsweep.settings.people.exemptions import ExemptionSettings
from nbsweep.settings.people.marks import NO_CALENDAR, MarksSettings
from nbsweep.settings.people.messages import MessagesSettings
from nbsweep.settings.people.notify import Notify
from nbsweep.settings.people.owners import OwnersSettings
from nbsweep.settings.rules.groups import Groups, check_group_names, to_owner_groups, unused_groups
from nbsweep.settings.rules.holdout import HoldoutOrShare
from nbsweep.settings.rules.match import MatchSettings
from nbsweep.settings.rules.overlaps import check_overlaps
from nbsweep.settings.rules.policies import BrakeSettings, PolicySettings, protection
from nbsweep.settings.rules.windows import WindowSettings
from nbsweep.settings.schedule import ScheduleSettings
from nbsweep.settings.targets import TargetSettings

JOURNAL = Written(
    r"^(sqlite:///(?![^?#]*:[^?#]*@)[^?#]+"
    r"|postgresql(\+psycopg)?://([^:/@?#\s]*(:[^/@?#\s]*)?@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._,-]*)(:[0-9]{1,5})?"
    r"(/[^/:@?#\s]*)?(\?[^@#\s]*)?)$",
    "must be sqlite:///relative/path, sqlite:////absolute/path or postgresql://user:password@host/database; in the user, the "
    "password, the database and options write %40 for @, %3A for :, %2F for /, %3F for ?, %23 for # and %20 for a space",
)
"""A mistyped address must not pass: a part of a password would be taken for a host or a database, which are shown."""


def _default_journal() -> str:
    try:
        return f"sqlite:///{user_state_dir('nbsweep', appauthor=False)}/journal.db"
    except RuntimeError:
        # Without a home folder, validation reports the path as a mistake.
        return "sqlite:///~/.local/state/nbsweep/journal.db"


def _durable(url: str) -> str:
    if ":memory:" in url:
        raise ValueError("must be on disk: after a crash only the journal knows the deletions that were under way")
    path = url.removeprefix("sqlite:///")
    return f"sqlite:///{at_home(path)}" if path != url else url


class Settings(Group):
    """What nbsweep deletes, by which rules, how fast and when."""

    mode: Literal["dry-run", "enforce"] = "dry-run"
    """Whether `run` and `serve` delete, or only report what they would delete; `run --enforce` sets dry-run aside once."""
    journal: Annotated[StrictStr, JOURNAL, AfterValidator(_durable)] = Field(
        default_factory=_default_journal, validate_default=True, repr=False
    )
    """The database URL of the journal; when absent, an SQLite file in the user's state directory."""
    schedule: ScheduleSettings | None = None
    """When `serve` sweeps all targets that have no schedule of their own; null for never."""
    targets: Annotated[Distinct[TargetSettings], WrapValidator(check_overlaps)]
    """The projects to clean up, at least one."""
    groups: Groups = Field(default_factory=dict)
    """Groups of owners, by name; `owner` in a rule names all owners of a group as @name."""
    policies: Annotated[Distinct[PolicySettings], WrapValidator(check_group_names)]
    """Which notebooks are deleted, at least one policy; the first that matches decides, and the journal keeps its name."""
    protect: Annotated[tuple[MatchSettings, ...], WrapValidator(check_group_names)] = ()
    """Which notebooks are kept, whatever the policies say; any match is enough."""
    brakes: BrakeSettings = Field(default_factory=BrakeSettings)
    """Limits on what one sweep may delete."""
    windows: tuple[WindowSettings, ...] = ()
    """The times in which DELETEs may leave; empty for always. What is under way at the end of a window is followed on."""
    holdout: HoldoutOrShare | None = None
    """The share of notebooks that is announced like the others, but spared for a time, to learn who would have come back."""
    marks: MarksSettings = Field(default_factory=MarksSettings)
    """Limits on announcements."""
    exemptions: ExemptionSettings = Field(default_factory=ExemptionSettings)
    """Limits on exemptions."""
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)
    """How dates are written in messages."""
    channels: Annotated[Channels, WrapValidator(check_targets_of_channels)] = Field(default_factory=dict)
    """The ways to reach people, by name; each has a kind."""
    owners: OwnersSettings = ()
    """Where owners are reached, in the order in which these are asked; the first that answers wins."""
    removal: RemovalSettings = Field(default_factory=RemovalSettings)
    """How each notebook is deleted."""
    plan: PlanSettings = Field(default_factory=PlanSettings)
    """What `plan --out` saves for `run --plan`."""
    inventory: InventorySettings | None = Field(default_factory=InventorySettings)
    """What surveys record about the fleet; null records nothing."""
    retention: RetentionSettings | None = None
    """How long the journal keeps what has ended; null keeps all of it."""
    polling: PollingSettings = Field(default_factory=PollingSettings)
    """How often running deletions are checked."""
    messages: MessagesSettings = Field(default_factory=MessagesSettings)
    """How messages to owners and operators are written."""
    notify: Notify = Field(default_factory=dict)
    """The events that operators are told of, and by which channels."""
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    """What goes to stderr."""
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    """How `serve` works, and how any sweep is stopped."""

    @model_validator(mode="after")
    def _fleet_has_postgresql(self) -> Self:
        if self.service.fleet and not self.journal.startswith("postgresql"):
            raise ValueError("service.fleet needs a journal on PostgreSQL, which all processes share: name one in journal")
        return self

    @model_validator(mode="after")
    def _tells_people(self) -> Self:
        check_people(self)
        return self

    @model_validator(mode="after")
    def _keeps_what_policies_are_tried_on(self) -> Self:
        recorded = self.inventory.keep if self.inventory else timedelta(0)
        if self.retention and self.retention.keep < recorded:
            raise ValueError(
                "retention.keep must not be shorter than inventory.keep: when a policy is tried on the past, a notebook whose "
                "removal is forgotten would seem to have been deleted by its owner"
            )
        return self

    @cached_property
    def business_calendar(self) -> BusinessCalendar:
        """The business days, if anything counts them; otherwise nothing is loaded for them."""
        return self.calendar.to_business() if self.counts_business_days else NO_CALENDAR

    @property
    def calendar_years(self) -> tuple[str, bool] | None:
        """Which years the calendar knows, and whether those that matter are known; None if no policy counts business days."""
        if self.business_calendar is NO_CALENDAR:
            return None
        place = self.calendar.country or "the file of calendar"
        return describe_years(self.business_calendar, place, datetime.now(self.calendar.zone).date())

    @property
    def rules(self) -> Rules:
        """The policies and protections, made for the core."""
        groups, calendar = to_owner_groups(self.groups), self.business_calendar
        policies = tuple(
            policy.to_core(groups, self.marks.bind(policy.grace, calendar), self._windows_of(policy), self._holdout_of(policy))
            for policy in self.policies
        )
        return Rules(policies, tuple(protection(match, groups) for match in self.protect))

    def _windows_of(self, policy: PolicySettings) -> tuple[Window, ...]:
        listed = self.windows if policy.windows is None else policy.windows
        return tuple(window.to_core(self.calendar.timezone, self.business_calendar) for window in listed)

    def _holdout_of(self, policy: PolicySettings) -> Holdout | None:
        holdout = policy.holdout or self.holdout
        return holdout.to_core() if holdout else None

    @property
    def counts_business_days(self) -> bool:
        """Whether a grace or a window needs the calendar of a country."""
        graces = any(policy.grace is not None and policy.grace.counts_business_days for policy in self.policies)
        listed = (*self.windows, *(window for policy in self.policies for window in policy.windows or ()))
        return graces or any(window.holidays == "skip" for window in listed)

    @property
    def grant_limits(self) -> GrantLimits:
        """The limits on exemptions that administrators grant."""
        return GrantLimits(self.exemptions.longest, self.calendar.zone)

    @property
    def owner_limits(self) -> GrantLimits:
        """The limits on exemptions that owners grant themselves."""
        return GrantLimits(self.exemptions.owners_may, self.calendar.zone, "exemptions.owners_may")

    @property
    def unused_groups(self) -> tuple[str, ...]:
        """The names of the groups of owners that no rule names."""
        return unused_groups(self.groups, *self.model_dump(by_alias=True, include={"policies", "protect"}).values())
