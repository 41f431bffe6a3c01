"""Samples of what is told, to check templates with and to look at: every kind, with names that a prankster would choose."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from nbsweep.core.facts import format_age
from nbsweep.core.marks.model import ClearCause
from nbsweep.core.model import Status
from nbsweep.core.notices.digest import Audience, Digest, Line
from nbsweep.core.notices.operators import OperatorEvent, OperatorNotice, UntoldOwner
from nbsweep.core.notices.outbox import ItemKind
from nbsweep.core.reasons.actions import Action, ActionCode, encode_action
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.finding import Finding, Truth
from nbsweep.core.reasons.keeping import encode_cause
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Cause, CauseCode

FOUND = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
GRACE = timedelta(days=7)
HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "**bold** [link](https://example.com) `code` _x_ <at user_id=all></at> @all",
    "line one\r\nBcc: everyone@example.com",
    "abc\u202egnp.exe",
    "n" * 10_000,
    "",
)


def _matched(policy: str, status: Status, idle: timedelta, limit: timedelta) -> Cause:
    """Return the cause of a policy on a status and an idle time."""
    findings = (
        Finding("status", status, status, Truth.PASS, alternatives=(status,)),
        Finding("idle_over", format_age(limit), format_age(idle), Truth.PASS, age=idle, limit=limit),
    )
    return Cause(CauseCode.POLICY_MATCHES, policy, findings)


IDLE = _matched("idle-lease", Status.STOPPED, timedelta(days=21, hours=4), timedelta(days=14))
FAILED = _matched("failed", Status.CREATE_FAILED, timedelta(days=9, hours=2), timedelta(days=1))

ANNOUNCED = Line(
    item_id="sample-1",
    kind=ItemKind.ANNOUNCE,
    name="exp-resnet-50",
    notebook_id="6f1d2c1e-7a54-4b8c-9b1e-0c2f5a9d3e01",
    owner="alice",
    target="research",
    workspace="vision",
    status=Status.STOPPED,
    capacity_gb=50,
    policy="idle-lease",
    reason=describe(IDLE),
    cause=encode_cause(IDLE),
    marked_at=FOUND,
    deadline=FOUND + GRACE,
    remedies=(
        encode_action(Action(ActionCode.USE_AGAIN)),
        encode_action(Action(ActionCode.ADD_TAG, (("tag", "keep"),))),
    ),
    keep_url="https://nbsweep.example.com/keep/3f9a1c7e5b2d4f60",
    keep_until=FOUND + timedelta(days=37),
)
UNSIZED = replace(
    ANNOUNCED,
    item_id="sample-2",
    name="llm-finetune-with-a-name-that-goes-on-for-quite-a-while-2026-08",
    notebook_id="0b7e4c52-91d0-4f0f-8f5e-5d3a7c1b2e02",
    workspace="",
    status=Status.CREATE_FAILED,
    capacity_gb=None,
    policy="failed",
    reason=describe(FAILED),
    cause=encode_cause(FAILED),
    deadline=FOUND + GRACE + timedelta(hours=6),
    remedies=(),
    keep_url="",
    keep_until=None,
)
REMINDED = replace(
    ANNOUNCED,
    item_id="sample-3",
    kind=ItemKind.REMIND,
    name="tabular-baseline",
    notebook_id="c2a9f1d4-3b6e-4e57-a1c8-7f0d9b8e6a03",
    deadline=FOUND + timedelta(days=2),
    marked_at=FOUND - timedelta(days=5),
)
CLEARED = replace(
    ANNOUNCED,
    item_id="sample-4",
    kind=ItemKind.CLEARED,
    name="demo-for-review",
    notebook_id="e8b3d7a6-5c2f-4d19-b0e4-1a6c8f7d2b04",
    deadline=None,
    ended_at=FOUND,
    cleared=ClearCause.USED,
)
DELETED = replace(
    ANNOUNCED,
    item_id="sample-5",
    kind=ItemKind.DELETED,
    name="old-crawler",
    notebook_id="9d4e6b8a-2f1c-4a73-8c5d-3e7b0a9f1c05",
    deadline=None,
    ended_at=FOUND + timedelta(hours=1),
    marked_at=FOUND - timedelta(days=8),
)
LINES = (ANNOUNCED, UNSIZED, REMINDED, CLEARED, DELETED)


def sample_digest(language: Language, zone: str, audience: Audience = Audience.OWNER) -> Digest:
    """Return a digest with every kind of item, to look at."""
    recipient = "alice" if audience is Audience.OWNER else ""
    page = "https://nbsweep.example.com/mine"
    return Digest("sample", audience, recipient, (language,), zone, LINES, page)


def hostile_digests(language: Language, zone: str) -> Iterator[Digest]:
    """Yield digests of every kind, audience and hostile name."""
    for audience in Audience:
        plain = sample_digest(language, zone, audience)
        yield plain
        yield from (replace(plain, lines=(line,), part=2, parts=3, page_url="") for line in LINES)
        # More than fit on one screen: each of them has to be shown.
        yield replace(plain, lines=tuple(replace(line, name=f"{line.name}-{place}") for line in LINES for place in range(9)))
        for name in HOSTILE_NAMES:
            lines = tuple(replace(line, name=name, owner=name, reason=name, cause="", target=name) for line in LINES)
            yield replace(plain, recipient=name, lines=lines)


def sample_notices() -> Iterator[OperatorNotice]:
    """Yield each event for operators."""
    plain = {
        OperatorEvent.SWEEP_REFUSED: OperatorNotice(
            OperatorEvent.SWEEP_REFUSED,
            FOUND,
            problem="brake max_deletions: the plan holds 312 notebooks, and 100 are allowed",
            target="research",
            run_id="20261201-030000-7c1e",
            advice="Look at the plan with nbsweep plan, and raise brakes.max_deletions if it is right.",
            notebooks=312,
        ),
        OperatorEvent.SWEEP_FAILED: OperatorNotice(
            OperatorEvent.SWEEP_FAILED,
            FOUND,
            problem="3 deletions failed: the volume could not be detached",
            target="research",
            run_id="20261201-030000-7c1e",
            notebooks=3,
        ),
        OperatorEvent.MARKS_UNTOLD: OperatorNotice(
            OperatorEvent.MARKS_UNTOLD,
            FOUND,
            problem="No part of owners knows an address of these owners.",
            target="research",
            notebooks=5,
            owners=(
                UntoldOwner("bob", "owners.yaml does not list them; the tag contact is not set", 4),
                UntoldOwner("unknown", "the cloud does not show an owner", 1),
            ),
        ),
        OperatorEvent.AUTHENTICATION_FAILED: OperatorNotice(
            OperatorEvent.AUTHENTICATION_FAILED,
            FOUND,
            problem="the access key is not valid (APIGW.0301)",
            target="research",
            advice="Run nbsweep check.",
        ),
        OperatorEvent.CHANNEL_FAILED: OperatorNotice(
            OperatorEvent.CHANNEL_FAILED,
            FOUND,
            problem="sign not match (errcode 310000)",
            channel="ops",
            advice="Run nbsweep notify test ops.",
            notebooks=12,
        ),
    }
    yield from (plain[event] for event in OperatorEvent)


def hostile_notices() -> Iterator[OperatorNotice]:
    """Yield each event, as it is and with each hostile name."""
    for notice in sample_notices():
        yield notice
        for name in HOSTILE_NAMES:
            owners = (UntoldOwner(name, name, 1),)
            yield replace(notice, problem=name, target=name, channel=name, run_id=name, advice=name, owners=owners)
