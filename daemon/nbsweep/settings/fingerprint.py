"""What of the configuration decides who may go, as digests: a saved plan holds only where they are the same.

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
"""Groups every key of which decides; one that is added to them counts by itself."""
OF_REMOVAL = frozenset({"retries", "fresh_for"})
"""How often a notebook may be deleted again, and how old the facts may be; the others of the group are about patience."""


def configuration_digests(settings: "Settings") -> Mapping[str, str]:
    """Give the digest of each part that decides, by its name; what is left out counts as its default."""
    parts = settings.model_dump(mode="json", by_alias=True, include={*WHOLE})
    removal = settings.removal.model_dump(mode="json", by_alias=True, include=set(OF_REMOVAL))
    return {key: digest_of(part) for key, part in {**parts, "removal": removal}.items()}


def identity_of(target: TargetSettings) -> TargetIdentity:
    """Tell which notebooks a target is about."""
    return TargetIdentity(
        endpoint=target.base_url,
        project_id=target.project_id,
        workspaces=None if target.workspaces == "all" else tuple(sorted(target.workspaces)),
        features=tuple(sorted(target.features)),
        scope=target.scope,
    )
