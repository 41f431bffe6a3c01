"""The sentences of the pages, in each language."""

from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.reasons.language import Language


class Text(Struct, frozen=True):
    """A title and paragraphs; `{name}`, `{until}`, `{when}` and `{by}` stand for what they say."""

    title: str
    paragraphs: tuple[str, ...] = ()


class Words(Struct, frozen=True):
    """The words of one language."""

    open: Text
    used: Text
    used_before: Text
    used_ended: Text
    used_revoked: Text
    too_late: Text
    too_late_used: Text
    deleted: Text
    cleared: Text
    expired: Text
    invalid: Text
    too_many: Text
    failed: Text
    facts: Mapping[str, str]
    """The labels of what is told about the notebook."""
    until: str
    choice: str
    """One length and its end."""
    days: Mapping[bool, str]
    """The label of a length in days; by whether it is one."""
    hours: str
    reason: str
    reason_hint: str
    keep: str
    problems: Mapping[str, str]
    """By the field that is wrong."""


ENGLISH = Words(
    open=Text(
        "Keep {name}?",
        (
            "nbsweep is going to delete this notebook with all its storage. Nothing brings it back.",
            "Choose how long you still need it, and say why. Nothing is changed before you press the button.",
        ),
    ),
    used=Text(
        "{name} is kept until {until}",
        ("After that, the rules count for it again: before it is deleted, you are told again, with time to act.",),
    ),
    used_before=Text(
        "{name} is kept until {until}",
        (
            "This link was used on {when}. It works once.",
            "After that time, the rules count for it again: before it is deleted, you are told again.",
            "Ask the people who run nbsweep if you need it for longer.",
        ),
    ),
    used_ended=Text(
        "{name} was kept until {until}",
        ("This link was used on {when}, and works once. Ask the people who run nbsweep if you still need the notebook.",),
    ),
    used_revoked=Text(
        "{name} is not kept any more",
        ("The exemption was revoked on {when} by {by}. Ask the people who run nbsweep if you still need the notebook.",),
    ),
    too_late=Text(
        "It is too late for {name}",
        ("Its deletion was requested on {when}, and cannot be called back. Ask the people who run nbsweep.",),
    ),
    too_late_used=Text(
        "It is too late for {name}",
        (
            "Its deletion was requested on {when}, before the link was used, and cannot be called back.",
            "Only if the cloud fails to delete it, it is kept until {until}.",
        ),
    ),
    deleted=Text("{name} was deleted", ("It was deleted with all its storage. Nothing brings it back.",)),
    cleared=Text(
        "{name} is no longer to be deleted",
        ("It was used, changed or protected since you were told. There is nothing to do.",),
    ),
    expired=Text(
        "This link has expired",
        (
            "Nothing was changed. Ask the people who run nbsweep for an exemption of {name}.",
            "A notebook that is started is not deleted either.",
        ),
    ),
    invalid=Text(
        "This link is not valid",
        (
            "Nothing was changed. Open the link exactly as it is in the message: it may have been cut at the end of a line.",
            "If that does not help, ask the people who run nbsweep for an exemption.",
            "A notebook that is started is not deleted either.",
        ),
    ),
    too_many=Text("Too many links that are not valid", ("Nothing was changed. Try again in a minute.",)),
    failed=Text(
        "Please try again later",
        ("Whether anything was changed is not certain, because the records cannot be reached. The link still works.",),
    ),
    facts={
        "name": "Notebook",
        "id": "ID",
        "owner": "Owner",
        "target": "Target",
        "deadline": "Deleted at the earliest",
        "reason": "Why",
    },
    until="Keep it",
    choice="{length}, until {end}",
    days={True: "{count} day", False: "{count} days"},
    hours="{count} hours",
    reason="Why you still need it",
    reason_hint="One line, for the record. The people who run nbsweep read it.",
    keep="Keep the notebook",
    problems={
        "until": "Choose until when you need the notebook.",
        "reason": "Say in one line of at most 500 characters why you still need the notebook.",
    },
)
CHINESE = Words(
    open=Text(
        "要保留 {name} 吗？",
        (
            "nbsweep 将删除这个 Notebook 及其全部存储，删除后无法恢复。",
            "请选择还需要保留多久，并说明原因。在您点击按钮之前，不会有任何改变。",
        ),
    ),
    used=Text("{name} 将保留至 {until}", ("此后规则重新生效：再次删除之前，会重新通知您，期限也重新计算。",)),
    used_before=Text(
        "{name} 将保留至 {until}",
        (
            "此链接已于 {when} 使用，只能使用一次。",
            "此后规则重新生效：再次删除之前，会重新通知您。",
            "如需保留更久，请联系 nbsweep 的管理员。",
        ),
    ),
    used_ended=Text("{name} 已保留至 {until}", ("此链接已于 {when} 使用，只能使用一次。如仍需要，请联系 nbsweep 的管理员。",)),
    used_revoked=Text("{name} 不再保留", ("该豁免已于 {when} 由 {by} 撤销。如仍需要，请联系 nbsweep 的管理员。",)),
    too_late=Text("{name} 已来不及保留", ("删除请求已于 {when} 发出，无法撤回。请联系 nbsweep 的管理员。",)),
    too_late_used=Text(
        "{name} 已来不及保留",
        ("删除请求已于 {when} 发出，早于此链接的使用，无法撤回。", "只有当云端删除失败时，它才会保留至 {until}。"),
    ),
    deleted=Text("{name} 已被删除", ("它及其全部存储已被删除，无法恢复。",)),
    cleared=Text("{name} 不会再被删除", ("通知之后它被使用、修改或受到保护。您无需任何操作。",)),
    expired=Text(
        "此链接已过期",
        ("没有任何改变。请向 nbsweep 的管理员申请 {name} 的豁免。", "启动后的 Notebook 也不会被删除。"),
    ),
    invalid=Text(
        "此链接无效",
        (
            "没有任何改变。请完整打开消息中的链接：它可能在行尾被截断。",
            "如仍无效，请向 nbsweep 的管理员申请豁免，或启动该 Notebook：正在使用的不会被删除。",
        ),
    ),
    too_many=Text("无效链接过多", ("没有任何改变。请一分钟后再试。",)),
    failed=Text("请稍后再试", ("暂时无法访问记录，无法确定是否已生效。此链接仍然有效。",)),
    facts={
        "name": "Notebook",
        "id": "ID",
        "owner": "所有者",
        "target": "目标",
        "deadline": "最早删除时间",
        "reason": "原因",
    },
    until="保留多久",
    choice="{length}，至 {end}",
    days={True: "{count} 天", False: "{count} 天"},
    hours="{count} 小时",
    reason="仍然需要的原因",
    reason_hint="请用一行文字说明，将记录在案，nbsweep 的管理员可以看到。",
    keep="保留此 Notebook",
    problems={
        "until": "请选择保留到什么时候。",
        "reason": "请用一行文字（不超过 500 个字符）说明仍然需要的原因。",
    },
)
WORDS: Mapping[Language, Words] = {Language.ENGLISH: ENGLISH, Language.CHINESE: CHINESE}
