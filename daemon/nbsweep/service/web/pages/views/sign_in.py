"""The page with which a visitor signs in by a token."""

from msgspec import Struct

from nbsweep.service.web.messages import Message


class SignInView(Struct, frozen=True):
    """The form."""

    next: str
    """The path of the page to show afterwards."""
    has_tokens: bool
    """Whether there is any token to sign in with."""
    problem: Message | None = None
    """Why the last attempt has failed."""
