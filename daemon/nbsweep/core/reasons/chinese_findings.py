"""The Chinese words for findings and lengths of time. Texts of notebooks and rules, statuses too, stay as they are."""

from collections.abc import Mapping
from datetime import timedelta

from nbsweep.core.facts import age_units
from nbsweep.core.reasons.finding import Difference, FactWord, Finding, MixedFact, Piece, Truth

UNITS: Mapping[str, str] = {"d": "天", "h": "小时", "m": "分钟", "s": "秒"}
TAG = "tags."

NOUNS: Mapping[str, str] = {
    "status": "状态",
    "feature": "类型",
    "features": "类型",
    "workspaces": "工作空间",
    "name": "名称",
    "owner": "所有者",
    "workspace": "工作空间",
    "flavor": "规格",
    "pool": "资源池",
    "image": "镜像",
    "fail_reason": "失败原因",
    "billing": "计费项",
    "volume.category": "存储类型",
    "volume.ownership": "存储归属",
    "volume.capacity_over": "存储容量",
    "age_over": "存续时长",
    "idle_over": "闲置时长",
    "lease_expired_over": "租约过期时长",
    "lease.enabled": "租约启用",
    "lease.type": "租约类型",
}
GROUPS: Mapping[str, str] = {"any": "满足任一", "not": "不满足"}
DENIALS: Mapping[str, str] = {"any": "均不满足", "all": "未同时满足"}
"""The words for a group inside a `not`."""

WORDS: Mapping[FactWord, str] = {
    FactWord.MISSING: "（缺失）",
    FactWord.NONE: "无",
    FactWord.NOT_SET: "未设置",
    FactWord.NOT_SHOWN: "（值未显示）",
    FactWord.EMPTY: "（空）",
    FactWord.NO_LEASE: "无，未启用租约",
}


def describe_age(age: timedelta) -> str:
    """Return a length of time in its two largest units: ``375 天 12 小时``."""
    words = " ".join(f"{amount} {UNITS[unit]}" for amount, unit in age_units(age))
    return f"-{words}" if int(age.total_seconds()) < 0 else words


def describe_finding(finding: Finding) -> str:
    """Return a finding: the condition, the fact and the threshold."""
    if finding.denied:
        return _denial(finding.denied)
    if finding.parts:
        inner = "，".join(map(describe_finding, finding.parts))
        return inner if finding.condition == "all" else f"{GROUPS.get(finding.condition, finding.condition)}（{inner}）"
    noun = _noun(finding.condition)
    if finding.fact is None:
        return f"信息缺失：{noun}（{_wanted(finding)}）"
    fact = _fact(finding, finding.fact)
    shown = _shown(noun, fact)
    return shown if finding.fact in finding.alternatives else f"{shown}（{_wanted(finding)}）"


def _denial(finding: Finding) -> str:
    """Return the words for `not` this finding."""
    if finding.condition == "not":
        return f"{GROUPS['not']}（{describe_finding(finding)}）"
    if finding.parts:
        return f"{DENIALS[finding.condition]}（{'，'.join(map(describe_finding, finding.parts))}）"
    noun = _noun(finding.condition)
    if finding.fact is None:
        return f"信息缺失：{noun}（{_unwanted(finding)}）"
    return f"{_shown(noun, _fact(finding, finding.fact))}（{_unwanted(finding)}）"


def _unwanted(finding: Finding) -> str:
    """Return the threshold of a condition that must not pass; as a requirement, unless it is met."""
    is_met = finding.truth is Truth.FAIL
    if finding.limit is not None:
        return f"{'未' if is_met else '要求不'}超过 {describe_age(finding.limit)}"
    if finding.limit_gb is not None:
        return f"{'未' if is_met else '要求不'}超过 {finding.limit_gb} GB"
    return f"{'不匹配' if is_met else '要求不是'} {' 或 '.join(finding.alternatives) or finding.threshold}"


def _shown(noun: str, fact: str) -> str:
    return f"{noun}{'' if fact.startswith('（') else ' '}{fact}"


def _noun(condition: str) -> str:
    if condition.startswith(TAG):
        return f"标签 {condition.removeprefix(TAG)}"
    return NOUNS.get(condition, condition)


def _wanted(finding: Finding) -> str:
    """Return the threshold; for a condition that does not pass, as something that the rule requires."""
    passes = finding.truth is Truth.PASS
    if finding.limit is not None:
        return f"{'' if passes else '要求'}超过 {describe_age(finding.limit)}"
    if finding.limit_gb is not None:
        return f"{'' if passes else '要求'}超过 {finding.limit_gb} GB"
    return f"{'匹配' if passes else '要求'} {' 或 '.join(finding.alternatives) or finding.threshold}"


def _fact(finding: Finding, fact: str) -> str:
    if finding.age is not None:
        return describe_age(finding.age)
    if finding.mixed is None or any(piece.word is FactWord.OTHER for piece in finding.mixed.pieces):
        return fact
    return _mixed(finding.mixed)


def _mixed(fact: MixedFact) -> str:
    shown = " / ".join(map(_piece, fact.pieces))
    if not fact.like:
        return shown
    return f"{shown}（与 {fact.like} 相似但不同：{'、'.join(map(_difference, fact.differences))}）"


def _piece(piece: Piece) -> str:
    return piece.text if piece.word is None else f"{piece.text}{WORDS[piece.word]}"


def _difference(difference: Difference) -> str:
    if not difference.character:
        return "大小写或空格"
    return f"{'规则中' if difference.in_rule else '实例中'}的 {difference.character}"
