"""What a sweep leaves on the audit trail: every decision, every request and every end, and the head in the log."""

import anyio
import pytest

from builders import notebook
from nbsweep.core.audit.chain import Head
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.errors import MustStopFirst, Rejected
from nbsweep.core.events.sweep import AuditHead
from nbsweep.core.model import Status
from nbsweep.core.planning.brakes import Brakes
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import LOST_BEFORE, Fault
from trails import whole_trail
from unit.engine.world import FAILED, FOR_EVER_S, FORGOTTEN, World, carry_out, options, virtual_time, world

pytestmark = virtual_time


async def trail(scene: World) -> list[AuditEntry]:
    """Read all of it, unbroken."""
    return [link.entry for link in await whole_trail(scene.journal)]


async def steps(scene: World, notebook_id: str = "nb1") -> list[str]:
    """Return what is on the trail of one notebook."""
    return [entry.what for entry in await trail(scene) if entry.notebook_id == notebook_id]


async def sweep(scene: World, *, dry_run: bool = False) -> None:
    """Do a whole sweep, which everybody agrees to."""

    async def agree(_: object, _spared: object) -> bool:
        return True

    area = Area("research", None, ("NOTEBOOK",))
    with anyio.fail_after(FOR_EVER_S):
        sweeper = Sweeper(area, scene.ports, options(), Brakes(None, None, None), scene.shutdown)
        await sweeper.sweep(Run("run1", "li", dry_run), agree)


async def test_a_sweep_leaves_every_step_and_who_started_it() -> None:
    """None of what is kept is on it."""
    scene = world(notebook(1), notebook(2, name="keep-it"))
    await sweep(scene)
    entries = await trail(scene)
    assert [(entry.notebook_id, entry.what) for entry in entries] == [
        ("nb1", what) for what in ("decided", "requested", "accepted", "deleted")
    ]
    assert {(entry.run_id, entry.started_by, entry.policy) for entry in entries} == {("run1", "li", "idle")}
    [sent] = await scene.journal.removals("run1")
    assert entries[2].request_id == entries[3].request_id == sent.request_id != ""
    assert entries[0].reason == "policy idle: idle 99d 23h (over 14d)"


async def test_the_head_is_in_the_log_at_the_end_of_a_run() -> None:
    """With it somebody who keeps the log can tell later that nothing was cut off."""
    scene = world(notebook(1))
    await sweep(scene)
    [told] = scene.telemetry.of(AuditHead)
    assert Head(told.sequence, told.digest) == await scene.journal.trail.head("research")
    assert told.sequence == 4


async def test_a_dry_run_leaves_nothing() -> None:
    """It decides nothing that anybody would act on."""
    scene = world(notebook(1))
    await sweep(scene, dry_run=True)
    assert await trail(scene) == []
    assert scene.telemetry.of(AuditHead) == []


async def test_a_delete_that_was_sent_again_is_requested_twice() -> None:
    """After its answer was lost, and a look had shown no effect."""
    scene = world(notebook(1))
    scene.cloud.inject("delete", LOST_BEFORE)
    await carry_out(scene, options(), notebook(1))
    assert await steps(scene) == ["decided", "requested", "requested", "accepted", "deleted"]


async def test_a_delete_that_the_cloud_refused_for_now_is_withdrawn() -> None:
    """Then it is decided anew, and requested anew."""
    scene = world(notebook(1))
    scene.cloud.inject("delete", Fault(MustStopFirst("it runs")))
    await carry_out(scene, options(), notebook(1))
    assert await steps(scene) == ["decided", "requested", "withdrawn", "requested", "accepted", "deleted"]


async def test_a_failed_deletion_that_is_tried_again_is_told() -> None:
    """Each of its two DELETEs, and the end."""
    scene = world(notebook(1, status=Status.ERROR))
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))
    await carry_out(scene, options(FAILED), notebook(1, status=Status.ERROR))
    assert await steps(scene) == ["decided", "requested", "accepted", "delete_failed", "requested", "accepted", "deleted"]


async def test_a_stop_before_a_delete_is_told() -> None:
    """At the moment at which it left."""
    running = notebook(1, status=Status.RUNNING)
    scene = world(running)
    await carry_out(scene, options(FORGOTTEN), running)
    assert await steps(scene) == ["decided", "stopping", "requested", "accepted", "deleted"]


@pytest.mark.parametrize(("name", "what"), [("keep-now", "spared"), (None, "failed")])
async def test_what_is_not_deleted_after_all_has_its_end_on_the_trail(name: str | None, what: str) -> None:
    """Spared at the second look, or refused by the cloud; with the reason."""
    scene = world(notebook(1, **({"name": name} if name else {})))
    scene.cloud.inject("delete", Fault(Rejected("not this one")))
    await carry_out(scene, options(), notebook(1))
    last = (await trail(scene))[-1]
    assert last.what == what
    assert last.reason
