"""Each statement has a sentence in every language, which names all that it holds."""

from datetime import datetime
from string import Formatter
from zoneinfo import ZoneInfo

import msgspec
import pytest

from nbsweep.core.facts import IDLE_LEASE
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Param
from nbsweep.core.reasons.render import STATEMENTS, render_statement
from nbsweep.core.reasons.sentences import backtests, brakes, fleets, requirements
from nbsweep.core.reasons.sentences.backtests import BacktestCode
from nbsweep.core.reasons.sentences.brakes import BrakeCode
from nbsweep.core.reasons.sentences.fleets import FleetCode
from nbsweep.core.reasons.sentences.requirements import RequirementCode
from nbsweep.core.reasons.statement import SEVERAL, Statement, recorded_statement
from nbsweep.core.reasons.statement_wordings import describe_statement, with_sentence

ENGLISH, CHINESE = STATEMENTS[Language.ENGLISH].sentences, STATEMENTS[Language.CHINESE].sentences
CODES = (*RequirementCode, *BrakeCode, *BacktestCode, *FleetCode)
PARTS = frozenset(STATEMENTS[Language.ENGLISH].between)
"""The names of parts in a sentence."""
SHOWN: dict[str, tuple[Param, str, str]] = {
    "allowed": (100, "100", "100"),
    "at": ("2026-03-09T09:00:05+08:00", "2026-03-09 01:00:05Z", "2026-03-09 01:00:05 UTC"),
    "before": (60, "60", "60"),
    "begun": (40, "40", "40"),
    "brake": ("max_share", "brakes.max_share", "brakes.max_share"),
    "business_days": (1, "1 business day", "1 个工作日"),
    "count": (101, "101", "101"),
    "covered_s": (13 * 86_400 + 23 * 3600, "13d 23h", "13 天 23 小时"),
    "deleted": (10, "10", "10"),
    "exemption": ("x7", "x7", "x7"),
    "config": ("a1b2", "a1b2", "a1b2"),
    "failed": (11, "11", "11"),
    "failures": (3, "its last 3 sweeps failed", "最近 3 次清理失败"),
    "far_s": (600, "10 minutes", "10 分钟"),
    "fleet": (20, "20", "20"),
    "gaps": (f"page 2{SEVERAL}page 3", "page 2; page 3", "page 2；page 3"),
    "grace_s": (7 * 86_400, "7d", "7 天"),
    "group": ("@team", "@team", "@team"),
    "hidden": (1, "1 workspace", "1 个工作空间"),
    "host": ("host-a", "host-a", "host-a"),
    "horizon_s": (14 * 86_400, "14d", "14 天"),
    "jobs": (1, "1 job waits", "1 个作业"),
    "kept_notebooks": (2, "2 notebooks were", "2 个 Notebook"),
    "key": ("owner", "owner", "所有者"),
    "left": (50, "50", "50"),
    "left_s": (3 * 86_400 + 4 * 3600, "3d 4h", "3 天 4 小时"),
    "limit": ("25%", "25%", "25%"),
    "limit_s": (14 * 86_400, "14d", "14 天"),
    "minute": ("2026-03-09T09:00:05+08:00", "2026-03-09 01:00Z", "2026-03-09 01:00 UTC"),
    "missing": (
        f"user.name{SEVERAL}{IDLE_LEASE}",
        f"user.name, {IDLE_LEASE}",
        "user.name、IDLE 类型租约的结束时间（API 不显示）",
    ),
    "more": (4, "4", "4"),
    "named": ("exp-*", "exp-*", "exp-*"),
    "notebooks": (1, "1 notebook", "1 个 Notebook"),
    "others": (2, "2 other owners have", "2 位所有者"),
    "owner": ("alice", "alice", "alice"),
    "owners": (f"alice{SEVERAL}bob", "alice, bob", "alice、bob"),
    "past_surveys": (1, "1 survey", "1 次盘点"),
    "pid": (7, "process 7", "进程 7"),
    "planned": (7, "7", "7"),
    "problem": ("no status", "no status", "no status"),
    "recipients": (f"owner{SEVERAL}ops", "owner and ops", "所有者、ops"),
    "requested": (12, "12", "12"),
    "rule": ("idle-lease", "idle-lease", "idle-lease"),
    "run": ("run7", "run7", "run7"),
    "silent_s": (95, "95s", "95 秒"),
    "size_gb": (50, "50", "50"),
    "status": ("FROZEN", "FROZEN", "FROZEN"),
    "surveys": (1, "1 more complete survey", "1 次完整盘点"),
    "tag": ("keep", "keep", "keep"),
    "target": ("research", "research", "research"),
    "theirs": ("c3d4", "c3d4", "c3d4"),
    "total": (108, "108", "108"),
    "workspaces": (
        f"lab (NOTEBOOK): no{SEVERAL}0 (DEFAULT): no",
        "workspace lab (NOTEBOOK): no; workspace 0 (DEFAULT): no",
        "工作空间 lab (NOTEBOOK): no；工作空间 0 (DEFAULT): no",
    ),
}
"""Each parameter of a sentence: a value, and how English and Chinese show it."""


def names(sentence: str) -> set[str]:
    """Return the names in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def statement_of(code: str) -> Statement:
    """Return a statement that holds all that its English sentence names."""
    named = names(ENGLISH[code])
    parts = (Statement(RequirementCode.STOPPED), Statement(RequirementCode.MARKED)) if named & PARTS else ()
    return Statement(code, {name: SHOWN[name][0] for name in named - PARTS}, parts)


def test_no_code_has_two_meanings() -> None:
    """The sentences of all kinds are looked up in one mapping."""
    assert len(set(map(str, CODES))) == len(CODES)
    for sentences in (requirements, brakes, backtests, fleets):
        assert set(sentences.ENGLISH) == set(sentences.CHINESE)


@pytest.mark.parametrize("code", CODES)
def test_every_statement_has_a_sentence_in_each_language_that_names_the_same(code: str) -> None:
    """A code without a sentence, or a sentence that leaves out what the other one names, is a mistake."""
    assert names(CHINESE[code]) == names(ENGLISH[code])


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_shows_all_that_its_statement_holds(code: str) -> None:
    """Each parameter in the words of the language, and the parts; no brace is left."""
    statement = statement_of(code)
    in_english, in_chinese = render_statement(statement, Language.ENGLISH), render_statement(statement, Language.CHINESE)
    for name in statement.params:
        assert SHOWN[name][1] in in_english
        assert SHOWN[name][2] in in_chinese
    if statement.parts:
        assert ("it would have to be stopped" in in_english, "需停止该实例" in in_chinese) == (True, True)
    assert not set("{}\x1f") & set(in_english + in_chinese)


@pytest.mark.parametrize(
    ("statement", "english", "chinese"),
    [
        (
            Statement(
                RequirementCode.BE,
                {"key": "owner"},
                (
                    Statement(RequirementCode.NAMED, {"named": "zoe"}),
                    Statement(RequirementCode.LARGE_GROUP, {"group": "@team", "owners": f"ann{SEVERAL}bob", "more": 3}),
                ),
            ),
            "owner would have to be zoe or @team (ann, bob, 3 more)",
            "所有者需为 zoe 或 @team（ann、bob，另有 3 个）",
        ),
        (
            Statement(RequirementCode.REST_FIRST, {}, (Statement(RequirementCode.IDLE_LONGER, {"limit_s": 14 * 86_400}),)),
            "it would have to come to rest, and then: it would have to be idle for more than 14d",
            "实例需先停下来，不再运行或变更，然后：闲置时长需超过 14 天",
        ),
        (
            Statement(
                RequirementCode.NOTICE,
                {"grace_s": 7 * 86_400},
                (
                    Statement(RequirementCode.MARKED),
                    Statement(RequirementCode.SURVEYS_AGREE, {"surveys": 2}),
                    Statement(RequirementCode.OWNER_TOLD),
                ),
            ),
            (
                "it would have to be marked, 2 more complete surveys would have to agree, its owner would have to be told, and "
                "after that 7d would have to pass"
            ),
            "需先标记该实例，还需 2 次完整盘点得出相同结果，需通知所有者，此后还需经过 7 天",
        ),
        (
            Statement(
                BrakeCode.ALL_OF,
                parts=(
                    Statement(BrakeCode.MAX_PER_OWNER, {"count": 9, "owner": "alice", "allowed": 5}),
                    Statement(BrakeCode.NOT_ANNOUNCED),
                ),
            ),
            (
                "9 notebooks of alice would go, and brakes.max_per_owner allows 5 of one owner. Until then no further notebook "
                "is announced, neither now nor in a later sweep; with brakes.on_excess: trim, the longest idle are announced "
                "first"
            ),
            (
                "将删除 alice 的 9 个 Notebook，而 brakes.max_per_owner 允许每位所有者最多 5 个。"
                "在此之前不会再通知任何 Notebook，本次和以后的清理都不会；如果设置 brakes.on_excess: trim，则先通知闲置最久的"
            ),
        ),
        (
            Statement(BrakeCode.CLOCK_BEHIND, {"far_s": 75}),
            (
                "this machine's clock is 75 seconds behind the cloud's, or has just been set or stood still, so that no age "
                "can be trusted. Set it from the network (NTP), and run again"
            ),
            "本机时钟比云平台慢 75 秒，或刚被调整过、停止过，因此任何时长都不可信。请通过网络（NTP）校时，然后重新运行",
        ),
    ],
)
def test_statements_are_whole_sentences(statement: Statement, english: str, chinese: str) -> None:
    """With their parts, and what stands between them in the language."""
    assert render_statement(statement, Language.ENGLISH) == english
    assert render_statement(statement, Language.CHINESE) == chinese


@pytest.mark.parametrize("language", Language)
def test_the_moments_of_a_statement_are_in_the_zone_of_the_page(language: Language) -> None:
    """In its parts too; noon in UTC is eight in the evening in Shanghai."""
    inner = Statement(RequirementCode.HOLDOUT_ENDS, {"at": "2026-03-01T12:00:00+00:00"})
    statement = Statement(RequirementCode.SHOWN_FIRST, {"missing": "lease"}, (inner,))

    def in_shanghai(moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo('Asia/Shanghai')):%H:%M}"

    assert "20:00" in render_statement(statement, language, in_shanghai)
    assert "12:00" in render_statement(statement, language)


# ---- statements that are kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_a_statement_comes_back_from_json_as_the_same_sentence(code: str) -> None:
    """The codes are texts there."""
    statement = with_sentence(statement_of(code))
    back = msgspec.json.decode(msgspec.json.encode(statement), type=Statement)
    assert [render_statement(back, each) for each in Language] == [render_statement(statement, each) for each in Language]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "damaged",
    [
        Statement("a-code-of-tomorrow", {"count": 3}, text="as it was"),
        Statement(BrakeCode.MAX_DELETIONS, {"count": 3}, text="as it was"),
        Statement(BrakeCode.CLOCK_AHEAD, {"far_s": "an hour"}, text="as it was"),
        Statement(RequirementCode.HOLDOUT_ENDS, {"at": "tomorrow"}, text="as it was"),
        Statement(RequirementCode.GROW_OLDER, {"left_s": 10**20, "at": "2026-03-01T12:00:00+00:00"}, text="as it was"),
        Statement(RequirementCode.REST_FIRST, text="as it was"),
        recorded_statement("as it was"),
    ],
)
def test_a_statement_that_cannot_be_rendered_shows_its_english_sentence(damaged: Statement, language: Language) -> None:
    """Another version may have another code, leave out a parameter, or write it in another way."""
    assert render_statement(damaged, language) == "as it was"


def test_a_statement_without_any_words_shows_its_code() -> None:
    """There is nothing else to show, and a page must not fail."""
    assert describe_statement(Statement("a-code-of-tomorrow")) == "a-code-of-tomorrow"


def test_a_name_with_braces_stays_as_it_is() -> None:
    """Names are other people's text, and no part of the sentence."""
    statement = Statement(RequirementCode.POLICY_MATCHES, {"rule": "{key} {0.__class__}"})
    assert render_statement(statement, Language.ENGLISH) == "policy {key} {0.__class__} would have to match"
    assert render_statement(statement, Language.CHINESE) == "需符合策略 {key} {0.__class__}"
