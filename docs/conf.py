"""The site that `make docs` builds: strict links, and nothing loaded from other hosts."""

import re
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent

project = "nbsweep"
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "nbsweep"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
nitpicky = True


def offer_repository_files(_: Sphinx, page: str, source: list[str]) -> None:
    """Turn links to files outside docs/ into downloads, because the site does not hold these files as pages."""
    folder = (DOCS / page).parent

    def replaced(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path = (folder / target.partition("#")[0]).resolve()
        if path.is_relative_to(DOCS):
            return match[0]
        if not path.exists():
            message = f"docs/{page}.md links to {target}, which does not exist"
            raise FileNotFoundError(message)
        return f"{{download}}`{text.strip('`')} <{target.partition('#')[0]}>`" if path.is_file() else text

    source[0] = re.sub(r"(?<!!)\[([^\]\n]+)\]\((\.\./[^)\s]+)\)", replaced, source[0])


def setup(app: Sphinx) -> None:
    """Connect the hook."""
    app.connect("source-read", offer_repository_files)
