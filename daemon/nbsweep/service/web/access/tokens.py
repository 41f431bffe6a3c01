"""The tokens of the API: each is read from a file, and has a role."""

import hmac
import os
import re
import stat
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from nbsweep.service.web.address import mistaken

LONGEST_TOKEN_BYTES = 4096
TOKEN = re.compile(rb"[!-~]+")
"""Characters that an HTTP header can carry."""
TOKEN_KEY = "api_token_file"  # noqa: S105 - the configuration's key, not a token


class Role(StrEnum):
    """What a token allows."""

    VIEWER = "viewer"
    """Reads."""
    APPROVER = "approver"
    """Reads, and carries out plans."""
    ADMIN = "admin"
    """Reads, and changes everything: makes plans, starts sweeps, pauses and resumes."""


class TokenFile(Struct, frozen=True):
    """A file with a token, as in the configuration."""

    path: Path
    role: Role = Role.ADMIN
    key: str = TOKEN_KEY
    """The key of the configuration, below `service`."""
    name: str = ""
    """The name on the records of changes; empty for the role."""

    @property
    def shown_name(self) -> str:
        """Return the name on the records of changes."""
        return self.name or f"{self.role} token"


class Tokens:
    """The tokens in force."""

    def __init__(self, files: Iterable[TokenFile]) -> None:
        """Read all tokens.

        Raises:
            ConfigurationError: a file cannot be used, or two files hold the same token.
        """
        self._files: dict[bytes, TokenFile] = {}
        for file in files:
            token = read_token(file.path, file.key)
            if token in self._files:
                raise mistaken(file.key, f"{file.path} holds the same token as another file: each token has one role")
            self._files[token] = file

    def __bool__(self) -> bool:
        """Return whether there is any token."""
        return bool(self._files)

    def find(self, given: bytes) -> TokenFile | None:
        """Return the file of a token; None if it is not known. The time does not depend on how much of a token is right."""
        return self.find_by(lambda token: hmac.compare_digest(given, token))

    def find_by(self, is_it: Callable[[bytes], bool]) -> TokenFile | None:
        """Return the file of the token that is meant, if any. Every token is tried, so that the time says nothing."""
        found = [file for token, file in self._files.items() if is_it(token)]
        return found[0] if found else None


def read_token(path: Path, key: str = TOKEN_KEY) -> bytes:
    """Read the token from its file.

    Raises:
        ConfigurationError: the file cannot be read, other users can read it, or it holds no token.
    """
    try:
        # Non-blocking, because the file may be a pipe without a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise mistaken(key, f"{path} is not a file")
            if found.st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise mistaken(key, f"{path} can be read or written by others on this machine: chmod o-rw {path}")
            token = file.read(LONGEST_TOKEN_BYTES + 1).strip()
    except OSError as error:
        raise mistaken(key, f"{path} cannot be read: {error.strerror or error}") from error
    if not token:
        raise mistaken(key, f"{path} is empty; it must hold the token")
    if len(token) > LONGEST_TOKEN_BYTES or not TOKEN.fullmatch(token):
        raise mistaken(key, f"{path} must hold one word of ASCII letters, digits and signs, and nothing else")
    return token
