"""What pages say about the disk of a notebook: also why they say no size."""

from msgspec import Struct

from nbsweep.core.model import Volume
from nbsweep.service.web.messages import Message, message


class DiskView(Struct, frozen=True):
    """The disk of a notebook."""

    size_gb: int | None
    """None if the cloud does not show it."""
    note: Message | None
    """What a reader has to know beside the size; None for a disk of known size that is deleted with the notebook."""


OWN = message("the user's own storage")
"""A deletion of the notebook does not free it."""


def freed_view(volume: Volume | None) -> DiskView:
    """Return what pages say about the disk that a deletion of the notebook frees."""
    return DiskView(None, OWN) if volume and volume.is_dedicated else disk_view(volume)


def disk_view(volume: Volume | None) -> DiskView:
    """Return what pages say about the main volume of a notebook; None if the cloud shows none."""
    if volume is None:
        return DiskView(None, message("not shown by the cloud"))
    if volume.is_dedicated:
        return DiskView(volume.capacity_gb, OWN)
    return DiskView(volume.capacity_gb, message("size not shown by the cloud") if volume.capacity_gb is None else None)
