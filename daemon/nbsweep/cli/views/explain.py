"""`explain` as a tree for people."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from nbsweep.cli.text import printable
from nbsweep.cli.views.explained_marks import grow_exemptions, grow_mark, heading
from nbsweep.cli.views.results import STYLES
from nbsweep.core.explain.context import BrakeLine, JournalFacts, NotebookContext
from nbsweep.core.explain.explain import ConditionResult, RuleResult
from nbsweep.core.explain.requirements import (
    AllRequired,
    AnyRequired,
    AnyRequirement,
    Requirement,
    RuleRequirement,
)
from nbsweep.core.facts import moment_words
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.lifecycle import Removal, outcome
from nbsweep.core.reasons.finding import Finding, Truth

MOST_REMOVALS = 5
TRUTH_WIDTH = max(len(truth) for truth in Truth) + 1


def explain_view(accounts: Sequence[NotebookContext]) -> RenderableType:
    """Return the view of one notebook: one tree for each target that has it."""
    return Group(*(_tree(account) for account in accounts))


def _tree(account: NotebookContext) -> Tree:
    explanation = account.explanation
    tree = Tree(_headline(account))
    _findings(tree, f"coverage of {account.target}", account.cover)
    _findings(tree, "built-in protections, any that passes keeps it", explanation.built_in)
    _answers(tree, "protections, any that passes keeps it", explanation.protections)
    grow_exemptions(tree, account)
    _answers(tree, "policies, the first that passes wins", explanation.policies)
    grow_mark(tree, account)
    _brakes(tree, account)
    _journal(tree, account.memory)
    _change(tree, account)
    return tree


def _headline(account: NotebookContext) -> Text:
    notebook, verdict = account.notebook, account.explanation.verdict
    decision = verdict.decision.value
    line = Text.assemble(
        (f"{printable(notebook.label)} ", "bold"),
        f"({printable(notebook.id)}, {notebook.status}, of {printable(notebook.owner_label)}): ",
        (decision.upper(), f"bold {STYLES[decision]}"),
        f", {printable(verdict.sentence)}",
    )
    if verdict.stop_first:
        line.append("; it is stopped first")
    if account.covered is False:
        line.append(f"; but target {account.target} does not cover it", style="yellow")
    if account.memory.left_alone and verdict.decision is Decision.DELETE:
        line.append(printable(f"; but {account.memory.left_alone.sentence}"), style="yellow")
    return line


# ---- rules ----------------------------------------------------------------------------------------------------------------


def _findings(tree: Tree, title: str, findings: Sequence[Finding]) -> None:
    branch = heading(tree, title)
    for finding in findings:
        branch.add(_line(finding.truth, f"{finding.condition}: {_seen(finding)} (wanted: {finding.threshold})"))


def _answers(tree: Tree, title: str, answers: Sequence[RuleResult]) -> None:
    branch = heading(tree, title)
    for answer in answers:
        line = _line(answer.check.finding.truth, answer.rule.name)
        if answer.decides:
            line.append("  <- this decides", style="bold")
        grown = branch.add(line)
        for part in answer.check.parts:
            _grow(grown, part)
        if answer.remark:
            grown.add(Text(printable(answer.remark), style="yellow"))
    if not answers:
        branch.add(Text("none is configured", style="dim"))


def _grow(branch: Tree, check: ConditionResult) -> None:
    finding = check.finding
    if finding.condition == "all" and len(check.parts) == 1:
        # A single condition in an `any` or a `not` needs no line for its group.
        _grow(branch, check.parts[0])
        return
    words = f"{finding.condition}: {finding.threshold}" if check.parts else _words(check)
    grown = branch.add(_line(finding.truth, words))
    for part in check.parts:
        _grow(grown, part)


def _words(check: ConditionResult) -> str:
    finding = check.finding
    since = f", since {moment_words(check.since)}" if check.since else ""
    missing = f"; not told by the cloud: {', '.join(check.missing)}" if check.missing else ""
    turn = f"; {_turn(check)}" if check.flips_at else ""
    return f"{finding.condition}: {_seen(finding)}{since} (wanted: {finding.threshold}){missing}{turn}"


def _turn(check: ConditionResult) -> str:
    turned = "fails" if check.finding.truth is Truth.PASS else "passes"
    return f"{turned} after {moment_words(check.flips_at)}" if check.flips_at else ""


def _seen(finding: Finding) -> str:
    return "missing" if finding.fact is None else finding.fact


def _line(truth: Truth, words: str) -> Text:
    return Text.assemble((f"{truth.value:<{TRUTH_WIDTH}}", STYLES[truth.value]), printable(words))


# ---- brakes and journal ---------------------------------------------------------------------------------------------------


def _brakes(tree: Tree, account: NotebookContext) -> None:
    branch = heading(tree, "brakes, which limit a whole sweep, not one notebook")
    for line in account.brakes:
        branch.add(Text(printable(_brake_words(line)), style="" if line.limit else "dim"))
    if latest := account.memory.latest:
        ended = moment_words(latest.ended_at or latest.started_at)
        branch.add(Text(printable(f"last sweep of {account.target}: {latest.run_id}, {latest.outcome}, {ended}")))


def _brake_words(line: BrakeLine) -> str:
    known = f"; {line.known}" if line.known else ""
    return f"{line.brake}: {line.limit or 'off'} ({line.looks_at}){known}"


def _journal(tree: Tree, memory: JournalFacts) -> None:
    branch = heading(tree, "journal")
    seen = moment_words(memory.last_active) if memory.last_active else "never by this journal"
    branch.add(Text(f"last seen active: {seen}"))
    if memory.under_way:
        removal = memory.under_way
        words = f"a removal is in progress: {removal.state} by run {removal.run_id}, policy {removal.policy}"
        branch.add(Text(printable(words), style="bold yellow"))
    ended = [removal for removal in memory.removals if removal.ended]
    for removal in ended[:MOST_REMOVALS]:
        branch.add(_removal(removal))
    if len(ended) > MOST_REMOVALS:
        branch.add(Text(f"... and {len(ended) - MOST_REMOVALS} earlier removals", style="dim"))
    if not memory.removals:
        branch.add(Text("no removal of it is known", style="dim"))


def _removal(removal: Removal) -> Text:
    end = outcome(removal)
    when = moment_words(removal.ended_at or removal.planned_at)
    return Text.assemble(
        (end, STYLES[end]),
        printable(f" at {when} by run {removal.run_id}, policy {removal.policy}: {removal.end_reason or removal.reason}"),
    )


# ---- what would have to change --------------------------------------------------------------------------------------------


def _change(tree: Tree, account: NotebookContext) -> None:
    explanation = account.explanation
    if explanation.verdict.decision is Decision.DELETE:
        _remedies(tree, account, "what its owner can do to keep it", "kept")
        return
    if explanation.announced:
        _remedies(tree, account, "what its owner can do to keep it")
    branch = heading(tree, "what would have to change for it to be deleted")
    _by_itself(branch, account, "deleted")
    if explanation.goes_at and not explanation.flips_at:
        words = f"at the earliest by a sweep after {moment_words(explanation.goes_at)}, if its owner is told at once"
        branch.add(Text(words, style="bold"))
    if explanation.needs:
        _need(branch, explanation.needs)
    if account.covered is False:
        branch.add(Text(printable(f"and target {account.target} would have to cover it"), style="yellow"))


def _remedies(tree: Tree, account: NotebookContext, title: str, becomes: str = "") -> None:
    """Add the changes that keep a notebook; with `becomes`, also when it is kept by itself."""
    branch = heading(tree, title)
    if becomes:
        _by_itself(branch, account, becomes)
    for remedy in account.explanation.remedies:
        until = f"; this keeps it until {moment_words(remedy.until)}" if remedy.until else ""
        branch.add(Text(printable(f"{remedy.words}{until}")))
    if not account.explanation.remedies:
        branch.add(Text("nothing alone: an operator of nbsweep would have to protect it", style="yellow"))


def _by_itself(branch: Tree, account: NotebookContext, becomes: str) -> None:
    if flips_at := account.explanation.flips_at:
        words = f"nothing but time: it would be {becomes} by a sweep after {moment_words(flips_at)}"
        branch.add(Text(words, style="bold"))


def _need(branch: Tree, need: AnyRequirement) -> None:
    match need:
        case Requirement(words=words):
            branch.add(Text(printable(words)))
        case RuleRequirement(words=words, need=inner):
            _need(branch.add(Text(printable(words), style="bold")), inner)
        case AllRequired(parts=parts):
            _group(branch, "all of this", parts)
        case AnyRequired(parts=parts):
            _group(branch, "one of these" if parts else "nothing", parts)


def _group(branch: Tree, title: str, parts: Sequence[AnyRequirement]) -> None:
    grown = branch.add(Text(title, style="dim"))
    for part in parts:
        _need(grown, part)
