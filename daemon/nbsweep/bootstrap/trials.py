"""The rules of a configuration, to be tried on the past."""

from nbsweep.core.backtest.model import Trial
from nbsweep.core.planning.marking import MarkLimits
from nbsweep.settings import Settings


def trial_of(settings: Settings) -> Trial:
    """Return the rules of a configuration with its brakes, limits of marks and cool-down.

    Nothing is held out: what was really spared is the best that a trial can learn from.
    """
    cool_down = settings.removal.cool_down
    limits = MarkLimits(settings.brakes.to_core(), settings.marks.max_new_per_sweep)
    return Trial(settings.rules.without_holdout, limits, cool_down.to_core() if cool_down else None)
