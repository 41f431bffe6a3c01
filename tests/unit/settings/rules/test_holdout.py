"""`holdout` of the configuration and of a policy."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
import yaml

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.holdout.model import Holdout
from nbsweep.loading.file import read_settings
from nbsweep.settings import Settings

MONTH = timedelta(days=30)


def read(holdout: Any = None, of_policy: Any = None) -> Settings:
    """Read a configuration with this holdout."""
    policy = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "holdout": of_policy}
    target = {"name": "research", "region": "cn-north-4", "credentials": {"access_key": "x", "secret_key": "y"}}
    document = {"targets": [target], "policies": [policy], "holdout": holdout}
    return read_settings("nbsweep.yaml", yaml.safe_dump(document), {})


@pytest.mark.parametrize(
    ("holdout", "of_policy", "expected"),
    [
        (None, None, None),
        ("5%", None, Holdout(Fraction(1, 20), MONTH)),
        ({"share": "12.5%", "for": "10d"}, None, Holdout(Fraction(1, 8), timedelta(days=10))),
        ("5%", "0%", None),
        ("5%", {"share": "50%"}, Holdout(Fraction(1, 2), MONTH)),
        (None, "1%", Holdout(Fraction(1, 100), MONTH)),
    ],
)
def test_a_share_alone_is_a_holdout_of_30_days_and_that_of_a_policy_comes_first(
    holdout: Any, of_policy: Any, expected: Holdout | None
) -> None:
    """0% sets that of the whole configuration aside."""
    assert read(holdout, of_policy).rules.policies[0].holdout == expected


@pytest.mark.parametrize(
    ("holdout", "words"),
    [
        (5, "write % right behind the number"),
        ("5", "write % right behind the number"),
        ("five percent", "must be a share from 0% to 100%"),
        ({"for": "30d"}, "share"),
        ({"share": "5%", "for": "0d"}, "longer than nothing"),
        ({"share": "5%", "until": "30d"}, "until"),
        (["5%"], "holdout"),
    ],
)
def test_what_is_no_holdout_is_refused(holdout: Any, words: str) -> None:
    """With what to write instead."""
    with pytest.raises(ConfigurationError) as refused:
        read(holdout)
    assert words in str(refused.value)


def test_an_edited_holdout_leaves_the_marks_of_a_policy_valid() -> None:
    """It does not change what the policy matches."""
    assert read("5%").rules.policies[0].digest == read().rules.policies[0].digest
