"""`grace` of a policy, `marks`, `exemptions` and `calendar`: when and how deletions are announced."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StrictInt, StrictStr, ValidationInfo, field_validator

from nbsweep.core.marks.grace import OWNER, Grace, UnlessTold
from nbsweep.core.planning.marking import MOST_NEW
from nbsweep.settings.fields.base import Group, Name
from nbsweep.settings.fields.types import OneOrMore
from nbsweep.settings.fields.units import Duration, DurationOrZero, format_duration
from nbsweep.settings.schedule import known_timezone


class GraceSettings(Group):
    """How a policy announces its deletions; without it, the policy deletes unannounced."""

    for_: Duration = Field(alias="for")
    """The time between notice and deletion; it counts from when a channel has accepted the notice."""
    remind: Duration | None = None
    """How long before the deadline a reminder is sent; null for none."""
    surveys: Annotated[StrictInt, Field(ge=1, le=100)] = 2
    """How many complete surveys in a row must select the notebook before anybody is told."""
    tell: OneOrMore[Name] = (OWNER,)
    """owner, or the names of channels."""
    unless_told: UnlessTold = UnlessTold.KEEP
    """If the owner cannot be told: keep the notebook, tell the fallback of `owners`, or proceed without a notice."""

    @field_validator("tell")
    @classmethod
    def _told_once(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        if twice := [place for number, place in enumerate(places) if place in places[:number]]:
            raise ValueError(f"names {twice[0]} twice")
        return places

    @field_validator("remind")
    @classmethod
    def _shorter_than_grace(cls, remind: timedelta | None, info: ValidationInfo) -> timedelta | None:
        lasts: timedelta | None = info.data.get("for_")
        if remind is not None and lasts is not None and remind >= lasts:
            raise ValueError(f"must be shorter than for, which is {format_duration(lasts)}")
        return remind

    def to_core(self, least: timedelta) -> Grace:
        """Convert the group to the core's grace, which lasts `least` at least."""
        return Grace(max(self.for_, least), self.remind, self.surveys, self.tell, self.unless_told)


class MarksSettings(Group):
    """Limits on announcements."""

    max_new_per_sweep: Annotated[StrictInt, Field(ge=0)] = MOST_NEW
    """How many notebooks one sweep may mark; the longest idle come first, and the others wait for the next sweep."""
    min_grace: DurationOrZero = timedelta(0)
    """The shortest grace; it also binds policies without grace, which then announce their deletions."""

    def bind(self, grace: GraceSettings | None) -> Grace | None:
        """Return the grace of a policy within `min_grace`; None if the policy announces nothing."""
        if grace is not None:
            return grace.to_core(self.min_grace)
        return Grace(self.min_grace) if self.min_grace else None


class ExemptionSettings(Group):
    """Limits on exemptions."""

    longest: Duration = timedelta(days=90)
    """How far ahead an exemption may end."""
    owners_may: DurationOrZero = Field(default=timedelta(days=30), validate_default=True)
    """How long an owner may keep a notebook by the link of a notice; 0s for not at all."""

    @field_validator("owners_may")
    @classmethod
    def _within_longest(cls, most: timedelta, info: ValidationInfo) -> timedelta:
        longest: timedelta = info.data.get("longest", most)
        if most > longest:
            raise ValueError(f"must not be more than longest, which is {format_duration(longest)}")
        return most


class CalendarSettings(Group):
    """How dates are written in messages."""

    timezone: Annotated[StrictStr, AfterValidator(known_timezone)] = "UTC"
    """The IANA name of the time zone of messages: an owner gets at most one message for each of its days."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)
