"""The file of a saved plan: written atomically, readable by its owner only, and validated when it is read."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from nbsweep.cli.text import json_pieces
from nbsweep.core.errors import ConfigurationError, Mistake, NbsweepError
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.documents.saved_plan import plan_from_text, plan_to_document
from nbsweep.service.plans.saved_plans import require_valid_now
from nbsweep.settings import Settings


def write_plan(path: Path, plan: SavedPlan) -> None:
    """Write a plan to the file, in place of its earlier content.

    Raises:
        NbsweepError: the file cannot be written; its earlier content stays.
    """
    try:
        _write_whole(path.resolve(), json_pieces(plan_to_document(plan)))
    except OSError as error:
        message = f"the plan could not be saved in {path}: {error.strerror or error}"
        raise NbsweepError(message) from error


def _write_whole(path: Path, pieces: Iterable[str]) -> None:
    if path.exists() and not path.is_file():
        raise OSError("it exists and is not a regular file")
    # A temporary file in the same folder, readable by its owner only, so that the replacement is atomic.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(pieces)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def read_plan(path: Path, settings: Settings, now: datetime) -> SavedPlan:
    """Read a plan and check that it may be carried out now, under this configuration.

    Raises:
        ConfigurationError: the file cannot be read, or the plan is not valid now; the message lists all reasons and what to do.
    """
    source = f"the plan {path}"
    plan = plan_from_text(_read(path, source), source)
    require_valid_now(plan, source, settings, now)
    return plan


def _read(path: Path, source: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        problem = "there is no such file; `nbsweep plan --out FILE` makes one"
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
    raise ConfigurationError(source, (Mistake("", None, problem),))
