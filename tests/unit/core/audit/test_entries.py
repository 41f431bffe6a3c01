"""What the audit trail says of a removal, and which writes stand for which steps."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOON, removal, searching
from nbsweep.core import lifecycle
from nbsweep.core.audit.entries import AuditEntry, RemovalSnapshot, entries_of, steps
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lifecycle import ENDS, Removal, State
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact, redact_named

HALF_AN_HOUR = timedelta(minutes=30)
LATER = NOON + timedelta(seconds=7)

PLANNED = removal()
REQUESTED = lifecycle.request(PLANNED, LATER, HALF_AN_HOUR)
ACCEPTED = lifecycle.accept(REQUESTED, LATER + timedelta(seconds=1), "request-1")
FAILED_ONCE = lifecycle.note_failure(ACCEPTED)
REQUESTED_AGAIN = lifecycle.request(FAILED_ONCE, LATER + timedelta(minutes=1), HALF_AN_HOUR)
STOPPING = lifecycle.stop(PLANNED, LATER, HALF_AN_HOUR)

WRITES = [
    (None, PLANNED, "decided"),
    (PLANNED, STOPPING, "stopping"),
    (STOPPING, lifecycle.stop(STOPPING, LATER + timedelta(seconds=9), HALF_AN_HOUR), "stopping"),
    (PLANNED, REQUESTED, "requested"),
    (STOPPING, lifecycle.request(STOPPING, LATER, HALF_AN_HOUR), "requested"),
    (REQUESTED, lifecycle.request(REQUESTED, LATER, HALF_AN_HOUR), "requested"),
    (REQUESTED, ACCEPTED, "accepted"),
    (ACCEPTED, FAILED_ONCE, "delete_failed"),
    (FAILED_ONCE, REQUESTED_AGAIN, "requested"),
    (REQUESTED, lifecycle.withdraw(REQUESTED, PLANNED), "withdrawn"),
    (REQUESTED_AGAIN, lifecycle.withdraw(REQUESTED_AGAIN, FAILED_ONCE), "withdrawn"),
    (
        lifecycle.request(REQUESTED, LATER, HALF_AN_HOUR),
        lifecycle.withdraw(lifecycle.request(REQUESTED, LATER, HALF_AN_HOUR), REQUESTED),
        "withdrawn",
    ),
    (ACCEPTED, lifecycle.delete(ACCEPTED, LATER, "proven gone"), "deleted"),
    (PLANNED, lifecycle.fail(PLANNED, LATER, "no"), "failed"),
    # Recovery learns of the acceptance and of the failure at once, and writes the end alone.
    (REQUESTED, lifecycle.fail(lifecycle.note_failure(lifecycle.accept(REQUESTED, LATER)), LATER, "DELETE_FAILED"), "failed"),
    (ACCEPTED, lifecycle.time_out(ACCEPTED, LATER, "no end"), "timed_out"),
    (PLANNED, lifecycle.spare(PLANNED, LATER, "in use"), "spared"),
]


def entry(written: Removal, before: Removal | None = None) -> AuditEntry:
    """Return the one entry that a write stands for."""
    [only] = entries_of(written, RemovalSnapshot.of(before) if before else None, "cron", 41)
    return only


@pytest.mark.parametrize(("before", "written", "what"), WRITES)
def test_each_step_has_an_entry(before: Removal | None, written: Removal, what: str) -> None:
    """By what the journal had before, where the removal alone does not tell one step from another."""
    assert steps(written, RemovalSnapshot.of(before) if before else None) == (what,)


@pytest.mark.parametrize("known", [PLANNED, REQUESTED, ACCEPTED, FAILED_ONCE, lifecycle.spare(PLANNED, LATER, "in use")])
def test_a_write_that_changes_nothing_has_no_entry(known: Removal) -> None:
    """Nor has a mere sight of DELETING."""
    assert steps(replace(known, saw_deleting=True), RemovalSnapshot.of(known)) == ()


@searching
@given(st.sampled_from(State))
def test_a_removal_that_is_new_to_the_journal_was_decided_whatever_else_it_is(state: State) -> None:
    """No step is without the decision before it."""
    found = steps(removal(state=state), None)
    assert found[0] is AuditStep.DECIDED
    assert len(found) == (1 if state is State.PLANNED else 2)


def test_every_end_has_a_word_of_its_own() -> None:
    """The same as in reports."""
    ended = {state: steps(replace(ACCEPTED, state=state), RemovalSnapshot.of(ACCEPTED))[0].value for state in ENDS}
    assert ended == {state: lifecycle.OUTCOMES[state] for state in ENDS}


def test_an_end_is_never_left_out() -> None:
    """Though a DELETE that did nothing was taken back in the same write."""
    assert steps(removal(state=State.SPARED), RemovalSnapshot.of(REQUESTED)) == (AuditStep.WITHDRAWN, AuditStep.SPARED)


def test_a_decision_is_told_with_all_that_it_rests_on() -> None:
    """Nothing that came later is in it."""
    assert entry(PLANNED)._asdict() == {
        "sequence": 42,
        "moment_us": microseconds(NOON),
        "what": "decided",
        "target": "research",
        "run_id": "run1",
        "started_by": "cron",
        "notebook_id": "nb1",
        "name": "experiment-1",
        "owner": "alice",
        "policy": "old",
        "reason": "age 200d (over 1d)",
        "requests": 0,
        "request_id": "",
        "status_before": "STOPPED",
        "workspace_id": "0",
        "feature": "NOTEBOOK",
        "capacity_gb": 50,
        "category": "EVS",
        "project": "",
    }


def test_a_request_is_told_with_the_verdict_of_its_second_look() -> None:
    """It is that one on which the DELETE rests."""
    seen_anew = replace(PLANNED, policy="older", reason="age 201d (over 200d)")
    told = entry(lifecycle.request(seen_anew, LATER, HALF_AN_HOUR), PLANNED)
    assert (told.what, told.policy, told.reason, told.requests) == ("requested", "older", "age 201d (over 200d)", 1)
    assert (told.moment_us, told.status_before, told.capacity_gb) == (microseconds(LATER), None, None)


def test_an_acceptance_is_told_with_the_gateways_request_id() -> None:
    """At the moment of the answer."""
    told = entry(ACCEPTED, REQUESTED)
    assert (told.request_id, told.reason, told.moment_us) == ("request-1", "", microseconds(LATER) + 1_000_000)


def test_an_end_is_told_with_its_reason() -> None:
    """And no longer with the verdict's."""
    told = entry(lifecycle.delete(ACCEPTED, LATER + timedelta(seconds=9), "proven gone"), ACCEPTED)
    assert (told.what, told.reason, told.request_id) == ("deleted", "proven gone", "request-1")
    assert told.moment_us == microseconds(LATER) + 9_000_000


def test_a_withdrawal_is_told_with_the_moment_of_the_delete_that_did_nothing() -> None:
    """For what is written then knows nothing of it any more."""
    told = entry(lifecycle.withdraw(REQUESTED, PLANNED), REQUESTED)
    assert (told.moment_us, told.requests) == (microseconds(LATER), 0)


SECRETS = [
    "x-auth-token: MIIabcdef",
    "X-Security-Token=MIIabcdef",
    "Authorization: Bearer MIIabcdef",
    "signature=MIIabcdef",
    "see https://MIIabcdef.example/lab?token=MIIabcdef for it",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("field", ["name", "owner", "reason", "end_reason"])
def test_what_other_people_have_written_is_masked(secret: str, field: str) -> None:
    """A token, a signature and a url get nowhere near the trail, in whatever words they come."""
    words: dict[str, Any] = {field: f"before; {secret}"}
    spoilt = replace(PLANNED, **words)
    ended = lifecycle.fail(spoilt, LATER, spoilt.end_reason)
    for told in (entry(spoilt), entry(ended, spoilt)):
        assert "MIIabcdef" not in repr(told)


@searching
@given(st.text(st.sampled_from("token:/=accesignurhizpwdAT ,-x"), max_size=39))
def test_the_quick_look_for_secrets_overlooks_none(text: str) -> None:
    """What has no sign of one comes back as it is, and would have anyway; a text this short is no key without a name."""
    assert redact_named(text) == redact(text)


def test_an_ordinary_sentence_is_left_as_it_is() -> None:
    """Masking takes nothing else out."""
    plain: dict[str, Any] = {"reason": "status STOPPED; idle_over 20d 4h (over 14d)", "name": "signature-model: access"}
    assert entry(replace(PLANNED, **plain)).reason == plain["reason"]


def test_a_trail_has_no_field_for_a_secret() -> None:
    """So none can be written there by mistake."""
    assert {"token", "url", "secret", "key", "signature", "authorization"} & set(AuditEntry._fields) == set()
