"""Notebooks as a survey showed them, judged by the rules, marks and exemptions of now."""

from datetime import timedelta

from builders import NOON, exemption, fleet, notebook
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.planning.brakes import Brakes
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from unit.engine.world import World, options, virtual_time, world

pytestmark = virtual_time


def sweeper(scene: World) -> Sweeper:
    """Return the sweeper of the world's one target."""
    return Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, options(), Brakes(None, None), scene.shutdown)


async def test_nothing_is_judged_before_the_project_is_known() -> None:
    """To look it up would take a call."""
    scene = world(*fleet(1))
    assert await sweeper(scene).judge([notebook(1)]) == {}
    assert scene.cloud.calls == []


async def test_notebooks_are_judged_without_a_call() -> None:
    """With the exemptions of now, whatever the cloud has by now."""
    scene = world()
    mine = sweeper(scene)
    await mine.identity()
    scene.cloud.calls.clear()
    await scene.journal.exemptions.grant(exemption(notebook_id="nb2", until=NOON + timedelta(days=9)))
    found = await mine.judge([notebook(1), notebook(2)])
    assert {key: verdict.reason for key, verdict in found.items()} == {"nb1": Reason.POLICY, "nb2": Reason.EXEMPT}
    assert scene.cloud.calls == []
