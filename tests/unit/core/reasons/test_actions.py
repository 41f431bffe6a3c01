"""What an owner can do, in both languages, and as it is kept in the journal."""

import pytest

from nbsweep.core.reasons.actions import (
    CHINESE,
    ENGLISH,
    GLOBS_BETWEEN,
    Action,
    ActionCode,
    decode_action,
    describe_action,
    encode_action,
)

FIT = Action(ActionCode.ADD_FITTING_TAG, (("tag", "env"), ("glob", "prod-*")))
AWAY = Action(ActionCode.RENAME_AWAY, (("globs", GLOBS_BETWEEN.join(("tmp-*", "test-*"))),))
BOTH = Action(ActionCode.TOGETHER, parts=(Action(ActionCode.STOP), FIT))


@pytest.mark.parametrize(
    ("action", "english", "chinese"),
    [
        (FIT, "give it the tag env, with a value that fits prod-*", "为其添加标签 env，值需匹配 prod-*"),
        (AWAY, "rename it so that its name no longer fits tmp-* or test-*", "重命名，使名称不再匹配 tmp-* 或 test-*"),
        (
            BOTH,
            "stop it and give it the tag env, with a value that fits prod-*",
            "停止该 Notebook，并且为其添加标签 env，值需匹配 prod-*",
        ),
    ],
)
def test_an_action_is_described_in_both_languages(action: Action, english: str, chinese: str) -> None:
    """With all its values."""
    assert describe_action(action) == english
    assert describe_action(action, CHINESE) == chinese
    assert describe_action(decode_action(encode_action(action)), CHINESE) == chinese


@pytest.mark.parametrize("code", [code for code in ActionCode if code not in (ActionCode.TOGETHER, ActionCode.RECORDED)])
def test_every_action_has_a_sentence_in_each_language(code: ActionCode) -> None:
    """Both name the same values."""
    names = {"tag": "#1", "glob": "#2", "name": "#3", "globs": "#4"}
    texts = [wording.sentences[code].format_map(names) for wording in (ENGLISH, CHINESE)]
    english, chinese = ({value for value in names.values() if value in text} for text in texts)
    assert english == chinese


@pytest.mark.parametrize(
    "kept",
    [
        '{"code":"paint-it","params":[["color","red"]],"text":"paint it red"}',
        '{"code":"add-tag","params":[],"text":"paint it red"}',
        "paint it red",
    ],
)
def test_an_action_of_another_version_is_shown_as_it_was_said_in_english(kept: str) -> None:
    """An unknown code, a missing value, or no JSON at all."""
    assert describe_action(decode_action(kept)) == "paint it red"
    assert describe_action(decode_action(kept), CHINESE) == "paint it red"
