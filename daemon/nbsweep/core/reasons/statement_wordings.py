"""How English and Chinese render statements."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from nbsweep.core.facts import IDLE_LEASE, format_age, format_moment, moment_words
from nbsweep.core.reasons.chinese_findings import NOUNS, describe_age
from nbsweep.core.reasons.model import Param
from nbsweep.core.reasons.sentences import backtests, brakes, fleets, requirements
from nbsweep.core.reasons.statement import SEVERAL, Statement, StatementWording, compose_statement

A_FEW_MINUTES_S = 120
MOMENTS = frozenset({"at", "minute"})
RECIPIENTS: Mapping[str, str] = {"owner": "所有者"}
"""The Chinese words for recipients that are no channel."""
MISSING: Mapping[str, str] = {IDLE_LEASE: "IDLE 类型租约的结束时间（API 不显示）"}
"""The Chinese words for facts that are no field of the API."""


def describe_statement(statement: Statement) -> str:
    """Return the English sentence of a statement."""
    return compose_statement(statement, ENGLISH)


def with_sentence(statement: Statement) -> Statement:
    """Return a statement to be kept, with its English sentence."""
    return replace(statement, text=describe_statement(statement))


# ---- English --------------------------------------------------------------------------------------------------------------


def _moment(param: Param) -> str:
    return moment_words(datetime.fromisoformat(str(param)))


def _age(param: Param) -> str:
    return format_age(timedelta(seconds=int(param)))


def far_words(far_s: int) -> str:
    """Return how far a clock is off, in words: ``10 minutes``."""
    return f"{far_s // 60} minutes" if far_s >= A_FEW_MINUTES_S else f"{far_s} seconds"


def _business_days(param: Param) -> str:
    return f"{param} business day{'s' if int(param) > 1 else ''}"


def _surveys(param: Param) -> str:
    return f"{param} more complete {'survey' if param == 1 else 'surveys'}"


def _others(param: Param) -> str:
    return f"{param} other owner{'s have' if int(param) > 1 else ' has'}"


def _hidden(param: Param) -> str:
    return f"{param} workspace{'s' if int(param) > 1 else ''}"


def _failures(param: Param) -> str:
    return "its sweep failed" if param == 1 else f"its last {param} sweeps failed"


def _jobs(param: Param) -> str:
    return "1 job waits" if param == 1 else f"{param} jobs wait"


def _notebooks(param: Param) -> str:
    return f"{param} notebook{'' if param == 1 else 's'}"


def _kept_notebooks(param: Param) -> str:
    return f"{_notebooks(param)} {'was' if param == 1 else 'were'}"


def _past_surveys(param: Param) -> str:
    return f"{param} survey{'' if param == 1 else 's'}"


def _workspaces(param: Param) -> str:
    return "; ".join(f"workspace {each}" for each in _several(param))


def _several(param: Param) -> list[str]:
    return str(param).split(SEVERAL)


ENGLISH = StatementWording(
    sentences={**requirements.ENGLISH, **brakes.ENGLISH, **backtests.ENGLISH, **fleets.ENGLISH},
    params={
        "at": _moment,
        "minute": lambda param: format_moment(datetime.fromisoformat(str(param))),
        "failures": _failures,
        "jobs": _jobs,
        "limit_s": _age,
        "left_s": _age,
        "grace_s": _age,
        "covered_s": _age,
        "horizon_s": _age,
        "notebooks": _notebooks,
        "kept_notebooks": _kept_notebooks,
        "past_surveys": _past_surveys,
        "far_s": lambda param: far_words(int(param)),
        "business_days": _business_days,
        "surveys": _surveys,
        "others": _others,
        "hidden": _hidden,
        "workspaces": _workspaces,
        "gaps": lambda param: "; ".join(_several(param)),
        "missing": lambda param: ", ".join(_several(param)),
        "owners": lambda param: ", ".join(_several(param)),
        "recipients": lambda param: " and ".join(_several(param)),
    },
    between={"then": "", "names": " or ", "steps": ", ", "clauses": "; ", "sentences": ". "},
    moments=MOMENTS,
)


# ---- Chinese --------------------------------------------------------------------------------------------------------------


def _chinese_moment(param: Param) -> str:
    return f"{datetime.fromisoformat(str(param)).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _chinese_minute(param: Param) -> str:
    return f"{datetime.fromisoformat(str(param)).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _chinese_age(param: Param) -> str:
    return describe_age(timedelta(seconds=int(param)))


def _chinese_far(param: Param) -> str:
    far_s = int(param)
    return f"{far_s // 60} 分钟" if far_s >= A_FEW_MINUTES_S else f"{far_s} 秒"


def _chinese_workspaces(param: Param) -> str:
    return "；".join(f"工作空间 {each}" for each in _several(param))


CHINESE = StatementWording(
    sentences={**requirements.CHINESE, **brakes.CHINESE, **backtests.CHINESE, **fleets.CHINESE},
    params={
        "at": _chinese_moment,
        "minute": _chinese_minute,
        "key": lambda param: NOUNS.get(str(param), str(param)),
        "limit_s": _chinese_age,
        "left_s": _chinese_age,
        "grace_s": _chinese_age,
        "covered_s": _chinese_age,
        "horizon_s": _chinese_age,
        "far_s": _chinese_far,
        "workspaces": _chinese_workspaces,
        "gaps": lambda param: "；".join(_several(param)),
        "missing": lambda param: "、".join(MISSING.get(each, each) for each in _several(param)),
        "owners": lambda param: "、".join(_several(param)),
        "recipients": lambda param: "、".join(RECIPIENTS.get(each, each) for each in _several(param)),
    },
    between={"then": "", "names": " 或 ", "steps": "，", "clauses": "；", "sentences": "。"},
    moments=MOMENTS,
)
