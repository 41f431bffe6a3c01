"""The gateway's limits: at most so many calls of a user in any window; ModelArts API, section 4."""

from collections import deque

from nbsweep.simulator.options import Limit, LimitOptions
from nbsweep.simulator.refusals import ApiError
from nbsweep.simulator.vocabulary import Kind

_MESSAGE = "The throttling threshold has been reached"
_UNITS = {1.0: "1 second", 60.0: "1 minute", 3600.0: "1 hour"}


class Throttle:
    """Exact sliding windows, one for each user and limit."""

    def __init__(self, options: LimitOptions) -> None:
        self._options = options
        self._windows: dict[tuple[str, str], _Window] = {}

    def admit(self, user: str, kind: Kind, arrival_s: float) -> None:
        """Count a call, or refuse it with 429."""
        windows = self._windows_of(user, kind)
        full = [policy for policy, window in windows if not window.has_room(arrival_s)]
        if not full or self._options.refused_calls_count:
            for _, window in windows:
                window.count(arrival_s)
        if full:
            limit = next(window.limit for policy, window in windows if policy == full[0])
            raise ApiError(429, "APIGW.0308", self._message(full[0], limit))

    def headers(self) -> dict[str, str]:
        """Return the headers of a 429."""
        seconds = self._options.retry_after_s
        return {} if seconds is None else {"Retry-After": str(seconds)}

    def scripted(self) -> ApiError:
        """Return the refusal of a scripted fault, if no limit was reached."""
        return ApiError(429, "APIGW.0308", self._message("user", self._options.per_user or Limit(calls=50)))

    def _windows_of(self, user: str, kind: Kind) -> list[tuple[str, "_Window"]]:
        limits = (("api", kind, self._options.per_api.get(kind)), ("user", "", self._options.per_user))
        return [(policy, self._window(user, lane, limit)) for policy, lane, limit in limits if limit and limit.calls]

    def _window(self, user: str, lane: str, limit: Limit) -> "_Window":
        key = (user, lane)
        if key not in self._windows:
            self._windows[key] = _Window(limit)
        return self._windows[key]

    def _message(self, policy: str, limit: Limit) -> str:
        if not self._options.name_the_limit:
            return _MESSAGE
        time = _UNITS.get(limit.window_s, f"{limit.window_s:g} second")
        return f"{_MESSAGE}: policy {policy} over ratelimit,limit:{limit.calls},time:{time}"


class _Window:
    """The last calls of one lane; at most as many as the limit."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._calls: deque[float] = deque(maxlen=limit.calls)

    def has_room(self, arrival_s: float) -> bool:
        """Return whether the window that ends now holds fewer calls than the limit."""
        return len(self._calls) < self.limit.calls or self._calls[0] <= arrival_s - self.limit.window_s

    def count(self, arrival_s: float) -> None:
        """Add one call to the window."""
        self._calls.append(arrival_s)
