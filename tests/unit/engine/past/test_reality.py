"""What really came of notebooks that were deleted or held out, over hand-made journals."""

from datetime import timedelta

from builders import notebook, removal
from nbsweep.core.backtest.model import CensorCause, Label, Period, ReturnSign, Trial
from nbsweep.core.backtest.reality import Reality
from nbsweep.core.backtest.recreated import Resemblance
from nbsweep.core.holdout.model import Hold
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Notebook, Status
from nbsweep.core.planning.marking import MarkLimits
from nbsweep.engine.past.reality import reality
from unit.engine.past.test_backtest import DAY, FREE, IDLE, MINE, Past, day, idle_at
from unit.engine.world import rules, virtual_time

pytestmark = virtual_time


def hold(row: Notebook, since: float, days: float = 10) -> Hold:
    """Return the hold of a notebook that began on a day."""
    assert row.created_at
    until = day(since + days)
    return Hold(MINE.project, row.id, row.created_at, day(since), until, "research", "idle", row.label, "alice", 50)


async def found(past: Past) -> Reality:
    """Return what came of the notebooks of the first twenty days."""
    return await reality(past.journal, "research", Trial(rules(IDLE), MarkLimits(FREE)), Period(day(0), day(20), 30 * DAY))


async def test_what_became_of_the_notebooks_that_were_held_out() -> None:
    """One was started, one removed by its owner, one is still idle, and the time of one is not over."""
    past = Past()
    back, gone, idle, later = (idle_at(number, -20) for number in (1, 2, 3, 4))
    await past.journal.holds.add([hold(back, 0), hold(gone, 0), hold(idle, 0), hold(later, 12)])
    for number in range(21):
        shown = [idle, later]
        if number < 5:
            shown.append(gone)
        shown.append(back if number < 7 else notebook(1, status=Status.RUNNING, lease=None, listed=False))
        await past.survey(number, *shown)
    held = (await found(past)).held
    assert [(each.would_be.notebook.id, each.label, each.sign, each.cause, each.label_at) for each in held] == [
        ("nb1", Label.CAME_BACK, ReturnSign.STARTED, None, day(7)),
        ("nb2", Label.REMOVED_BY_OWNER, None, None, day(5)),
        ("nb3", Label.STILL_IDLE, None, None, None),
        ("nb4", Label.CENSORED, None, CensorCause.HORIZON_NOT_OVER, None),
    ]


async def test_what_happens_after_a_hold_does_not_count() -> None:
    """Its own deletion by nbsweep least of all."""
    past, row = Past(), idle_at(1, -20)
    await past.journal.holds.add([hold(row, 0)])
    await past.daily(0, 11, row)
    gone = removal(
        1, project=MINE.project, planned_at=day(11), requested_at=day(11), sent_at=day(11), requests=1, state=State.DELETED
    )
    await past.journal.write([gone])
    await past.daily(12, 20)
    result = await found(past)
    assert [each.label for each in result.held] == [Label.STILL_IDLE]
    assert (result.deleted, result.recreated) == (1, ())


async def test_a_notebook_that_its_owner_created_again() -> None:
    """The last name that the inventory knows counts, and a notebook that was there before does not."""
    past = Past()
    old, other = idle_at(1, -20, name="bert"), idle_at(2, -20, name="bert")
    await past.daily(0, 3, old, other)
    gone = removal(1, project=MINE.project, planned_at=day(3), requested_at=day(3), ended_at=day(3), state=State.DELETED)
    await past.journal.write([gone])
    new = notebook(9, name="bert", created_at=day(5), updated_at=day(5), lease=None, listed=False)
    await past.daily(4, 10, other, new)
    result = await found(past)
    assert result.deleted == 1
    [again] = result.recreated
    assert (again.removal.notebook_id, again.notebook.id, again.by) == ("nb1", "nb9", Resemblance.NAME)
    assert again.created_at - day(3) == timedelta(days=2)


async def test_nothing_real_is_nothing() -> None:
    """A past of dry runs without a holdout."""
    past = Past()
    await past.daily(0, 5, idle_at(1, -20))
    assert await found(past) == Reality()
