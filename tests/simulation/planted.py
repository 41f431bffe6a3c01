"""Bugs to plant in nbsweep, one at a time, to see that the simulation would find them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from pytest import MonkeyPatch  # noqa: PT013 -- used as a plain name in every signature here

from fresh import good_for
from nbsweep.adapters.cloud import responses, transport
from nbsweep.adapters.cloud.limiter import Lane, Lanes, Throttle
from nbsweep.core import lifecycle, policy, second_look
from nbsweep.core.errors import Gone, WrongAddress
from nbsweep.core.facts import Moment
from nbsweep.core.freshness import ClockReading, Freshness
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.lifecycle import Removal, State, Step
from nbsweep.core.listing.paging import Offsets
from nbsweep.core.listing.snapshot import Snapshot
from nbsweep.core.matching import conditions, globs
from nbsweep.core.model import FAILED, MalformedRow, Notebook, Page, Scope
from nbsweep.core.own_orders import OrderKind, OwnOrder
from nbsweep.core.planning import plan, tally
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import Candidate, Circumstances, Plan, Survey, build_plan
from nbsweep.core.policy import judge_protections
from nbsweep.core.reasons.model import recorded
from nbsweep.engine import planner, recovery, shutdown, survey, sweep
from nbsweep.engine.listing import offsets as find
from nbsweep.engine.listing.pages import Listing
from nbsweep.engine.recovery import Recovery
from nbsweep.engine.removing.batch_lookup import BatchLookup, LookupResult
from nbsweep.engine.removing.executor import Executor
from nbsweep.engine.removing.prefetch import Observation
from nbsweep.engine.removing.tracker import RemovalTracker
from nbsweep.engine.report import planned_removal
from simulation.journal import LifeJournal

Plant = Callable[[MonkeyPatch], None]


def skip_the_second_look(patch: MonkeyPatch) -> None:
    """What the survey has seen is good enough."""
    planned: dict[str, Notebook] = {}
    make = planned_removal

    def remember(run_id: str, seen: Plan, item: Candidate) -> Removal:
        planned[item.notebook.id] = item.notebook
        return make(run_id, seen, item)

    async def remove(self: Executor, removal: Removal) -> None:
        if self._stopping.no_more:
            return await self._leave(removal)
        await self.ports.cloud.delete_turn()
        return await self._act(removal, Observation(planned[removal.notebook_id], self.ports.clock.read()))

    patch.setattr(sweep, "planned_removal", remember)
    patch.setattr(Executor, "_remove", remove)


def drop_requested(patch: MonkeyPatch) -> None:
    """The write before the DELETE is lost."""
    write = RemovalTracker.write

    async def forgetful(self: RemovalTracker, removal: Removal, exemptions_version: int | None = None) -> Removal:
        if removal.state is State.REQUESTED:
            self.removals[removal.notebook_id] = removal
            return removal
        return await write(self, removal, exemptions_version)

    patch.setattr(RemovalTracker, "write", forgetful)


def wrong_address_is_gone(patch: MonkeyPatch) -> None:
    """404 with APIGW.0101 counts as a notebook that does not exist."""
    kind = responses.ErrorResponse._kind  # noqa: SLF001 -- likewise

    def confused(self: responses.ErrorResponse) -> Any:
        found = kind(self)
        return Gone if found is WrongAddress else found

    patch.setattr(responses.ErrorResponse, "_kind", confused)


def ignore_the_overlap_of_a_survey(patch: MonkeyPatch) -> None:
    """A page's first row is taken for the last one of the page before, whatever it is."""

    def trusting(page: Page, last: Notebook | MalformedRow | None) -> Sequence[Notebook | MalformedRow]:
        return page.rows if last is None else page.rows[1:]

    patch.setattr(survey, "without_overlap", trusting)


def ignore_the_overlap_of_a_snapshot(patch: MonkeyPatch) -> None:
    """Pages are joined as they come."""
    patch.setattr(Snapshot, "_joined", lambda _self, _placed: True)


def forget_a_429(patch: MonkeyPatch) -> None:
    """The lane goes on as fast as before."""

    def deaf(self: Lanes, lane: Lane, _refusal: Throttle) -> float:
        return self._windows[lane].rate.per_s

    patch.setattr(Lanes, "refused", deaf)


def ignore_the_brakes(patch: MonkeyPatch) -> None:
    """Every plan is carried out as it is."""

    def bold(seen: Survey, _brakes: Brakes, circumstances: Circumstances) -> Plan:
        return build_plan(seen, Brakes(None, None, None), circumstances)

    patch.setattr(planner, "build_plan", bold)


def forget_the_day(patch: MonkeyPatch) -> None:
    """What earlier sweeps have requested counts for nothing."""

    def forgetful(seen: Survey, brakes: Brakes, circumstances: Circumstances) -> Plan:
        return build_plan(seen, brakes, replace(circumstances, history=replace(circumstances.history, requested=0)))

    patch.setattr(planner, "build_plan", forgetful)


def trust_any_clock(patch: MonkeyPatch) -> None:
    """However far the clocks are apart, every age is believed."""
    patch.setattr(plan, "judge_skew", lambda _skew_s: None)
    patch.setattr(shutdown, "judge_skew", lambda _skew_s: None)
    patch.setattr(transport, "judge_skew", lambda _skew_s: None)


def never_cool_down(patch: MonkeyPatch) -> None:
    """What has just failed is tried again by the next sweep."""
    patch.setattr(plan, "judge_cooling", lambda *_: None)


def ignore_the_deadline(patch: MonkeyPatch) -> None:
    """What sticks is followed for ever."""
    follow = lifecycle.follow

    def patient(removal: Removal, seen: Notebook | None, now: datetime, grace: timedelta) -> Step:
        return follow(replace(removal, deadline=None), seen, now, grace)

    patch.setattr(lifecycle, "follow", patient)


def send_again_after_a_crash(patch: MonkeyPatch) -> None:
    """Recovery repeats what it finds requested, without a look."""
    finish = Recovery.finish

    async def blind(self: Recovery, removals: tuple[Removal, ...], project: str, stop: Any) -> None:
        for removal in removals:
            if removal.state is State.REQUESTED:
                await self.ports.cloud.delete(removal.notebook_id, facts=good_for(float("inf"), self.ports.clock))
        await finish(self, removals, project, stop)

    patch.setattr(Recovery, "finish", blind)


def forget_what_a_crash_left(patch: MonkeyPatch) -> None:
    """Recovery finds nothing to do."""

    async def lazy(*_: Any) -> tuple[Removal, ...]:
        return ()

    patch.setattr(sweep, "recover", lazy)
    patch.setattr(recovery, "recover", lazy)


def believe_a_stale_failure(patch: MonkeyPatch) -> None:
    """A state that was there before the DELETE counts as what the DELETE came to."""
    follow = lifecycle.follow

    def hasty(removal: Removal, seen: Notebook | None, now: datetime, _grace: timedelta) -> Step:
        return follow(removal, seen, now, timedelta(0))

    patch.setattr(lifecycle, "follow", hasty)


def send_a_lost_delete_again(patch: MonkeyPatch) -> None:
    """A DELETE whose answer was lost shows no effect yet, so it is sent again at once."""
    patch.setattr(lifecycle, "may_still_arrive", lambda *_: False)


def age_by_the_steady_clock(patch: MonkeyPatch) -> None:
    """What was seen before the machine slept is as fresh as the clock says that stood still meanwhile."""

    def left_s(self: Freshness, now: ClockReading) -> float:
        return self.for_s - (now.steady_s - self.since.steady_s)

    patch.setattr(Freshness, "left_s", left_s)


def retry_without_a_policy(patch: MonkeyPatch) -> None:
    """What shows any failure after a DELETE of ours is ours to delete again."""
    judge = second_look.judge_after_orders

    def careless(orders: tuple[OwnOrder, ...], now: Notebook, rules: Rules, moment: Moment) -> Verdict:
        ours = any(order.kind is OrderKind.DELETE for order in orders)
        if ours and now.status in FAILED and not judge_protections(now, rules.protections, moment):
            return Verdict(Decision.DELETE, Reason.POLICY, rules.policies[0].name, recorded("its deletion failed"))
        return judge(orders, now, rules, moment)

    patch.setattr(second_look, "judge_after_orders", careless)


def judge_by_old_dates(patch: MonkeyPatch) -> None:
    """Whatever has changed since a stop or a DELETE of ours is taken for its effect."""
    patch.setattr(second_look, "sign_of_owner", lambda *_: None)


def let_a_snapshot_overrule_its_tick(patch: MonkeyPatch) -> None:
    """What is on no page of a snapshot is gone, whatever the page of DELETING shows."""

    def trusting(_self: BatchLookup, _scope: Scope, snapshot: Snapshot, _deleting: Mapping[str, Notebook]) -> LookupResult:
        return LookupResult(snapshot.seen, gone=snapshot.gone)

    patch.setattr(BatchLookup, "_weigh", trusting)


def retry_without_end(patch: MonkeyPatch) -> None:
    """A deletion that failed is tried again, whatever `removal.retries` says."""
    patch.setattr(lifecycle, "note_failure", lambda removal: removal)


def no_tags_are_none(patch: MonkeyPatch) -> None:
    """A listing that leaves tags out is read as one of notebooks that have none."""
    check = conditions.TagIs.check

    def credulous(self: conditions.TagIs, notebook: Notebook, moment: Moment) -> Any:
        return check(self, replace(notebook, tags=notebook.tags or {}), moment)

    patch.setattr(conditions.TagIs, "check", credulous)


def compare_to_the_letter(patch: MonkeyPatch) -> None:
    """A tag of another case, and a name in letters that only look alike, are others."""
    patch.setattr(conditions, "skeleton", lambda text: text)
    patch.setattr(globs.Glob, "resembles", globs.Glob.matches)


def the_last_of_two_tags_counts(patch: MonkeyPatch) -> None:
    """Of a key that is there twice only one value is looked at, and one that is not shown is empty."""
    check = conditions.TagIs.check

    def hasty(self: conditions.TagIs, notebook: Notebook, moment: Moment) -> Any:
        tags = None if notebook.tags is None else {key: value or "" for key, value in notebook.all_tags}
        return check(self, replace(notebook, tags=tags, repeated_tags=()), moment)

    patch.setattr(conditions.TagIs, "check", hasty)


def whatever_is_listed_belongs(patch: MonkeyPatch) -> None:
    """No row is held against the workspace and the feature that were asked for."""
    for module in (policy, second_look):
        patch.setattr(module, "find_stray", lambda *_: None)
    for module in (tally, second_look):
        patch.setattr(module, "differs_from", lambda *_: None)


def take_rounded_pages_for_rows(patch: MonkeyPatch) -> None:
    """Wherever a page begins, it is taken for the row that was asked for."""
    patch.setattr(find, "judge_offset", lambda *_: Offsets.ROWS)


def take_a_refusal_for_nothing(patch: MonkeyPatch) -> None:
    """A workspace that refuses to be listed is one without notebooks."""
    list_if_open = survey.Surveyor._list_if_open  # noqa: SLF001 -- likewise

    async def credulous(self: survey.Surveyor, scope: Scope) -> Listing:
        return replace(await list_if_open(self, scope), refused=None)

    patch.setattr(survey.Surveyor, "_list_if_open", credulous)


def trust_a_lost_journal(patch: MonkeyPatch) -> None:
    """Nobody looks whether the file under the journal's path is the one that is open."""
    patch.setattr(LifeJournal, "require_in_place", lambda _: None)


def go_by_the_name(patch: MonkeyPatch) -> None:
    """What a target left is followed by its name, whatever its project is now."""
    patch.setattr(recovery, "follows", lambda target, _identity, removal: removal.target == target)
