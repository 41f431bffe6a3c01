"""Write deploy/share/man/man1/nbsweep.1 from the help of the command line: `python docs/man_page.py`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from nbsweep import __version__
from nbsweep.cli.examples import EXAMPLES
from nbsweep.cli.main import GROUPS, app

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "deploy" / "share" / "man" / "man1" / "nbsweep.1"
EXIT_CODES = ROOT / "docs" / "reference" / "exit-codes.md"
FILES = {
    "./nbsweep.yaml": "The configuration, where neither \\-\\-config nor NBSWEEP_CONFIG names another.",
    "/etc/nbsweep/nbsweep.yaml": "The configuration of the service.",
}
ENVIRONMENT = {
    "NBSWEEP_CONFIG": "The path of the configuration.",
    "HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK": "The keys of targets without credentials of their own.",
}


def page() -> str:
    """Return the whole page."""
    root = typer.main.get_group(app)
    context: Any = typer.Context(root, info_name="nbsweep", **root.context_settings)
    lines = [
        '.\\" Generated from the help of the command line by `make schema`. Do not edit it.',
        f'.TH NBSWEEP 1 "" "nbsweep {__version__}" "User Commands"',
        # Neither hyphens nor stretched lines: a path is read as it is.
        ".nh",
        ".ad l",
        ".SH NAME",
        "nbsweep \\- delete forgotten ModelArts notebooks by policy",
        ".SH SYNOPSIS",
        ".B nbsweep",
        "[\\fB\\-\\-config\\fR \\fIFILE\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR]",
        ".SH DESCRIPTION",
        *paragraphs(root.help),
        ".SH OPTIONS",
        *options_of(root, context),
        ".SH COMMANDS",
        ".PP",
        "Each command takes \\fB\\-\\-help\\fR, and each that reads the configuration \\fB\\-\\-config\\fR.",
    ]
    for title in GROUPS:
        lines += [".PP", f"\\fB{escaped(title)}\\fR: " + ", ".join(names_in(root, title)) + "."]
    for name, command, inner in commands_of(root, context):
        lines += command_section(name, command, inner)
    lines += [".SH EXIT STATUS", *exit_codes(), ".SH ENVIRONMENT", *terms(ENVIRONMENT), ".SH FILES", *terms(FILES)]
    return "\n".join(lines) + "\n"


def names_in(root: Any, title: str) -> list[str]:
    """Return the names of the commands of a group."""
    return [f"\\fB{name}\\fR" for name, command in root.commands.items() if command.rich_help_panel == title]


def commands_of(group: Any, context: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each command with its full name and a context for its help."""
    for name, command in group.commands.items():
        inner = typer.Context(command, info_name=name, parent=context)
        yield f"{path}{name}", command, inner
        if hasattr(command, "commands"):
            yield from commands_of(command, inner, f"{path}{name} ")


def command_section(name: str, command: Any, context: Any) -> list[str]:
    """Return the section of one command: its usage, help, options and examples."""
    usage = " ".join(command.collect_usage_pieces(context))
    examples = [f"  {escaped(example)}" for example in EXAMPLES.get(name, ())]
    return [
        f'.SS "nbsweep {escaped(name)}"',
        f"\\fBnbsweep {escaped(name)}\\fR {escaped(usage)}",
        *paragraphs(command.help),
        *options_of(command, context),
        *([".PP", "Examples:", ".PP", ".nf", *examples, ".fi"] if examples else []),
    ]


def options_of(command: Any, context: Any) -> list[str]:
    """Return the options and arguments of a command."""
    parameters = [each for each in command.get_params(context) if context.parent is None or each.name not in ("config", "help")]
    records = [parameter.get_help_record(context) for parameter in parameters]
    return [
        line for names, text in filter(None, records) for line in (".TP", f"\\fB{escaped(names)}\\fR", escaped(text or " "))
    ]


def paragraphs(text: str | None) -> list[str]:
    """Return a help text as paragraphs; one that begins with a backspace keeps its lines."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", (text or "").strip()):
        if paragraph.startswith("\b"):
            lines += [".PP", ".nf", *map(escaped, paragraph.splitlines()[1:]), ".fi"]
        else:
            lines += [".PP", escaped(" ".join(paragraph.split()))]
    return lines


def exit_codes() -> list[str]:
    """Return the table of exit codes of the reference."""
    rows = re.findall(r"(?m)^\| (\d+) \| (.+) \|$", EXIT_CODES.read_text(encoding="utf-8"))
    return terms({code: escaped(meaning.replace("`", "")) for code, meaning in rows})


def terms(pairs: dict[str, str]) -> list[str]:
    """Return a list of terms with their meanings."""
    return [line for term, meaning in pairs.items() for line in (".TP", f"\\fB{escaped(term)}\\fR", meaning)]


def escaped(text: str) -> str:
    """Return a line of text in which roff sees no command and no hyphen for a minus."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
