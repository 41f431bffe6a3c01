"""What an owner can do to keep a notebook, as a value that each language renders as a sentence.

As a cause, an action that is kept carries its English sentence for versions that do not know its code any more.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import DecodeError, Struct, json
from msgspec.structs import replace


class ActionCode(StrEnum):
    """What a sentence asks for, apart from its parameters."""

    USE_AGAIN = "use-again"
    RENEW_LEASE = "renew-lease"
    STOP = "stop"
    ADD_TAG = "add-tag"
    ADD_FITTING_TAG = "add-fitting-tag"
    REMOVE_TAG = "remove-tag"
    RENAME = "rename"
    RENAME_AWAY = "rename-away"
    TOGETHER = "together"
    """All parts."""
    RECORDED = "recorded"
    """Only the English sentence is known: the action is of another version of nbsweep."""

    @classmethod
    def _missing_(cls, _value: object) -> "ActionCode":
        """Return RECORDED for a code of another version."""
        return cls.RECORDED


class Action(Struct, frozen=True, omit_defaults=True):
    """A change that an owner can make."""

    code: ActionCode
    params: tuple[tuple[str, str], ...] = ()
    """The names in the sentence, with their values."""
    parts: tuple["Action", ...] = ()
    text: str = ""
    """The English sentence of an action that is kept; empty for all others."""


class ActionWording(Struct, frozen=True):
    """The sentences of one language."""

    sentences: Mapping[ActionCode, str]
    alternatives: str
    """Between values of which one is meant."""
    together: str
    """Between sentences that are meant together."""


ENGLISH = ActionWording(
    {
        ActionCode.USE_AGAIN: "use it again: start it, and its idle time begins again",
        ActionCode.RENEW_LEASE: "renew its lease",
        ActionCode.STOP: "stop it",
        ActionCode.ADD_TAG: "give it the tag {tag}, with any value",
        ActionCode.ADD_FITTING_TAG: "give it the tag {tag}, with a value that fits {glob}",
        ActionCode.REMOVE_TAG: "remove its tag {tag}",
        ActionCode.RENAME: "rename it so that its name fits {glob}, as {name} does",
        ActionCode.RENAME_AWAY: "rename it so that its name no longer fits {globs}",
    },
    alternatives=" or ",
    together=" and ",
)
CHINESE = ActionWording(
    {
        ActionCode.USE_AGAIN: "再次使用：启动该 Notebook，闲置时长将重新计算",
        ActionCode.RENEW_LEASE: "续期该 Notebook",
        ActionCode.STOP: "停止该 Notebook",
        ActionCode.ADD_TAG: "为其添加标签 {tag}（值任意）",
        ActionCode.ADD_FITTING_TAG: "为其添加标签 {tag}，值需匹配 {glob}",
        ActionCode.REMOVE_TAG: "移除其标签 {tag}",
        ActionCode.RENAME: "重命名，使名称匹配 {glob}，例如 {name}",
        ActionCode.RENAME_AWAY: "重命名，使名称不再匹配 {globs}",
    },
    alternatives=" 或 ",
    together="，并且",
)
GLOBS_BETWEEN = "\n"
"""Between several globs in a parameter."""


def describe_action(action: Action, wording: ActionWording = ENGLISH) -> str:
    """Return an action as a sentence; the English one that was kept if this version cannot make it any more."""
    if action.code is ActionCode.TOGETHER:
        return wording.together.join(describe_action(part, wording) for part in action.parts)
    sentence = wording.sentences.get(action.code)
    if sentence is None:
        return action.text
    values = {name: value.replace(GLOBS_BETWEEN, wording.alternatives) for name, value in action.params}
    try:
        return sentence.format_map(values)
    except KeyError:
        return action.text


def encode_action(action: Action) -> str:
    """Return an action as JSON, with its English sentence."""
    return json.encode(replace(action, text=describe_action(action))).decode()


def decode_action(text: str) -> Action:
    """Return the action from its JSON; a text that is none is taken for the sentence itself."""
    try:
        return json.decode(text, type=Action)
    except (DecodeError, RecursionError):
        return Action(ActionCode.RECORDED, text=text)
