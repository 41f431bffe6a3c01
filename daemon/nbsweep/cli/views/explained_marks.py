"""The mark and the exemptions of one notebook, as branches of the tree of `explain`."""

from collections.abc import Iterator

from rich.text import Text
from rich.tree import Tree

from nbsweep.cli.text import printable
from nbsweep.cli.views.results import STYLES
from nbsweep.core.explain.context import NotebookContext
from nbsweep.core.facts import format_age, moment_words
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.reasons.finding import Truth

CLEARED_BY = (
    "cleared by any use of it, by a change of its lease, owner or status, by tags or a name that the policy does not match, by "
    "a protection or an exemption, and by an edit of the policy"
)


def heading(tree: Tree, title: str) -> Tree:
    """Add a branch with a title."""
    return tree.add(Text(title, style="bold"))


def grow_exemptions(tree: Tree, account: NotebookContext) -> None:
    """Add the exemptions that cover the notebook, or may; nothing if the target has none."""
    if not account.rules.exemptions:
        return
    branch = heading(tree, "exemptions, any that covers it keeps it until its end")
    for exemption, truth in account.exemptions:
        ticket = f" ({exemption.ticket})" if exemption.ticket else ""
        line = Text.assemble((f"{truth.value:<{WIDTH}}", STYLES[truth.value]))
        branch.add(line.append(printable(f"{exemption}{ticket}, granted by {exemption.granted_by}")))
    if not account.exemptions:
        branch.add(Text("none covers it", style="dim"))


WIDTH = max(len(truth) for truth in Truth) + 1


def grow_mark(tree: Tree, account: NotebookContext) -> None:
    """Add how far the deletion is announced; nothing if no policy gives notice, and it was never marked."""
    if not (account.mark or account.rules.graces):
        return
    branch = heading(tree, "mark, which announces the deletion")
    if account.mark is None:
        branch.add(Text("not marked", style="dim"))
        return
    for words, style in _lines(account.mark, account):
        branch.add(Text(printable(words), style=style))


def _lines(mark: Mark, account: NotebookContext) -> Iterator[tuple[str, str]]:
    grace = account.rules.graces.get(mark.policy)
    needed = f" of {grace.surveys}" if grace else ""
    yield f"marked on {moment_words(mark.marked_at)} by {mark.reason}", ""
    if mark.open:
        agree = "survey agrees" if mark.surveys == 1 else "surveys agree"
        yield f"{mark.surveys}{needed} complete {agree}", ""
    if mark.told_at:
        yield f"told on {moment_words(mark.told_at)} by {mark.told_by}", ""
    if mark.open:
        yield from _lines_of_open(mark, account)
        yield CLEARED_BY, "dim"
    if mark.ended_at:
        how = f"cleared: {mark.cleared}" if mark.cleared else f"deleted by run {mark.run_id}"
        yield f"ended on {moment_words(mark.ended_at)}, {how}", "green"


def _lines_of_open(mark: Mark, account: NotebookContext) -> Iterator[tuple[str, str]]:
    due, now = account.due_at, account.asked_at
    if mark.untold:
        yield f"{'not told yet, tried again' if mark.retried else 'not told'}: {mark.untold}", "bold yellow"
    elif mark.state is MarkState.MARKED:
        yield "not told yet", "yellow"
    if due is not None:
        ahead = f", in {format_age(due - now)}" if due > now else ": the next sweep deletes it if all rules still agree"
        yield f"due on {moment_words(due)}{ahead}", "bold" if due > now else "bold red"
