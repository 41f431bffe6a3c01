"""Saves plans for the configuration in force, and checks saved plans against it. The command line and the service share it."""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.planning.plan import Plan
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.core.saved_plan.validate import objections
from nbsweep.documents.saved_plan import plan_from_text
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import configuration_digests


def plan_to_save(settings: Settings, plan_id: str, made: tuple[datetime, timedelta], plans: Sequence[Plan]) -> SavedPlan:
    """Build the saved plan of these plans; `made` is the time and the validity."""
    identities = {target.name: target.identity for target in settings.targets}
    created_at, valid_for = made
    return SavedPlan(
        plan_id=plan_id,
        created_at=created_at,
        expires_at=created_at + valid_for,
        configuration=configuration_digests(settings),
        targets=tuple(saved_target(plan, identities[plan.target]) for plan in plans),
    )


def require_valid_now(plan: SavedPlan, source: str, settings: Settings, now: datetime) -> None:
    """Check that a plan may be carried out now, under this configuration.

    Raises:
        ConfigurationError: it may not; the message lists all reasons and what to do.
    """
    targets = {target.name: target.identity for target in settings.targets}
    found = objections(plan, now, configuration_digests(settings), targets)
    if found:
        raise ConfigurationError(source, found)


def open_plan(document: bytes, plan_id: str) -> SavedPlan:
    """Read the document of a plan, and check its digest.

    Raises:
        ConfigurationError: it was altered, or is of another version.
    """
    return plan_from_text(zlib.decompress(document), f"the plan {plan_id}")
