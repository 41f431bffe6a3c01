"""`python -m acceptance.try_policy_picture`, with `tests` on the path: draws the picture of docs/howto/try-a-policy.md anew."""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from acceptance.quickstart import COLUMNS
from acceptance.try_policy import PAGE, PART, Reader, reading

PICTURE = Path(__file__).parents[2] / "docs" / "backtest.svg"
COMMAND = "nbsweep backtest --policies new.yaml --chart --max-regret 5%"
"""The command of the page whose output is drawn."""


def drawn(reader: Reader) -> str:
    """Return what a terminal shows, in its colours, as SVG that loads nothing from another host."""
    written = reader.shell.written(COMMAND).replace("\r\n", "\n")
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=COLUMNS, highlight=False)
    console.print(Text.from_ansi(written))
    picture = console.export_svg(title=COMMAND, unique_id="backtest")
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


def main() -> None:
    """Follow the page up to the command."""
    with reading() as reader:
        for part in PART.finditer(PAGE.read_text(encoding="utf-8")):
            if part["days"]:
                reader.wait(int(part["days"]))
            elif part["language"] == "yaml":
                reader.write(part["content"])
            elif COMMAND in part["content"].splitlines():
                PICTURE.write_text(drawn(reader), encoding="utf-8")
                return
    raise SystemExit(f"{PAGE} does not have the command {COMMAND}")


if __name__ == "__main__":
    main()
