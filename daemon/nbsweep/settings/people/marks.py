"""`grace` of a policy, and `marks`: when deletions are announced."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StrictInt, ValidationInfo, field_validator

from nbsweep.core.calendar.business_days import BusinessCalendar
from nbsweep.core.calendar.length import BusinessDays, Length, usual
from nbsweep.core.marks.grace import OWNER, Grace, UnlessTold
from nbsweep.core.planning.marking import MOST_NEW
from nbsweep.settings.fields.base import Group, Name
from nbsweep.settings.fields.types import OneOrMore
from nbsweep.settings.fields.units import DurationOrZero, LengthOfTime, format_length

NO_CALENDAR = BusinessCalendar("UTC")
"""For policies that count no business days."""


class GraceSettings(Group):
    """How a policy announces its deletions; without it, the policy deletes unannounced."""

    for_: LengthOfTime = Field(alias="for")
    """The time between notice and deletion, or business days (5bd); it counts from when a channel has accepted the notice."""
    remind: LengthOfTime | None = None
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
    def _shorter_than_grace(cls, remind: timedelta | int | None, info: ValidationInfo) -> timedelta | int | None:
        lasts: timedelta | int | None = info.data.get("for_")
        if remind is not None and lasts is not None and _usual(remind) >= _usual(lasts):
            raise ValueError(f"must be shorter than for, which is {format_length(lasts)}")
        return remind

    @property
    def counts_business_days(self) -> bool:
        """Whether the grace needs the calendar of a country."""
        return isinstance(self.for_, int) or isinstance(self.remind, int)

    def to_core(self, least: timedelta, calendar: BusinessCalendar) -> Grace:
        """Convert the group to the core's grace, which lasts `least` at least."""
        remind = None if self.remind is None else _length(self.remind, calendar)
        if isinstance(self.for_, timedelta):
            return Grace(max(self.for_, least), remind, self.surveys, self.tell, self.unless_told)
        return Grace(BusinessDays(self.for_, calendar), remind, self.surveys, self.tell, self.unless_told, least)


def _length(length: timedelta | int, calendar: BusinessCalendar) -> Length:
    return BusinessDays(length, calendar) if isinstance(length, int) else length


def _usual(length: timedelta | int) -> timedelta:
    return usual(_length(length, NO_CALENDAR))


class MarksSettings(Group):
    """Limits on announcements."""

    max_new_per_sweep: Annotated[StrictInt, Field(ge=0)] = MOST_NEW
    """How many notebooks one sweep may mark; the longest idle come first, and the others wait for the next sweep."""
    min_grace: DurationOrZero = timedelta(0)
    """The shortest grace; it also binds policies without grace, which then announce their deletions."""

    def bind(self, grace: GraceSettings | None, calendar: BusinessCalendar) -> Grace | None:
        """Return the grace of a policy within `min_grace`; None if the policy announces nothing."""
        if grace is not None:
            return grace.to_core(self.min_grace, calendar)
        return Grace(self.min_grace) if self.min_grace else None
