"""The English sentences of causes: those of the audit trail, the JSON documents and the command line."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.reasons.composing import Wording, compose
from nbsweep.core.reasons.finding import Difference, FactWord, MixedFact, Piece
from nbsweep.core.reasons.model import Cause, CauseCode, Param

SENTENCES: Mapping[CauseCode, str] = {
    CauseCode.POLICY_MATCHES: "policy {rule}: {findings}",
    CauseCode.NO_POLICY: "no policy matches it",
    CauseCode.PROTECTED: "protected by {rule}: {findings}",
    CauseCode.POLICY_UNKNOWN: "policy {rule} cannot be checked: {findings}",
    CauseCode.PROTECTION_UNKNOWN: "protection {rule} cannot be checked: {findings}",
    CauseCode.RUNNING_SKIPPED: "policy {rule} matches, but it runs, and the policy says running: skip",
    CauseCode.FROZEN_NOT_NAMED: "policy {rule} matches, but it is FROZEN, which the policy does not name in status",
    CauseCode.POLICY_NOT_CHOSEN: "policy {rule} matches, and was not chosen",
    CauseCode.NO_LONGER_MATCHES: "policy {rule} does not match any more: {findings}",
    CauseCode.ALREADY_DELETED: "it is deleted already",
    CauseCode.IN_TRANSITION: "it is {status}, and the cloud is changing it",
    CauseCode.MALFORMED: "{problem}",
    CauseCode.WORKSPACE_NOT_SHOWN: "the cloud does not show its workspace_id, and the target covers only workspaces: {covered}",
    CauseCode.WORKSPACE_NOT_COVERED: "its workspace_id is {workspace}, and the target covers only workspaces: {covered}",
    CauseCode.OTHER_WORKSPACE: "it is in workspace {workspace}, and workspace {asked} was asked for",
    CauseCode.FEATURE_NOT_SHOWN: "the cloud does not show its feature, and the target covers only features: {covered}",
    CauseCode.FEATURE_NOT_COVERED: "its feature is {feature}, and the target covers only features: {covered}",
    CauseCode.OTHER_FEATURE: "its feature is {feature}, and {asked} was asked for",
    CauseCode.SEEN_IN_USE: "it was seen {status} since our {order}",
    CauseCode.FIELD_CHANGED: "its {field} has changed since our {order}",
    CauseCode.LEASE_CHANGED: "its lease has changed since our {order}",
    CauseCode.CHANGED_AFTER_ORDER: "it has been changed since our {order}, and after that had ended",
    CauseCode.SLEPT_DURING_ORDER: "the machine slept, or a clock was set, while our {order} was on its way",
    CauseCode.NOT_WATCHED: ("it was not seen for a while since our {order}, and shows no lease whose date would show a start"),
    CauseCode.RUNS_AGAIN: "it runs again, so a user has started it since ({because})",
    CauseCode.DELETION_RETRIED: "{because}; its deletion has failed, and is tried again",
    CauseCode.EXCLUDED: "excluded by {by}",
    CauseCode.OVER_BRAKE: "policy {rule} matches, but a brake that trims has cut it from the plan",
    CauseCode.COOLING_DOWN: "it is left alone until {until}: its deletion failed at {failed_at}{detail}",
    CauseCode.COOLING_DOWN_AGAIN: (
        "it is left alone until {until}: its deletion failed {failures} times in a row, the last time at {failed_at}{detail}"
    ),
    CauseCode.EXEMPT: "exemption {exemption} ({selector}) until {until}: {granted_for}",
    CauseCode.MAYBE_EXEMPT: (
        "exemption {exemption} ({selector}) until {until}: {granted_for} may cover it: "
        "{missing} is missing, or only looks alike"
    ),
    CauseCode.UNANNOUNCED: "policy {rule} matches; it gives {notice_s} of notice, and the notebook is not announced yet",
    CauseCode.UNANNOUNCED_IN_BUSINESS_DAYS: (
        "policy {rule} matches; it gives {business_days} of notice, and the notebook is not announced yet"
    ),
    CauseCode.CHANGED_SINCE_MARK: "policy {rule} matches; its deletion was announced, and the notebook changed since: {change}",
    CauseCode.USE_SINCE_MARK_UNKNOWN: (
        "policy {rule} matches; its deletion is announced, and whether it was used since is unknown: no {missing}"
    ),
    CauseCode.CANNOT_BE_MARKED: "policy {rule} matches; it gives notice, and without {missing} the notebook cannot be marked",
    CauseCode.MARKED: "policy {rule} matches; marked on {marked_at}: nobody has been told yet",
    CauseCode.UNTOLD: "policy {rule} matches; marked on {marked_at}, and the owner cannot be told: {untold}",
    CauseCode.TOLD_LATER: "policy {rule} matches; marked on {marked_at}, and telling the owner is tried again: {untold}",
    CauseCode.CLOCK_NOT_VERIFIED: (
        "policy {rule} matches; marked on {marked_at}, and announced while the clock was not verified: the grace begins "
        "at the next complete survey"
    ),
    CauseCode.NOTICE_STALE: "policy {rule} matches; marked on {marked_at}: its notice is too old",
    CauseCode.TOLD: "policy {rule} matches; its deletion is announced, and due on {until}",
    CauseCode.OUTSIDE_WINDOW: "policy {rule} matches; its next window opens on {opens} ({because})",
    CauseCode.NO_WINDOW: "policy {rule} matches; none of its windows opens within a year ({because})",
    CauseCode.HELD_OUT: "policy {rule} matches; held out until {until}, to learn who would have come back ({because})",
    CauseCode.NO_LONGER_THERE: "no longer there: today's survey does not show it",
    CauseCode.CUT_FROM_PLAN: "a brake that trims has cut it from today's plan",
    CauseCode.NOT_LOOKED_AT: "not looked at: workspace {workspace} ({feature}): {problem}",
    CauseCode.ROW_UNREADABLE: "its row cannot be read today: {problem}",
    CauseCode.STARTED_SINCE: "started again since: it was {before}, and is {status} ({because})",
    CauseCode.STARTED_WITHOUT_STOP: "started again since: it was {before}, and the plan does not say to stop it",
    CauseCode.CREATION_NOT_PLANNED: (
        "its date of creation is missing in the plan, so that it cannot be shown to be the same notebook"
    ),
    CauseCode.CREATION_NOT_SHOWN: "its date of creation is missing today, so that it cannot be shown to be the same notebook",
    CauseCode.ANOTHER_NOTEBOOK: (
        "another notebook has its id: the one in the plan was created on {planned_created_at}, this one on {created_at}"
    ),
    CauseCode.RECORDED: "{text}",
}

FIELDS: Mapping[Param, str] = {"tags": "set of tags"}
"""The words for fields of a notebook that are called otherwise here."""

WORDS: Mapping[FactWord, str] = {
    FactWord.MISSING: "(missing)",
    FactWord.NONE: "none",
    FactWord.NOT_SET: "not set",
    FactWord.NOT_SHOWN: "(value not shown)",
    FactWord.EMPTY: "(empty)",
    FactWord.NO_LEASE: "no lease is enabled",
}


def describe(cause: Cause) -> str:
    """Return the sentence of a cause."""
    return compose(cause, WORDING)


# ---- parameters -----------------------------------------------------------------------------------------------------------


def _moment(param: Param) -> str:
    return format_moment(datetime.fromisoformat(str(param)))


def _second(param: Param) -> str:
    return f"{datetime.fromisoformat(str(param)):%Y-%m-%d %H:%M:%SZ}"


def _age(param: Param) -> str:
    return format_age(timedelta(seconds=int(param)))


def _business_days(param: Param) -> str:
    return f"{param} business day{'' if param == 1 else 's'}"


def _field(param: Param) -> str:
    return FIELDS.get(param, str(param))


def _detail(param: Param) -> str:
    return f" ({param})" if param else ""


WORDING = Wording(
    sentences=SENTENCES,
    params={
        "until": _moment,
        "opens": _moment,
        "failed_at": _moment,
        "marked_at": _moment,
        "notice_s": _age,
        "business_days": _business_days,
        "planned_created_at": _second,
        "created_at": _second,
        "field": _field,
        "detail": _detail,
        "of_notebook": "notebook {}".format,
        "of_owner": "owner {}".format,
        "of_name": "name {}".format,
    },
    finding=str,
    semicolon="; ",
    comma=", ",
)


# ---- facts ----------------------------------------------------------------------------------------------------------------


def describe_fact(fact: MixedFact) -> str:
    """Return a fact that is more than the notebook's own texts."""
    shown = " / ".join(map(_piece, fact.pieces))
    if not fact.like:
        return shown
    return f"{shown} (looks like {fact.like}, but differs: {', '.join(map(_difference, fact.differences))})"


def _piece(piece: Piece) -> str:
    return piece.text if piece.word is None else f"{piece.text}{WORDS[piece.word]}"


def _difference(difference: Difference) -> str:
    if not difference.character:
        return "upper and lower case, or blanks"
    return f"{difference.character} {'in the rule' if difference.in_rule else 'here'}"
