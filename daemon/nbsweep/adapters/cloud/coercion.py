"""Converts rows that deviate from the documents, if that needs no guess (ModelArts API, section 12).

Texts of digits and integral floats become whole numbers where the documents have whole numbers. This is done only for a row
that strict decoding rejects; all other deviations stay malformed.
"""

import re
from typing import Any

DIGITS = re.compile(r"(-?\d{1,18})(?:\.0{1,9})?", re.ASCII)
NUMBERS = frozenset({"create_at", "update_at", "duration", "capacity"})
GROUPS = frozenset({"lease", "volume"})
"""Fields of a row whose own fields are converted in the same way."""


def plain_row(row: object) -> object:
    """Return a row in the documented form, as far as that needs no guess."""
    if not isinstance(row, dict):
        return row
    plain = {field: _plain(field, value) for field, value in row.items()}
    volumes = plain.get("data_volumes")
    if isinstance(volumes, list):
        plain["data_volumes"] = [plain_row(volume) for volume in volumes]
    return plain


def whole_number(value: object) -> object:
    """Return the whole number that a value stands for, or the value itself."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and (found := DIGITS.fullmatch(value)):
        return int(found[1])
    return value


def _plain(field: str, value: Any) -> Any:
    if field in NUMBERS:
        return whole_number(value)
    return plain_row(value) if field in GROUPS else value
