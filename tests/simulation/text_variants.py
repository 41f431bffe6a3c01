"""Variants of tags and names: other case, white space, repeated keys, no value, letters that look alike."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from simulation.facts import Facts

Tags = tuple[tuple[str, str | None], ...]

KEEPING: tuple[Tags, ...] = (
    (("Keep", "yes"),),
    ((" keep", "Yes "),),
    (("keep", None),),
    (("keep", "no"), ("keep", "yes")),
    (("keep", "yes"), ("KEEP", "no")),
    (("keep", "no"),),
)
OTHERS: tuple[Tags, ...] = ((("TEAM", "a"),), (("team", None),), (("team", "a"), ("team", "b")), (("keeper", "yes"),))
NAMES = (
    (" {}", ("keep", "trial", "Prod")),
    ("\u200b{}", ("keep", "trial", "Prod")),
    ("\uff4b{}", ("eep",)),
    ("tr\u0131al-{}", ("1", "2")),
    ("re\u0301vision-{}", ("1", "2")),
)
"""A full-width k, a dotless i; and a name that is protected in its composed form."""


def vary_texts(
    fleet: tuple[Facts, ...], config: Mapping[str, Any], random: Random
) -> tuple[tuple[Facts, ...], Mapping[str, Any]]:
    """Return a fleet and its configuration, with some texts written otherwise than in the rules; mostly unchanged."""
    if random.random() < 0.6:
        return fleet, config
    protect = [*config["protect"], {"name": ["r\u00e9vision-*"]}]
    if random.random() < 0.5:
        protect = [{"tags": {"keep": "y*"}} if rule == {"tags": {"keep": "*"}} else rule for rule in protect]
    return tuple(_written(facts, random) for facts in fleet), {**config, "protect": protect}


def _written(facts: Facts, random: Random) -> Facts:
    number = random.random()
    if number < 0.6:
        return facts
    if number < 0.8:
        return replace(facts, tags=random.choice(KEEPING))
    if number < 0.9:
        return replace(facts, tags=random.choice(OTHERS))
    form, inner = random.choice(NAMES)
    return replace(facts, name=f"{form.format(random.choice(inner))}-{random.randint(1, 99)}")
