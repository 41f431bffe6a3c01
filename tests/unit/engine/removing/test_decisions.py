"""An exemption that comes right before an order prevents it: the order is written only with the exemptions of that moment."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, exemption, fleet, notebook
from nbsweep.core.errors import JournalError
from nbsweep.core.events.removal import RemovalAgain
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Status
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_kept
from nbsweep.testing import LOST_BEFORE, Fault
from unit.engine.world import FORGOTTEN, World, carry_out, carry_out_until_error, options, virtual_time, world

pytestmark = virtual_time

AT_ONCE = options(exemptions_version=0)
"""The survey has read the exemptions, and there were none."""


def before_order(
    scene: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]], state: State = State.REQUESTED
) -> None:
    """Let another process act once, after the decision and before its order is written."""
    write, acted = scene.journal.write, False

    async def raced(removals: Sequence[Removal], *, exemptions_version: int | None = None) -> None:
        nonlocal acted
        if not acted and any(removal.state is state for removal in removals):
            acted = True
            await act()
        await write(removals, exemptions_version=exemptions_version)

    monkeypatch.setattr(scene.journal, "write", raced)


async def test_an_exemption_that_was_granted_after_the_decision_prevents_the_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided anew; no DELETE leaves, and the reason is the exemption."""
    scene = world(notebook())
    before_order(scene, monkeypatch, lambda: scene.journal.exemptions.grant(exemption()))
    removals = await carry_out(scene, AT_ONCE, notebook())
    assert scene.cloud.sent("delete") == []
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.SPARED, 0)
    assert removals["nb1"].end_reason.startswith("exemption e1 (notebook nb1) until 2026-03-10 12:00Z")
    assert [event.why for event in scene.telemetry.of(RemovalAgain)] == ["an exemption was granted or revoked"]


async def test_an_exemption_that_was_granted_after_the_decision_prevents_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on running."""
    scene = world(notebook(status=Status.RUNNING))
    before_order(scene, monkeypatch, lambda: scene.journal.exemptions.grant(exemption()), State.STOPPING)
    removals = await carry_out(scene, options(FORGOTTEN, exemptions_version=0), notebook(status=Status.RUNNING))
    assert (scene.cloud.sent("stop"), scene.cloud.sent("delete")) == ([], [])
    assert removals["nb1"].state is State.SPARED


async def test_an_exemption_that_comes_after_the_stop_prevents_the_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook stays, stopped."""
    scene = world(notebook(status=Status.RUNNING))
    before_order(scene, monkeypatch, lambda: scene.journal.exemptions.grant(exemption()))
    removals = await carry_out(scene, options(FORGOTTEN, exemptions_version=0), notebook(status=Status.RUNNING))
    assert (scene.cloud.sent("stop"), scene.cloud.sent("delete")) == (["nb1"], [])
    assert removals["nb1"].state is State.SPARED


async def test_an_exemption_of_other_notebooks_only_costs_a_second_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each DELETE leaves once."""
    scene = world(*fleet(3))
    before_order(scene, monkeypatch, lambda: scene.journal.exemptions.grant(exemption(notebook_id="nb2")))
    removals = await carry_out(scene, AT_ONCE, *fleet(3))
    assert sorted(scene.cloud.sent("delete")) == ["nb1", "nb3"]
    assert {key: one.state for key, one in removals.items()} == {
        "nb1": State.DELETED,
        "nb2": State.SPARED,
        "nb3": State.DELETED,
    }


async def test_an_exemption_of_another_target_keeps_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is decided anew, and goes."""
    scene = world(notebook())
    before_order(scene, monkeypatch, lambda: scene.journal.exemptions.grant(exemption(target="other")))
    await carry_out(scene, AT_ONCE, notebook())
    assert scene.cloud.sent("delete") == ["nb1"]


async def test_an_exemption_that_was_revoked_is_noticed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else it has covered is not planned: here only the decision is made again."""
    scene = world(*fleet(2))
    await scene.journal.exemptions.grant(exemption(notebook_id="nb2"))
    before_order(scene, monkeypatch, lambda: scene.journal.exemptions.revoke("e1", NOON, "carol"))
    await carry_out(scene, options(exemptions_version=1), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert len(scene.telemetry.of(RemovalAgain)) == 1


async def test_an_exemption_prevents_the_second_delete_after_a_failed_one() -> None:
    """Its deletion has failed, and it was granted meanwhile."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))

    def grant() -> None:
        scene.journal.exemptions._exemptions["e1"] = exemption()  # noqa: SLF001  # the port cannot be awaited here

    scene.cloud.at(15, grant)
    removals = await carry_out(scene, AT_ONCE, notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    expected = "its deletion failed, and now it is kept: exemption e1 (notebook nb1) until 2026-03-10 12:00Z: a paper is due"
    assert removals["nb1"].end_reason == expected
    assert render_kept(removals["nb1"].end_cause, "", Language.CHINESE).startswith("豁免 e1（实例 nb1），有效期至")


async def test_an_exemption_prevents_the_repetition_of_a_delete_that_was_lost() -> None:
    """It never arrived, and it was granted meanwhile."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_BEFORE)

    def grant() -> None:
        scene.journal.exemptions._exemptions["e1"] = exemption()  # noqa: SLF001  # likewise

    scene.cloud.at(15, grant)
    removals = await carry_out(scene, AT_ONCE, notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert (removals["nb1"].state, removals["nb1"].end_reason[:12]) == (State.SPARED, "exemption e1")


async def test_an_exemption_that_has_ended_meanwhile_keeps_nothing() -> None:
    """It is the present that counts, at each decision."""
    scene = world(notebook())
    await scene.journal.exemptions.grant(exemption(until=NOON + timedelta(seconds=1)))
    scene.journal.write_s = 2
    await carry_out(scene, options(exemptions_version=0), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]


@pytest.mark.parametrize("method", ["version", "in_force"])
async def test_exemptions_that_cannot_be_read_again_delete_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep ends, with what was done written down."""
    scene = world(*fleet(2))

    async def fail(*_: Any) -> Any:
        raise JournalError("the journal is locked")

    async def grant_and_break() -> None:
        await scene.journal.exemptions.grant(exemption(notebook_id="nb9"))
        monkeypatch.setattr(scene.journal.exemptions, method, fail)

    before_order(scene, monkeypatch, grant_and_break)
    error, removals = await carry_out_until_error(scene, AT_ONCE, *fleet(2))
    assert isinstance(error, JournalError)
    assert scene.cloud.sent("delete") == []
    assert {removal.state for removal in removals.values()} <= {State.PLANNED, State.SPARED}
