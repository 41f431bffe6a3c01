"""Paths of files in the configuration, in which `~` is a home folder, as in a shell."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, StrictStr

from nbsweep.settings.fields.types import Written

FILE = Written(r"^[^\x00-\x1f\x7f]+$", "must be the path of a file")


def at_home(path: str) -> str:
    """Replace a leading `~` or `~user` of the path with the home folder.

    Raises:
        ValueError: there is no such user, or no home folder.
    """
    if not path.startswith("~"):
        return path
    first, slash, rest = path.partition("/")
    home = _home(first)
    if home is None:
        raise ValueError("is in a home folder that is unknown (look at $HOME): write the whole path")
    return f"{home}{slash}{rest}"


def _home(name: str) -> Path | None:
    if name == "~" and os.environ.get("HOME") == "":
        # Python would take the root of all files.
        return None
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return None


def may_exist(path: Path) -> bool:
    """Return whether a file exists, or cannot be looked at: passing over that one would use another one without notice."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


FilePath = Annotated[StrictStr, FILE, AfterValidator(at_home)]
"""The path of a file; a relative one is taken from where the command is started."""
