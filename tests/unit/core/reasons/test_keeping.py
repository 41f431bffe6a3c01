"""Causes are kept as JSON, and are readable for any later version."""

import json

import pytest

from builders import ago, moment, notebook, over, policy, rules, text
from nbsweep.core.policy import judge
from nbsweep.core.reasons.keeping import decode_cause, encode_cause
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Cause, CauseCode, recorded
from nbsweep.core.reasons.render import render

CAUSE = judge(
    notebook(updated_at=ago(days=21), lease=None), rules(policy(text("status", "STOPPED"), over("idle", days=14))), moment()
).cause
CODES = """
    already-deleted another-notebook changed-after-order changed-since-mark cooling-down cooling-down-again
    creation-not-planned creation-not-shown cut-from-plan deletion-retried excluded exempt feature-not-covered
    feature-not-shown field-changed frozen-not-named in-transition lease-changed malformed marked maybe-exempt
    no-longer-matches no-longer-there no-policy not-looked-at not-watched notice-stale other-feature other-workspace
    over-brake policy-matches policy-not-chosen policy-unknown protected protection-unknown recorded row-unreadable
    running-skipped runs-again seen-in-use slept-during-order started-since started-without-stop told told-later unannounced
    untold use-since-mark-unknown workspace-not-covered workspace-not-shown
"""


def test_what_is_kept_is_rendered_as_before() -> None:
    """In both languages; the cause carries its English sentence then."""
    kept = decode_cause(encode_cause(CAUSE), "")
    assert kept.text == "policy old: status STOPPED; idle 21d (over 14d)"
    assert render(kept, Language.ENGLISH) == kept.text
    assert render(kept, Language.CHINESE) == "符合策略 old：状态 STOPPED；闲置时长 21 天（超过 14 天）"


def test_the_code_of_another_version_shows_the_english_sentence() -> None:
    """What it says is not lost, in whatever language it is asked for."""
    other = {**json.loads(encode_cause(CAUSE)), "code": "phase-of-the-moon", "colour": "blue"}
    kept = decode_cause(json.dumps(other), "")
    assert kept.code is CauseCode.RECORDED
    assert render(kept, Language.CHINESE) == "policy old: status STOPPED; idle 21d (over 14d)"


@pytest.mark.parametrize("kept", ["", "null", "[]", "{", '{"code": "told", "params": {"until": null}}', "[" * 5000])
def test_what_cannot_be_read_shows_the_sentence_beside_it(kept: str) -> None:
    """A mark of an older version has no cause at all."""
    assert decode_cause(kept, "as it was") == recorded("as it was")


def test_a_code_keeps_its_value() -> None:
    """Journals hold these: a new code may be added, and none may be renamed."""
    assert set(CauseCode) >= set(CODES.split())
    assert encode_cause(Cause(CauseCode.NO_POLICY)) == '{"code":"no-policy","text":"no policy matches it"}'
