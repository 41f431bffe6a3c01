"""Digests of the configuration, and the keys in which two configurations differ. Secrets are no part of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from nbsweep.core.saved_plan.digest import digest_of
from nbsweep.settings.file import Settings

WHOLE = ("policies", "protect", "brakes")
"""Groups of which every key affects decisions."""
OF_REMOVAL = frozenset({"retries", "fresh_for"})
"""The keys of `removal` that affect decisions; the others set waiting times."""
OF_SWEEPS = frozenset({"drain", "sweep_timeout", "lease"})
"""The keys of `service` that every process of a fleet must agree on."""
SHOWN = 12
"""The number of characters of a digest that people are shown."""


def configuration_digests(settings: Settings) -> Mapping[str, str]:
    """Return the digest of each part of the configuration that affects decisions; a missing key counts as its default.

    Without groups of owners there is no part for them, so that plans from before there were groups stay valid.
    """
    parts = settings.model_dump(mode="json", by_alias=True, include={*WHOLE})
    removal = settings.removal.model_dump(mode="json", by_alias=True, include=set(OF_REMOVAL))
    groups = settings.model_dump(mode="json", include={"groups"}) if settings.groups else {}
    return {key: digest_of(part) for key, part in {**parts, "removal": removal, **groups}.items()}


def digest_of_all(settings: Settings) -> str:
    """Return a short digest of a configuration without its credentials, to compare what is in force with a file."""
    without = {"targets": {"__all__": {"credentials"}}}
    return digest_of(settings.model_dump(mode="json", by_alias=True, exclude=without)).partition(":")[2][:SHOWN]


def digest_of_sweeps(settings: Settings) -> str:
    """Return a short digest of what decides how a fleet sweeps.

    The keys that may differ from process to process are no part of it: the log, the address of the journal, how `serve` is
    reached, and how many accounts a worker sweeps at a time.
    """
    without: dict[str, Any] = {
        "targets": {"__all__": {"credentials"}},
        "journal": True,
        "logging": True,
        "service": {key: True for key in type(settings.service).model_fields if key not in OF_SWEEPS},
    }
    return digest_of(settings.model_dump(mode="json", by_alias=True, exclude=without)).partition(":")[2][:SHOWN]


def changed_keys(before: Settings, after: Settings) -> tuple[str, ...]:
    """Return the keys in which two configurations differ, such as `policies[idle].match`; never their values."""
    return tuple(sorted(set(_differences(before.model_dump(by_alias=True), after.model_dump(by_alias=True), ""))))


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    before, after = _by_name(before), _by_name(after)
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        if before != after:
            yield path
        return
    for key in {**before, **after}:
        step = str(key) if str(key).startswith("[") else f".{key}"
        yield from _differences(before.get(key), after.get(key), f"{path}{step}".removeprefix("."))


def _by_name(value: Any) -> Any:
    """Return a list of named things as a mapping by their names."""
    if isinstance(value, list | tuple) and value and all(isinstance(each, Mapping) and each.get("name") for each in value):
        return {f"[{each['name']}]": each for each in value}
    return value
