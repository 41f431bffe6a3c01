"""The groups of rules that may be pasted into a page, to be tried on the past."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, WrapValidator

from nbsweep.settings.consistency import problems_of_calendar
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.types import Distinct
from nbsweep.settings.file import Settings
from nbsweep.settings.people.calendar import CalendarSettings
from nbsweep.settings.rules.groups import Groups, check_group_names
from nbsweep.settings.rules.match import MatchSettings
from nbsweep.settings.rules.policies import BrakeSettings, PolicySettings
from nbsweep.settings.rules.windows import WindowSettings

PASTED = ("policies", "protect", "brakes", "calendar", "windows")
"""The groups that pasted text may hold. None of them names a place to which something is sent."""


class PastedSettings(Group):
    """Groups of rules; those that are left out are the ones in force."""

    groups: Groups = Field(default_factory=dict)
    """The groups of owners in force, which rules may name."""
    policies: Annotated[Distinct[PolicySettings], WrapValidator(check_group_names)] | None = None
    """The policies."""
    protect: Annotated[tuple[MatchSettings, ...], WrapValidator(check_group_names)] | None = None
    """Which notebooks are kept."""
    brakes: BrakeSettings | None = None
    """Limits on what one sweep may delete."""
    windows: tuple[WindowSettings, ...] | None = None
    """The times in which DELETEs may leave."""
    calendar: CalendarSettings | None = None
    """The time zone and the business days."""


def with_pasted(current: Settings, values: Mapping[str, Any]) -> Settings:
    """Return a configuration with some groups of rules replaced; only good for trying its rules.

    The channels and owners of a grace are not checked: a trial sends nothing.

    Raises:
        ValidationError: a group cannot be used.
    """
    groups = {name: list(owners) for name, owners in current.groups.items()}
    pasted = PastedSettings.model_validate({**values, "groups": groups})
    changed = {name: getattr(pasted, name) for name in PASTED if getattr(pasted, name) is not None}
    made = with_fields(current, changed)
    if problems := list(problems_of_calendar(made)):
        raise ValidationError.from_exception_data("settings", problems, hide_input=True)
    return made


def without_secrets(settings: Settings) -> Settings:
    """Return a configuration that holds its rules and the address of its journal, and no credentials, channels or owners."""
    return with_fields(settings, {"targets": (), "channels": {}, "owners": (), "notify": {}})


def with_fields(settings: Settings, changed: Mapping[str, Any]) -> Settings:
    """Return a configuration with some valid fields replaced; nothing that was worked out from the old ones is kept."""
    kept = {name: getattr(settings, name) for name in Settings.model_fields}
    return Settings.model_construct(**{**kept, **changed})
