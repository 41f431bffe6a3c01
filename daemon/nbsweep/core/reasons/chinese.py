"""The Chinese sentences of causes, for owners and pages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from nbsweep.core.reasons.chinese_findings import describe_age, describe_finding
from nbsweep.core.reasons.composing import Wording, compose
from nbsweep.core.reasons.model import Cause, CauseCode, Param
from nbsweep.core.reasons.sentences.untold import untold_in_chinese

SENTENCES: Mapping[CauseCode, str] = {
    CauseCode.POLICY_MATCHES: "符合策略 {rule}：{findings}",
    CauseCode.NO_POLICY: "不符合任何策略",
    CauseCode.PROTECTED: "受保护规则 {rule} 保护：{findings}",
    CauseCode.POLICY_UNKNOWN: "无法判断是否符合策略 {rule}：{findings}",
    CauseCode.PROTECTION_UNKNOWN: "无法判断保护规则 {rule} 是否适用：{findings}",
    CauseCode.RUNNING_SKIPPED: "符合策略 {rule}，但实例正在运行，而该策略设置为 running: skip",
    CauseCode.FROZEN_NOT_NAMED: "符合策略 {rule}，但实例处于 FROZEN 状态，而该策略的 status 未列出此状态",
    CauseCode.POLICY_NOT_CHOSEN: "符合策略 {rule}，但本次未选择该策略",
    CauseCode.NO_LONGER_MATCHES: "已不再符合策略 {rule}：{findings}",
    CauseCode.ALREADY_DELETED: "实例已被删除",
    CauseCode.IN_TRANSITION: "实例处于 {status} 状态，云平台正在变更该实例",
    CauseCode.MALFORMED: "无法读取实例的记录：{problem}",
    CauseCode.WORKSPACE_NOT_SHOWN: "云平台未返回实例的 workspace_id，而目标仅包含以下工作空间：{covered}",
    CauseCode.WORKSPACE_NOT_COVERED: "实例的 workspace_id 为 {workspace}，而目标仅包含以下工作空间：{covered}",
    CauseCode.OTHER_WORKSPACE: "实例位于工作空间 {workspace}，而查询的是工作空间 {asked}",
    CauseCode.FEATURE_NOT_SHOWN: "云平台未返回实例的 feature，而目标仅包含以下类型：{covered}",
    CauseCode.FEATURE_NOT_COVERED: "实例的 feature 为 {feature}，而目标仅包含以下类型：{covered}",
    CauseCode.OTHER_FEATURE: "实例的 feature 为 {feature}，而查询的是 {asked}",
    CauseCode.SEEN_IN_USE: "nbsweep 发出{order}请求后，实例曾处于 {status} 状态",
    CauseCode.FIELD_CHANGED: "nbsweep 发出{order}请求后，实例的{field}已变更",
    CauseCode.LEASE_CHANGED: "nbsweep 发出{order}请求后，实例的租约已变更",
    CauseCode.CHANGED_AFTER_ORDER: "nbsweep 的{order}操作结束后，实例又发生了变更",
    CauseCode.SLEPT_DURING_ORDER: "nbsweep 的{order}请求发送期间，本机曾休眠或调整过时钟",
    CauseCode.NOT_WATCHED: "nbsweep 发出{order}请求后，有一段时间未能观察该实例，且没有可据以判断其是否启动过的租约日期",
    CauseCode.RUNS_AGAIN: "实例再次处于运行状态，说明此后有用户启动了它（{because}）",
    CauseCode.DELETION_RETRIED: "{because}；此前的删除失败，现重试删除",
    CauseCode.EXCLUDED: "已由 {by} 排除",
    CauseCode.OVER_BRAKE: "符合策略 {rule}，但因超出刹车（brakes）的上限，已从计划中移除",
    CauseCode.COOLING_DOWN: "在 {until} 之前不再处理：其删除于 {failed_at} 失败{detail}",
    CauseCode.COOLING_DOWN_AGAIN: "在 {until} 之前不再处理：其删除已连续失败 {failures} 次，最近一次为 {failed_at}{detail}",
    CauseCode.EXEMPT: "豁免 {exemption}（{selector}），有效期至 {until}：{granted_for}",
    CauseCode.MAYBE_EXEMPT: (
        "豁免 {exemption}（{selector}），有效期至 {until}：{granted_for}。该豁免可能适用：缺少 {missing}，或仅形似而无法确认"
    ),
    CauseCode.UNANNOUNCED: "符合策略 {rule}；该策略要求提前 {notice_s}通知，而该实例尚未通知",
    CauseCode.UNANNOUNCED_IN_BUSINESS_DAYS: "符合策略 {rule}；该策略要求提前 {business_days} 个工作日通知，而该实例尚未通知",
    CauseCode.CHANGED_SINCE_MARK: "符合策略 {rule}；实例曾被标记，但此后发生了变化：{change}",
    CauseCode.USE_SINCE_MARK_UNKNOWN: "符合策略 {rule}；实例已被标记，但缺少 {missing}，无法判断此后是否使用过",
    CauseCode.CANNOT_BE_MARKED: "符合策略 {rule}；该策略要求提前通知，但缺少 {missing}，无法标记该实例",
    CauseCode.MARKED: "符合策略 {rule}；已于 {marked_at} 标记，尚未通知任何人",
    CauseCode.UNTOLD: "符合策略 {rule}；已于 {marked_at} 标记，未能通知：{untold}",
    CauseCode.TOLD_LATER: "符合策略 {rule}；已于 {marked_at} 标记，通知将重试：{untold}",
    CauseCode.CLOCK_NOT_VERIFIED: (
        "符合策略 {rule}；已于 {marked_at} 标记并通知，但当时未核对本机时钟，宽限期自下一次完整盘点起计算"
    ),
    CauseCode.NOTICE_STALE: "符合策略 {rule}；已于 {marked_at} 标记，但通知已过久，需重新通知",
    CauseCode.TOLD: "符合策略 {rule}；已通知，将于 {until} 到期",
    CauseCode.OUTSIDE_WINDOW: "符合策略 {rule}；下一个允许删除的时段始于 {opens}（{because}）",
    CauseCode.NO_WINDOW: "符合策略 {rule}；一年内没有允许删除的时段（{because}）",
    CauseCode.HELD_OUT: "符合策略 {rule}；该实例属于观察样本，为统计误删率保留至 {until}（{because}）",
    CauseCode.NO_LONGER_THERE: "已不存在：本次盘点未发现该实例",
    CauseCode.CUT_FROM_PLAN: "因超出刹车（brakes）的上限，已从本次计划中移除",
    CauseCode.NOT_LOOKED_AT: "未能查看工作空间 {workspace}（{feature}）：{problem}",
    CauseCode.ROW_UNREADABLE: "本次无法读取实例的记录：{problem}",
    CauseCode.STARTED_SINCE: "制定计划后又被启动：当时状态为 {before}，现为 {status}（{because}）",
    CauseCode.STARTED_WITHOUT_STOP: "制定计划后又被启动：当时状态为 {before}，而计划不允许停止该实例",
    CauseCode.CREATION_NOT_PLANNED: "计划中缺少实例的创建时间，无法证明是同一实例",
    CauseCode.CREATION_NOT_SHOWN: "本次缺少实例的创建时间，无法证明是同一实例",
    CauseCode.ANOTHER_NOTEBOOK: "该 ID 现属于另一实例：计划中的实例创建于 {planned_created_at}，当前实例创建于 {created_at}",
    CauseCode.RECORDED: "{text}",
}

ORDERS: Mapping[Param, str] = {"stop": "停止", "DELETE": "删除"}
FIELDS: Mapping[Param, str] = {
    "name": "名称",
    "description": "描述",
    "owner": "所有者",
    "flavor": "规格",
    "image": "镜像",
    "size": "存储容量",
    "tags": "标签",
}
CHANGES: Mapping[Param, str] = {
    "used": "实例已被使用或更新",
    "renewed": "租约已变更",
    "gone": "该 ID 现属于另一实例",
}


def describe(cause: Cause) -> str:
    """Return the sentence of a cause."""
    return compose(cause, WORDING)


def _moment(param: Param) -> str:
    return f"{datetime.fromisoformat(str(param)).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _second(param: Param) -> str:
    return f"{datetime.fromisoformat(str(param)).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _age(param: Param) -> str:
    return describe_age(timedelta(seconds=int(param)))


def _detail(param: Param) -> str:
    return f"（{param}）" if param else ""


WORDING = Wording(
    sentences=SENTENCES,
    params={
        "until": _moment,
        "opens": _moment,
        "failed_at": _moment,
        "marked_at": _moment,
        "planned_created_at": _second,
        "created_at": _second,
        "notice_s": _age,
        "order": lambda param: ORDERS.get(param, str(param)),
        "field": lambda param: FIELDS.get(param, str(param)),
        "change": lambda param: CHANGES.get(param, str(param)),
        "detail": _detail,
        "untold": lambda param: untold_in_chinese(str(param)),
        "of_notebook": "实例 {}".format,
        "of_owner": "所有者 {}".format,
        "of_name": "名称 {}".format,
    },
    finding=describe_finding,
    semicolon="；",
    comma="，",
)
