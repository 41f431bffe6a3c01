"""The digest of a policy: a mark that was made by another digest does not count."""

from typing import Any

import pytest

from nbsweep.settings.rules.policies import PolicySettings

PLAIN = {"name": "idle", "match": {"idle_over": "14d"}, "grace": {"for": "7d"}}


def digest(**changes: Any) -> str:
    """Return the digest of the plain policy, changed so."""
    return PolicySettings.model_validate({**PLAIN, **changes}).to_core().digest


@pytest.mark.parametrize("grace", [{"for": "1d"}, {"for": "7d", "unless_told": "keep", "tell": "ops"}])
def test_the_length_and_the_places_of_a_grace_are_no_part_of_it(grace: dict[str, Any]) -> None:
    """An edit of them keeps the marks, whose deadlines only move later."""
    assert digest(grace=grace) == digest()


@pytest.mark.parametrize("unless_told", ["fallback", "proceed"])
def test_who_is_told_instead_of_the_owner_is_a_part_of_it(unless_told: str) -> None:
    """A mark that was told to nobody, or to the fallback contact, starts anew if that is no longer enough."""
    assert digest(grace={"for": "7d", "unless_told": unless_told}) != digest()
