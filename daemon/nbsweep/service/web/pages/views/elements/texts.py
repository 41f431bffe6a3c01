"""Other people's text, as pages show it: on one line, without characters that control the display, and not too long."""

from nbsweep.service.web.pages.languages.formats import one_line

LONGEST = 160
"""Characters of a name; the cloud allows fewer, but nobody holds it to that."""
LONGEST_SENTENCE = 1000


def name_or_id(name: str | None, identity: str) -> str:
    """Return a name to show; the id of a notebook or an owner whose name is empty or only blanks, which nobody could click."""
    return short(name or "") or short(identity)


def short(text: str, most: int = LONGEST) -> str:
    """Return a text that is cut if it is too long."""
    line = one_line(text[: 4 * most])
    return line if len(line) <= most else f"{line[: most - 1]}…"
