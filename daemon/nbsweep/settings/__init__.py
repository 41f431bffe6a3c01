"""The typed groups of the configuration file; no I/O."""

from nbsweep.settings.credentials import CredentialSettings
from nbsweep.settings.file import JOURNAL, Settings
from nbsweep.settings.messages import Problem, problems
from nbsweep.settings.operation import LoggingSettings, PlanSettings, PollingSettings, RemovalSettings, ServiceSettings
from nbsweep.settings.people.channels import AnyChannel, Channels
from nbsweep.settings.rules.match import MatchSettings
from nbsweep.settings.rules.policies import BrakeSettings, PolicySettings
from nbsweep.settings.schedule import ScheduleSettings
from nbsweep.settings.schema import settings_schema
from nbsweep.settings.targets import LimitSettings, TargetSettings

__all__ = [
    "JOURNAL",
    "AnyChannel",
    "BrakeSettings",
    "Channels",
    "CredentialSettings",
    "LimitSettings",
    "LoggingSettings",
    "MatchSettings",
    "PlanSettings",
    "PolicySettings",
    "PollingSettings",
    "Problem",
    "RemovalSettings",
    "ScheduleSettings",
    "ServiceSettings",
    "Settings",
    "TargetSettings",
    "problems",
    "settings_schema",
]
