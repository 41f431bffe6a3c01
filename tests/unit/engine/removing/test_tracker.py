from datetime import timedelta

import anyio
import pytest

from builders import removal
from nbsweep.core import lifecycle
from nbsweep.core.lifecycle import Removal, State
from nbsweep.engine.removing.tracker import RemovalTracker
from unit.engine.world import World, virtual_time, world

pytestmark = virtual_time


async def requested_again(scene: World) -> tuple[RemovalTracker, Removal, Removal]:
    """Return a removal whose deletion has failed and whose DELETE is to be sent again, and how it stood before that."""
    first = lifecycle.request(removal(1), scene.clock.now(), timedelta(minutes=30))
    failed = lifecycle.note_failure(lifecycle.accept(first, scene.clock.now()))
    ledger = RemovalTracker(scene.ports)
    ledger.begin([failed])
    return ledger, await ledger.write(lifecycle.request(failed, scene.clock.now(), timedelta(minutes=30))), failed


@pytest.mark.parametrize("left", [False, True], ids=["before it leaves", "after it has left"])
async def test_a_cancelled_delete_is_taken_back_only_while_it_has_not_left(*, left: bool) -> None:
    """A second DELETE: the journal says what it said before it, and the same as the ledger."""
    scene = world()
    ledger, again, failed = await requested_again(scene)
    with anyio.move_on_after(1), ledger.sending(again, failed) as leaving:
        if left:
            leaving()
        await anyio.sleep(3600)
    await ledger.write_last("cancelled")
    (stored,) = (await scene.journaled()).values()
    assert stored == ledger.removals["nb1"] == (again if left else failed)
    assert (stored.state, stored.requests) == ((State.REQUESTED, 2) if left else (State.ACCEPTED, 1))
