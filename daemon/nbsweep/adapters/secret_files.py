"""Secrets from the configuration, or from a file that is read each time, so that a new secret needs no restart."""

import os
import stat
from dataclasses import dataclass, field

from pydantic import SecretStr

LARGEST_BYTES = 8192


class Unusable(Exception):
    """A secret cannot be read or used; the message names the setting, and never the secret."""


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret comes from."""

    setting: str
    """The key in the configuration, such as `channels.ops.url`."""
    value: SecretStr | None = field(default=None, repr=False)
    path: str | None = None

    def read(self) -> str:
        """Return the secret.

        Raises:
            Unusable: the file cannot be read, other users can read it, or it holds no secret.
        """
        if self.value is not None:
            return self.value.get_secret_value()
        return _read_file(f"{self.setting}_file", self.path or "")


def sources(setting: str, values: tuple[SecretStr, ...] | None, paths: tuple[str, ...] | None) -> tuple[SecretSource, ...]:
    """Return the sources of several secrets."""
    given = [SecretSource(setting, value=value) for value in values or ()]
    return (*given, *(SecretSource(setting, path=path) for path in paths or ()))


def _read_file(setting: str, path: str) -> str:
    try:
        # Non-blocking, because the file may be a pipe without a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise Unusable(f"{setting}: {path} is not a file")
            if found.st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise Unusable(f"{setting}: {path} can be read or written by others on this machine: chmod o-rw {path}")
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise Unusable(f"{setting}: {path} cannot be read: {error.strerror or 'unknown reason'}") from error
    return _text(f"{setting}: {path}", content)


def _text(place: str, content: bytes) -> str:
    if len(content) > LARGEST_BYTES:
        raise Unusable(f"{place} is larger than {LARGEST_BYTES} bytes, and no secret is")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise Unusable(f"{place} is not UTF-8 text") from None
    if not text:
        raise Unusable(f"{place} is empty")
    if not text.isprintable():
        raise Unusable(f"{place} must hold one line of text, and nothing else")
    return text
