"""`validate`: every mistake in the configuration, without a call."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat
from nbsweep.cli.text import ascii_json, json_text, printable
from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.documents.validate import validation_document
from nbsweep.loading.file import find_config, load_settings


def validate_command(config: Path | None, output: ReadFormat) -> Exit:
    """Read the configuration, and show every mistake in it."""
    environment = dict(os.environ)
    mistakes: Sequence[Mistake] = ()
    source = "the configuration"
    try:
        path = find_config(config, environment)
        source = str(path)
        load_settings(path, environment)
    except ConfigurationError as error:
        source, mistakes = error.source, error.mistakes
    if output == "json":
        sys.stdout.write(ascii_json(json_text(validation_document(source, mistakes))) + "\n")
    else:
        sys.stdout.writelines(f"{printable(line)}\n" for line in _lines(source, mistakes))
    return Exit.USAGE if mistakes else Exit.DONE


def _lines(source: str, mistakes: Sequence[Mistake]) -> list[str]:
    if not mistakes:
        return [f"{source}: no mistakes."]
    return [*(f"{source}: {mistake}" for mistake in mistakes), f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}."]
