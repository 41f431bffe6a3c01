"""The simulated cloud's clock, which tests may set forward or back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

DAY_S = 86_400


@dataclass
class Clock:
    """Epoch seconds from an injected source, plus a shift."""

    source: Callable[[], float]
    shift_s: float = 0.0
    #: Whether answers' Date headers follow the shift.
    shifts_date_header: bool = False

    def now_s(self) -> float:
        """Return the cloud's time."""
        return self.source() + self.shift_s

    def arrival_s(self) -> float:
        """Return the unshifted time, which throttling and the request log use."""
        return self.source()


def iso_date(moment_s: float) -> str:
    """Write a moment as IAM does: `2020-01-08T02:56:19.587000Z`."""
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milliseconds(moment_s: float) -> int:
    """Write a moment as the notebook API does: whole epoch milliseconds."""
    return round(moment_s * 1000)
