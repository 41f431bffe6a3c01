"""Limits the logins of each user, independent of the number of targets that need them.

The vendor locks a user after five wrong passwords in fifteen minutes. So until a password is known to be right, its user signs
in for one target at a time, and one refusal counts for all targets for that time. A restart, or a reload of the configuration,
resets the limit.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import Unauthorized
from nbsweep.core.ports import Clock

LOCK = timedelta(minutes=15)
PROVEN_S = 60.0
"""How long after a login the password counts as correct, so that logins for other projects need not queue."""


class UserRefused(Unauthorized):
    """IAM refuses the user for every project."""


@dataclass(slots=True)
class LoginLimit:
    """The logins of one user with one password at one IAM."""

    clock: Clock
    _queue: anyio.Lock = field(default_factory=anyio.Lock)
    _proven_until_s: float = float("-inf")
    _closed_until_s: float = float("-inf")
    _refusal: UserRefused | None = None
    _absence: NotSent | None = None
    _absences: int = 0

    async def sign_in(self, sign_in: Callable[[], Awaitable[IssuedCredentials]]) -> IssuedCredentials:
        """Sign in, unless a login was refused recently.

        Raises:
            UserRefused: the login is refused, or was refused recently.
            NotSent: IAM did not answer this login, or the one that this one waited for.
            SweepEnding: the login is refused for this project.
        """
        if self.clock.steady_s() < self._proven_until_s:
            return await self._try(sign_in)
        seen = self._absences
        async with self._queue:
            if self._absence is not None and self._absences != seen:
                raise self._absence
            return await self._try(sign_in)

    async def _try(self, sign_in: Callable[[], Awaitable[IssuedCredentials]]) -> IssuedCredentials:
        if self._refusal is not None and self.clock.steady_s() < self._closed_until_s:
            raise _copy_of(self._refusal, self._refusal.advice)
        try:
            issued = await sign_in()
        except UserRefused as error:
            raise self._close(error) from error
        except NotSent as error:
            self._absence, self._absences = error, self._absences + 1
            raise
        self._proven_until_s = self.clock.steady_s() + PROVEN_S
        return issued

    def _close(self, error: UserRefused) -> UserRefused:
        self._proven_until_s = float("-inf")
        self._closed_until_s = self.clock.steady_s() + LOCK.total_seconds()
        until = f"{self.clock.now() + LOCK:%H:%M:%S} UTC"
        given = f"{error.advice}. " if error.advice else ""
        advice = (
            f"{given}For all targets of this user no login is tried before {until}, unless nbsweep is started again or "
            "reads its configuration again: IAM locks a user after five wrong passwords in fifteen minutes"
        )
        self._refusal = _copy_of(error, advice)
        return _copy_of(error, advice)


@dataclass(slots=True)
class LoginLimits:
    """The login limits of all users."""

    clock: Clock
    _limits: dict[Hashable, LoginLimit] = field(default_factory=dict, repr=False)

    def of(self, *user: Hashable) -> LoginLimit:
        """Return the limit of a user, who is identified by everything that a login depends on, except its project."""
        return self._limits.setdefault(user, LoginLimit(self.clock))


def _copy_of(error: UserRefused, advice: str) -> UserRefused:
    """Return a copy of an error: an error that is raised repeatedly collects the traces of all raises."""
    return UserRefused(error.problem, advice=advice, **error.details)
