"""Digests of the configuration that affects decisions: a saved plan is valid only while they are the same.

Credentials are no part of it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.saved_plan.digest import digest_of
from nbsweep.settings.targets import TargetSettings

if TYPE_CHECKING:
    from nbsweep.settings.file import Settings

WHOLE = ("policies", "protect", "brakes")
"""Groups of which every key affects decisions."""
OF_REMOVAL = frozenset({"retries", "fresh_for"})
"""The keys of `removal` that affect decisions; the others set waiting times."""


def configuration_digests(settings: "Settings") -> Mapping[str, str]:
    """Return the digest of each part of the configuration that affects decisions; a missing key counts as its default."""
    parts = settings.model_dump(mode="json", by_alias=True, include={*WHOLE})
    removal = settings.removal.model_dump(mode="json", by_alias=True, include=set(OF_REMOVAL))
    return {key: digest_of(part) for key, part in {**parts, "removal": removal}.items()}


def identity_of(target: TargetSettings) -> TargetIdentity:
    """Return the identity of a target: which notebooks it covers."""
    return TargetIdentity(
        endpoint=target.base_url,
        project_id=target.project_id,
        workspaces=None if target.workspaces == "all" else tuple(sorted(target.workspaces)),
        features=tuple(sorted(target.features)),
        scope=target.scope,
    )
