"""The condition that a text begins with another one, in a form for which a database uses an index."""

from sqlalchemy import Column, ColumnElement, and_, func

LAST = 0x10FFFF
"""The last code point."""
BEFORE_SURROGATES, AFTER_SURROGATES = 0xD7FF, 0xE000
"""No text in a database holds a code point between these."""


def begins_with(dialect: str, column: Column[str], beginning: str) -> ColumnElement[bool]:
    """Return the condition that a column begins with a text, case included; `prefix_index` is the index for it.

    LIKE would ignore the case on SQLite, and use no index there.
    """
    exact = func.substr(column, 1, len(beginning)) == beginning
    after = text_after(beginning)
    # PostgreSQL's other operators compare in the order of a language.
    at_least, less = ("~>=~", "~<~") if dialect == "postgresql" else (">=", "<")
    bounds = [column.bool_op(at_least)(beginning)] if beginning else []
    return and_(exact, *bounds, *([column.bool_op(less)(after)] if after else []))


def text_after(beginning: str) -> str:
    """Return the first text, by code points, that follows all texts with a beginning; empty if there is none."""
    kept = beginning.rstrip(chr(LAST))
    if not kept:
        return ""
    last = ord(kept[-1])
    return kept[:-1] + chr(AFTER_SURROGATES if last == BEFORE_SURROGATES else last + 1)
