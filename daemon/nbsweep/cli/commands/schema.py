"""`schema`: the JSON Schema of the configuration."""

import json

import typer

from nbsweep.settings import settings_schema


def schema_command() -> None:
    """Print the JSON Schema of the configuration."""
    typer.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=False))
