"""Why nobody can be told about a mark: the English sentences, which marks keep, and their Chinese ones.

A sentence is kept as text, because most of it may be the words of a mail server or of a robot. So it is recognised by its own
template, with which it was made; what is not recognised stays as it is.
"""

import re
from collections.abc import Mapping
from enum import StrEnum


class UntoldSentence(StrEnum):
    """The English sentences, with the names of their values in braces."""

    NOT_NAMED = "{file} does not name the owner"
    OWNER_UNKNOWN = "the owner is unknown"
    OWNER_NOT_SHOWN = "the cloud does not show who owns it"
    NAME_UNKNOWN = "the name of the owner is unknown"
    NO_ADDRESS_OF_NAME = "the name of the owner cannot be part of an address"
    UNRELIABLE_FILE = "{file} cannot be relied on: {why}"
    NO_TAG = "the notebook has no tag {tag}"
    TAG_IS_NO_ADDRESS = "the tag {tag} is no address"
    TAGS_UNREADABLE = "its tags, which may name a contact, cannot be read"
    IAM_ID_UNKNOWN = "the IAM id of the owner is unknown"
    NO_IAM = "no configured target has the notebook, so there is no IAM to ask"
    IAM_PAUSED = "IAM did not answer a moment ago"
    IAM_FORBIDDEN = "IAM does not allow it: grant {role}"
    IAM_SILENT = "IAM did not answer{status}"
    IAM_UNAUTHORIZED = "IAM does not accept the credentials{status}"
    IAM_UNUSABLE = "IAM gave no usable answer{status}"
    NO_IAM_USER = "IAM knows no such user"
    USER_DISABLED = "IAM says that the user is disabled"
    NO_IAM_ADDRESS = "IAM has no e-mail address of the user"
    BAD_IAM_ADDRESS = "what IAM has as the e-mail address of the user is no address"
    NO_PARTS = "owners names no part that knows owners"
    NO_FALLBACK = "owners has no fallback"
    BAD_FALLBACK = "it is neither an address nor a channel, and there is no file"
    CHANNEL_GONE = "channel {channel} is not configured"
    CHANNEL_OF_OWNERS = "channel {channel} needs an address, so it can only tell owners"


CHINESE: Mapping[UntoldSentence, str] = {
    UntoldSentence.NOT_NAMED: "{file} 中没有该所有者",
    UntoldSentence.OWNER_UNKNOWN: "所有者未知",
    UntoldSentence.OWNER_NOT_SHOWN: "云平台未返回其所有者",
    UntoldSentence.NAME_UNKNOWN: "所有者的名称未知",
    UntoldSentence.NO_ADDRESS_OF_NAME: "所有者的名称不能用作邮箱地址的一部分",
    UntoldSentence.UNRELIABLE_FILE: "{file} 不可信：{why}",
    UntoldSentence.NO_TAG: "实例没有标签 {tag}",
    UntoldSentence.TAG_IS_NO_ADDRESS: "标签 {tag} 的值不是邮箱地址",
    UntoldSentence.TAGS_UNREADABLE: "无法读取实例的标签，而其中可能有联系人",
    UntoldSentence.IAM_ID_UNKNOWN: "所有者的 IAM ID 未知",
    UntoldSentence.NO_IAM: "没有已配置的目标包含该实例，因此无法查询 IAM",
    UntoldSentence.IAM_PAUSED: "IAM 刚才未响应",
    UntoldSentence.IAM_FORBIDDEN: "IAM 不允许查询：请授予 {role}",
    UntoldSentence.IAM_SILENT: "IAM 未响应{status}",
    UntoldSentence.IAM_UNAUTHORIZED: "IAM 不接受凭据{status}",
    UntoldSentence.IAM_UNUSABLE: "IAM 的响应不可用{status}",
    UntoldSentence.NO_IAM_USER: "IAM 中没有该用户",
    UntoldSentence.USER_DISABLED: "IAM 显示该用户已停用",
    UntoldSentence.NO_IAM_ADDRESS: "IAM 中没有该用户的邮箱地址",
    UntoldSentence.BAD_IAM_ADDRESS: "IAM 中该用户的邮箱地址无效",
    UntoldSentence.NO_PARTS: "owners 中没有可查询所有者的来源",
    UntoldSentence.NO_FALLBACK: "owners 没有设置 fallback",
    UntoldSentence.BAD_FALLBACK: "它既不是邮箱地址也不是渠道，且没有文件",
    UntoldSentence.CHANNEL_GONE: "渠道 {channel} 未配置",
    UntoldSentence.CHANNEL_OF_OWNERS: "渠道 {channel} 需要收件地址，因此只能通知所有者",
}

BETWEEN = "; "
"""Between what several parts of the directory of owners say."""
PART = re.compile(r"(?P<part>[a-z]+): (?P<said>.+)")
"""What one part says, after its key."""


def _pattern(sentence: UntoldSentence) -> re.Pattern[str]:
    """Return the pattern of a sentence. The status of an answer is empty, or in parentheses."""
    values = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(sentence)).replace("(?P<status>.+)", r"(?P<status>( \(.+\))?)")
    return re.compile(values)


_PATTERNS = tuple((_pattern(sentence), CHINESE[sentence]) for sentence in UntoldSentence)


def untold_in_chinese(text: str) -> str:
    """Return why nobody can be told in Chinese; parts that are not recognised stay as they are."""
    said = list(map(_in_chinese, text.split(BETWEEN)))
    return "；".join(said) if said != text.split(BETWEEN) else text


def _in_chinese(said: str) -> str:
    part = PART.fullmatch(said)
    if part and (inner := _in_chinese(part["said"])) != part["said"]:
        return f"{part['part']}：{inner}"
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(said):
            return sentence.format_map(found.groupdict(default=""))
    return said
