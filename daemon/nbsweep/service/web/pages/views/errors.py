"""The page of an error."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.service.web.errors import Code
from nbsweep.service.web.messages import Message, message

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
ADVICE: Mapping[Code, Message] = {
    Code.FORBIDDEN: message(
        "Your role does not allow it, or the request does not come from where nbsweep expects it. Nothing was changed."
    ),
    Code.NOT_FOUND: message(
        "The address is wrong, or what it named is not there any more. A notebook is found by its name or ID."
    ),
    Code.CONFLICT: message("Nothing was changed: things are not any more as the page showed them. Go back and load it again."),
    Code.TOO_MANY_ATTEMPTS: message("Wait a minute, and try again."),
    Code.TOO_MANY_REQUESTS: message("Wait a minute, and try again."),
    Code.CLOUD_FAILED: message("Nothing was changed. Try again later."),
    Code.JOURNAL_FAILED: message("Try again later. If it stays so, look at the log of nbsweep."),
}
"""What to do, in the language of the page."""


class ErrorView(Struct, frozen=True):
    """An error."""

    advice: Message | None
    said: Message | None
    """What happened; None if that is known in English only."""
    sentence: str
    """What happened, in English, as the API says it."""
    code: Code


def error_title(code: Code) -> Message:
    """Return the title of the page of an error."""
    return TITLES.get(code, OTHERS)
