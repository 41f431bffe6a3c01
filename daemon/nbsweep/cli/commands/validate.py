"""`validate`: every mistake in the configuration, every doubtful rule, and the mistakes in owners' files, without a call."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nbsweep.bootstrap.people.owners import doubts_of_owners
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, check_templates
from nbsweep.cli.text import ascii_json, json_text, printable
from nbsweep.core.doubts import Doubt
from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.documents.validate import validation_document
from nbsweep.loading.file import find_config, load_with_lines
from nbsweep.settings.doubts import doubts_of


def validate_command(config: Path | None, output: ReadFormat, *, strict: bool) -> Exit:
    """Show every mistake in the configuration, or else every doubt; `strict` makes a doubt an error."""
    environment = dict(os.environ)
    mistakes: Sequence[Mistake] = ()
    doubts: Sequence[Doubt] = ()
    lines: Mapping[str, int] = {}
    notes: Sequence[str] = ()
    source = "the configuration"
    try:
        path = find_config(config, environment)
        source = str(path)
        settings, lines = load_with_lines(path, environment)
        check_templates(settings)
        doubts = [*doubts_of(settings), *doubts_of_owners(settings)]
        notes = [settings.calendar_years[0]] if settings.calendar_years else []
    except ConfigurationError as error:
        source, mistakes = error.source, error.mistakes
    if output == "json":
        sys.stdout.write(ascii_json(json_text(validation_document(source, mistakes, doubts, lines))) + "\n")
    else:
        sys.stdout.writelines(f"{printable(line)}\n" for line in [*_lines(source, mistakes, doubts, lines), *notes])
    return Exit.USAGE if mistakes or (strict and doubts) else Exit.DONE


def _lines(source: str, mistakes: Sequence[Mistake], doubts: Sequence[Doubt], lines: Mapping[str, int]) -> Iterator[str]:
    yield from (f"{source}: {mistake}" for mistake in mistakes)
    for doubt in doubts:
        at = f"line {lines[doubt.place]}: " if doubt.place in lines else ""
        yield f"{source}: {at}{doubt.place} ({doubt.name}): {doubt.sentence}"
    yield f"{source}: {_counted(len(mistakes), 'mistake')}, {_counted(len(doubts), 'doubt')}."


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
