"""Real verdicts of any rules: each language names the same, and nothing is lost in the journal."""

import re
from collections.abc import Iterator
from datetime import datetime

from hypothesis import given
from msgspec.structs import replace

from builders import moment, policy, protection, searching
from generated import DATES, NOTEBOOKS, POLICIES, PROTECTIONS, SPECS, Spec, build
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.model import Notebook
from nbsweep.core.policy import judge
from nbsweep.core.reasons.finding import Finding
from nbsweep.core.reasons.keeping import decode_cause, encode_cause
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render, render_finding
from nbsweep.core.second_look import kept_in_use


def verdict(
    row: Notebook, policies: list[tuple[list[Spec], Running]], protections: list[Spec], seen: datetime | None
) -> Verdict:
    """Return the verdict of generated rules."""
    built = Rules(
        tuple(policy(*map(build, specs), running=running) for specs, running in policies),
        tuple(protection(build(spec)) for spec in protections),
    )
    return judge(row, built, moment(**{"nb1": seen} if seen else {}))


def singles(finding: Finding) -> Iterator[Finding]:
    """Yield the findings of single conditions; one inside a `not` with the `not`, as it is written."""
    if not finding.parts or (finding.denied and not finding.denied.parts):
        yield finding
        return
    for part in finding.parts:
        yield from singles(part)


def assert_same(finding: Finding, words: str) -> None:
    """Assert that Chinese words name the fact and the threshold of a single finding."""
    finding = finding.denied or finding
    if finding.condition.endswith("_over"):
        assert re.findall(r"-?\d+", words) == re.findall(r"-?\d+", str(finding))
        return
    shown = [piece.text for piece in finding.mixed.pieces] if finding.mixed else [finding.fact or ""]
    assert [text for text in shown if text not in words] == []
    assert finding.fact in finding.alternatives or [text for text in finding.alternatives if text not in words] == []


@searching
@given(row=NOTEBOOKS, policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_whatever_the_verdict_chinese_names_the_same_as_english(
    row: Notebook, policies: list[tuple[list[Spec], Running]], protections: list[Spec], seen: datetime | None
) -> None:
    """The rule, each fact and each threshold; also where one cause contains another."""
    decided = verdict(row, policies, protections, seen)
    for cause in (decided.cause, kept_in_use(decided).cause):
        words = render(cause, Language.CHINESE)
        assert decided.cause.rule in words
        for finding in decided.cause.findings:
            assert render_finding(finding, Language.CHINESE) in words


@searching
@given(spec=SPECS, row=NOTEBOOKS, seen=DATES)
def test_whatever_the_finding_chinese_names_the_same_as_english(spec: Spec, row: Notebook, seen: datetime | None) -> None:
    """The fact and the threshold of each single condition, however they are nested."""
    found = build(spec).check(row, moment(**{"nb1": seen} if seen else {}))
    words = render_finding(found, Language.CHINESE)
    for single in singles(found):
        inner = render_finding(single, Language.CHINESE)
        assert inner in words
        assert_same(single, inner)


@searching
@given(row=NOTEBOOKS, policies=POLICIES, protections=PROTECTIONS, seen=DATES)
def test_whatever_the_verdict_its_cause_comes_back_from_the_journal(
    row: Notebook, policies: list[tuple[list[Spec], Running]], protections: list[Spec], seen: datetime | None
) -> None:
    """As it was, with its English sentence beside it."""
    decided = verdict(row, policies, protections, seen)
    cause = kept_in_use(decided).cause
    assert decode_cause(encode_cause(cause), "") == replace(cause, text=render(cause, Language.ENGLISH))
