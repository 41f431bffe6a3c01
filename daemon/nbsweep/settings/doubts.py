"""The doubts about a whole configuration: its rules, targets that `serve` would never sweep, and groups that no rule names."""

from collections.abc import Iterator

from nbsweep.core.doubts import Doubt, DoubtKind, find_doubts
from nbsweep.settings.file import Settings


def doubts_of(settings: Settings) -> Iterator[Doubt]:
    """Yield what is allowed, and probably not meant as it is written."""
    yield from find_doubts(settings.rules, sorted({feature for target in settings.targets for feature in target.features}))
    for place, target in enumerate(settings.targets):
        # `schedule: null` says that only `run` is meant to sweep.
        said = "schedule" in settings.model_fields_set | target.model_fields_set
        if target.schedule is None and settings.schedule is None and not said:
            sentence = "serve would never sweep it: it has no schedule; write schedule: null if only run is meant to sweep"
            yield Doubt(DoubtKind.NO_SCHEDULE, f"targets[{place}]", target.name, sentence)
    for group in settings.unused_groups:
        sentence = f'no rule names it: write owner: "@{group}" where it is meant'
        yield Doubt(DoubtKind.UNUSED_GROUP, f"groups.{group}", group, sentence)
