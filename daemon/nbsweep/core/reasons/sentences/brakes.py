"""The codes and sentences of brakes: why they refuse a plan, what they cut from it, and what they look at."""

from collections.abc import Mapping
from enum import StrEnum


class BrakeCode(StrEnum):
    """What a brake says, apart from its parameters."""

    # Why a plan is refused, or a sweep is stopped.
    INCOMPLETE_SURVEY = "incomplete-survey"
    CLOCK_UNKNOWN = "clock-unknown"
    CLOCK_AHEAD = "clock-ahead"
    CLOCK_BEHIND = "clock-behind"
    FLEET_DROP = "fleet-drop"
    FLEET_DROP_BESIDES_OURS = "fleet-drop-besides-ours"
    """The fleet is smaller than nbsweep's own deletions explain."""
    MAX_DELETIONS = "max-deletions"
    MAX_SHARE = "max-share"
    MAX_PER_OWNER = "max-per-owner"
    MAX_PER_OWNER_AGAIN = "max-per-owner-again"
    """Other owners have too many notebooks, too."""
    MAX_PER_DAY = "max-per-day"
    MAX_FAILURES = "max-failures"
    NOT_ANNOUNCED = "not-announced"
    """What it means for new marks, after the reason."""

    # What could not be read.
    WORKSPACES_HIDDEN = "workspaces-hidden"
    ROWS_UNREADABLE = "rows-unreadable"

    # What was cut from a plan. `clauses` are the brakes that cut it.
    TRIMMED = "trimmed"
    TRIMMED_TO_NOTHING = "trimmed-to-nothing"
    CUT_BY_DELETIONS = "cut-by-deletions"
    CUT_BY_SHARE = "cut-by-share"
    CUT_BY_OWNER = "cut-by-owner"
    CUT_BY_DAY = "cut-by-day"

    # What a brake looks at.
    PLANNED_LAST = "planned-last"
    SHARE_LAST = "share-last"
    REQUESTED_TODAY = "requested-today"
    FLEET_EXPECTED = "fleet-expected"

    ALL_OF = "all-of"
    """The sentences that it contains, one after the other."""


ENGLISH: Mapping[str, str] = {
    BrakeCode.INCOMPLETE_SURVEY: "the survey did not see everything: {gaps}",
    BrakeCode.CLOCK_UNKNOWN: (
        "no answer of the cloud says what time it is there, so that this machine's clock cannot be checked, and no age can be "
        "trusted. Make sure that every proxy between this machine and the cloud passes on the Date header of the answers, and "
        "run again"
    ),
    BrakeCode.CLOCK_AHEAD: (
        "this machine's clock is {far_s} ahead of the cloud's, or has just been set or stood still, so that no age can be "
        "trusted. Set it from the network (NTP), and run again"
    ),
    BrakeCode.CLOCK_BEHIND: (
        "this machine's clock is {far_s} behind the cloud's, or has just been set or stood still, so that no age can be "
        "trusted. Set it from the network (NTP), and run again"
    ),
    BrakeCode.FLEET_DROP: (
        "{fleet} notebooks are seen, and after run {run} there were {left}: the fleet has fallen by more than "
        "brakes.max_fleet_drop allows ({limit}). Look whether workspaces, features, scope or permissions hide the others. If "
        "they are really gone, run once with brakes.max_fleet_drop: null (a dry run will do): the next run is then compared "
        "with that one"
    ),
    BrakeCode.FLEET_DROP_BESIDES_OURS: (
        "{fleet} notebooks are seen, and after run {run} there were {left} ({before}, of which nbsweep has deleted {deleted} "
        "since): the fleet has fallen by more than brakes.max_fleet_drop allows ({limit}). Look whether workspaces, features, "
        "scope or permissions hide the others. If they are really gone, run once with brakes.max_fleet_drop: null (a dry run "
        "will do): the next run is then compared with that one"
    ),
    BrakeCode.MAX_DELETIONS: (
        "{count} notebooks would go, and brakes.max_deletions allows {allowed}. Narrow the policies, raise the brake, or set "
        "brakes.on_excess: trim"
    ),
    BrakeCode.MAX_SHARE: (
        "{count} of {fleet} notebooks would go, and brakes.max_share allows {allowed} ({limit}). Narrow the policies, raise "
        "the brake, or set brakes.on_excess: trim"
    ),
    BrakeCode.MAX_PER_OWNER: "{count} notebooks of {owner} would go, and brakes.max_per_owner allows {allowed} of one owner",
    BrakeCode.MAX_PER_OWNER_AGAIN: (
        "{count} notebooks of {owner} would go, and brakes.max_per_owner allows {allowed} of one owner; {others} too many, too"
    ),
    BrakeCode.MAX_PER_DAY: (
        "{count} notebooks would go, and {requested} were requested in the last 24 hours; brakes.max_per_day allows {allowed} "
        "in all. Wait, narrow the policies, raise the brake, or set brakes.on_excess: trim"
    ),
    BrakeCode.MAX_FAILURES: (
        "of {begun} removals that were begun {failed} have failed or timed out, and brakes.max_failures allows {limit}: no "
        "more are begun. See to their causes, or raise the brake, and run again"
    ),
    BrakeCode.NOT_ANNOUNCED: (
        "Until then no further notebook is announced, neither now nor in a later sweep; with brakes.on_excess: trim, the "
        "longest idle are announced first"
    ),
    BrakeCode.WORKSPACES_HIDDEN: "{hidden} could not be listed: {workspaces}",
    BrakeCode.ROWS_UNREADABLE: "{count} of {fleet} notebooks cannot be read, and are kept: {problem}",
    BrakeCode.TRIMMED: "{count} of {total} left out, the longest idle go first: {clauses}",
    BrakeCode.TRIMMED_TO_NOTHING: "all {count} left out: {clauses}",
    BrakeCode.CUT_BY_DELETIONS: "{count} by brakes.max_deletions, which allows {allowed}",
    BrakeCode.CUT_BY_SHARE: "{count} by brakes.max_share, which allows {allowed} ({limit} of {fleet})",
    BrakeCode.CUT_BY_OWNER: "{count} by brakes.max_per_owner, which allows {allowed} of one owner",
    BrakeCode.CUT_BY_DAY: (
        "{count} by brakes.max_per_day, which allows {allowed}, and {requested} were requested in the last 24 hours"
    ),
    BrakeCode.PLANNED_LAST: "{planned} at the last sweep",
    BrakeCode.SHARE_LAST: "{planned} of {fleet} at the last sweep",
    BrakeCode.REQUESTED_TODAY: "{requested} within the last day",
    BrakeCode.FLEET_EXPECTED: "{left} expected after run {run}",
    BrakeCode.ALL_OF: "{sentences}",
}
CHINESE: Mapping[str, str] = {
    BrakeCode.INCOMPLETE_SURVEY: "盘点未看到全部 Notebook：{gaps}",
    BrakeCode.CLOCK_UNKNOWN: (
        "云平台的响应均未给出其时间，无法核对本机时钟，因此任何时长都不可信。"
        "请确认本机与云平台之间的每个代理都会转发响应的 Date 标头，然后重新运行"
    ),
    BrakeCode.CLOCK_AHEAD: (
        "本机时钟比云平台快 {far_s}，或刚被调整过、停止过，因此任何时长都不可信。请通过网络（NTP）校时，然后重新运行"
    ),
    BrakeCode.CLOCK_BEHIND: (
        "本机时钟比云平台慢 {far_s}，或刚被调整过、停止过，因此任何时长都不可信。请通过网络（NTP）校时，然后重新运行"
    ),
    BrakeCode.FLEET_DROP: (
        "本次看到 {fleet} 个 Notebook，而运行 {run} 之后有 {left} 个：减少的数量超过 brakes.max_fleet_drop 的上限"
        "（{limit}）。请检查其余的是否因 workspaces、features、scope 或权限而未显示。如果确实已不存在，请以 "
        "brakes.max_fleet_drop: null 运行一次（演练即可）：下次运行将与该次比较"
    ),
    BrakeCode.FLEET_DROP_BESIDES_OURS: (
        "本次看到 {fleet} 个 Notebook，而运行 {run} 之后有 {left} 个（{before} 个，其中 {deleted} 个已被 nbsweep 删除）："
        "减少的数量超过 brakes.max_fleet_drop 的上限（{limit}）。请检查其余的是否因 workspaces、features、scope 或权限而"
        "未显示。如果确实已不存在，请以 brakes.max_fleet_drop: null 运行一次（演练即可）：下次运行将与该次比较"
    ),
    BrakeCode.MAX_DELETIONS: (
        "将删除 {count} 个 Notebook，而 brakes.max_deletions 最多允许 {allowed} 个。"
        "请缩小策略范围、提高此上限，或设置 brakes.on_excess: trim"
    ),
    BrakeCode.MAX_SHARE: (
        "将删除 {fleet} 个 Notebook 中的 {count} 个，而 brakes.max_share 最多允许 {allowed} 个（{limit}）。"
        "请缩小策略范围、提高此上限，或设置 brakes.on_excess: trim"
    ),
    BrakeCode.MAX_PER_OWNER: "将删除 {owner} 的 {count} 个 Notebook，而 brakes.max_per_owner 允许每位所有者最多 {allowed} 个",
    BrakeCode.MAX_PER_OWNER_AGAIN: (
        "将删除 {owner} 的 {count} 个 Notebook，而 brakes.max_per_owner 允许每位所有者最多 {allowed} 个；"
        "另有 {others} 位所有者也超出上限"
    ),
    BrakeCode.MAX_PER_DAY: (
        "将删除 {count} 个 Notebook，而最近 24 小时内已请求删除 {requested} 个；brakes.max_per_day 最多允许共 {allowed} 个。"
        "请稍候、缩小策略范围、提高此上限，或设置 brakes.on_excess: trim"
    ),
    BrakeCode.MAX_FAILURES: (
        "已开始的 {begun} 次删除中有 {failed} 次失败或超时，而 brakes.max_failures 最多允许 {limit}：不再开始新的删除。"
        "请处理失败的原因或提高此上限，然后重新运行"
    ),
    BrakeCode.NOT_ANNOUNCED: (
        "在此之前不会再通知任何 Notebook，本次和以后的清理都不会；如果设置 brakes.on_excess: trim，则先通知闲置最久的"
    ),
    BrakeCode.WORKSPACES_HIDDEN: "无法列出 {hidden} 个工作空间：{workspaces}",
    BrakeCode.ROWS_UNREADABLE: "{fleet} 个 Notebook 中有 {count} 个的记录无法读取，因此予以保留：{problem}",
    BrakeCode.TRIMMED: "{total} 个中有 {count} 个被移出计划，闲置最久的优先删除：{clauses}",
    BrakeCode.TRIMMED_TO_NOTHING: "全部 {count} 个都被移出计划：{clauses}",
    BrakeCode.CUT_BY_DELETIONS: "{count} 个因 brakes.max_deletions，最多允许 {allowed} 个",
    BrakeCode.CUT_BY_SHARE: "{count} 个因 brakes.max_share，最多允许 {allowed} 个（{fleet} 个的 {limit}）",
    BrakeCode.CUT_BY_OWNER: "{count} 个因 brakes.max_per_owner，每位所有者最多允许 {allowed} 个",
    BrakeCode.CUT_BY_DAY: "{count} 个因 brakes.max_per_day，最多允许 {allowed} 个，而最近 24 小时内已请求删除 {requested} 个",
    BrakeCode.PLANNED_LAST: "最近一次清理计划删除 {planned} 个",
    BrakeCode.SHARE_LAST: "最近一次清理计划删除 {fleet} 个中的 {planned} 个",
    BrakeCode.REQUESTED_TODAY: "最近一天内已请求删除 {requested} 个",
    BrakeCode.FLEET_EXPECTED: "运行 {run} 之后应有 {left} 个",
    BrakeCode.ALL_OF: "{sentences}",
}
