"""Exit with an error if a built page loads anything from another host: `python docs/check_site.py FOLDER`."""

import re
import sys
from pathlib import Path

LOADS = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"|<link\b[^>]*\bhref="(?:https?:)?//[^"]*"|url\(["']?(?:https?:)?//[^)]*\)"""
)


def foreign(folder: Path) -> list[str]:
    """Return the tags and style rules that load from another host, with their files."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in {".html", ".css"}]
    return [f"{path}: {found}" for path in files for found in LOADS.findall(path.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    sys.exit("\n".join(foreign(Path(sys.argv[1]))) or None)
