"""The port by which a channel in the cloud proves whose call it is: channels know no credentials."""

from collections.abc import Awaitable, Callable, Mapping

Prove = Callable[[str, str, str, bytes], Awaitable[Mapping[str, str]]]
"""Returns the headers that authenticate a POST by the account of a target: its name, the host, the path and the body.

Raises:
    NoProof: there are no usable credentials.
"""


class NoProof(Exception):
    """There is no proof for a call; the message says why, without secrets."""

    def __init__(self, problem: str, *, passing: bool) -> None:
        """Store the problem, and whether another attempt may succeed."""
        super().__init__(problem)
        self.passing = passing
