"""Credentials that are not there yet: asked for at each call, kept once they are found."""

import pytest

from builders import NOON
from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.lazy import LazyCredentials
from nbsweep.adapters.cloud.auth.signing import AccessKey, Proof, Request
from nbsweep.core.errors import CloudError, Unauthorized

REQUEST = Request("GET", "cloud.example", "/v1/notebooks")


class Place:
    """Where credentials are found once somebody has put them there."""

    def __init__(self) -> None:
        """Begin empty."""
        self.there: Credentials | None = None
        self.asked = 0

    async def find(self) -> Credentials:
        """Return the content."""
        self.asked += 1
        if self.there is None:
            raise Unauthorized("the secret is not mounted")
        return self.there


async def test_each_call_asks_until_they_are_there() -> None:
    """While there are none each call says why; once found they are used, and not sought again."""
    place = Place()
    sought = LazyCredentials("target t", place.find)
    for _ in range(2):
        with pytest.raises(Unauthorized, match="not mounted"):
            await sought.ready()
    place.there = AccessKey("AK", "S3CRET")
    proof = await sought.ready()
    assert proof.headers(REQUEST, NOON) == (await place.there.ready()).headers(REQUEST, NOON)
    assert "Access=AK" in proof.headers(REQUEST, NOON)["Authorization"]
    await sought.ready()
    assert place.asked == 3


async def test_a_refusal_is_for_those_that_were_found() -> None:
    """They alone know whether new proof would help; where none were found, nothing would."""

    class Renewing:
        def __init__(self) -> None:
            self.account = "somebody"
            self.heard: list[Proof] = []

        async def ready(self) -> Proof:
            return proof

        async def refused(self, error: CloudError, used: Proof) -> bool:
            assert error is refusal
            self.heard.append(used)
            return True

    refusal, proof, place = Unauthorized("401"), Proof(lambda _request, _now: {}), Place()
    sought = LazyCredentials("target t", place.find)
    assert await sought.refused(refusal, proof) is False
    place.there = renewing = Renewing()
    await sought.ready()
    assert await sought.refused(refusal, proof) is True
    assert renewing.heard == [proof]
