"""Digests of the configuration that affects decisions: a saved plan is valid only while they are the same.

Credentials are no part of it.
"""

from collections.abc import Mapping

from nbsweep.core.saved_plan.digest import digest_of
from nbsweep.settings.file import Settings

WHOLE = ("policies", "protect", "brakes")
"""Groups of which every key affects decisions."""
OF_REMOVAL = frozenset({"retries", "fresh_for"})
"""The keys of `removal` that affect decisions; the others set waiting times."""


def configuration_digests(settings: Settings) -> Mapping[str, str]:
    """Return the digest of each part of the configuration that affects decisions; a missing key counts as its default.

    Without groups of owners there is no part for them, so that plans from before there were groups stay valid.
    """
    parts = settings.model_dump(mode="json", by_alias=True, include={*WHOLE})
    removal = settings.removal.model_dump(mode="json", by_alias=True, include=set(OF_REMOVAL))
    groups = settings.model_dump(mode="json", include={"groups"}) if settings.groups else {}
    return {key: digest_of(part) for key, part in {**parts, "removal": removal, **groups}.items()}
