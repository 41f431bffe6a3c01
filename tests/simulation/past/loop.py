"""A virtual event loop for a year."""

from nbsweep.testing.loop import VirtualLoop


class YearLoop(VirtualLoop):
    """Runs for a year and more."""

    def __init__(self) -> None:
        """Begin at zero."""
        super().__init__()
        # asyncio runs what is due within this time. After half a year, a nanosecond is less than the smallest difference of two
        # times in floating point, so that nothing would ever be due.
        self._clock_resolution = 1e-6
