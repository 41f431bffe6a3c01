"""Logins that several processes try with one password: what they tell each other, and the port for it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Protocol

from msgspec import Struct

LOGIN = "login:"
"""Begins the name of the fence of a user's logins."""


class LoginRecord(Struct, frozen=True):
    """The end of the latest login with a password. It names no user, and holds no text of IAM, which might."""

    accepted: bool
    code: str = ""
    """IAM's error code for a refusal."""


@dataclass(slots=True)
class LoginTurn:
    """The right to try a login, which no other process has at the same time."""

    last: LoginRecord | None
    """The latest login of any process; None if there was none."""
    age_s: float
    """The seconds since then."""
    noted: LoginRecord | None = None
    """The end of the login of this turn."""


class SharedLogins(Protocol):
    """The logins of all processes of a fleet."""

    async def accepted_s(self, name: str) -> float | None:
        """Return how many seconds ago IAM accepted this password; None if its latest login was refused, or there was none.

        Raises:
            JournalError: the journal cannot be read.
        """
        ...

    def turn(self, name: str) -> AbstractAsyncContextManager[LoginTurn]:
        """Wait until no other process tries this login; what is noted in the turn is for all processes.

        Raises:
            JournalError: the journal cannot be read or written.
        """
        ...


def login_name(iam: str, domain: str, username: str, password: str) -> str:
    """Return the name of the fence of a user's logins, which reveals neither the user nor the password.

    Eight bits of a digest of the password tell a password that was put right from the one that was refused: enough for that
    with 255 of 256 new passwords, and far too little to find out the password by trying.
    """
    changed = sha256(dumps([iam, domain, username, password]).encode()).hexdigest()[:2]
    return LOGIN + sha256(dumps([iam, domain, username, changed]).encode()).hexdigest()[:32]
