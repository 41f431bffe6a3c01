"""The view of `marks`."""

from builders import NOON, ago, mark
from nbsweep.cli.views.marks import marks_view
from rendering import rendered


def test_an_owner_who_is_tried_again_is_told_apart_from_one_who_cannot_be_told() -> None:
    """The one needs nothing, the other one an action."""
    refused = mark(1, untold="mail: 550 no such user", untold_at=ago(hours=1))
    busy = mark(2, untold="mail: 451 busy", untold_at=ago(hours=1), retried=True)
    text = rendered(marks_view([refused, busy, mark(3)], {}, NOON, wide=True))
    assert "untold: mail: 550 no such user" in text
    assert "not told yet: mail: 451 busy" in text
    assert text.splitlines()[-3:] == [
        "3 marked.",
        "1 cannot be told: their notebooks are kept as `unless_told` says.",
        "1 not told yet after a failed attempt: another one follows, see `nbsweep outbox`.",
    ]
