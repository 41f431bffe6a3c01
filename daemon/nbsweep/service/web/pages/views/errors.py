"""The page of an error."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.service.web.errors import Code
from nbsweep.service.web.pages.languages.messages import Message, message

TITLES: Mapping[Code, Message] = {
    Code.UNAUTHORIZED: message("Sign in first"),
    Code.FORBIDDEN: message("This is not allowed"),
    Code.NOT_FOUND: message("There is nothing here"),
    Code.CONFLICT: message("This cannot be done now"),
    Code.TOO_LARGE: message("This is too large"),
    Code.TOO_MANY_ATTEMPTS: message("Too many attempts"),
    Code.TOO_MANY_REQUESTS: message("Too many requests"),
    Code.INTERNAL: message("Something is wrong in nbsweep"),
    Code.CLOUD_FAILED: message("The cloud did not answer as expected"),
    Code.JOURNAL_FAILED: message("The journal cannot be used"),
}
OTHERS = message("The request is not valid")


class ErrorView(Struct, frozen=True):
    """An error."""

    sentence: str
    """What happened, in English, as the API says it."""
    code: Code


def error_title(code: Code) -> Message:
    """Return the title of the page of an error."""
    return TITLES.get(code, OTHERS)
