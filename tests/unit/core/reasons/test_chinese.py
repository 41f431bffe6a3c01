"""Findings in Chinese, for examples that people meet."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import ago, moment, notebook, over, policy, rules, tag, text
from nbsweep.core.matching.conditions import AnyOf, CapacityOver, Condition, LeaseEnabled, Not
from nbsweep.core.model import Lease, Status
from nbsweep.core.policy import judge
from nbsweep.core.reasons.finding import FactWord, Finding, MixedFact, Piece, Truth
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Cause, CauseCode
from nbsweep.core.reasons.render import render, render_age, render_finding

STOPPED = text("status", "STOPPED")


@pytest.mark.parametrize(
    ("condition", "changes", "words"),
    [
        (STOPPED, {}, "状态 STOPPED"),
        (
            over("idle", days=14),
            {"updated_at": ago(days=375, hours=12), "lease": None},
            "闲置时长 375 天 12 小时（超过 14 天）",
        ),
        (over("idle", days=14), {"updated_at": ago(days=2), "lease": None}, "闲置时长 2 天（要求超过 14 天）"),
        (over("age", days=180), {"created_at": None}, "信息缺失：存续时长（要求超过 180 天）"),
        (over("lease_expired", days=1), {"lease": Lease(enabled=False)}, "租约过期时长 无，未启用租约（要求超过 1 天）"),
        (text("name", "prod-*"), {"name": "prod-7"}, "名称 prod-7（匹配 prod-*）"),
        (text("name", "prod-*", "keep-*"), {"name": "exp"}, "名称 exp（要求 prod-* 或 keep-*）"),
        (
            text("name", "prod-*"),
            {"name": "Prod\u20117"},
            "名称 Prod\u20117（与 prod-* 相似但不同：实例中的 U+2011 NON-BREAKING HYPHEN）（要求 prod-*）",
        ),
        (text("pool", "gpu"), {"pool": None, "listed": False}, "资源池 无（要求 gpu）"),
        (tag("keep", "*"), {"tags": {}}, "标签 keep 未设置（要求 *）"),
        (tag("keep", "*"), {"tags": None}, "信息缺失：标签 keep（要求 *）"),
        (tag("keep", "yes"), {"tags": {"keep": None}}, "标签 keep（值未显示）（要求 yes）"),
        (tag("keep", "yes"), {"tags": {"keep": "YES"}}, "标签 keep YES（与 keep=yes 相似但不同：大小写或空格）（要求 yes）"),
        (CapacityOver(5000), {}, "存储容量 50 GB（要求超过 5000 GB）"),
        (CapacityOver(10), {}, "存储容量 50 GB（超过 10 GB）"),
        (LeaseEnabled(enabled=True), {"lease": Lease(enabled=False)}, "租约启用 false（要求 true）"),
        (Not(text("flavor", "*ascend*")), {"flavor": "vm.cpu"}, "规格 vm.cpu（不匹配 *ascend*）"),
        (Not(text("flavor", "*cpu*")), {"flavor": "vm.cpu"}, "规格 vm.cpu（要求不是 *cpu*）"),
        (Not(text("flavor", "*cpu*")), {"flavor": None}, "信息缺失：规格（要求不是 *cpu*）"),
        (Not(over("age", days=365)), {}, "存续时长 200 天（未超过 365 天）"),
        (Not(over("age", days=100)), {}, "存续时长 200 天（要求不超过 100 天）"),
        (Not(CapacityOver(10)), {}, "存储容量 50 GB（要求不超过 10 GB）"),
        (Not(Not(over("age", days=365))), {}, "不满足（存续时长 200 天（未超过 365 天））"),
        (
            Not(AnyOf((STOPPED, text("name", "a*")))),
            {"name": "b", "status": Status.ERROR},
            "均不满足（状态 ERROR（要求 STOPPED），名称 b（要求 a*））",
        ),
    ],
)
def test_a_finding_is_said_in_chinese(condition: Condition, changes: dict[str, Any], words: str) -> None:
    """The condition and the words between in Chinese; statuses, names and globs as they are."""
    assert render_finding(condition.check(notebook(**changes), moment()), Language.CHINESE) == words


@pytest.mark.parametrize("language", Language)
def test_moments_are_written_as_the_page_writes_its_own(language: Language) -> None:
    """In the zone of the page, also in what one cause contains; without that, they are in UTC, and say so."""
    told = Cause(CauseCode.TOLD, "idle", params={"until": "2026-03-01T20:00:00+00:00"})
    again = Cause(CauseCode.DELETION_RETRIED, because=told)
    assert "2 Mar, 04:00" in render(
        again, language, lambda moment: f"{moment.astimezone(ZoneInfo('Asia/Shanghai')):%-d %b, %H:%M}"
    )
    assert re.search("2026-03-01 20:00( UTC|Z)", render(again, language))


def test_a_verdict_is_said_in_chinese() -> None:
    """The whole sentence, and the English one beside it."""
    match = (STOPPED, over("idle", days=14))
    row = notebook(updated_at=ago(days=21, hours=4), lease=None)
    cause = judge(row, rules(policy(*match, name="idle-lease")), moment()).cause
    assert render(cause, Language.ENGLISH) == "policy idle-lease: status STOPPED; idle 21d 4h (over 14d)"
    assert render(cause, Language.CHINESE) == "符合策略 idle-lease：状态 STOPPED；闲置时长 21 天 4 小时（超过 14 天）"


@pytest.mark.parametrize(
    ("age", "in_english", "in_chinese"),
    [
        (timedelta(days=375, hours=12, minutes=5), "375d 12h", "375 天 12 小时"),
        (timedelta(days=7), "7d", "7 天"),
        (timedelta(hours=3, minutes=5), "3h 5m", "3 小时 5 分钟"),
        (timedelta(seconds=40), "40s", "40 秒"),
        (timedelta(0), "0s", "0 秒"),
        (timedelta(seconds=-0.5), "0s", "0 秒"),
        (timedelta(days=-3), "-3d", "-3 天"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(age: timedelta, in_english: str, in_chinese: str) -> None:
    """In both languages the same ones."""
    assert (render_age(age, Language.ENGLISH), render_age(age, Language.CHINESE)) == (in_english, in_chinese)


def test_a_fact_of_another_version_is_shown_in_english() -> None:
    """Its word is not known here."""
    mixed = MixedFact((Piece(word=FactWord("withheld")),))
    finding = Finding("tags.keep", "yes", "withheld by the cloud", Truth.UNKNOWN, alternatives=("yes",), mixed=mixed)
    assert render_finding(finding, Language.CHINESE) == "标签 keep withheld by the cloud（要求 yes）"
