"""Limits the logins of each user, independent of the number of targets that need them.

The vendor locks a user after five wrong passwords in fifteen minutes. So until a password is known to be right, its user signs
in for one target at a time, and one refusal counts for all targets for that time. A restart, or a reload of the configuration,
resets the limit. In a fleet, the same holds for all its processes together, and nothing resets the limit but another password.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import anyio

from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import Unauthorized
from nbsweep.core.fences.logins import LoginRecord, LoginTurn, SharedLogins, login_name
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
    shared: SharedLogins | None = None
    """The logins of the other processes of a fleet; None if there is no fleet."""
    name: str = ""
    """The name of these logins in the fleet."""
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
        if self._is_proven():
            return await self._try(sign_in)
        seen = self._absences
        async with self._queue:
            if self._absence is not None and self._absences != seen:
                raise self._absence
            return await self._try(sign_in)

    async def _try(self, sign_in: Callable[[], Awaitable[IssuedCredentials]]) -> IssuedCredentials:
        self._require_open()
        if self.shared is None:
            return await self._attempt(sign_in)
        if self._is_proven() or await self._is_proven_in(self.shared):
            try:
                return await self._attempt(sign_in)
            except UserRefused as error:
                async with self.shared.turn(self.name) as turn:
                    turn.noted = LoginRecord(accepted=False, code=error.code)
                raise
        async with self.shared.turn(self.name) as turn:
            return await self._attempt_in(turn, sign_in)

    async def _attempt_in(self, turn: LoginTurn, sign_in: Callable[[], Awaitable[IssuedCredentials]]) -> IssuedCredentials:
        """Sign in while no other process of the fleet does, unless the latest login of one was refused recently."""
        self._require_open()
        if turn.last is not None and not turn.last.accepted and turn.age_s < LOCK.total_seconds():
            raise self._close(_refused_elsewhere(turn.last), LOCK - timedelta(seconds=turn.age_s))
        try:
            issued = await self._attempt(sign_in)
        except UserRefused as error:
            turn.noted = LoginRecord(accepted=False, code=error.code)
            raise
        turn.noted = LoginRecord(accepted=True)
        return issued

    async def _attempt(self, sign_in: Callable[[], Awaitable[IssuedCredentials]]) -> IssuedCredentials:
        try:
            issued = await sign_in()
        except UserRefused as error:
            raise self._close(error) from error
        except NotSent as error:
            self._absence, self._absences = error, self._absences + 1
            raise
        self._proven_until_s = self.clock.steady_s() + PROVEN_S
        return issued

    def _is_proven(self) -> bool:
        return self.clock.steady_s() < self._proven_until_s

    async def _is_proven_in(self, shared: SharedLogins) -> bool:
        accepted_s = await shared.accepted_s(self.name)
        return accepted_s is not None and accepted_s < PROVEN_S

    def _require_open(self) -> None:
        if self._refusal is not None and self.clock.steady_s() < self._closed_until_s:
            raise _copy_of(self._refusal, self._refusal.advice)

    def _close(self, error: UserRefused, closed_for: timedelta = LOCK) -> UserRefused:
        self._proven_until_s = float("-inf")
        self._closed_until_s = self.clock.steady_s() + closed_for.total_seconds()
        until = f"{self.clock.now() + closed_for:%H:%M:%S} UTC"
        given = f"{error.advice}. " if error.advice else ""
        unless = "the password is another one" if self.shared else "nbsweep is started again or reads its configuration again"
        advice = (
            f"{given}For all targets of this user no login is tried before {until}, unless {unless}: IAM locks a user after "
            "five wrong passwords in fifteen minutes"
        )
        self._refusal = _copy_of(error, advice)
        return _copy_of(error, advice)


@dataclass(slots=True)
class LoginLimits:
    """The login limits of all users."""

    clock: Clock
    shared: SharedLogins | None = None
    """The logins of the other processes of a fleet; None if there is no fleet."""
    _limits: dict[tuple[str, str, str, str], LoginLimit] = field(default_factory=dict, repr=False)

    def of(self, iam: str, domain: str, username: str, password: str) -> LoginLimit:
        """Return the limit of a user, who is identified by everything that a login depends on, except its project."""
        user = (iam, domain, username, password)
        if user not in self._limits:
            self._limits[user] = LoginLimit(self.clock, self.shared, login_name(*user) if self.shared else "")
        return self._limits[user]


def _refused_elsewhere(record: LoginRecord) -> UserRefused:
    problem = "IAM does not let the user in, as another process of the fleet has found out"
    return UserRefused(problem, advice="Check username, password and domain, and the user in IAM", code=record.code)


def _copy_of(error: UserRefused, advice: str) -> UserRefused:
    """Return a copy of an error: an error that is raised repeatedly collects the traces of all raises."""
    return UserRefused(error.problem, advice=advice, **error.details)
