"""The relay with sweeps around it: marked, told, reminded, deleted, and everything that can happen in between."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, fleet, notebook
from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.core.marks.model import ClearCause, MarkState
from nbsweep.core.model import Named
from nbsweep.core.notices.channel import Acceptance, Channel, Letter, Receipt
from nbsweep.core.notices.contacts import Contact, NoContact
from nbsweep.core.notices.digest import Audience, Digest
from nbsweep.core.notices.outbox import ItemKind, MessageState
from nbsweep.engine.notices.relay import Relay
from nbsweep.testing.people import PlainRenderer, ScriptedChannel
from unit.engine.notices.town import WEEK, Town, graced, town
from unit.engine.world import virtual_time

DUE = datetime.fromisoformat("2026-03-08T12:00:00+00:00")
"""Seven days after `NOON`, at the full hour."""


async def told(grace: Grace = WEEK) -> Town:
    """Return a town with one notebook, whose owner has been told at noon."""
    place = town(notebook(), grace=grace)
    await place.sweep()
    await place.relay().round()
    return place


@virtual_time
async def test_a_notebook_goes_only_after_its_owner_was_told_and_the_grace_has_passed() -> None:
    """Marked at noon, told at once, kept on the seventh day before the deadline, deleted after it, and summarised."""
    place = await told()
    assert place.texts == [f"announce nb1 {DUE.isoformat()}"]
    await place.pass_time(days=6, hours=23)
    report = await place.sweep()
    assert report.plan is not None
    assert not report.removals
    await place.pass_time(hours=1)
    report = await place.sweep()
    assert [removal.notebook_id for removal in report.removals] == ["nb1"]
    assert (await place.marks())["nb1"].state is MarkState.REMOVED
    await place.relay().round()
    assert place.texts[1:] == ["deleted nb1 " + DUE.isoformat()]


@virtual_time
async def test_nothing_is_deleted_while_the_channel_refuses() -> None:
    """A permanent refusal keeps the notebook for ever, and the mark says why."""
    place = town(notebook())
    place.mail.answer = lambda _: Receipt(Acceptance.REFUSED, "550 no such user")
    await place.sweep()
    await place.relay().round()
    [message] = await place.messages()
    assert (message.state, message.problem) == (MessageState.FAILED, "550 no such user")
    mark = (await place.marks())["nb1"]
    assert (mark.untold, mark.retried) == ("mail: 550 no such user", False)
    await place.pass_time(days=60)
    assert not (await place.sweep()).removals


@virtual_time
async def test_a_failure_that_passes_delays_the_deadline() -> None:
    """The grace counts from the acceptance, and the second attempt promises a later deadline."""
    place = town(notebook())
    place.mail.answer = lambda _: Receipt(Acceptance.LATER, "451 try again")
    relay = place.relay()
    await place.sweep()
    await relay.round()
    place.mail.answer = lambda _: Receipt(Acceptance.ACCEPTED, "250 ok")
    await place.pass_time(hours=3)
    await relay.round()
    mark = (await place.marks())["nb1"]
    assert mark.told_at is not None
    assert timedelta(hours=3) <= mark.told_at - NOON < timedelta(hours=3, minutes=1)
    assert mark.deadline == DUE + timedelta(hours=3)
    assert [letter.key for letter in place.mail.letters] == [place.mail.letters[0].key] * 2


@virtual_time
async def test_a_reminder_comes_once_before_the_deadline() -> None:
    """Two days before; a second round sends nothing."""
    place = await told(grace=Grace(timedelta(days=7), remind=timedelta(days=2), surveys=1))
    await place.pass_time(days=4, hours=23)
    await place.relay().round()
    assert len(place.texts) == 1
    await place.pass_time(hours=1)
    await place.relay().round()
    await place.relay().round()
    assert place.texts[1:] == [f"remind nb1 {DUE.isoformat()}"]


@virtual_time
async def test_one_message_lists_all_notebooks_of_an_owner_and_no_other() -> None:
    """Alice gets one with two lines, Bob one with his."""
    place = town(notebook(1), notebook(2, owner=Named("u2", "bob")), notebook(3))
    await place.sweep()
    await place.relay().round()
    lines = {letter.to: {line.split()[1] for line in letter.text.splitlines()} for letter in place.mail.letters}
    assert lines == {"alice@example.com": {"nb1", "nb3"}, "bob@example.com": {"nb2"}}


@virtual_time
async def test_an_owner_gets_one_message_a_day() -> None:
    """What a second sweep marks on the same day waits for the next one."""
    place = town(notebook(1))
    await place.sweep()
    await place.relay().round()
    place.scene.cloud.add(notebook(2))
    await place.sweep()
    relay = place.relay()
    await relay.round()
    assert len(place.texts) == 1
    await place.pass_time(hours=5)
    await relay.round()
    assert [text.split()[1] for text in place.texts] == ["nb1", "nb2"]


@virtual_time
async def test_what_a_refused_part_listed_is_not_told() -> None:
    """A message in parts: the first is accepted, the second refused; only what the first lists is told."""
    place = town(*fleet(3))
    place.mail.limit_bytes = 90
    answers = iter([Receipt(Acceptance.ACCEPTED, "ok"), Receipt(Acceptance.REFUSED, "too large")])
    place.mail.answer = lambda _: next(answers)
    await place.sweep()
    await place.relay().round()
    listed = {line.split()[1] for line in place.texts[0].splitlines()}
    marks = await place.marks()
    assert 0 < len(listed) < 3
    assert {name for name, mark in marks.items() if mark.state is MarkState.TOLD} == listed


@virtual_time
@pytest.mark.parametrize("trusted", [False, True])
async def test_an_unproven_acceptance_counts_only_if_it_is_trusted(trusted: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """The default is to keep the notebook."""
    place = town(notebook())
    place.channels[0] = ScriptedChannel(trust_unproven=trusted, answer=lambda _: Receipt(Acceptance.UNPROVEN))
    await place.sweep()
    await place.relay().round()
    assert ((await place.marks())["nb1"].state is MarkState.TOLD) is trusted


@virtual_time
async def test_an_owner_who_comes_back_is_told_so() -> None:
    """The mark is cleared as used, and the next digest says that nothing will be deleted."""
    place = await told()
    await place.pass_time(days=3)
    place.scene.cloud.change("nb1", updated_at=place.scene.clock.now())
    await place.sweep()
    assert (await place.marks())["nb1"].cleared is ClearCause.USED
    await place.relay().round()
    assert [text.split()[0] for text in place.texts] == ["announce", "cleared"]


@virtual_time
async def test_an_owner_who_was_never_told_hears_nothing_of_a_cleared_mark() -> None:
    """No announcement, no end of it."""
    place = town(notebook())
    await place.sweep()
    place.scene.cloud.change("nb1", updated_at=place.scene.clock.now())
    await place.pass_time(hours=1)
    await place.sweep()
    await place.relay().round()
    assert not place.texts


@virtual_time
async def test_an_owner_without_an_address_keeps_the_notebook_until_they_have_one() -> None:
    """UNTOLD with the reason; an hour after the directory knows them, they are told."""
    place = town(notebook())
    place.owners.otherwise = NoContact("nobody knows alice")
    relay = place.relay()
    await place.sweep()
    await relay.round()
    assert (await place.marks())["nb1"].untold == "nobody knows alice"
    place.owners.otherwise = Contact("alice@example.com", "file")
    await place.pass_time(hours=1)
    await relay.round()
    assert len(place.texts) == 1
    assert (await place.marks())["nb1"].untold == ""


@virtual_time
async def test_the_end_of_a_mark_does_not_wait_for_an_owner_whom_nobody_knows() -> None:
    """Nothing depends on it, so that the outbox does not grow."""
    place = await told()
    place.owners.otherwise = NoContact("nobody knows alice")
    place.scene.cloud.change("nb1", updated_at=place.scene.clock.now())
    await place.sweep()
    await place.relay().round()
    assert not await place.scene.journal.outbox.waiting(place.scene.clock.now() + timedelta(days=365), 10)


@virtual_time
async def test_an_edited_policy_tells_nobody_until_a_survey_has_looked() -> None:
    """Neither by the old grace nor by the new one; if the edit is undone before, the owner is told after all."""
    place = town(notebook())
    await place.sweep()
    before = place.how
    edited = replace(before.rules.policies[0], digest="d2")
    place.how = replace(before, rules=replace(before.rules, policies=(edited,)))
    await place.relay().round()
    assert not place.texts
    place.how = before
    await place.relay().round()
    assert len(place.texts) == 1


@virtual_time
async def test_a_message_waits_while_its_policy_is_edited() -> None:
    """A message that was composed before, and not accepted, is not sent for the mark of an edited policy."""
    place = town(notebook())
    place.mail.answer = lambda _: Receipt(Acceptance.LATER, "451 try again")
    await place.sweep()
    await place.relay().round()
    place.how = replace(place.how, rules=replace(place.how.rules, policies=(graced(digest="d2"),)))
    await place.pass_time(hours=2)
    await place.relay().round()
    assert len(place.texts) == 1
    [message] = await place.messages()
    assert (message.state, message.attempts) == (MessageState.PENDING, 1)


@virtual_time
async def test_the_fallback_counts_only_if_the_policy_says_so() -> None:
    """unless_told: fallback tells the fallback contact instead."""
    place = town(notebook(), grace=Grace(timedelta(days=7), surveys=1, unless_told=UnlessTold.FALLBACK))
    place.owners.otherwise = NoContact("nobody knows alice")
    place.owners.standby = Contact("team@example.com", "fallback")
    await place.sweep()
    relay = place.relay()
    await relay.round()
    await relay.round()
    assert [letter.to for letter in place.mail.letters] == ["team@example.com"]
    assert (await place.marks())["nb1"].state is MarkState.TOLD


@virtual_time
async def test_a_fallback_that_was_told_hears_of_the_deletion() -> None:
    """Whoever read that a notebook will be deleted also reads that it was."""
    place = town(notebook(), grace=Grace(timedelta(days=7), surveys=1, unless_told=UnlessTold.FALLBACK))
    place.owners.otherwise = NoContact("nobody knows alice")
    place.owners.standby = Contact("team@example.com", "fallback")
    await place.sweep()
    await place.relay().finish(60)
    await place.pass_time(days=7, hours=1)
    assert (await place.sweep()).removals
    await place.relay().finish(60)
    deadline = DUE.isoformat()
    assert [letter.to for letter in place.mail.letters] == ["team@example.com"] * 2
    assert place.texts == [f"announce nb1 {deadline}", f"deleted nb1 {deadline}"]


@virtual_time
async def test_a_fallback_that_was_told_hears_that_a_notebook_stays() -> None:
    """Nobody else can tell the owner."""
    place = town(notebook(), grace=Grace(timedelta(days=7), surveys=1, unless_told=UnlessTold.FALLBACK))
    place.owners.otherwise = NoContact("nobody knows alice")
    place.owners.standby = Contact("team@example.com", "fallback")
    await place.sweep()
    await place.relay().finish(60)
    await place.pass_time(days=2)
    place.scene.cloud.change("nb1", updated_at=place.scene.clock.now())
    await place.sweep()
    await place.relay().finish(60)
    assert [text.split()[0] for text in place.texts] == ["announce", "cleared"]


@virtual_time
async def test_a_dry_run_marks_nothing() -> None:
    """Nor does it write an item."""
    place = town(notebook())
    report = await place.sweep(dry_run=True)
    assert report.plan is not None
    assert [candidate.notebook.id for candidate in report.plan.to_mark] == ["nb1"]
    assert not await place.marks()
    await place.relay().round()
    assert not place.texts


@virtual_time
async def test_a_told_time_by_an_unverified_clock_counts_from_the_next_survey() -> None:
    """The clock of the relay may have been wrong; that of a survey is compared with the cloud's."""
    place = town(notebook())
    await place.sweep()
    place.clock_verified = False
    await place.relay().round()
    await place.pass_time(days=2)
    await place.sweep()
    mark = (await place.marks())["nb1"]
    assert mark.clock_verified
    assert mark.told_at is not None
    assert mark.told_at >= NOON + timedelta(days=2)
    await place.pass_time(days=6)
    assert not (await place.sweep()).removals


@virtual_time
async def test_two_relays_send_each_message_once() -> None:
    """Both compose and lease on the same journal."""
    place = town(notebook(1), notebook(2, owner=Named("u2", "bob")))
    await place.sweep()
    one, other = place.relay(by="one"), place.relay(by="other")
    async with anyio.create_task_group() as group:
        group.start_soon(one.round)
        group.start_soon(other.round)
    await one.round()
    await other.round()
    assert sorted(letter.to for letter in place.mail.letters) == ["alice@example.com", "bob@example.com"]


@virtual_time
async def test_a_stale_notice_is_given_again() -> None:
    """Forty days after its deadline, nobody remembers the notice."""
    place = await told()
    await place.pass_time(days=7 + 40, hours=2)
    assert not (await place.sweep()).removals
    await place.relay().round()
    assert [text.split()[0] for text in place.texts] == ["announce", "announce"]
    await place.pass_time(days=7, hours=2)
    assert [removal.notebook_id for removal in (await place.sweep()).removals] == ["nb1"]


@virtual_time
async def test_a_crash_after_the_channel_accepted_repeats_the_message_with_its_key() -> None:
    """The receiver can recognise it, and the later deadline holds."""
    place = town(notebook())
    await place.sweep()
    crashed = place.relay()
    record, calls = place.scene.journal.outbox.record, []

    async def failing(*args: object, **kwargs: object) -> bool:
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return await record(*args, **kwargs)  # type: ignore[arg-type]

    place.scene.journal.outbox.record = failing  # type: ignore[method-assign]
    await crashed.round()
    place.scene.journal.outbox.record = record  # type: ignore[method-assign]
    assert (await place.marks())["nb1"].state is MarkState.MARKED
    await place.pass_time(hours=2)
    await place.relay().round()
    assert place.mail.letters[0].key == place.mail.letters[1].key
    assert (await place.marks())["nb1"].deadline == DUE + timedelta(hours=2)


@virtual_time
async def test_notebooks_of_one_owner_with_different_contacts_are_told_apart() -> None:
    """A tag of each notebook names who looks after it; the journal never holds the address."""
    place = town(notebook(1, tags={"contact": "a@example.com"}), notebook(2, tags={"contact": "b@example.com"}))
    place.owners.tag = "contact"
    await place.sweep()
    await place.relay().round()
    lines = {letter.to: [line.split()[1] for line in letter.text.splitlines()] for letter in place.mail.letters}
    assert lines == {"a@example.com": ["nb1"], "b@example.com": ["nb2"]}
    kept = repr([await place.scene.journal.marks.marks(10), await place.messages()])
    assert "@example.com" not in kept


@virtual_time
async def test_a_group_that_hears_it_too_does_not_stand_for_the_owner() -> None:
    """tell: [owner, ops]: the group accepts, the owner's mail is refused: nobody told the owner, and the notebook stays."""
    place = town(notebook(), grace=Grace(timedelta(days=7), surveys=1, tell=("owner", "ops")))
    place.channels.append(ScriptedChannel("ops", addressed=False))
    place.mail.answer = lambda _: Receipt(Acceptance.REFUSED, "550 no such user")
    await place.sweep()
    await place.relay().round()
    assert len(place.channels[1].letters) == 1
    mark = (await place.marks())["nb1"]
    assert (mark.state, mark.untold) == (MarkState.MARKED, "mail: 550 no such user")
    await place.pass_time(days=30)
    assert not (await place.sweep()).removals


@virtual_time
async def test_a_group_alone_may_be_told_instead_of_the_owner() -> None:
    """tell: ops: what the group accepts is told."""
    place = town(notebook(), grace=Grace(timedelta(days=7), surveys=1, tell=("ops",)))
    place.channels.append(ScriptedChannel("ops", addressed=False))
    await place.sweep()
    await place.relay().round()
    assert not place.texts
    assert (await place.marks())["nb1"].state is MarkState.TOLD


class ObservingRenderer(PlainRenderer):
    """Notes the links of each digest."""

    def __init__(self) -> None:
        """Begin without links."""
        self.links: dict[Audience, list[tuple[ItemKind, str]]] = {}

    def letters(self, digest: Digest, channel: Channel, to: str = "") -> Sequence[tuple[Letter, tuple[str, ...]]]:
        """Note the links."""
        noted = self.links.setdefault(digest.audience, [])
        noted += [(line.kind, line.keep_url) for line in digest.lines]
        return super().letters(digest, channel, to)


@virtual_time
async def test_only_the_owner_gets_a_link_to_keep_a_notebook() -> None:
    """In the notice and in the reminder, not in a summary, and not in a group: its use is on record as the owner's."""
    renderer = ObservingRenderer()
    grace = Grace(timedelta(days=7), remind=timedelta(days=2), surveys=1, tell=("owner", "ops"))
    place = town(notebook(), grace=grace)
    place.channels.append(ScriptedChannel("ops", addressed=False))

    async def round_with_links() -> None:
        plain = place.relay()
        ports = replace(plain.ports, renderer=renderer, keep_link=lambda mark: (f"keep {mark.notebook_id}", NOON))
        await Relay(ports, plain.options).round()

    await place.sweep()
    await round_with_links()
    await place.pass_time(days=5, hours=1)
    await round_with_links()
    await place.pass_time(days=2)
    await place.sweep()
    await place.pass_time(days=1)
    await round_with_links()
    assert renderer.links[Audience.OWNER] == [
        (ItemKind.ANNOUNCE, "keep nb1"),
        (ItemKind.REMIND, "keep nb1"),
        (ItemKind.DELETED, ""),
    ]
    assert {link for _, link in renderer.links[Audience.CHANNEL]} == {""}


@virtual_time
async def test_a_channel_that_a_reload_removed_delays_its_messages() -> None:
    """They wait for the configuration to be corrected, instead of failing at once and for good."""
    place = town(notebook())
    mail = place.mail
    place.mail.answer = lambda _: Receipt(Acceptance.LATER, "451 try again")
    await place.sweep()
    await place.relay().round()
    place.channels = []
    await place.pass_time(minutes=10)
    await place.relay().round()
    [message] = await place.messages()
    assert (message.state, message.problem) == (MessageState.PENDING, "domain names a contact, but no channel takes addresses")
    mail.answer = lambda _: Receipt(Acceptance.ACCEPTED, "250 ok")
    place.channels = [mail]
    await place.pass_time(hours=1)
    await place.relay().round()
    assert (await place.marks())["nb1"].state is MarkState.TOLD
