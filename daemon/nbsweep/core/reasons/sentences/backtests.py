"""The codes and sentences of back-tests: what their figures assume, and what limits them."""

from collections.abc import Mapping
from enum import StrEnum


class BacktestCode(StrEnum):
    """What is assumed, apart from its parameters."""

    SHORT_PAST = "short-past"
    """No notebook can have stayed idle for the whole horizon, so that the rate has no base."""
    REALLY_ORDERED = "really-ordered"
    PLANS_REFUSED = "plans-refused"
    EVERYBODY_TOLD = "everybody-told"
    INCOMPLETE_SURVEYS = "incomplete-surveys"
    LATER_SURVEYS = "later-surveys"
    UNREADABLE_STATES = "unreadable-states"
    MISSING_FACTS = "missing-facts"
    CAME_BACK = "came-back"
    AS_A_SWEEP = "as-a-sweep"


ENGLISH: Mapping[str, str] = {
    BacktestCode.SHORT_PAST: (
        "The surveys cover {covered_s}, less than the horizon of {horizon_s}. Only early returns and removals can be judged, "
        "so the rate means nothing: use a shorter --horizon, or record for longer."
    ),
    BacktestCode.REALLY_ORDERED: (
        "{notebooks} really got an order of nbsweep in this time. Nobody can come back to a notebook that was deleted: it is "
        "not judged, and it is not there for other rules. A past of dry runs shows more."
    ),
    BacktestCode.PLANS_REFUSED: (
        "brakes.{brake} refused the plans of {count} of {total} surveys: nothing is deleted at those."
    ),
    BacktestCode.EVERYBODY_TOLD: (
        "Every owner of a notebook with grace is told, a minute after the survey that announces the deletion. In reality, "
        "unless_told: keep keeps the notebook of an owner who cannot be told; and a notice brings owners back whom nobody had "
        "told in the past."
    ),
    BacktestCode.INCOMPLETE_SURVEYS: "{past_surveys} did not show every notebook: nothing is planned on those.",
    BacktestCode.LATER_SURVEYS: "{past_surveys} had a time later than that of a following one: nothing is planned on those.",
    BacktestCode.UNREADABLE_STATES: (
        "{count} recorded states have no facts that this version of nbsweep can read: those notebooks are kept."
    ),
    BacktestCode.MISSING_FACTS: "{kept_notebooks} kept because the inventory lacks a fact that the rules ask for.",
    BacktestCode.CAME_BACK: (
        "Came back: within {horizon_s} the notebook was used, its lease was renewed, it was kept by a tag, a name or an "
        "exemption, renamed, or given to another owner. Later returns are not counted."
    ),
    BacktestCode.AS_A_SWEEP: (
        "A sweep takes place at each recorded survey, and its deletions succeed at once. Each notebook counts at its first "
        "deletion."
    ),
}
CHINESE: Mapping[str, str] = {
    BacktestCode.SHORT_PAST: (
        "盘点只覆盖 {covered_s}，短于期限（horizon）{horizon_s}。只能判断较早的返回使用和移除，因此后悔率没有意义："
        "请缩短期限，或继续记录更长的时间。"
    ),
    BacktestCode.REALLY_ORDERED: (
        "这段时间内，{notebooks} 个 Notebook 实际收到了 nbsweep 的停止或删除请求。没有人能返回使用已删除的 Notebook："
        "它无法判断，其他规则也看不到它。演练的历史能说明更多。"
    ),
    BacktestCode.PLANS_REFUSED: "brakes.{brake} 拒绝了 {total} 次盘点中 {count} 次的计划：这些盘点不删除任何内容。",
    BacktestCode.EVERYBODY_TOLD: (
        "假定每个有宽限期的 Notebook 的所有者都会在预告删除的盘点一分钟后得到通知。实际上，unless_told: keep "
        "会保留无法通知其所有者的 Notebook；而通知也会让过去从未被通知的所有者返回使用。"
    ),
    BacktestCode.INCOMPLETE_SURVEYS: "{past_surveys} 次盘点未看到全部 Notebook：不据此制定计划。",
    BacktestCode.LATER_SURVEYS: "{past_surveys} 次盘点的时间晚于其后的盘点：不据此制定计划。",
    BacktestCode.UNREADABLE_STATES: "{count} 个记录的状态不含此版本 nbsweep 可读取的事实：这些 Notebook 予以保留。",
    BacktestCode.MISSING_FACTS: "{kept_notebooks} 个 Notebook 因记录中缺少规则所需的事实而保留。",
    BacktestCode.CAME_BACK: (
        "返回使用：{horizon_s}内，Notebook 被使用、续期，因标签、名称或豁免而保留，被重命名，或转给其他所有者。"
        "更晚的返回不计入。"
    ),
    BacktestCode.AS_A_SWEEP: "假定每次记录的盘点都进行一次清理，且其删除立即成功。每个 Notebook 以其首次删除计一次。",
}
