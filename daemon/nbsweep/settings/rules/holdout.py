"""`holdout`: the share of notebooks that is spared for a time, to learn who would have come back."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from nbsweep.core.holdout.model import Holdout
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.types import ShortForm
from nbsweep.settings.fields.units import Duration, Share


class HoldoutSettings(Group):
    """A share of the notebooks that is announced like the others, but spared for a time; a share alone (5%) is enough."""

    share: Share
    """Which part of all notebooks; their ids decide which ones."""
    for_: Duration = Field(alias="for", default=timedelta(days=30))
    """How long a notebook is spared from when it would have been deleted."""

    def to_core(self) -> Holdout | None:
        """Convert the group to the core's holdout; None if the share is nothing."""
        return Holdout(self.share, self.for_) if self.share else None


HoldoutOrShare = Annotated[HoldoutSettings, ShortForm("share")]
"""The group, or its share alone."""
