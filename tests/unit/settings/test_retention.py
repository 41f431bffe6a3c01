"""How long the journal keeps what has ended: nothing that something else relies on may go."""

import pytest
import yaml

from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.file import read_settings

PLAIN = {
    "targets": [{"name": "research", "region": "cn-north-4", "credentials": {"access_key": "x", "secret_key": "y"}}],
    "policies": [{"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}}],
}


def problems(**keys: object) -> list[str]:
    """Return the mistakes in a configuration with these keys."""
    try:
        read_settings("nbsweep.yaml", yaml.safe_dump({**PLAIN, **keys}), {})
    except ConfigurationError as error:
        return [mistake.problem for mistake in error.mistakes]
    return []


def test_everything_is_kept_unless_it_is_said_how_long() -> None:
    """There is no default."""
    assert read_settings("nbsweep.yaml", yaml.safe_dump(PLAIN), {}).retention is None
    assert problems(retention={})


@pytest.mark.parametrize(
    ("keep", "inventory"),
    [("400d", {"keep": "400d"}), ("730d", {"keep": "400d"}), ("90d", None), ("90d", {"keep": "0d"}), ("90d", {"keep": "90d"})],
)
def test_it_may_be_as_short_as_the_inventory(keep: str, inventory: dict[str, str] | None) -> None:
    """A journal that records no fleet keeps no less than 90 days."""
    assert problems(retention={"keep": keep}, inventory=inventory) == []


def test_what_policies_are_tried_on_is_not_forgotten_before_it() -> None:
    """The mistake says what would go wrong."""
    [problem] = problems(retention={"keep": "399d"})
    assert "retention.keep must not be shorter than inventory.keep" in problem
    assert problems(retention={"keep": "89d"}, inventory=None) == ['"89d" must be at least 90d']
