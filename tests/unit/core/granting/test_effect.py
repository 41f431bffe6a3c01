from datetime import timedelta

import pytest

from builders import NOON, ago, exemption, mark, removal
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.granting.effect import effect_of
from nbsweep.core.lifecycle import State

OTHERS = mark(2, owner_id="u2", owner_name="bob")


@pytest.mark.parametrize(
    ("granted", "kept"),
    [
        (exemption(notebook_id="nb1", notebook_created_at=mark().notebook_created_at), {"nb1"}),
        (exemption(notebook_id="nb1", notebook_created_at=mark().notebook_created_at + timedelta(seconds=1)), set()),
        (exemption(notebook_id="nb1"), {"nb1"}),
        (exemption(owner="ALICE"), {"nb1"}),
        (exemption(owner="u2"), {"nb2"}),
        (exemption(name="experiment-*"), {"nb1", "nb2"}),
        (exemption(name="experiment-*", owner="bob"), {"nb2"}),
        (exemption(name="experiment-*", target="research"), {"nb1", "nb2"}),
        (exemption(name="experiment-*", target="other"), set()),
    ],
)
def test_the_announced_notebooks_that_it_covers_are_kept(granted: Exemption, kept: set[str]) -> None:
    """Of this target, owner, name and instance."""
    effect = effect_of(granted, [mark(), OTHERS], [])
    assert {each.notebook_id for each in effect.announced} == kept


@pytest.mark.parametrize("state", State)
def test_it_is_too_late_once_the_delete_was_requested(state: State) -> None:
    """Before, and while the notebook is only stopped, the order is refused by the journal."""
    started = removal(notebook_id="nb1", state=state, requested_at=ago(hours=1))
    effect = effect_of(exemption(notebook_id="nb1", notebook_created_at=NOON), [], [started])
    assert bool(effect.too_late) == (state in (State.REQUESTED, State.ACCEPTED))


def test_a_notebook_that_it_comes_too_late_for_is_not_counted_among_the_kept() -> None:
    """Its mark stays open until the sweep ends, while the DELETE is under way and after the notebook has gone."""
    marks = [mark(number) for number in range(1, 5)]
    on_its_way = [removal(1, state=State.REQUESTED), removal(2, state=State.ACCEPTED)]
    gone = [removal(2, state=State.DELETED), removal(3, state=State.DELETED)]
    effect = effect_of(exemption(owner="alice"), marks, on_its_way, gone)
    assert [each.notebook_id for each in effect.announced] == ["nb4"]
    late = {each.notebook_id: each.state for each in effect.too_late}
    assert late == {"nb1": State.REQUESTED, "nb2": State.DELETED, "nb3": State.DELETED}


def test_it_is_not_too_late_for_what_it_does_not_cover() -> None:
    """The owner of a removal is on record by the name, or by the id without one."""
    started = [
        removal(notebook_id="nb1", owner="alice", state=State.REQUESTED),
        removal(notebook_id="nb2", owner="u2", state=State.ACCEPTED),
    ]
    assert [each.notebook_id for each in effect_of(exemption(owner="Alice"), [], started).too_late] == ["nb1"]
    assert [each.notebook_id for each in effect_of(exemption(owner="u2"), [], started).too_late] == ["nb2"]
    assert not effect_of(exemption(notebook_id="nb3"), [], started).too_late
