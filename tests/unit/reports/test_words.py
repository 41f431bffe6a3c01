"""The words of reports about back-tests."""

from nbsweep.core.backtest.model import CensorCause, ReturnSign
from nbsweep.reports.words import CAUSES, SIGNS


def test_each_sign_and_each_cause_has_words() -> None:
    """A member without words would end the command with an error."""
    assert set(SIGNS) == set(ReturnSign)
    assert set(CAUSES) == set(CensorCause)
