"""The codes and sentences of requirements: what would have to change for a rule to have another result."""

from collections.abc import Mapping
from enum import StrEnum


class RequirementCode(StrEnum):
    """What a requirement says, apart from its parameters."""

    # A text. `names` are the parts: the texts that a rule names, one of which is enough.
    FIT = "fit"
    BE = "be"
    NOT_FIT = "not-fit"
    DIFFER = "differ"
    NAMED = "named"
    """A text that a rule names."""
    GROUP = "group"
    """A group of owners, with all of them."""
    LARGE_GROUP = "large-group"
    """A group of owners, with the first of them."""

    # A tag.
    SET_TAG = "set-tag"
    SET_FITTING_TAG = "set-fitting-tag"
    SET_TAG_TO = "set-tag-to"
    REMOVE_TAG = "remove-tag"
    REMOVE_TAG_OR_NOT_FIT = "remove-tag-or-not-fit"
    REMOVE_TAG_OR_DIFFER = "remove-tag-or-differ"

    # The volume and the lease.
    LARGER_VOLUME = "larger-volume"
    SMALLER_VOLUME = "smaller-volume"
    LEASE_ON = "lease-on"
    LEASE_OFF = "lease-off"

    # Lengths of time.
    NO_OLDER = "no-older"
    USED_LATELY = "used-lately"
    EXPIRED_LATELY = "expired-lately"
    OLDER = "older"
    IDLE_LONGER = "idle-longer"
    EXPIRED_LONGER = "expired-longer"
    GROW_OLDER = "grow-older"
    STAY_IDLE = "stay-idle"
    LEASE_STAYS = "lease-stays"

    # Around another requirement, which is `then`.
    AFTER_A_TIME = "after-a-time"
    """It is so by itself after some time."""
    SHOWN_FIRST = "shown-first"
    """The cloud has to show facts first."""
    REST_FIRST = "rest-first"
    LEASE_ON_FIRST = "lease-on-first"
    MORE_THAN_ALIKE = "more-than-alike"

    # The notebook, and what is granted and announced.
    OPERATION_ENDS = "operation-ends"
    STOPPED = "stopped"
    EXEMPTION_ENDS = "exemption-ends"
    HOLDOUT_ENDS = "holdout-ends"
    DEADLINE_PASSES = "deadline-passes"
    SHOWN = "shown"
    """The cloud has to show a fact."""
    NOTICE = "notice"
    """What has to happen first, which is `steps`, and then the grace has to pass."""
    NOTICE_IN_BUSINESS_DAYS = "notice-in-business-days"
    MARKED = "marked"
    SURVEYS_AGREE = "surveys-agree"
    OWNER_TOLD = "owner-told"
    OTHERS_TOLD = "others-told"

    # A rule.
    PROTECTION_STOPS = "protection-stops"
    POLICY_MATCHES = "policy-matches"
    POLICY_GIVES_NOTICE = "policy-gives-notice"
    EARLIER_POLICY_STOPS = "earlier-policy-stops"
    WINDOW = "window"
    NEXT_WINDOW = "next-window"
    SAYS_STOP = "says-stop"
    NAMES_STATUS = "names-status"


ENGLISH: Mapping[str, str] = {
    RequirementCode.FIT: "{key} would have to fit {names}",
    RequirementCode.BE: "{key} would have to be {names}",
    RequirementCode.NOT_FIT: "{key} would have to not fit {names}",
    RequirementCode.DIFFER: "{key} would have to be other than {names}",
    RequirementCode.NAMED: "{named}",
    RequirementCode.GROUP: "{group} ({owners})",
    RequirementCode.LARGE_GROUP: "{group} ({owners}, {more} more)",
    RequirementCode.SET_TAG: "tag {tag} would have to be set",
    RequirementCode.SET_FITTING_TAG: "tag {tag} would have to be set, and fit {names}",
    RequirementCode.SET_TAG_TO: "tag {tag} would have to be set, and be {names}",
    RequirementCode.REMOVE_TAG: "tag {tag} would have to be removed",
    RequirementCode.REMOVE_TAG_OR_NOT_FIT: "tag {tag} would have to be removed, or not fit {names}",
    RequirementCode.REMOVE_TAG_OR_DIFFER: "tag {tag} would have to be removed, or be other than {names}",
    RequirementCode.LARGER_VOLUME: "the volume would have to have more than {size_gb} GB",
    RequirementCode.SMALLER_VOLUME: "the volume would have to have {size_gb} GB or less",
    RequirementCode.LEASE_ON: "the lease would have to be switched on",
    RequirementCode.LEASE_OFF: "the lease would have to be switched off",
    RequirementCode.NO_OLDER: "it would have to be no older than {limit_s}",
    RequirementCode.USED_LATELY: "a user would have to have used it within the last {limit_s}",
    RequirementCode.EXPIRED_LATELY: "its lease would have to have expired no longer than {limit_s} ago",
    RequirementCode.OLDER: "it would have to be older than {limit_s}",
    RequirementCode.IDLE_LONGER: "it would have to be idle for more than {limit_s}",
    RequirementCode.EXPIRED_LONGER: "its lease would have to have expired more than {limit_s} ago",
    RequirementCode.GROW_OLDER: "it would have to grow older for another {left_s}, until {at}",
    RequirementCode.STAY_IDLE: "it would have to stay idle for another {left_s}, until {at}",
    RequirementCode.LEASE_STAYS: "its lease would have to stay as it is for another {left_s}, until {at}",
    RequirementCode.AFTER_A_TIME: "{then}, as it will count after {at}",
    RequirementCode.SHOWN_FIRST: "the cloud would have to show {missing}, and then: {then}",
    RequirementCode.REST_FIRST: "it would have to come to rest, and then: {then}",
    RequirementCode.LEASE_ON_FIRST: "its lease would have to be switched on, and then: {then}",
    RequirementCode.MORE_THAN_ALIKE: "{then}, and not only look similar",
    RequirementCode.OPERATION_ENDS: "the cloud would have to finish its operation: it is {status}",
    RequirementCode.STOPPED: "it would have to be stopped",
    RequirementCode.EXEMPTION_ENDS: "exemption {exemption} would have to end, as it will at {at}, or to be revoked",
    RequirementCode.HOLDOUT_ENDS: "its holdout would have to end, as it will at {at}",
    RequirementCode.DEADLINE_PASSES: "the deadline that its owner was told would have to pass: {at}",
    RequirementCode.SHOWN: "the cloud would have to show {missing}",
    RequirementCode.NOTICE: "{steps}, and after that {grace_s} would have to pass",
    RequirementCode.NOTICE_IN_BUSINESS_DAYS: "{steps}, and after that {business_days} would have to pass",
    RequirementCode.MARKED: "it would have to be marked",
    RequirementCode.SURVEYS_AGREE: "{surveys} would have to agree",
    RequirementCode.OWNER_TOLD: "its owner would have to be told",
    RequirementCode.OTHERS_TOLD: "{recipients} would have to be told",
    RequirementCode.PROTECTION_STOPS: "protection {rule} would have to stop matching",
    RequirementCode.POLICY_MATCHES: "policy {rule} would have to match",
    RequirementCode.POLICY_GIVES_NOTICE: "policy {rule} matches, and gives notice",
    RequirementCode.EARLIER_POLICY_STOPS: "policy {rule}, which keeps it and comes before, would have to stop matching",
    RequirementCode.WINDOW: "a window of policy {rule} would have to open",
    RequirementCode.NEXT_WINDOW: "a window of policy {rule} would have to open, as the next one does at {at}",
    RequirementCode.SAYS_STOP: "policy {rule} would have to say running: stop",
    RequirementCode.NAMES_STATUS: "policy {rule} would have to name {status} in status",
}
CHINESE: Mapping[str, str] = {
    RequirementCode.FIT: "{key}需匹配 {names}",
    RequirementCode.BE: "{key}需为 {names}",
    RequirementCode.NOT_FIT: "{key}需不匹配 {names}",
    RequirementCode.DIFFER: "{key}需不是 {names}",
    RequirementCode.NAMED: "{named}",
    RequirementCode.GROUP: "{group}（{owners}）",
    RequirementCode.LARGE_GROUP: "{group}（{owners}，另有 {more} 个）",
    RequirementCode.SET_TAG: "需设置标签 {tag}",
    RequirementCode.SET_FITTING_TAG: "需设置标签 {tag}，且值匹配 {names}",
    RequirementCode.SET_TAG_TO: "需设置标签 {tag}，且值为 {names}",
    RequirementCode.REMOVE_TAG: "需移除标签 {tag}",
    RequirementCode.REMOVE_TAG_OR_NOT_FIT: "需移除标签 {tag}，或使其值不匹配 {names}",
    RequirementCode.REMOVE_TAG_OR_DIFFER: "需移除标签 {tag}，或使其值不是 {names}",
    RequirementCode.LARGER_VOLUME: "存储容量需超过 {size_gb} GB",
    RequirementCode.SMALLER_VOLUME: "存储容量需不超过 {size_gb} GB",
    RequirementCode.LEASE_ON: "需启用租约",
    RequirementCode.LEASE_OFF: "需停用租约",
    RequirementCode.NO_OLDER: "存续时长需不超过 {limit_s}",
    RequirementCode.USED_LATELY: "需有用户在最近 {limit_s}内使用过",
    RequirementCode.EXPIRED_LATELY: "租约过期时长需不超过 {limit_s}",
    RequirementCode.OLDER: "存续时长需超过 {limit_s}",
    RequirementCode.IDLE_LONGER: "闲置时长需超过 {limit_s}",
    RequirementCode.EXPIRED_LONGER: "租约过期时长需超过 {limit_s}",
    RequirementCode.GROW_OLDER: "还需再存续 {left_s}，直到 {at}",
    RequirementCode.STAY_IDLE: "还需继续闲置 {left_s}，直到 {at}",
    RequirementCode.LEASE_STAYS: "租约还需保持不变 {left_s}，直到 {at}",
    RequirementCode.AFTER_A_TIME: "{then}，{at} 之后将按此计算",
    RequirementCode.SHOWN_FIRST: "云平台需先返回 {missing}，然后：{then}",
    RequirementCode.REST_FIRST: "实例需先停下来，不再运行或变更，然后：{then}",
    RequirementCode.LEASE_ON_FIRST: "需先启用租约，然后：{then}",
    RequirementCode.MORE_THAN_ALIKE: "{then}，而不只是形似",
    RequirementCode.OPERATION_ENDS: "云平台需先完成当前操作：实例处于 {status} 状态",
    RequirementCode.STOPPED: "需停止该实例",
    RequirementCode.EXEMPTION_ENDS: "豁免 {exemption} 需到期（{at}）或被撤销",
    RequirementCode.HOLDOUT_ENDS: "作为观察样本的保留期需结束，即 {at} 之后",
    RequirementCode.DEADLINE_PASSES: "需等到已通知所有者的期限：{at}",
    RequirementCode.SHOWN: "云平台需返回 {missing}",
    RequirementCode.NOTICE: "{steps}，此后还需经过 {grace_s}",
    RequirementCode.NOTICE_IN_BUSINESS_DAYS: "{steps}，此后还需经过 {business_days} 个工作日",
    RequirementCode.MARKED: "需先标记该实例",
    RequirementCode.SURVEYS_AGREE: "还需 {surveys} 次完整盘点得出相同结果",
    RequirementCode.OWNER_TOLD: "需通知所有者",
    RequirementCode.OTHERS_TOLD: "需通知 {recipients}",
    RequirementCode.PROTECTION_STOPS: "保护规则 {rule} 需不再匹配",
    RequirementCode.POLICY_MATCHES: "需符合策略 {rule}",
    RequirementCode.POLICY_GIVES_NOTICE: "符合策略 {rule}，而该策略要求提前通知",
    RequirementCode.EARLIER_POLICY_STOPS: "排在前面且保留该实例的策略 {rule} 需不再匹配",
    RequirementCode.WINDOW: "策略 {rule} 允许删除的时段需开始",
    RequirementCode.NEXT_WINDOW: "策略 {rule} 允许删除的时段需开始，下一个始于 {at}",
    RequirementCode.SAYS_STOP: "策略 {rule} 需设置 running: stop",
    RequirementCode.NAMES_STATUS: "策略 {rule} 的 status 需列出 {status}",
}
