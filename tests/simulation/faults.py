"""The faults of calls between client and cloud, and how often they occur."""

from dataclasses import dataclass, field
from random import Random

from simulation.cloud import refusal
from simulation.wire import Answer

BEFORE = ("error-before", "reset-before", "hang")
"""The call has no effect."""
READS_ONLY = ("garbage",)
ERRORS = (
    (500, "ModelArts.0010", "internal error"),
    (500, "APIGW.0601", "internal error"),
    (502, "APIGW.0201", "backend unavailable"),
    (503, "", ""),
    (504, "APIGW.0201", "backend timeout"),
    (408, "ModelArts.6100", "timeout"),
)
GARBAGE = (b"", b"<html>502</html>", b'{"total": 3, "data": [', b'{"hello": "world"}', b"[]", b'{"total": -1, "data": []}')


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of calls in a number of seconds, counted on arrival."""

    calls: int
    period_s: float

    @property
    def words(self) -> str:
        """Return the words of the gateway."""
        return f"limit:{self.calls},time:{'1 second' if self.period_s == 1 else '1 minute'}"


@dataclass(frozen=True, slots=True)
class NetworkConditions:
    """The network between client and cloud; all shares are of calls."""

    latency_s: tuple[float, float] = (0.005, 0.05)
    """Of one direction."""
    connect_s: float = 0.0
    faults: tuple[tuple[str, float], ...] = ()
    """The faults of a call, and their shares."""
    refuses: float = 0.0
    """The share of new connections that are refused."""
    closes: float = 0.0
    """The share of answers after which the connection is closed."""
    limits: tuple[tuple[str, Limit], ...] = ()
    """By lane, or `total`."""
    names_limits: bool = True
    retry_after_s: int | None = None
    refused_count: bool = False
    """Whether a call that is throttled counts against its limit."""
    late_s: float = 0.0
    token_life_s: float | None = None
    """How long a token is valid; None if keys are used."""
    tokens_revoked_every_s: float | None = None


NO_FAULTS = NetworkConditions()


@dataclass(slots=True)
class FaultInjector:
    """Draws the fault of each call, and counts faults."""

    random: Random
    network: NetworkConditions
    counts: dict[str, int] = field(default_factory=dict)

    def draw_fault(self, kind: str) -> str:
        """Return the fault of a call of this kind, mostly none."""
        number = self.random.random()
        for name, share in self.network.faults:
            number -= share
            if number < 0:
                return "" if name in READS_ONLY and kind in ("delete", "stop") else name
        return ""

    def count(self, name: str) -> None:
        """Count an event."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def latency_s(self) -> float:
        """Return the latency of one direction."""
        return self.random.uniform(*self.network.latency_s)

    def error(self) -> Answer:
        """Return an error that leaves open whether the call had an effect."""
        status, code, message = self.random.choice(ERRORS)
        return refusal(status, code, message) if code else Answer(status, b"<html>no</html>", {"Content-Type": "text/html"})

    def garbage(self) -> Answer:
        """Return an answer that violates the API."""
        return Answer(200, self.random.choice(GARBAGE), {"Content-Type": "application/json"})
