"""What the body of a successful answer says of an order: that it was taken on, or something else (API notes, section 1)."""

from nbsweep.adapters.cloud.shapes import RECEIPT, UNREADABLE


def has_error_code(body: bytes) -> bool:
    """Tell whether an answer that was to be a success says that it is none; some servers put an error under 200."""
    if b'"error_code"' not in body:
        return False
    try:
        return bool(RECEIPT.decode(body).error_code)
    except UNREADABLE:
        return False


def objection(body: bytes, notebook_id: str) -> str:
    """Say why the body of a successful answer does not show that an order about a notebook was taken on; empty if it does."""
    try:
        receipt = RECEIPT.decode(body)
    except UNREADABLE:
        return "its body is no notebook"
    if receipt.id != notebook_id:
        return "its body is no notebook" if receipt.id is None else "its body is about another notebook"
    return ""
