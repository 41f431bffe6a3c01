"""Checks a saved plan before anything is surveyed: its validity, targets, configuration and refusals."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from nbsweep.core.errors import Mistake
from nbsweep.core.facts import format_age
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.saved_plan.model import SavedPlan, SavedTarget

AHEAD = timedelta(minutes=5)
"""Tolerated difference between the clocks of the machine that made a plan and of the one that carries it out."""
ANEW = "make a new one with `nbsweep plan --out FILE`"


def objections(
    plan: SavedPlan, now: datetime, configuration: Mapping[str, str], targets: Mapping[str, TargetIdentity]
) -> tuple[Mistake, ...]:
    """Return all reasons not to carry out a plan, each with advice; empty if there are none.

    `configuration` holds the digest of each part of the configuration that affects decisions, by the name of the part;
    `targets` holds the identities by name.
    """
    return (*_of_time(plan, now), *_of_configuration(plan, configuration), *_of_targets(plan, targets))


def expired(expires_at: datetime, now: datetime) -> Mistake | None:
    """Return a mistake if a plan has expired; None if it is valid."""
    if now < expires_at:
        return None
    ago = format_age(now - expires_at)
    problem = f"the plan expired {ago} ago, because a plan is valid for a limited time (plan.valid_for): {ANEW}"
    return Mistake("expires_at", None, problem)


def _of_time(plan: SavedPlan, now: datetime) -> Iterator[Mistake]:
    if over := expired(plan.expires_at, now):
        yield over
    if plan.created_at > now + AHEAD:
        ahead = format_age(plan.created_at - now)
        yield Mistake("created_at", None, f"is {ahead} ahead of this machine's clock: set the clock that is wrong, and {ANEW}")


def _of_configuration(plan: SavedPlan, configuration: Mapping[str, str]) -> Iterator[Mistake]:
    parts = sorted(plan.configuration.keys() | configuration.keys())
    changed = [part for part in parts if plan.configuration.get(part) != configuration.get(part)]
    if changed:
        differ = "is not as it was" if len(changed) == 1 else "are not as they were"
        problem = f"{', '.join(changed)} {differ} when the plan was made: {ANEW}, or use the earlier configuration"
        yield Mistake("configuration", None, problem)


def _of_targets(plan: SavedPlan, targets: Mapping[str, TargetIdentity]) -> Iterator[Mistake]:
    if not plan.targets:
        yield Mistake("targets", None, f"it has no targets, so that it permits nothing: {ANEW}")
    for place, saved in enumerate(plan.targets):
        at = f"targets[{place}]"
        if saved.target not in targets:
            there_are = f"; the configuration has {', '.join(sorted(targets))}"
            yield Mistake(at, None, f"target {saved.target} is not in the configuration{there_are}: {ANEW}")
            continue
        yield from _of_target(saved, targets[saved.target], at)


def _of_target(saved: SavedTarget, now: TargetIdentity, at: str) -> Iterator[Mistake]:
    for key in TargetIdentity.__struct_fields__:
        before, after = getattr(saved.identity, key), getattr(now, key)
        if before != after:
            change = f"{key} was {_words(key, before)}, and is {_words(key, after)}"
            yield Mistake(f"{at}.identity.{key}", None, f"it was made for another target {saved.target}: {change}: {ANEW}")
    if saved.refusal is not None:
        # The text of the refusal already contains advice about the brake.
        problem = (
            f"a brake refused the plan of target {saved.target}, so that it permits nothing ({saved.refusal}); then {ANEW}"
        )
        yield Mistake(f"{at}.refusal", None, problem)


def of_another_project(saved: SavedTarget, now: TargetIdentity) -> Mistake | None:
    """Return a mistake if a plan was made for another project than the target's; None if it was not."""
    if saved.project in ("", now.project):
        return None
    problem = f"it was made for another target {saved.target}: its project was {saved.project}, and is {now.project}: {ANEW}"
    return Mistake("targets", None, problem)


def _words(key: str, value: str | tuple[str, ...] | None) -> str:
    if value is None:
        return "looked up by the region" if key == "project_id" else "all"
    return value if isinstance(value, str) else ", ".join(value)
